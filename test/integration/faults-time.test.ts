import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { expectSameEnd } from '../support/end-state.ts';
import { type Bench, bootPair, lines, minute, type SeenCall, startMs, type Trouble } from '../support/pipeline.ts';
import { killAfter, kindOf } from '../support/trouble.ts';

let clean: Bench;
let faulted: Bench;
let today = startMs;
/** Longer than a killed upload is out of sight, and short enough that reconcile, which looks back for 14 days, sees all. */
const slot = 8 * 60 * minute;

beforeAll(async () => {
  ({ clean, faulted } = await bootPair('time'));
});
afterAll(async () => {
  await clean?.close();
  await faulted?.close();
});
afterEach(() => {
  faulted.trouble = undefined;
});

/** Long enough that a few rows are a batch; no field reads it. */
const filler = 'x'.repeat(300_000);
const rowsOf = (name: string, count: number) =>
  Array.from({ length: count }, (_, n) => ({ id: `${name}-${n}`, rev: 1, total: n % 5 === 4 ? 'no' : n, filler }));

async function deliver(bench: Bench, name: string, rows: number): Promise<void> {
  bench.at(today);
  await bench.put('orders-till', `${name}.ndjson`, lines(...rowsOf(name, rows)));
}

async function deliverScans(bench: Bench, name: string): Promise<void> {
  const scans = rowsOf(name, 16).map(({ id, total }) => ({ gate: 'west', ticket: id, seq: total, filler }));
  await bench.put('scans', `${name}.ndjson`, lines(...scans));
}

/** Lets almost all of an invocation's time pass while it writes its second batch. */
function slowSecondBatch(): Trouble {
  const { clock } = faulted.pipeline.cloud;
  const written = new Map<string, number>();
  return ({ by, principal, operation }, phase) => {
    if (by !== 'normalize' || phase !== 'before') return undefined;
    if (operation === 'GetObject') written.set(principal, 0);
    if (operation !== 'PutItem' && operation !== 'BatchWriteItem') return undefined;
    const count = (written.get(principal) ?? 0) + 1;
    written.set(principal, count);
    if (count === 3) clock.skipTo(clock.now() + 850_000);
    return undefined;
  };
}

/** Turns that the parts of a bench's uploads took, by what they left in keys files. */
async function turns(bench: Bench): Promise<number[]> {
  const { uploads } = await bench.endState();
  const counts: number[] = [];
  for (const { uploadId } of uploads) {
    for await (const page of bench.pipeline.table.query(`U#${uploadId}`, 'P#')) {
      counts.push(...page.map((item) => (item['keyFiles'] as readonly unknown[]).length));
    }
  }
  return counts;
}

test('an object that outlives its invocations goes on behind its checkpoints, and its books close', async () => {
  faulted.trouble = slowSecondBatch();
  for (const bench of [clean, faulted]) {
    await deliver(bench, 'long', 16);
    await deliverScans(bench, 'long');
    await bench.drain();
  }

  await expectSameEnd(clean, faulted);
  expect(await turns(clean)).toEqual([1, 1]);
  for (const count of await turns(faulted)) expect(count).toBeGreaterThan(1);
});

test('a worker killed after any write while it comes to rest or goes on changes nothing', async () => {
  const calls = await quietCalls();
  const kinds = Map.groupBy(calls, kindOf);
  const writes = ['s3.PutObject', 'dynamodb.UpdateItem', 'sqs.SendMessageBatch'];
  for (const kind of writes) {
    const count = kinds.get(kind)?.length ?? 0;
    expect(count, kind).toBeGreaterThan(0);
    for (let n = 1; n <= count; n += 1) {
      today += slot;
      const kill = killAfter(faulted, 'normalize', n, (call: SeenCall) => kindOf(call) === kind);
      const slow = slowSecondBatch();
      faulted.trouble = async (call, phase) => (await kill.trouble(call, phase)) ?? slow(call, phase);
      for (const bench of [clean, faulted]) {
        await deliver(bench, `${kind}-${n}`, 9);
        await bench.pipeline.settle();
      }
      expect(kill.struck(), `${kind} ${n} of ${count}`).toBe(1);
    }
  }
  for (const bench of [clean, faulted]) await bench.drain();

  await expectSameEnd(clean, faulted);
});

/** Calls of normalize for one more upload, when it outlives an invocation but nobody dies. */
async function quietCalls(): Promise<readonly SeenCall[]> {
  today += slot;
  faulted.trouble = slowSecondBatch();
  faulted.calls.length = 0;
  for (const bench of [clean, faulted]) {
    await deliver(bench, 'quiet', 9);
    await bench.drain();
  }
  return faulted.calls.filter((call) => call.by === 'normalize');
}
