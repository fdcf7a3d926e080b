import { createDynamoDb, openTable } from '../adapters/dynamodb.ts';
import { createS3 } from '../adapters/s3.ts';
import { chunkStore } from '../adapters/s3-chunks.ts';
import { sourceListers } from '../adapters/s3-list.ts';
import { batchSender, createSqs } from '../adapters/sqs.ts';
import { pollSources } from '../core/origin/poll.ts';
import type { Registry } from '../core/source/registry.ts';
import { compileRoutes } from '../core/source/routing.ts';
import { environment } from './environment.ts';
import { wholeHandler } from './stack.ts';
import { count, log } from './telemetry.ts';

const names = [
  'FIRN_TABLE',
  'FIRN_LANDING_BUCKET',
  'FIRN_BUCKET_PREFIX',
  'FIRN_BUCKET_SUFFIX',
  'FIRN_COPY_QUEUE_URL',
] as const;

/** On a schedule: lists the buckets that send no events, and sends what is new in them to copy. */
export function pollHandler(registry: Registry) {
  const env = environment(names);
  const naming = { prefix: env.FIRN_BUCKET_PREFIX, suffix: env.FIRN_BUCKET_SUFFIX };
  const s3 = createS3();
  const ports = {
    registry,
    naming,
    route: compileRoutes(registry, naming),
    listerFor: sourceListers(s3),
    chunks: chunkStore(s3, env.FIRN_LANDING_BUCKET),
    send: batchSender(createSqs(), env.FIRN_COPY_QUEUE_URL),
    table: openTable(createDynamoDb(), env.FIRN_TABLE),
    now: () => Date.now(),
  };
  return wholeHandler<unknown>('poll', async (_event, context) => {
    const polled = await pollSources({ ...ports, remainingMs: () => context.getRemainingTimeInMillis() });
    for (const { sourceId, problem, dueAtMs, listCalls, keysSeen, sent, finished } of polled) {
      const due = new Date(dueAtMs).toISOString();
      if (problem) log('error', 'a source could not be polled', { sourceId, ...problem, due });
      const sweeps = { sweepsFinished: finished ? 1 : 0, failed: problem ? 1 : 0 };
      count('poll', { listCalls, keysSeen, sent, ...sweeps }, { sourceId, due });
    }
  });
}
