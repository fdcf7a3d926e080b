import { setImmediate } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { expectSameEnd } from '../support/end-state.ts';
import { asEventBridge, inOneMessage, wrappedBySns } from '../support/event-forms.ts';
import { type Bench, bootPair, day, lines, type QueueName, startMs } from '../support/pipeline.ts';
import { seeded, shuffled } from '../support/shuffle.ts';
import { type Counted, kindOf } from '../support/trouble.ts';

let clean: Bench;
let faulted: Bench;
let today = startMs;

beforeAll(async () => {
  ({ clean, faulted } = await bootPair('duplicates'));
});
afterAll(async () => {
  await clean?.close();
  await faulted?.close();
});
beforeEach(() => {
  today += 3 * day;
  for (const { delivered } of [clean, faulted])
    for (const bodies of [delivered.copy, delivered.normalize]) bodies.length = 0;
});

/** Objects that `deliver` puts where a source claims them, and all it puts. */
const claimed = 5;
const objects = claimed + 1;

/** An object of each source, with rows that fit, a row to drop and rows for quarantine; and three odd ones. */
async function deliver(bench: Bench, name: string): Promise<void> {
  bench.at(today);
  const fitting = [
    { id: `${name}-1`, rev: 1, total: 10.5 },
    { id: `${name}-2`, rev: 7, total: 2 },
  ];
  await bench.put('orders-till', `${name}.ndjson`, lines(...fitting, { test: true }, { id: 'x' }));
  await bench.put('orders-desk', `${name}.csv`, `order_no;rev;amount\n${name}-1;2;11.5\n${name}-3;two;4\n`);
  const scan = { gate: 'north', ticket: name };
  await bench.put('scans', `${name}.ndjson`, lines({ ...scan, seq: 1 }, { ...scan, seq: 2 }, { gate: 'south' }));
  await bench.put('orders-till', `${name}-empty.ndjson`, '');
  await bench.put('orders-till', `${name}-broken.gz`, Uint8Array.of(0x1f, 0x8b, 1, 2, 3));
  const nobodys = { Bucket: bench.pipeline.bucketOf('scans'), Key: `elsewhere/${name}`, Body: 'x' };
  await bench.pipeline.s3.send(new PutObjectCommand(nobodys));
}

async function resend({ send, delivered }: Bench): Promise<void> {
  expect([delivered.copy.length, delivered.normalize.length]).toEqual([objects, claimed]);
  send('copy', [...delivered.copy]);
  send('normalize', [...delivered.normalize]);
}

test('every event comes again before the books are closed, after, and days later', async () => {
  await deliver(clean, 'again');
  await clean.drain();

  await deliver(faulted, 'again');
  await faulted.pipeline.settle();
  await resend(faulted);
  await Promise.all([1, 2].map(() => faulted.pipeline.cloud.invoke('reconcile', {})));
  await faulted.drain();
  await resend(faulted);
  await faulted.drain();
  faulted.at(today + 2 * day);
  await resend(faulted);
  await faulted.drain();

  const { uploads } = await expectSameEnd(clean, faulted);
  expect(uploads.map(({ state }) => state).sort()).toEqual([
    ...Array.from({ length: 4 }, () => 'loaded'),
    'rejected',
    'unrouted',
  ]);
});

test('every event comes five times, in any order, at once', async () => {
  const random = seeded(5);
  const fiveTimes = (bodies: readonly string[]) => shuffled(Array.from({ length: 5 }, () => bodies).flat(), random);
  await deliver(clean, 'five');
  await clean.drain();

  faulted.losing.add('copy').add('normalize');
  await deliver(faulted, 'five');
  await faulted.pipeline.settle();
  faulted.losing.delete('copy');
  faulted.send('copy', fiveTimes(faulted.delivered.copy));
  await faulted.pipeline.settle();
  faulted.losing.delete('normalize');
  faulted.send('normalize', fiveTimes(faulted.delivered.normalize));
  await faulted.drain();

  expect([faulted.delivered.copy.length, faulted.delivered.normalize.length]).toEqual([objects, claimed]);
  await expectSameEnd(clean, faulted, { viewVersions: true });
});

test('the same object is told of by S3, through SNS, by EventBridge, and with others in one message', async () => {
  await deliver(clean, 'forms');
  await clean.drain();

  faulted.losing.add('copy');
  await deliver(faulted, 'forms');
  await faulted.pipeline.settle();
  faulted.losing.delete('copy');
  const notified = faulted.delivered.copy.filter((body) => body.includes('Records'));
  const bridged = faulted.delivered.copy.filter((body) => !body.includes('Records'));
  const forms = [
    ...notified.flatMap((body) => [body, wrappedBySns(body), asEventBridge(body), wrappedBySns(asEventBridge(body))]),
    ...bridged.flatMap((body) => [body, wrappedBySns(body)]),
    inOneMessage(notified),
  ];
  faulted.send('copy', shuffled(forms, seeded(6)));
  await faulted.drain();

  expect([notified.length, bridged.length]).toEqual([objects - 1, 1]);
  await expectSameEnd(clean, faulted, { viewVersions: true });
});

/** Holds the first call of this kind that `by` makes until another instance has been through with the same message. */
function overtaken(by: QueueName, kind: string): Counted {
  let slow = 0;
  return {
    struck: () => slow,
    async trouble(call, phase) {
      if (slow > 0 || phase !== 'before' || call.by !== by || kindOf(call) !== kind) return undefined;
      slow += 1;
      faulted.send(by, faulted.delivered[by].slice(-1));
      // Itself, and what was put off until it is through.
      while (faulted.waiting(by) - faulted.postponed(by) > 1) await setImmediate();
      return undefined;
    },
  };
}

test.each([
  ['copy', 's3.HeadObject'],
  ['copy', 'dynamodb.PutItem'],
  ['copy', 's3.CopyObject'],
  ['copy', 'dynamodb.UpdateItem'],
  ['normalize', 's3.GetObject'],
  ['normalize', 'dynamodb.UpdateItem'],
  ['normalize', 'dynamodb.PutItem'],
  ['normalize', 's3.PutObject'],
] as const)('a slow %s goes on with %s after another has done its work', async (by, kind) => {
  const slow = overtaken(by, kind);
  const name = `slow-${by}-${kind}`;
  for (const bench of [clean, faulted]) {
    bench.at(today);
    if (bench.faulted) bench.trouble = slow.trouble;
    await bench.put('orders-till', name, lines({ id: name, rev: 1, total: 1 }, { id: `${name}-2`, rev: 1, total: 1 }));
    await bench.drain();
    bench.trouble = undefined;
  }

  expect(slow.struck()).toBe(1);
  await expectSameEnd(clean, faulted);
});

test('uploads that are finished are announced five hundred times: each announcement costs one refused update', async () => {
  await deliver(clean, 'often');
  await clean.drain();

  await deliver(faulted, 'often');
  await faulted.drain();
  faulted.calls.length = 0;
  for (let round = 0; round < 500 / claimed; round += 1) faulted.send('normalize', [...faulted.delivered.normalize]);
  await faulted.drain();

  const updates = faulted.calls.filter((call) => call.by === 'normalize' && call.operation === 'UpdateItem');
  expect(updates).toHaveLength(500);
  await expectSameEnd(clean, faulted, { viewVersions: true });
});
