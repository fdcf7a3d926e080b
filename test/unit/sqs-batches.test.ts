import type { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, test } from 'vitest';
import { batchSender } from '../../adapters/sqs.ts';

/** A queue that refuses single messages of a batch, as SQS may. */
function refusingQueue(refuses: (body: string, before: number) => boolean) {
  const taken: string[] = [];
  const tries = new Map<string, number>();
  const sizes: number[] = [];
  const send = async ({ input }: SendMessageBatchCommand) => {
    const { Entries = [] } = input;
    sizes.push(Entries.length);
    const failed = Entries.filter(({ MessageBody = '' }) => {
      const before = tries.get(MessageBody) ?? 0;
      tries.set(MessageBody, before + 1);
      if (refuses(MessageBody, before)) return true;
      taken.push(MessageBody);
      return false;
    });
    return { Failed: failed.map(({ Id }) => ({ Id, Code: 'ServiceUnavailable', SenderFault: false })) };
  };
  return { taken, sizes, client: { send } as unknown as SQSClient };
}

const bodies = Array.from({ length: 23 }, (_, n) => `body ${n}`);

test('messages go out ten at a time', async () => {
  const { client, taken, sizes } = refusingQueue(() => false);

  await batchSender(client, 'queue')(bodies);
  await batchSender(client, 'queue')([]);

  expect(sizes.sort()).toEqual([10, 10, 3]);
  expect(taken.toSorted()).toEqual(bodies.toSorted());
});

test('those that SQS refuses are sent again, and only those', async () => {
  const { client, taken } = refusingQueue((body, before) => body.endsWith('7') && before < 2);

  await batchSender(client, 'queue')(bodies);

  expect(taken.toSorted()).toEqual(bodies.toSorted());
});

test('one that cannot be sent is told', async () => {
  const { client } = refusingQueue((body) => body === 'body 7');

  await expect(batchSender(client, 'queue')(bodies)).rejects.toMatchObject({
    kind: 'retryable',
    code: 'queue.refused',
    message: expect.stringContaining('Sending 1 messages to queue failed: ServiceUnavailable'),
  });
});
