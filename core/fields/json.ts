import { ExactNumber } from '../decode/exact-number.ts';
import { type Common, type Compiled, describe, type Field, type From, type Maybe, Problem } from './field.ts';
import type { Inferred, Samples } from './inferred.ts';
import { canonicalDecimal, digitsOf } from './number-text.ts';

export type Json = null | boolean | number | bigint | string | readonly Json[] | { readonly [name: string]: Json };

/** Lists and objects inside each other. DynamoDB nests at most 32 levels; the item itself and `payload` take two. */
const maximumDepth = 30;

/** Any JSON value, kept as it is (object members in sorted order, numbers exact). */
export function json<O extends boolean = false>(
  from?: From,
  options: Common<O, undefined> = {},
): Field<Maybe<Json, O, undefined>, 'json'> {
  return {
    kind: 'json',
    from,
    optional: options.optional === true,
    compile: (depth = 0): Compiled => ({ attribute: 'raw', parse: (value) => attribute(value, depth) }),
    snowflakeType: 'VARIANT',
  };
}

/** A JSON value as a DynamoDB JSON attribute value, its object members sorted so that equal values give equal bytes. */
export function attribute(value: unknown, depth: number): string | Problem {
  if (value === null || value === undefined) return '{"NULL":true}';
  if (typeof value === 'boolean') return `{"BOOL":${value}}`;
  if (typeof value === 'string') {
    if (!value.isWellFormed())
      return new Problem('field.unicode', 'expected text in Unicode, found half a surrogate pair');
    return `{"S":${JSON.stringify(value)}}`;
  }
  if (typeof value === 'number' || typeof value === 'bigint' || value instanceof ExactNumber) return number(value);
  if (depth >= maximumDepth) return new Problem('field.depth', `expected at most ${maximumDepth} levels of nesting`);
  if (Array.isArray(value)) return list(value, depth);
  // A transform may return anything: a Date, say, has no members and would be stored as nothing.
  return isPlain(value) ? map(value, depth) : new Problem('field.type', `expected JSON, found ${describe(value)}`);
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function number(value: unknown): string | Problem {
  const text = canonicalDecimal(digitsOf(value) ?? '');
  if (text === undefined || text === 'tooLong')
    return new Problem('field.range', 'expected numbers of at most 38 digits');
  return `{"N":"${text}"}`;
}

function list(values: readonly unknown[], depth: number): string | Problem {
  const parts: string[] = [];
  for (const value of values) {
    const part = attribute(value, depth + 1);
    if (typeof part !== 'string') return part;
    parts.push(part);
  }
  return `{"L":[${parts.join(',')}]}`;
}

function map(value: object, depth: number): string | Problem {
  const parts: string[] = [];
  for (const [name, member] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const part = attribute(member, depth + 1);
    if (typeof part !== 'string') return part;
    if (name === '') return new Problem('field.name', 'expected no empty names, which DynamoDB refuses');
    if (!name.isWellFormed())
      return new Problem('field.unicode', 'expected names in Unicode, found half a surrogate pair');
    parts.push(`${JSON.stringify(name)}:${part}`);
  }
  return `{"M":{${parts.join(',')}}}`;
}

/** What has no one shape. */
export function inferJson({ values }: Samples): Inferred | undefined {
  return values.every((value) => typeof attribute(value, 0) === 'string') ? { kind: 'json' } : undefined;
}
