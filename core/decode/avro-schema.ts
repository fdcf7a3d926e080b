import { corrupt, unsupported } from './avro-fault.ts';
import { type AvroInput, addWeight, enter, takeBytes, takeCount, takeElements, takeLong } from './avro-input.ts';
import { convertOf } from './avro-logical.ts';
import { finite, float32 } from './binary-values.ts';
import { setOwn } from './set-own.ts';
import { NotUtf8, textOf } from './utf8.ts';
import { weightOf } from './value-batch.ts';

/** Reads one value of a type. */
export type Read = (input: AvroInput) => unknown;

type Json = Readonly<Record<string, unknown>>;

/** Types by full name, and the namespace that short names are completed with. */
interface Scope {
  readonly named: Map<string, { read: Read }>;
  readonly space: string;
  readonly depth: number;
}

/** Types inside each other in the schema itself. */
const MAX_SCHEMA_DEPTH = 100;

/**
 * A function that reads values of this schema (https://avro.apache.org/docs/1.12.0/specification/), compiled once a
 * file. Only the writer's schema counts: there is none of a reader to resolve it with.
 */
export function compileAvro(schema: unknown): Read {
  return compile(schema, { named: new Map(), space: '', depth: 0 });
}

function compile(schema: unknown, scope: Scope): Read {
  if (scope.depth > MAX_SCHEMA_DEPTH) throw unsupported(`its schema is nested deeper than ${MAX_SCHEMA_DEPTH} levels`);
  const inner = { ...scope, depth: scope.depth + 1 };
  if (typeof schema === 'string')
    return Object.hasOwn(primitives, schema) ? scalar(schema, {}) : reference(schema, inner);
  if (Array.isArray(schema)) return union(schema, inner);
  if (typeof schema !== 'object' || schema === null) throw corrupt('its schema is no Avro schema');
  const definition = schema as Json;
  const { type } = definition;
  if (typeof type !== 'string') return compile(type, inner);
  if (Object.hasOwn(primitives, type)) return scalar(type, definition);
  if (type === 'array') return array(compile(definition['items'], inner));
  if (type === 'map') return map(compile(definition['values'], inner));
  if (type === 'record' || type === 'error' || type === 'enum' || type === 'fixed')
    return named(definition, type, inner);
  return reference(type, inner);
}

const primitives: Readonly<Record<string, Read>> = {
  null: () => null,
  boolean: (input) => takeBytes(input, 1)[0] !== 0,
  int: (input) => {
    const value = takeLong(input);
    if (typeof value === 'bigint' || value !== (value | 0)) throw corrupt('an int has more than 32 bits');
    return value;
  },
  long: takeLong,
  float: (input) => float32(takeBytes(input, 4).readFloatLE(0)),
  double: (input) => finite(takeBytes(input, 8).readDoubleLE(0)),
  bytes: (input) => takeBytes(input, takeCount(input)),
  string: (input) => {
    const bytes = takeBytes(input, takeCount(input));
    // Of a record that is refused anyway nothing is kept.
    if (input.isTooLong) return '';
    const text = textOf(bytes);
    if (!(text instanceof NotUtf8)) return text;
    input.isNotUtf8 = true;
    return text.text;
  },
};

function scalar(type: string, definition: Json): Read {
  return weighed(primitives[type] as Read, convertOf(type, definition));
}

function weighed(read: Read, convert: ((value: never) => unknown) | undefined): Read {
  return (input) => {
    const raw = read(input);
    const value = convert && !input.isTooLong ? convert(raw as never) : raw;
    addWeight(input, input.isTooLong ? 1 : weightOf(value));
    return value;
  };
}

function reference(name: string, { named, space }: Scope): Read {
  const found = named.get(name.includes('.') || space === '' ? name : `${space}.${name}`) ?? named.get(name);
  if (!found) throw corrupt('its schema refers to a type that it does not define');
  // Looked up at every call: a type may refer to itself before it is whole.
  return (input) => found.read(input);
}

function named(definition: Json, type: 'record' | 'error' | 'enum' | 'fixed', scope: Scope): Read {
  const { name, namespace, size } = definition;
  const entry: { read: Read } = { read: () => null };
  const given = typeof namespace === 'string' ? namespace : scope.space;
  let inner = scope;
  // Some writers leave the name out where nothing refers to it.
  if (name !== undefined) {
    if (typeof name !== 'string') throw corrupt('a name in its schema is no text');
    const full = name.includes('.') || given === '' ? name : `${given}.${name}`;
    if (scope.named.has(full)) throw corrupt('its schema defines a type twice');
    scope.named.set(full, entry);
    const dot = full.lastIndexOf('.');
    inner = { ...scope, space: dot < 0 ? '' : full.slice(0, dot) };
  }
  if (type === 'enum') entry.read = enumeration(definition);
  else if (type === 'fixed') {
    if (!Number.isSafeInteger(size) || (size as number) < 0) throw corrupt('a fixed type in its schema has no size');
    entry.read = weighed((input) => takeBytes(input, size as number), convertOf('fixed', definition));
  } else entry.read = record(definition, inner);
  return entry.read;
}

function enumeration({ symbols }: Json): Read {
  if (!Array.isArray(symbols)) throw corrupt('an enum in its schema has no symbols');
  return weighed((input) => {
    const symbol: unknown = symbols[takeCount(input)];
    if (typeof symbol !== 'string') throw corrupt('an enum has no such symbol');
    return symbol;
  }, undefined);
}

function record({ fields }: Json, scope: Scope): Read {
  if (!Array.isArray(fields)) throw corrupt('a record in its schema has no fields');
  const members = fields.map((field: Json | null) => {
    const name = field?.['name'];
    if (typeof name !== 'string') throw corrupt('a field in its schema has no name');
    return { name, read: compile(field?.['type'], scope) };
  });
  const weight = members.reduce((sum, { name }) => sum + name.length + 3, 1);
  return (input) => {
    enter(input);
    addWeight(input, weight);
    const row: Record<string, unknown> = {};
    for (const { name, read } of members) setOwn(row, name, read(input));
    input.depth--;
    return row;
  };
}

/** Elements come in blocks; a negative count is followed by the block's bytes, and a count of zero ends them. */
function eachElement(input: AvroInput, take: () => void): void {
  enter(input);
  for (;;) {
    let count = takeCount(input);
    if (count === 0) break;
    if (count < 0) {
      count = -count;
      takeCount(input);
    }
    takeElements(input, count);
    for (let index = 0; index < count; index++) take();
  }
  input.depth--;
}

function array(item: Read): Read {
  return (input) => {
    const items: unknown[] = [];
    addWeight(input, 2);
    eachElement(input, () => {
      const value = item(input);
      if (!input.isTooLong) items.push(value);
    });
    return items;
  };
}

function map(value: Read): Read {
  const { string } = primitives;
  return (input) => {
    const entries: Record<string, unknown> = {};
    addWeight(input, 2);
    eachElement(input, () => {
      const name = string?.(input) as string;
      addWeight(input, name.length + 3);
      const of = value(input);
      if (!input.isTooLong) setOwn(entries, name, of);
    });
    return entries;
  };
}

/** The value itself, whichever branch it is of: rows say by their values what they are. */
function union(schemas: readonly unknown[], scope: Scope): Read {
  const branches = schemas.map((schema) => compile(schema, scope));
  return (input) => {
    const branch = branches[takeCount(input)];
    if (!branch) throw corrupt('a union has no such branch');
    return branch(input);
  };
}
