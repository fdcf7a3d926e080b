import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { expectSameEnd } from '../support/end-state.ts';
import { type Bench, bootBench, lines, minute, type SeenCall, startMs } from '../support/pipeline.ts';
import { seeded, shuffled } from '../support/shuffle.ts';
import { killAfter, kindOf } from '../support/trouble.ts';

/** Reads objects whole. */
let clean: Bench;
/** Cuts them into small parts. */
let faulted: Bench;
/** Messages of parts that the faulted one has delivered. */
const parts: string[] = [];
let today = startMs;
/** Longer than a killed upload is out of sight. */
const slot = 6 * 60 * minute;
const partBytes = 90;

beforeAll(async () => {
  clean = await bootBench('parts', false);
  faulted = await bootBench('parts', true, {
    overrides: (id, properties) => {
      if (id !== 'NormalizeLambdaFunction') return properties;
      const { Variables } = properties['Environment'] as { Variables: Record<string, unknown> };
      return { ...properties, Environment: { Variables: { ...Variables, FIRN_PART_BYTES: String(partBytes) } } };
    },
  });
  const { sqs } = faulted.pipeline.cloud;
  const receive = sqs.receive.bind(sqs);
  sqs.receive = (...given) => {
    const messages = receive(...given);
    parts.push(...messages.map(({ body }) => body).filter((body) => body.includes('"kind":"part"')));
    return messages;
  };
});
afterAll(async () => {
  await clean?.close();
  await faulted?.close();
});
afterEach(() => {
  faulted.trouble = undefined;
  parts.length = 0;
});

/** Uploads with rows that are written, replaced, dropped, kept as they are and quarantined, in several parts each. */
async function deliver(bench: Bench, ms: number): Promise<void> {
  bench.at(ms);
  const name = String((ms - startMs) / slot);
  const orders = ['a', 'b', 'c'].map((each) => ({ id: `${name}${each}`, rev: 1, total: 10 }));
  const more = [{ id: 'kept', rev: Number(name), total: 3 }, { id: 'bad' }, { test: true }, { id: `${name}a`, rev: 2 }];
  await bench.put('orders-till', `${name}.ndjson`, lines(...orders, ...more, { id: `${name}d`, rev: 1, total: 4 }));
}

async function deliverBoth(): Promise<void> {
  today += slot;
  await deliver(clean, today);
  await deliver(faulted, today);
}

/** Part items of all uploads of a bench, newest upload last. */
async function partItems(bench: Bench) {
  const { uploads } = await bench.endState();
  const items: Record<string, unknown>[] = [];
  for (const { uploadId } of uploads) {
    for await (const page of bench.pipeline.table.query(`U#${uploadId}`, 'P#')) items.push(...page);
  }
  return items;
}

test('an object in parts comes to the same as one that is read whole, and its books close', async () => {
  await deliverBoth();
  for (const bench of [clean, faulted]) await bench.drain();

  const { uploads } = await expectSameEnd(clean, faulted);
  expect(uploads.map(({ state, rowsRead }) => [state, rowsRead])).toEqual([['loaded', 8]]);
  expect(await partItems(clean)).toHaveLength(1);
  expect((await partItems(faulted)).map((item) => [item['fromByte'], item['partState']])).toEqual([
    [0, 'done'],
    [partBytes, 'done'],
    [2 * partBytes, 'done'],
  ]);
});

test('its events and the messages of its parts come many times, in any order, at once', async () => {
  const random = seeded(7);
  await deliverBoth();
  await clean.drain();
  await faulted.pipeline.settle();
  const again = () => shuffled([...parts, ...parts, ...faulted.delivered.normalize.slice(-1)], random);
  expect(parts).toHaveLength(3);
  faulted.send('normalize', again());
  await faulted.drain();

  today += slot;
  await deliver(clean, today);
  await clean.drain();
  faulted.losing.add('normalize');
  await deliver(faulted, today);
  await faulted.pipeline.settle();
  faulted.losing.delete('normalize');
  const announced = faulted.delivered.normalize.slice(-1);
  faulted.send('normalize', [...announced, ...announced, ...announced]);
  await faulted.pipeline.settle();
  faulted.send('normalize', again());
  await faulted.drain();

  await expectSameEnd(clean, faulted);
});

/** Calls of normalize for one more upload of this kind, when nothing goes wrong. */
async function quietCalls(): Promise<readonly SeenCall[]> {
  await deliverBoth();
  faulted.calls.length = 0;
  for (const bench of [clean, faulted]) await bench.drain();
  return faulted.calls.filter((call) => call.by === 'normalize');
}

test('a worker killed after any of its calls changes nothing', async () => {
  const calls = await quietCalls();
  const tries = { all: 0, struck: 0 };
  for (const [kind, { length }] of Map.groupBy(calls, kindOf)) {
    // After a read nothing has changed since the call before: the first and the last of them will do.
    const numbers = Array.from({ length }, (_, index) => index + 1);
    const reads = /Get|Query/.test(kind);
    for (const n of reads ? numbers.filter((each) => each === 1 || each === length) : numbers) {
      await deliverBoth();
      const kill = killAfter(faulted, 'normalize', n, (call) => kindOf(call) === kind);
      faulted.trouble = kill.trouble;
      for (const bench of [clean, faulted]) await bench.pipeline.settle();
      faulted.trouble = undefined;
      tries.all += 1;
      tries.struck += kill.struck();
    }
  }
  for (const bench of [clean, faulted]) await bench.drain();

  expect(new Set(calls.map(kindOf))).toContain('sqs.SendMessageBatch');
  // How many of the last calls there are differs: two workers may both see that all parts are done.
  expect(tries.struck).toBeGreaterThan(tries.all - 4);
  await expectSameEnd(clean, faulted);
});

test('messages of parts that got lost are sent again when the upload has not moved for hours', async () => {
  faulted.trouble = ({ by, service }, phase) => {
    if (by === 'normalize' && service === 'sqs' && phase === 'before') faulted.losing.add('normalize');
    return undefined;
  };
  await deliverBoth();
  await clean.drain();
  await faulted.pipeline.settle();
  faulted.losing.delete('normalize');
  faulted.trouble = undefined;
  await faulted.drain();
  const open = (await faulted.endState()).uploads.filter(({ closed }) => !closed);
  expect(open.map(({ state }) => state)).toEqual(['normalizing']);

  faulted.at(today + 3 * 60 * minute);
  await faulted.drain();
  await expectSameEnd(clean, faulted);
});
