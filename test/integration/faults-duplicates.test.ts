import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { expectSameEnd } from '../support/end-state.ts';
import { asEventBridge, inOneMessage, wrappedBySns } from '../support/event-forms.ts';
import { type Bench, bootPair, day, lines, startMs } from '../support/pipeline.ts';
import { seeded, shuffled } from '../support/shuffle.ts';

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

/** One object of each source, with rows that fit, a row to drop and rows for quarantine. */
async function deliver(bench: Bench, name: string): Promise<void> {
  bench.at(today);
  const till = [
    { id: `${name}-1`, rev: 1, total: 10.5 },
    { test: true },
    { id: 'x' },
    { id: `${name}-2`, rev: 7, total: 2 },
  ];
  await bench.put('orders-till', `${name}.ndjson`, lines(...till));
  await bench.put('orders-desk', `${name}.csv`, `order_no;rev;amount\n${name}-1;2;11.5\n${name}-3;two;4\n`);
  const scan = { gate: 'north', ticket: name };
  await bench.put('scans', `${name}.ndjson`, lines({ ...scan, seq: 1 }, { ...scan, seq: 2 }, { gate: 'south' }));
}

async function resend({ send, delivered }: Bench): Promise<void> {
  expect([delivered.copy.length, delivered.normalize.length]).toEqual([3, 3]);
  send('copy', [...delivered.copy]);
  send('normalize', [...delivered.normalize]);
}

test('every event comes again before the books are closed, after, and days later', async () => {
  await deliver(clean, 'again');
  await clean.drain();

  await deliver(faulted, 'again');
  await faulted.pipeline.settle();
  await resend(faulted);
  await faulted.drain();
  await resend(faulted);
  await faulted.drain();
  faulted.at(today + 2 * day);
  await resend(faulted);
  await faulted.drain();

  await expectSameEnd(clean, faulted);
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

  expect([faulted.delivered.copy.length, faulted.delivered.normalize.length]).toEqual([3, 3]);
  await expectSameEnd(clean, faulted, { versions: false });
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

  expect([notified.length, bridged.length, forms.length]).toEqual([2, 1, 11]);
  await expectSameEnd(clean, faulted, { versions: false });
});

test('an upload that is finished is announced three hundred times', async () => {
  await deliver(clean, 'often');
  await clean.drain();

  await deliver(faulted, 'often');
  await faulted.drain();
  for (let round = 0; round < 100; round += 1) faulted.send('normalize', [...faulted.delivered.normalize]);
  await faulted.drain();

  await expectSameEnd(clean, faulted, { versions: false });
});
