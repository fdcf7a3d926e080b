import type { Format } from '../decode/format.ts';
import type { Field, Fields, Kind, RecordOf } from '../fields/field.ts';

/** A bucket of this stack. Its physical name carries the environment: see core/source/buckets.ts. */
export interface Ours {
  readonly ours: string;
}

/** Names a bucket that the stack makes and keeps, such as `ours('orders')`. Lower-case letters, digits and dashes. */
export function ours(name: string): Ours {
  return { ours: name };
}

export interface Origin {
  /** One of the stack's own, or the name of a bucket that is there already. */
  readonly bucket: Ours | string;
  /** Only keys that start so. Prefixes of sources may nest: the longest that matches wins. Default: every key. */
  readonly prefix?: string;
  /** Only keys that end so. */
  readonly suffix?: string;
}

/** A decoded row as `transform` sees it: an object by field or column name. */
export type Row = { readonly [name: string]: unknown };

type Named<F extends Fields, K extends Kind> = {
  [N in keyof F]: F[N] extends Field<unknown, K> ? N : never;
}[keyof F] &
  string;

export interface SourceConfig<E extends string, F extends Fields> {
  readonly from: Origin;
  /** Found from name and content when not given. */
  readonly format?: Format;
  /** What a record is: `order`. Several sources may feed one entity. */
  readonly entity: E;
  readonly fields: F;
  /** The field, or fields, that name a record. Without a key every row is a record of its own. */
  readonly key?: NoInfer<keyof F & string> | readonly NoInfer<keyof F & string>[];
  /** The field that says which of two rows of one key is newer. Default: the object's LastModified. */
  readonly version?: NoInfer<Named<F, 'timestamp' | 'date' | 'integer'>>;
  /** `latest` keeps the newest row of each key, `all` every row. Default: latest with a key, all without. */
  readonly keep?: 'latest' | 'all';
  /** Pure, before the fields, on the raw row: returns none (null), one or many rows. */
  readonly transform?: (row: Row) => Row | readonly Row[] | null;
}

/** A source with its types forgotten: what the registry and the handlers work with. */
export interface AnySource {
  readonly config: SourceConfig<string, Fields>;
}

/** What a source file exports: only the type of its records stays visible, so any source fits the registry. */
export interface Source<out R = { readonly entity: string }> extends AnySource {
  /** Phantom: carries the record type, never set. */
  readonly record?: R;
}

/**
 * Declares a source. The id is the file's name.
 *
 * @example
 * export default defineSource({
 *   from: { bucket: 'javasips-lisbon', prefix: 'orders/' },
 *   entity: 'order',
 *   key: 'orderId',
 *   version: 'updatedAt',
 *   fields: { orderId: text('order_no'), total: decimal('amount'), updatedAt: timestamp('updated') },
 * });
 */
export function defineSource<const E extends string, F extends Fields>(
  config: SourceConfig<E, F>,
): Source<{ readonly entity: E; readonly payload: RecordOf<F> }> {
  // Variance of `key` and `transform` in F keeps this from being an upcast, but every use reads them as AnySource does.
  return { config: config as unknown as SourceConfig<string, Fields> };
}

/** Names of the fields that make the key, in order; none when every row is a record of its own. */
export function keyFields(config: SourceConfig<string, Fields>): readonly string[] {
  if (config.key === undefined) return [];
  return typeof config.key === 'string' ? [config.key] : config.key;
}

/** True when every row is kept (append), false when the newest row of a key wins (upsert). */
export function keepsAll(config: SourceConfig<string, Fields>): boolean {
  return config.keep === undefined ? config.key === undefined : config.keep === 'all';
}
