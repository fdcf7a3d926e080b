import { createDynamoDb, openTable } from '../adapters/dynamodb.ts';
import { createS3 } from '../adapters/s3.ts';
import { sourceStores } from '../adapters/source-store.ts';
import { batchSender, createSqs, delayer } from '../adapters/sqs.ts';
import { retryable } from '../core/failure.ts';
import { readMessage } from '../core/origin/candidate.ts';
import { openDeliveries } from '../core/origin/complete.ts';
import type { Registry } from '../core/source/registry.ts';
import { compileRoutes } from '../core/source/routing.ts';
import { copyCandidate } from '../core/upload/copy.ts';
import { environment } from './environment.ts';
import { queueHandler } from './stack.ts';
import { count, log } from './telemetry.ts';

const names = [
  'FIRN_TABLE',
  'FIRN_LANDING_BUCKET',
  'FIRN_BUCKET_PREFIX',
  'FIRN_BUCKET_SUFFIX',
  'FIRN_COPY_QUEUE_URL',
] as const;

/** Layer 1: events of source buckets, in a queue, to verbatim copies in landing. */
export function copyHandler(registry: Registry) {
  const env = environment(names);
  const naming = { prefix: env.FIRN_BUCKET_PREFIX, suffix: env.FIRN_BUCKET_SUFFIX };
  const sqs = createSqs();
  const shared = { route: compileRoutes(registry, naming), storeFor: sourceStores(createS3()) };
  const ports = {
    ...shared,
    deliveries: openDeliveries({ ...shared, sendToCopy: batchSender(sqs, env.FIRN_COPY_QUEUE_URL) }),
    table: openTable(createDynamoDb(), env.FIRN_TABLE),
    landingBucket: env.FIRN_LANDING_BUCKET,
    now: () => Date.now(),
  };
  const delay = delayer(sqs, env.FIRN_COPY_QUEUE_URL);
  const work = async (body: string) => {
    const message = readMessage(body);
    if (message.kind === 'test') return;
    if (message.kind === 'unreadable')
      throw retryable('copy.unreadableMessage', `Reading a message failed: ${message.reason}.`);
    if (message.ignored > 0) count('copy', { eventsIgnored: message.ignored });
    for (const candidate of message.candidates) {
      const copied = await copyCandidate(candidate, ports);
      const object = `s3://${candidate.bucket}/${candidate.key}`;
      if (copied.kind === 'unrouted') log('warn', 'no source claims this object', { object });
      const released = copied.kind === 'announced' ? copied.released : undefined;
      if (released?.notice) log('warn', 'a delivery is not whole', { object, reason: released.notice });
      const uploadId = 'uploadId' in copied ? copied.uploadId : undefined;
      count('copy', { [copied.kind]: 1, released: released?.sent ?? 0 }, { object, uploadId });
    }
  };
  return queueHandler({ layer: 'copy', delay, work });
}
