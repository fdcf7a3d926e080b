import type { Context } from 'aws-lambda';
import { createDynamoDb, openTable } from '../adapters/dynamodb.ts';
import { createS3, landingStore } from '../adapters/s3.ts';
import { createSqs, delayer } from '../adapters/sqs.ts';
import { retryable } from '../core/failure.ts';
import { normalizeLanding } from '../core/normalize/run.ts';
import { readMessage } from '../core/origin/candidate.ts';
import type { Registry } from '../core/source/registry.ts';
import { environment } from './environment.ts';
import { queueHandler } from './stack.ts';
import { count, log } from './telemetry.ts';

/** Layer 2: landing objects to records in the table, and what does not fit to quarantine. */
export function normalizeHandler(registry: Registry) {
  const env = environment(['FIRN_TABLE', 'FIRN_LANDING_BUCKET', 'FIRN_NORMALIZE_QUEUE_URL']);
  const table = openTable(createDynamoDb(), env.FIRN_TABLE);
  const store = landingStore(createS3(), env.FIRN_LANDING_BUCKET);
  const delay = delayer(createSqs(), env.FIRN_NORMALIZE_QUEUE_URL);
  const work = async (body: string, context: Context) => {
    const message = readMessage(body);
    if (message.kind === 'test') return;
    if (message.kind === 'unreadable')
      throw retryable('normalize.unreadableMessage', `Reading a message failed: ${message.reason}.`);
    const ports = {
      registry,
      table,
      store,
      now: () => Date.now(),
      remainingMs: () => context.getRemainingTimeInMillis(),
    };
    for (const { key } of message.candidates) {
      const done = await normalizeLanding(key, ports);
      if (done.kind === 'rejected')
        log('warn', 'upload rejected', { key, uploadId: done.uploadId, reason: done.reason });
      if (done.kind !== 'normalized') continue;
      const { rowsRead, rowsDropped, accepted, quarantined, stale, collapsed } = done.books;
      const counts = { rowsRead, rowsDropped, accepted: accepted.count, quarantined: quarantined.count };
      count('normalize', { ...counts, stale: stale.count, collapsed: collapsed.count }, { uploadId: done.uploadId });
    }
  };
  return queueHandler({ layer: 'normalize', delay, work });
}
