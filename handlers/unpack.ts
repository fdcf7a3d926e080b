import type { Context } from 'aws-lambda';
import { createDynamoDb, openTable } from '../adapters/dynamodb.ts';
import { createS3 } from '../adapters/s3.ts';
import { unpackStore } from '../adapters/s3-archive.ts';
import { createSqs, delayer, sender } from '../adapters/sqs.ts';
import { retryable } from '../core/failure.ts';
import { readMessage } from '../core/origin/candidate.ts';
import type { Registry } from '../core/source/registry.ts';
import { unpackArchive } from '../core/upload/unpack-archive.ts';
import { environment } from './environment.ts';
import { queueHandler } from './stack.ts';
import { count, log } from './telemetry.ts';

/** Between layers 1 and 2: archives in landing to one landing object a member. */
export function unpackHandler(_registry: Registry) {
  const env = environment(['FIRN_TABLE', 'FIRN_LANDING_BUCKET', 'FIRN_UNPACK_QUEUE_URL']);
  const sqs = createSqs();
  const ports = {
    table: openTable(createDynamoDb(), env.FIRN_TABLE),
    store: unpackStore(createS3(), env.FIRN_LANDING_BUCKET),
    landingBucket: env.FIRN_LANDING_BUCKET,
    sendToUnpack: sender(sqs, env.FIRN_UNPACK_QUEUE_URL),
    now: () => Date.now(),
  };
  const work = async (body: string, context: Context) => {
    const message = readMessage(body);
    if (message.kind === 'test') return;
    if (message.kind === 'unreadable')
      throw retryable('unpack.unreadableMessage', `Reading a message failed: ${message.reason}.`);
    for (const { key } of message.candidates) {
      const done = await unpackArchive(key, { ...ports, remainingMs: () => context.getRemainingTimeInMillis() });
      if (done.kind !== 'unpacked' && done.kind !== 'continued') continue;
      const { uploadId, members, rejected, fault } = done;
      if (fault !== '') log('warn', 'archive not unpacked to its end', { key, uploadId, reason: fault });
      if (rejected > 0) log('warn', 'members of an archive rejected', { key, uploadId, rejected });
      count('unpack', { [done.kind]: 1, members, membersRejected: rejected }, { uploadId });
    }
  };
  return queueHandler({ layer: 'unpack', delay: delayer(sqs, env.FIRN_UNPACK_QUEUE_URL), work });
}
