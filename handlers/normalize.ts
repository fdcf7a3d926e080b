import type { Context } from 'aws-lambda';
import { createDynamoDb, openTable } from '../adapters/dynamodb.ts';
import { createS3, landingStore } from '../adapters/s3.ts';
import { spooler } from '../adapters/spool.ts';
import { batchSender, createSqs, delayer, laterSender } from '../adapters/sqs.ts';
import { retryable } from '../core/failure.ts';
import { readWork } from '../core/normalize/message.ts';
import { type Normalized, normalize } from '../core/normalize/run.ts';
import { marginOf } from '../core/normalize/time.ts';
import type { Registry } from '../core/source/registry.ts';
import { environment, positive } from './environment.ts';
import { queueHandler } from './stack.ts';
import { count, log } from './telemetry.ts';

const names = ['FIRN_TABLE', 'FIRN_LANDING_BUCKET', 'FIRN_NORMALIZE_QUEUE_URL', 'FIRN_PART_BYTES'] as const;
/** Fits into the function's `ephemeralStorageSize`, whose file system keeps some of it to itself. */
const diskBytes = 3.5 * 1024 ** 3;

/** Layer 2: landing objects to records in the table, and what does not fit to quarantine. */
export function normalizeHandler(registry: Registry) {
  const env = environment(names);
  const sqs = createSqs();
  const ports = {
    registry,
    table: openTable(createDynamoDb(), env.FIRN_TABLE),
    store: landingStore(createS3(), env.FIRN_LANDING_BUCKET),
    spool: spooler(diskBytes),
    send: batchSender(sqs, env.FIRN_NORMALIZE_QUEUE_URL),
    sendLater: laterSender(sqs, env.FIRN_NORMALIZE_QUEUE_URL),
    partBytes: positive('FIRN_PART_BYTES', env.FIRN_PART_BYTES),
    now: () => Date.now(),
  };
  const work = async (body: string, context: Context) => {
    const found = readWork(body);
    if ('unreadable' in found)
      throw retryable('normalize.unreadableMessage', `Reading a message failed: ${found.unreadable}.`);
    const remainingMs = () => context.getRemainingTimeInMillis();
    const time = { remainingMs, marginMs: marginOf(remainingMs()) };
    for (const each of found) report(each.key, await normalize(each, { ...ports, ...time }));
  };
  return queueHandler({ layer: 'normalize', delay: delayer(sqs, env.FIRN_NORMALIZE_QUEUE_URL), work });
}

function report(key: string, done: Normalized): void {
  if (done.kind === 'rejected') log('warn', 'upload rejected', { key, uploadId: done.uploadId, reason: done.reason });
  if (done.kind === 'failed') log('error', 'upload failed', { key, uploadId: done.uploadId, message: done.reason });
  if (done.kind !== 'normalized') return;
  const { rowsRead, rowsDropped, accepted, quarantined, stale, collapsed } = done.books;
  const counts = { rowsRead, rowsDropped, accepted: accepted.count, quarantined: quarantined.count };
  count('normalize', { ...counts, stale: stale.count, collapsed: collapsed.count }, { uploadId: done.uploadId });
}
