import type { DynamoDBRecord } from 'aws-lambda';
import { compilePattern, FILTER_OPERATORS } from '../events.ts';
import { ENVELOPE_BYTES } from './mapping.ts';
import { PAYLOAD_LIMIT } from './outcome.ts';

/** What a mapping needs of a local stream. Sequence numbers are exclusive lower bounds. */
export interface StreamSource {
  readonly arn: string;
  readonly shards: readonly string[];
  read(shardId: string, afterSequence: string | undefined, max: number): readonly DynamoDBRecord[];
  whenAvailable(shardId: string, afterSequence: string | undefined, signal: AbortSignal): Promise<void>;
}

/** One record that passed the filter, serialized once. */
export interface Change {
  readonly sequence: string;
  /** Seconds since the epoch. */
  readonly createdAt: number;
  readonly json: string;
  readonly bytes: number;
}

/** Records in shard order. `through` is the last sequence number read, counting the ones that the filter dropped. */
export interface StreamBatch {
  readonly changes: readonly Change[];
  readonly through: string | undefined;
  /** Failed attempts that count against the retry limit. */
  readonly retries: number;
  /** Invocations so far, for the record of a discarded batch. */
  readonly invocations: number;
}

/** A batch under construction. */
export interface Gathering {
  readonly changes: Change[];
  bytes: number;
  through: string | undefined;
}

/** Records of one read, as GetRecords allows; never fewer than this few, because the filter may drop most of them. */
const READ_AT_MOST = 1_000;
const READ_AT_LEAST = 100;

/** Compiles FilterCriteria patterns (JSON text): a record passes when one of them matches, or when there is none. */
export function compileFilters(patterns: readonly string[]): (record: unknown) => boolean {
  const tests = patterns.map((pattern) => compilePattern(JSON.parse(pattern), FILTER_OPERATORS));
  return (record) => tests.length === 0 || tests.some((test) => test(record));
}

/**
 * Adds what the shard offers after `gathering.through`, up to `limit` records and the payload limit.
 * Returns true when the batch is full.
 */
export function fillBatch(
  source: StreamSource,
  shardId: string,
  gathering: Gathering,
  limit: number,
  passes: (record: unknown) => boolean,
): boolean {
  for (;;) {
    const wanted = Math.min(READ_AT_MOST, Math.max(READ_AT_LEAST, limit - gathering.changes.length));
    const records = source.read(shardId, gathering.through, wanted);
    if (records.length === 0) return false;
    for (const record of records) {
      if (passes(record)) {
        const change = changeOf(record);
        if (gathering.changes.length > 0 && gathering.bytes + change.bytes > PAYLOAD_LIMIT) return true;
        gathering.changes.push(change);
        gathering.bytes += change.bytes;
      }
      gathering.through = sequenceOf(record);
      if (gathering.changes.length >= limit) return true;
    }
  }
}

/** Nothing gathered yet; reading starts after `through`. */
export const emptyGathering = (through: string | undefined): Gathering => ({
  changes: [],
  bytes: ENVELOPE_BYTES,
  through,
});

/** Two batches that together are the given one: the first `count` records, and the rest. */
export function splitBatch(batch: StreamBatch, count: number): [StreamBatch, StreamBatch] {
  const left = batch.changes.slice(0, count);
  return [
    { ...batch, changes: left, through: left.at(-1)?.sequence ?? batch.through },
    { ...batch, changes: batch.changes.slice(count) },
  ];
}

function sequenceOf(record: DynamoDBRecord): string {
  const sequence = record.dynamodb?.SequenceNumber;
  if (sequence === undefined) throw new Error(`stream record ${record.eventID} has no sequence number`);
  return sequence;
}

function changeOf(record: DynamoDBRecord): Change {
  const json = JSON.stringify(record);
  return {
    sequence: sequenceOf(record),
    createdAt: record.dynamodb?.ApproximateCreationDateTime ?? 0,
    json,
    bytes: Buffer.byteLength(json) + 1,
  };
}
