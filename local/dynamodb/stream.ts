/**
 * The stream of one table: what changed, in the records that Lambda is handed. A partition key always goes to the same
 * shard, so order holds within a key and nowhere else. Records are kept as text, not as objects: 200,000 of them fit.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { DynamoDBRecord } from 'aws-lambda';
import type { Clock } from '../clock.ts';
import { type Item, itemBytes } from './dynalite.ts';
import type { KeptWrite, StreamPlace } from './journal.ts';

export type ViewType = 'KEYS_ONLY' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES';

export interface LocalStream {
  readonly arn: string;
  /** When the stream was switched on: `2026-11-21T07:41:00.000`. */
  readonly label: string;
  readonly shards: readonly string[];
  /**
   * Up to `max` records after a sequence number (exclusive), oldest first; undefined begins at the oldest record kept.
   * What is older than 24 hours is gone.
   */
  read(shardId: string, afterSequence: string | undefined, max: number): readonly DynamoDBRecord[];
  /** Resolves as soon as there is a record after the sequence number, or the signal aborts. */
  whenAvailable(shardId: string, afterSequence: string | undefined, signal: AbortSignal): Promise<void>;
  /** Records ever written, trimmed ones included. */
  count(): number;
  /** The sequence number of the newest record of a shard; undefined when it keeps none. */
  newest(shardId: string): string | undefined;
}

export interface StreamOptions {
  readonly clock: Clock;
  readonly region: string;
  readonly accountId: string;
  readonly table: string;
  readonly view: ViewType;
  readonly shardCount: number;
}

/** The writing end, for the server. */
export interface TableStream extends LocalStream {
  readonly view: ViewType;
  /** Milliseconds since the epoch. A stream made again at this time is the same: its ARN, its shards, its sequence numbers. */
  readonly bornAt: number;
  /** Adds the record of a write that changed something, and says where it stands. */
  append(keys: Item, oldItem: Item | undefined, newItem: Item | undefined, byService: boolean): StreamPlace;
  /** Takes back the records of an earlier run, oldest first, and goes on counting above `counter`. */
  restore(writes: readonly KeptWrite[], counter: number): void;
}

/** A stream keeps a record for 24 hours (DynamoDB Developer Guide). */
export const RETENTION_MS = 24 * 60 * 60 * 1000;
/** Trimming moves the rest of a shard, so writers do it once in so many records; readers always. */
const WRITES_BETWEEN_TRIMS = 4096;
const COUNTER_DIGITS = 14;

interface Stored {
  readonly counter: number;
  readonly at: number;
  readonly keys: string;
  readonly oldItem: string | undefined;
  readonly newItem: string | undefined;
  readonly byService: boolean;
}

interface Shard {
  readonly id: string;
  records: Stored[];
  readonly waiting: Set<() => void>;
}

