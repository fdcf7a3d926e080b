import { ExactNumber } from '../decode/exact-number.ts';
import type { FileFacts } from './read.ts';

/**
 * What every field type shares: where a value comes from, what a parsed value looks like, and what is said when it
 * does not fit. A field type is one file in this folder: a factory for source files and a `compile` for the hot path.
 */
export type Kind = 'text' | 'integer' | 'decimal' | 'boolean' | 'date' | 'timestamp' | 'json' | 'object' | 'list';

/** `'a.b[0]'`, a column number (0-based), or exact segments for names that hold dots. */
export type Path = string | number | readonly (string | number)[];

export type From =
  | Path
  /** The first of several paths that holds a value (neither missing nor null). */
  | { readonly first: readonly Path[] }
  | { readonly constant: string }
  /** The object key or its LastModified (ISO, UTC, whole seconds); with a pattern, its first group. */
  | { readonly file: 'key' | 'lastModified'; readonly pattern?: RegExp };

/** What a source file holds. `value` is a phantom that only carries the type of the parsed value; it is never set. */
export interface Field<out T, out K extends Kind = Kind> {
  readonly kind: K;
  readonly from?: From | undefined;
  readonly optional: boolean;
  readonly default?: string | undefined;
  /** `depth`: lists and objects around the value, inside the payload. */
  readonly compile: (depth?: number) => Compiled;
  /** Type of the column a typed Snowflake table gives this field. */
  readonly snowflakeType: string;
  readonly value?: T;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;
type Show<T> = { [K in keyof T]: T[K] } & {};
export type ValueOf<F> = F extends Field<infer T> ? T : never;
export type RecordOf<F extends Fields> = Show<{ readonly [N in keyof F]: ValueOf<F[N]> }>;
export type Maybe<T, O, D> = O extends true ? (D extends undefined ? T | null : T) : T;

/**
 * Options of every field. `optional` and `default` are type parameters of their own: inferred inside one options type,
 * a misspelt option would compile silently.
 */
export interface Common<O extends boolean, D> {
  readonly optional?: O;
  /** Used when the value is missing or null. Written as the source would write it. */
  readonly default?: D;
}

/** The way from a raw value to the table: `parse` gives canonical text, or the reason why there is none. */
export interface Compiled {
  /** How DynamoDB stores the canonical text; `raw`: it already is DynamoDB JSON, such as `{"L":[…]}`. */
  readonly attribute: 'S' | 'N' | 'BOOL' | 'raw';
  readonly parse: (value: unknown, file?: FileFacts) => string | Problem;
}

/** Why a value does not fit: what was expected and what kind of thing was found. Never the value itself. */
export class Problem {
  readonly code: string;
  readonly message: string;
  constructor(code: string, message: string) {
    this.code = code;
    this.message = message;
  }
}

/** Parsed text as a DynamoDB JSON attribute value: `{"S":"…"}`. */
export function attributeJson(attribute: Compiled['attribute'], text: string): string {
  if (attribute === 'S') return `{"S":${quoted(text)}}`;
  if (attribute === 'N') return `{"N":"${text}"}`;
  if (attribute === 'BOOL') return `{"BOOL":${text}}`;
  return text;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that JSON escapes.
const escaped = /["\\\u0000-\u001f\ud800-\udfff]/;

/** A text as JSON. Most texts need no escapes, and finding that out is several times faster than JSON.stringify. */
export function quoted(text: string): string {
  return escaped.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** The kind of a raw value in words, for messages: `text`, `a number`, `nothing`, … */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (value === '') return 'empty text';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return 'true or false';
  if (typeof value === 'number' || typeof value === 'bigint' || value instanceof ExactNumber) return 'a number';
  return Array.isArray(value) ? 'a list' : 'an object';
}
