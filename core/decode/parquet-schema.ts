import { corrupt, type ParquetFooter, type SchemaElement, unsupported } from './parquet-footer.ts';

/** A column as it lies in the file. Levels count from the root: see {@link SchemaNode}. */
export interface Leaf {
  readonly kind: 'leaf';
  readonly element: SchemaElement;
  /** Its place among the columns of a row group. */
  readonly index: number;
  /** Names from the root, the root not counted. */
  readonly path: readonly string[];
  readonly definition: number;
  readonly repetition: number;
}

/**
 * The schema as rows have it: Parquet's groups around lists and maps are gone. A value is there when its column's
 * definition level reaches `definition`; `isOptional` nodes are null below it. Elements of a list follow one another
 * with the repetition level `repetition`.
 */
export type SchemaNode = { readonly isOptional: boolean } & (
  | Leaf
  | { readonly kind: 'struct'; readonly definition: number; readonly members: readonly Member[] }
  | Repeated<'list', { readonly element: SchemaNode }>
  | Repeated<'map', { readonly key: SchemaNode; readonly value: SchemaNode | undefined }>
);

type Repeated<K, Of> = Of & {
  readonly kind: K;
  readonly definition: number;
  /** There is an element at this definition level. */
  readonly elementDefinition: number;
  readonly repetition: number;
};

export interface Member {
  readonly name: string;
  readonly node: SchemaNode;
}

/** Numbers of parquet.thrift. */
const OPTIONAL = 1;
const REPEATED = 2;
const MAP = 1;
const MAP_KEY_VALUE = 2;
const LIST = 3;

/** Levels are held in a byte each; a hundred are out of reach of any honest schema. */
const MAX_LEVELS = 100;

interface Tree {
  readonly element: SchemaElement;
  readonly children: readonly Tree[];
  readonly path: readonly string[];
  readonly definition: number;
  readonly repetition: number;
}

/** The schema of rows, and the columns in the order in which row groups list them. */
export function readSchema(footer: ParquetFooter): { readonly root: SchemaNode; readonly leaves: readonly Leaf[] } {
  const elements = footer.schema ?? [];
  let next = 0;
  const leaves: Leaf[] = [];

  const grow = (above: Tree | undefined): Tree => {
    const element = elements[next++];
    if (!element) throw corrupt('its schema ends early');
    const repetition = (above?.repetition ?? 0) + (above && element.repetition === REPEATED ? 1 : 0);
    const isNamed = element.repetition === OPTIONAL || element.repetition === REPEATED;
    const definition = (above?.definition ?? 0) + (above && isNamed ? 1 : 0);
    const path = above ? [...above.path, element.name ?? ''] : [];
    if (path.length > MAX_LEVELS) throw corrupt(`its schema is nested deeper than ${MAX_LEVELS} levels`);
    const children: Tree[] = [];
    const tree: Tree = { element, children, path, definition, repetition };
    const names = new Set<string | undefined>();
    for (let child = 0; child < (element.children ?? 0); child++) {
      const grown = grow(tree);
      if (names.has(grown.element.name)) throw unsupported(`two columns are named ${grown.path.join('.')}`);
      names.add(grown.element.name);
      children.push(grown);
    }
    return tree;
  };

  const leafOf = new Map<Tree, Leaf>();
  const collect = (tree: Tree) => {
    if (tree.element.type !== undefined && tree.children.length === 0) {
      const { element, path, definition, repetition } = tree;
      const leaf: Leaf = { kind: 'leaf', element, index: leaves.length, path, definition, repetition };
      leaves.push(leaf);
      leafOf.set(tree, leaf);
    } else for (const child of tree.children) collect(child);
  };

  const root = grow(undefined);
  if (next !== elements.length) throw corrupt('its schema has more columns than it says');
  collect(root);
  const members = root.children.map((child) => ({ name: child.element.name ?? '', node: nodeOf(child, leafOf) }));
  return { root: { kind: 'struct', isOptional: false, definition: 0, members }, leaves };
}

/** A node that may be null, a list, or just there. */
function nodeOf(tree: Tree, leafOf: ReadonlyMap<Tree, Leaf>): SchemaNode {
  if (tree.element.repetition !== REPEATED) return presentOf(tree, tree.element.repetition === OPTIONAL, leafOf);
  // A repeated field on its own is a list that is never null: protocol buffers are written like this.
  return listOf(tree, presentOf(tree, false, leafOf), tree.definition - 1, false);
}

function presentOf(tree: Tree, isOptional: boolean, leafOf: ReadonlyMap<Tree, Leaf>): SchemaNode {
  const { element, children, definition } = tree;
  const leaf = leafOf.get(tree);
  if (leaf) return { ...leaf, isOptional };
  const [inner] = children;
  const isRepeated = children.length === 1 && inner !== undefined && inner.element.repetition === REPEATED;
  if (isRepeated && (element.logical?.map || element.converted === MAP || element.converted === MAP_KEY_VALUE)) {
    const [key, value] = inner.children;
    if (key && inner.children.length <= 2) {
      return {
        kind: 'map',
        isOptional,
        definition,
        elementDefinition: inner.definition,
        repetition: inner.repetition,
        key: nodeOf(key, leafOf),
        value: value && nodeOf(value, leafOf),
      };
    }
  }
  if (isRepeated && (element.logical?.list || element.converted === LIST)) {
    return listOf(inner, elementOf(element, inner, leafOf), definition, isOptional);
  }
  if (children.length === 0) throw unsupported(`the group ${tree.path.join('.')} has no columns`);
  const members = children.map((child) => ({ name: child.element.name ?? '', node: nodeOf(child, leafOf) }));
  return { kind: 'struct', isOptional, definition, members };
}

/**
 * Writers agree on three levels for a list now; these are the rules for telling the two levels of older ones apart:
 * https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#lists.
 */
function elementOf(list: SchemaElement, repeated: Tree, leafOf: ReadonlyMap<Tree, Leaf>): SchemaNode {
  const [only] = repeated.children;
  const isElement =
    repeated.children.length !== 1 ||
    only === undefined ||
    only.element.repetition === REPEATED ||
    repeated.element.name === 'array' ||
    repeated.element.name === `${list.name}_tuple`;
  return isElement ? presentOf(repeated, false, leafOf) : nodeOf(only, leafOf);
}

function listOf(repeated: Tree, element: SchemaNode, definition: number, isOptional: boolean): SchemaNode {
  const { definition: elementDefinition, repetition } = repeated;
  return { kind: 'list', isOptional, definition, elementDefinition, repetition, element };
}