/** A stream that begins now. */
export function createStream(options: StreamOptions): TableStream {
  const { clock, region, accountId, table, view, shardCount } = options;
  const bornAt = clock.now();
  const label = new Date(bornAt).toISOString().slice(0, -1);
  const arn = `arn:aws:dynamodb:${region}:${accountId}:table/${table}/stream/${label}`;
  // 27 digits: the moment of birth, then a counter. A later stream of the table continues above this one.
  const firstSequence = BigInt(bornAt) * 10n ** BigInt(COUNTER_DIGITS);
  const shards = Array.from({ length: shardCount }, (_, index): Shard => {
    const suffix = createHash('md5').update(`${arn}/${index}`).digest('hex').slice(0, 8);
    return { id: `shardId-${String(bornAt).padStart(20, '0')}-${suffix}`, records: [], waiting: new Set() };
  });
  const byId = new Map(shards.map((shard) => [shard.id, shard]));
  let counter = 0;

  function shardOf(shardId: string): Shard {
    const shard = byId.get(shardId);
    if (!shard) throw new Error(`Stream ${arn} has no shard ${shardId}. It has ${[...byId.keys()].join(', ')}.`);
    return shard;
  }
  /** The partition key is the first of the keys. */
  function shardFor(keys: Item): Shard {
    return shards[crc32(JSON.stringify(Object.values(keys)[0])) % shardCount] as Shard;
  }
  function trim(shard: Shard): void {
    const oldest = clock.now() - RETENTION_MS;
    const kept = firstIndex(shard.records, ({ at }) => at > oldest);
    if (kept > 0) shard.records = shard.records.slice(kept);
  }
  function indexAfter(shard: Shard, afterSequence: string | undefined): number {
    if (afterSequence === undefined) return 0;
    const after = Number(BigInt(afterSequence) - firstSequence);
    return firstIndex(shard.records, (record) => record.counter > after);
  }

  return {
    arn,
    label,
    view,
    bornAt,
    shards: shards.map(({ id }) => id),
    count: () => counter,
    append(keys, oldItem, newItem, byService) {
      counter += 1;
      const place = { label, counter, at: clock.now(), byService };
      const shard = shardFor(keys);
      shard.records.push(storedOf(place, keys, oldItem, newItem));
      if (counter % WRITES_BETWEEN_TRIMS === 0) shards.forEach(trim);
      for (const wake of [...shard.waiting]) wake();
      return place;
    },
    restore(writes, highest) {
      for (const { place, keys, old, new: newItem } of writes)
        if (place?.label === label) shardFor(keys).records.push(storedOf(place, keys, old, newItem));
      counter = Math.max(counter, highest);
    },
    newest(shardId) {
      const last = shardOf(shardId).records.at(-1);
      return last && String(firstSequence + BigInt(last.counter));
    },
    read(shardId, afterSequence, max) {
      const shard = shardOf(shardId);
      trim(shard);
      const start = indexAfter(shard, afterSequence);
      return shard.records
        .slice(start, start + max)
        .map((stored) => streamRecord(stored, String(firstSequence + BigInt(stored.counter)), { arn, region, view }));
    },
    whenAvailable(shardId, afterSequence, signal) {
      const shard = shardOf(shardId);
      trim(shard);
      if (signal.aborted || indexAfter(shard, afterSequence) < shard.records.length) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = () => {
          shard.waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        shard.waiting.add(wake);
        signal.addEventListener('abort', wake);
      });
    },
  };
}

function storedOf(
  { counter, at, byService }: StreamPlace,
  keys: Item,
  oldItem: Item | undefined,
  newItem: Item | undefined,
): Stored {
  const text = (item: Item | undefined) => item && JSON.stringify(item);
  return { counter, at, keys: JSON.stringify(keys), oldItem: text(oldItem), newItem: text(newItem), byService };
}

/** A record as Lambda sees it; its event id is a function of the stream and the sequence number. */
function streamRecord(
  stored: Stored,
  sequence: string,
  { arn, region, view }: { arn: string; region: string; view: ViewType },
): DynamoDBRecord {
  const keys = JSON.parse(stored.keys) as Item;
  const newImage = /NEW/.test(view) && stored.newItem ? (JSON.parse(stored.newItem) as Item) : undefined;
  const oldImage = /OLD/.test(view) && stored.oldItem ? (JSON.parse(stored.oldItem) as Item) : undefined;
  return {
    eventID: createHash('md5').update(`${arn}/${sequence}`).digest('hex'),
    eventName: stored.oldItem === undefined ? 'INSERT' : stored.newItem === undefined ? 'REMOVE' : 'MODIFY',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: region,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(stored.at / 1000),
      Keys: keys,
      ...(newImage ? { NewImage: newImage } : {}),
      ...(oldImage ? { OldImage: oldImage } : {}),
      SequenceNumber: sequence,
      SizeBytes: itemBytes(keys) + (newImage ? itemBytes(newImage) : 0) + (oldImage ? itemBytes(oldImage) : 0),
      StreamViewType: view,
    },
    ...(stored.byService ? { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } } : {}),
    eventSourceARN: arn,
  };
}

/** First index whose record passes, by bisection; `passes` turns from false to true once. */
function firstIndex(records: readonly Stored[], passes: (record: Stored) => boolean): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const record = records[middle];
    if (record && passes(record)) high = middle;
    else low = middle + 1;
  }
  return low;
}
