import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { eventOf } from './mapping.ts';
import type { StreamBatch } from './stream-batch.ts';

/** Why a batch was given up. */
export type FailureCondition = 'RetryAttemptsExhausted' | 'RecordAgeExceeded';

/** Writes one object into the bucket of a failure destination. */
export type PutFailure = (key: string, body: string) => Promise<void>;

export interface DiscardedBatch {
  readonly batch: StreamBatch;
  readonly condition: FailureCondition;
  readonly mappingId: string;
  readonly functionArn: string;
  readonly streamArn: string;
  readonly shardId: string;
  readonly requestId: string;
}

/**
 * Writes the record of a discarded batch as Lambda's S3 destination does: positions, the reason, and in `payload` the
 * whole event as text, so that nothing depends on the stream's 24 hours.
 * The key is `aws/lambda/<mapping>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<uuid>`.
 */
export async function putDiscarded(discarded: DiscardedBatch, clock: Clock, put: PutFailure): Promise<void> {
  const now = new Date(clock.now()).toISOString();
  const day = now.slice(0, 10).replaceAll('-', '/');
  const second = now.slice(0, 19).replaceAll(':', '.');
  const key = `aws/lambda/${discarded.mappingId}/${discarded.shardId}/${day}/${second}-${randomUUID()}`;
  await put(key, JSON.stringify(recordOf(discarded, now)));
}

function recordOf(discarded: DiscardedBatch, now: string): Record<string, unknown> {
  const { batch, condition, functionArn, streamArn, shardId, requestId } = discarded;
  const first = batch.changes[0];
  const last = batch.changes.at(-1);
  return {
    requestContext: {
      requestId,
      functionArn: `${functionArn}:$LATEST`,
      condition,
      approximateInvokeCount: batch.invocations,
    },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    version: '1.0',
    timestamp: now,
    DDBStreamBatchInfo: {
      shardId,
      startSequenceNumber: first?.sequence,
      endSequenceNumber: last?.sequence,
      approximateArrivalOfFirstRecord: isoSecond(first?.createdAt),
      approximateArrivalOfLastRecord: isoSecond(last?.createdAt),
      batchSize: batch.changes.length,
      streamArn,
    },
    payload: eventOf(batch.changes.map((change) => change.json)),
  };
}

const isoSecond = (seconds: number | undefined): string | undefined =>
  seconds === undefined ? undefined : new Date(seconds * 1000).toISOString();
