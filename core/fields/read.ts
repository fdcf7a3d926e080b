import { attributeJson, type Compiled, describe, type Field, type Fields, type From, Problem } from './field.ts';
import { compilePath, type Getter, pathText } from './path.ts';

/** What a field may read besides the row: the object that the row came from. */
export interface FileFacts {
  readonly key: string;
  /** ISO, UTC, whole seconds. */
  readonly lastModified: string;
}

/** Canonical text, a Problem, `null` for an explicit null of an optional field, undefined when it is simply not there. */
export type Read = string | Problem | null | undefined;

export interface FieldReader {
  readonly name: string;
  readonly attribute: Compiled['attribute'];
  /** `"name":` */
  readonly prefix: string;
  readonly read: (row: unknown, file: FileFacts) => Read;
}

/**
 * Readers of all fields in their declared order, compiled once for rows of one shape (see compilePath for `columns`).
 * `depth`: lists and objects around them.
 */
export function compileFields(fields: Fields, columns?: readonly string[], depth = 0): readonly FieldReader[] {
  return Object.entries(fields).map(([name, field]) => compileField(name, field, columns, depth));
}

export function compileField(
  name: string,
  field: Field<unknown>,
  columns?: readonly string[],
  depth?: number,
): FieldReader {
  const { attribute, parse } = field.compile(depth);
  const from = field.from ?? name;
  const fallback = field.default === undefined ? undefined : parse(field.default);
  const emptyIsNull = field.kind !== 'text';
  const raw = compileFrom(from, columns, emptyIsNull);
  const missing = new Problem('field.missing', missingMessage(from, columns));
  const read = (row: unknown, file: FileFacts): Read => {
    const value = raw(row, file);
    if (value === undefined || value === null || (emptyIsNull && value === '')) {
      if (fallback !== undefined) return fallback;
      if (field.optional) return value === undefined ? undefined : null;
      return value === undefined ? missing : new Problem('field.missing', `is required, found ${describe(value)}`);
    }
    return parse(value, file);
  };
  return { name, attribute, prefix: `${JSON.stringify(name)}:`, read };
}

function missingMessage(from: From, columns: readonly string[] | undefined): string {
  if (typeof from === 'object' && 'constant' in from) return 'is required';
  if (typeof from === 'object' && 'file' in from)
    return `is required, and the object's ${from.file} does not match the pattern`;
  const paths = typeof from === 'object' && 'first' in from ? from.first : [from];
  const where = paths.map((path) => `'${pathText(path)}'`).join(' nor ');
  return columns ? `is required, and there is no column ${where}` : `is required, found nothing at ${where}`;
}

function compileFrom(
  from: From,
  columns: readonly string[] | undefined,
  emptyIsNull: boolean,
): (row: unknown, file: FileFacts) => unknown {
  if (typeof from === 'object' && 'constant' in from) return () => from.constant;
  if (typeof from === 'object' && 'file' in from) {
    const { file: what, pattern } = from;
    if (!pattern) return (_row, file) => file[what];
    // Without the flags that make a RegExp remember where it was.
    const matcher = new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ''));
    return (_row, file) => {
      const match = matcher.exec(file[what]);
      return match && match.length > 1 ? match[1] : match?.[0];
    };
  }
  if (typeof from === 'object' && 'first' in from) {
    const getters = from.first.map((path) => compilePath(path, columns));
    return (row) => firstValue(getters, row, emptyIsNull);
  }
  return compilePath(from, columns);
}

function firstValue(getters: readonly Getter[], row: unknown, emptyIsNull: boolean): unknown {
  let found: unknown;
  for (const get of getters) {
    const value = get(row);
    if (value !== undefined && value !== null && !(emptyIsNull && value === '')) return value;
    if (value !== undefined) found = null;
  }
  return found;
}

/** One member of a DynamoDB JSON map, `"name":{"S":"…"}`; undefined for a field that is not there. */
export function memberJson(reader: FieldReader, value: string | null | undefined): string | undefined {
  if (value === undefined) return undefined;
  return reader.prefix + (value === null ? '{"NULL":true}' : attributeJson(reader.attribute, value));
}
