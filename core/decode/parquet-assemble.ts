import type { Column } from './parquet-column.ts';
import { corrupt } from './parquet-footer.ts';
import type { Member, SchemaNode } from './parquet-schema.ts';
import { setOwn } from './set-own.ts';
import { NotUtf8 } from './utf8.ts';
import { weightOf } from './value-batch.ts';

/** What is known of a row while it is put together. */
export interface RowState {
  /** As `ValueBatch.add` wants it. */
  weight: number;
  /** The first column whose text is not UTF-8. */
  invalid: string | undefined;
}

/** Thrown at the value with which a row gets heavier than it may. */
export class RowTooHeavy extends Error {}

/** Reads one value: of a column, or of everything below a group. */
interface Reader {
  readonly read: () => unknown;
  /** Columns below; the first one's levels tell what is there. */
  readonly columns: readonly Column[];
}

/**
 * A function that puts the next row together from the columns of a row group (one for each leaf, in order): the
 * assembly of the Dremel paper, one row at a time. It counts the row's weight into `state`.
 */
export function rowReader(
  root: SchemaNode,
  columns: readonly Column[],
  state: RowState,
  maxWeight: number,
): () => unknown {
  const { read } = compile(root);
  const repeated = columns.filter((column) => !column.isFlat);
  return () => {
    for (const column of repeated)
      if (column.repetition() !== 0) throw corrupt('columns disagree about where rows end');
    return read();
  };

  function add(weight: number): void {
    state.weight += weight;
    if (state.weight > maxWeight) throw new RowTooHeavy();
  }

  function compile(node: SchemaNode): Reader {
    const reader = node.kind === 'leaf' ? leaf(node) : group(node);
    if (!node.isOptional || node.kind === 'leaf') return reader;
    const [first] = reader.columns;
    const { definition } = node;
    return {
      columns: reader.columns,
      read: () => (first && first.definition() < definition ? nothing(reader.columns) : reader.read()),
    };
  }

  function group(node: Exclude<SchemaNode, { readonly kind: 'leaf' }>): Reader {
    if (node.kind === 'struct') return struct(node.members);
    return node.kind === 'list' ? list(node) : map(node);
  }

  function leaf(node: SchemaNode & { readonly kind: 'leaf' }): Reader {
    const column = columns[node.index];
    if (!column) throw corrupt('a row group lacks a column');
    const read = () => {
      const value = column.take();
      if (value instanceof NotUtf8) {
        state.invalid ??= node.path.join('.');
        add(weightOf(value.text));
        return value.text;
      }
      add(weightOf(value));
      return value;
    };
    return { read, columns: [column] };
  }

  /** A null takes one entry of every column below it. */
  function nothing(below: readonly Column[]): null {
    for (const column of below) column.take();
    add(1);
    return null;
  }

  function struct(members: readonly Member[]): Reader {
    const readers = members.map(({ node }) => compile(node));
    const names = members.reduce((sum, { name }) => sum + name.length + 3, 1);
    const make = literal(members)(readers.map(({ read }) => read));
    const read = () => {
      add(names);
      return make();
    };
    return { read, columns: readers.flatMap((reader) => reader.columns) };
  }

  function list(node: SchemaNode & { readonly kind: 'list' }): Reader {
    const element = compile(node.element);
    const [first] = element.columns;
    const { elementDefinition, repetition } = node;
    const read = () => {
      const items: unknown[] = [];
      if (first && first.definition() < elementDefinition) {
        nothing(element.columns);
        return items;
      }
      do items.push(element.read());
      while (first?.repetition() === repetition);
      return items;
    };
    return { read, columns: element.columns };
  }

  function map(node: SchemaNode & { readonly kind: 'map' }): Reader {
    const key = compile(node.key);
    const value = node.value && compile(node.value);
    const below = [...key.columns, ...(value?.columns ?? [])];
    const [first] = key.columns;
    const { elementDefinition, repetition } = node;
    const read = () => {
      const entries: Record<string, unknown> = {};
      if (first && first.definition() < elementDefinition) {
        nothing(below);
        return entries;
      }
      do {
        const name = String(key.read());
        add(3);
        setOwn(entries, name, value ? value.read() : null);
      } while (first?.repetition() === repetition);
      return entries;
    };
    return { read, columns: below };
  }
}

type Make = () => Record<string, unknown>;

/**
 * A function that makes an object with these members. An object literal gives all rows one shape at once, where
 * assigning names one by one takes several times as long. Names are put into the code only as JSON texts.
 */
function literal(members: readonly Member[]): (readers: readonly (() => unknown)[]) => Make {
  const texts = members.map(({ name }, index) => {
    const key = JSON.stringify(name);
    return `${name === '__proto__' ? `[${key}]` : key}: r${index}()`;
  });
  const names = members.map((_, index) => `r${index}`).join(',');
  return new Function('readers', `const [${names}] = readers; return () => ({${texts.join(',')}});`) as (
    readers: readonly (() => unknown)[],
  ) => Make;
}
