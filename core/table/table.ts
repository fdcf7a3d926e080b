import type { Key } from './key.ts';
import type { Put } from './record-item.ts';

/** An item as the document client reads and writes it. */
export type Item = Key & { readonly [attribute: string]: unknown };

export interface Condition {
  readonly expression: string;
  readonly values?: Readonly<Record<string, unknown>>;
}

/** Attributes to set; `undefined` leaves one alone. With `onlyIfAbsent` an attribute that is there stays. */
export interface Update {
  readonly set: Readonly<Record<string, unknown>>;
  readonly onlyIfAbsent?: Readonly<Record<string, unknown>>;
  readonly condition?: Condition;
}

/** `done: false`: the condition did not hold, and `item` is what stood in the way. */
export type Conditional =
  | { readonly done: true; readonly item?: Item }
  | { readonly done: false; readonly item: Item | undefined };

/**
 * How the table took a record. A replay (equal version and digest) counts as written; `refused`: the service finds the
 * item invalid, however often it is sent.
 */
export type WriteOutcome = 'written' | 'stale' | 'contradiction' | 'refused';

/** The port to the single table. Reads are strongly consistent unless they go through the index. */
export interface Table {
  get(key: Key): Promise<Item | undefined>;
  getMany(keys: readonly Key[]): Promise<readonly Item[]>;
  put(item: Item, condition?: Condition): Promise<Conditional>;
  /** Puts without conditions, many at once; equal keys must not appear twice. */
  putMany(items: readonly Item[]): Promise<void>;
  /** `item` of a done update is the item as it stands then. */
  update(key: Key, update: Update): Promise<Conditional>;
  /** All items of a partition whose sort key starts so, in pages. */
  query(pk: string, sortKeyPrefix?: string): AsyncIterable<readonly Item[]>;
  /** Keys in one partition of gsi1, oldest first, in pages. Eventually consistent. */
  queryIndex(gsi1pk: string): AsyncIterable<readonly Key[]>;
  /**
   * Writes records. `newest`: only over an older version of the same key. `always`: without a condition (rows that can
   * have one version only). The outcomes stand in the order of the puts.
   */
  writeRecords(puts: readonly Put[], mode: 'newest' | 'always'): Promise<readonly WriteOutcome[]>;
}
