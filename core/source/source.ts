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

/** How a bucket is looked through that tells nobody of its objects. */
export interface Poll {
  /** Minutes from the start of one sweep to the next, 5 to 1,440. Default: 15. */
  readonly everyMinutes?: number;
  /** LIST calls of one run, a thousand keys each; a longer sweep goes on in the next run, minutes later. Default: 100. */
  readonly listCalls?: number;
  /** Objects last modified before this day or instant (ISO, UTC) are left alone: `2026-01-01`. */
  readonly since?: string;
}

/**
 * What says that a delivery is complete: until it lies in their folder, or in one above it under the prefix, objects
 * wait. The names are the last parts of keys.
 */
export type Complete =
  /**
   * An object of this name: `_SUCCESS`; or one beside each object: for `a.csv`, `{name}.done` is `a.csv.done` and
   * `{stem}.ok` is `a.ok`.
   */
  | { readonly marker: string; readonly manifest?: never; readonly files?: never }
  /**
   * An object of this name that lists what belongs to the delivery: as names, keys or s3:// addresses, one a line, or
   * in JSON under a path where `[]` stands for every element: `entries[].url`, `[]`. What it does not list is left alone.
   */
  | { readonly manifest: string; readonly files?: string; readonly marker?: never };

/** A role of a bucket's owner, taken to read it. */
export interface AssumedRole {
  readonly arn: string;
  /** What the role's trust asks for, chosen by us for each owner: it keeps others from using the role through us. */
  readonly externalId: string;
}

export interface Origin {
  /** One of the stack's own, or the name of a bucket that is there already. */
  readonly bucket: Ours | string;
  /** Only keys that start so. Prefixes of sources may nest: the longest that matches wins. Default: every key. */
  readonly prefix?: string;
  /** Only keys that end so. */
  readonly suffix?: string;
  /**
   * Keys that are left alone, as patterns against the whole key: `*` stands for anything but '/', `**` for anything,
   * `?` for one character. A key that only this source would claim is counted as excluded then, not listed as unrouted.
   */
  readonly exclude?: readonly string[];
  /** The region of a bucket that lies in another one than the stack: `us-east-1`. */
  readonly region?: string;
  /** The account that owns the bucket, 12 digits, when it is not the stack's. A bucket of another owner is refused. */
  readonly account?: string;
  /** A role of the owner that reads the bucket. Without it the bucket's policy names the stack's own role. */
  readonly role?: AssumedRole;
  /** Requests and traffic are paid by the stack's account, not by the owner. */
  readonly requesterPays?: boolean;
  /** ARN of the KMS key of the owner's that the objects are encrypted with. Keys that AWS manages need no word. */
  readonly kmsKey?: string;
  /** False: zip and tar archives are not unpacked, but read as they are. Default: each of their members is an upload. */
  readonly unpack?: boolean;
  /** Looks for objects by listing the bucket, where it sends no events. `{}` for the defaults. */
  readonly poll?: Poll;
  /** Objects come as deliveries that are complete only when something says so. Default: each object by itself. */
  readonly complete?: Complete;
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

/** The account that owns a source's bucket, 12 digits, as far as the source says: a role to read it is its owner's. */
export function ownerOf(origin: Origin): string | undefined {
  return origin.account ?? origin.role?.arn.split(':')[4];
}
