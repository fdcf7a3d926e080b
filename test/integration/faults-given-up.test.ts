import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectSound } from '../support/end-state.ts';
import { type Bench, bootBench, lines, minute, startMs } from '../support/pipeline.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await bootBench('given-up', true, {
    // Two retries are enough to see a batch given up.
    overrides: (id, properties) =>
      id.startsWith('ExportEventSourceMapping') ? { ...properties, MaximumRetryAttempts: 2 } : properties,
  });
});
afterAll(() => bench?.close());

const order = (id: string) => bench.put('orders-till', `${id}.ndjson`, lines({ id, rev: 1, total: 1 }));

/** Takes all messages out of a dead-letter queue. */
function takeDeadLetters(logicalId: string): string[] {
  const { cloud } = bench.pipeline;
  const arn = cloud.attribute(logicalId, 'Arn');
  return cloud.sqs.receive(arn, 100).map(({ body, receiptHandle }) => {
    cloud.sqs.remove(arn, receiptHandle);
    return body;
  });
}

test('messages that can never be read end in dead-letter queues while everything else goes on', async () => {
  const garbage = ['no JSON', '[]', '{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{}}]}'];
  bench.send('copy', garbage.slice(0, 2));
  await order('a');
  bench.send('normalize', garbage.slice(2));
  await order('b');
  await bench.drain();
  const { queue } = bench.pipeline.cloud.deadLetters()[0] ?? {};

  expect(queue).toMatch('CopyDeadLetters');
  expect(takeDeadLetters('CopyDeadLetters').sort()).toEqual(garbage.slice(0, 2).sort());
  expect(takeDeadLetters('NormalizeDeadLetters')).toEqual(garbage.slice(2));
  const state = await bench.endState();
  expectSound(state);
  expect(state.uploads.map((each) => each.state)).toEqual(['loaded', 'loaded']);
});

test('stream batches that were given up are kept whole, and close the books when all are handed in again', async () => {
  bench.at(startMs + 24 * 60 * minute);
  bench.trouble = ({ by, operation }, phase) =>
    by === 'export' && operation === 'PutObject' && phase === 'before'
      ? { kind: 'error', status: 403, code: 'AccessDenied' }
      : undefined;
  const rows = Array.from({ length: 12 }, (_, index) => ({ id: `c${index}`, rev: 1, total: 1 }));
  await bench.put('orders-till', 'c.ndjson', lines(...rows));
  await bench.pipeline.settle();
  bench.trouble = undefined;
  await order('d');
  await bench.drain();

  const records = await givenUp();
  expect(records).toHaveLength(12);
  expect(await openObjects()).toEqual(['c']);

  // Five of them in every batch they can make: more rows than the upload has, and still seven are missing.
  const five = records.slice(0, 5);
  for (const [from] of five.entries()) {
    for (let to = from + 1; to <= five.length; to += 1) await handIn(five.slice(from, to));
  }
  await bench.drain();
  expect(await openObjects()).toEqual(['c']);

  await handIn(records);
  await bench.drain();
  const state = await bench.endState();
  expectSound(state);
  expect(state.visible).toHaveLength(2 + 12 + 1);
});

const handIn = (Records: readonly unknown[]) => bench.pipeline.cloud.invoke('export', { Records });

/** Names of the objects whose books are open. */
async function openObjects(): Promise<(string | undefined)[]> {
  const { uploads } = await bench.endState();
  return uploads.filter(({ closed }) => !closed).map(({ object }) => /(\w+)\.ndjson$/.exec(object)?.[1]);
}

/** The records of the batches that export gave up, from its failure destination. */
async function givenUp(): Promise<unknown[]> {
  const { s3, cloud } = bench.pipeline;
  const Bucket = cloud.physicalId('StreamFailureBucket');
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  const batches = Contents.map(async ({ Key }) => {
    const object = await s3.send(new GetObjectCommand({ Bucket, Key: Key ?? '' }));
    const { payload } = JSON.parse((await object.Body?.transformToString()) ?? '') as { payload: string };
    return (JSON.parse(payload) as { Records: unknown[] }).Records;
  });
  return (await Promise.all(batches)).flat();
}
