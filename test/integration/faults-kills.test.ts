import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { expectSameEnd } from '../support/end-state.ts';
import { type Bench, bootPair, lines, minute, type SeenCall, startMs } from '../support/pipeline.ts';
import { killAfter, kindOf } from '../support/trouble.ts';

let clean: Bench;
let faulted: Bench;
let today = startMs;
/** Longer than a killed upload is out of sight, and short enough that reconcile, which looks back for 14 days, sees all. */
const slot = 6 * 60 * minute;

beforeAll(async () => {
  ({ clean, faulted } = await bootPair('kills'));
  // The first upload of all makes more calls than those that follow: it registers the source.
  for (const bench of [clean, faulted]) {
    await deliver(bench, today);
    await bench.drain();
  }
});
afterAll(async () => {
  await clean?.close();
  await faulted?.close();
});
afterEach(() => {
  faulted.trouble = undefined;
});

/** One upload with rows that are written, replaced, dropped and quarantined; several of them share a shard. */
async function deliver(bench: Bench, ms: number): Promise<void> {
  bench.at(ms);
  const upload = (ms - startMs) / slot;
  const written = ['a', 'b', 'c', 'd'].map((each) => ({ id: `${upload}${each}`, rev: 1, total: 10 }));
  const rows = [...written, { id: 'kept', rev: upload, total: 3 }, { id: 'bad' }, { test: true }];
  await bench.put('orders-till', `${upload}.ndjson`, lines(...rows));
}

/** How many calls a function makes for one more upload of this kind, when nothing goes wrong. */
async function callsOf(by: string): Promise<number> {
  today += slot;
  clean.calls.length = 0;
  for (const bench of [clean, faulted]) {
    await deliver(bench, today);
    await bench.drain();
  }
  return clean.calls.filter((call) => call.by === by).length;
}

test.each(['copy', 'normalize', 'export'])('%s killed after any of its calls changes nothing', async (by) => {
  const calls = await callsOf(by);
  for (let n = 1; n <= calls; n += 1) {
    today += slot;
    const kill = killAfter(faulted, by, n);
    faulted.trouble = kill.trouble;
    for (const bench of [clean, faulted]) {
      await deliver(bench, today);
      await bench.pipeline.settle();
    }
    faulted.trouble = undefined;
    expect(kill.struck(), `call ${n} of ${calls}`).toBe(1);
  }
  for (const bench of [clean, faulted]) await bench.drain();

  expect(calls).toBeGreaterThan(2);
  await expectSameEnd(clean, faulted);
});

/** Kinds of calls with the numbers of those after which a kill may show something: every write, but of reads only two. */
function edgesOf(calls: readonly SeenCall[]): readonly { readonly kind: string; readonly n: number }[] {
  return [...Map.groupBy(calls, kindOf)].flatMap(([kind, { length }]) => {
    const reads = /Query|Get/.test(kind);
    const numbers = Array.from({ length }, (_, index) => index + 1);
    return (reads ? numbers.filter((n) => n === 1 || n === length) : numbers).map((n) => ({ kind, n }));
  });
}

test('reconcile killed after any of its calls changes nothing', async () => {
  today += slot;
  for (const bench of [clean, faulted]) {
    await deliver(bench, today);
    await bench.pipeline.settle();
  }
  clean.calls.length = 0;
  await clean.pipeline.cloud.invoke('reconcile', {});
  const edges = edgesOf(clean.calls.filter((call) => call.by === 'reconcile' && call.operation !== 'Telemetry'));
  for (const { kind, n } of edges) {
    today += slot;
    for (const bench of [clean, faulted]) {
      await deliver(bench, today);
      await bench.pipeline.settle();
    }
    const kill = killAfter(faulted, 'reconcile', n, (call) => kindOf(call) === kind);
    faulted.trouble = kill.trouble;
    await expect(faulted.pipeline.cloud.invoke('reconcile', {})).rejects.toThrow('killed');
    faulted.trouble = undefined;
    expect(kill.struck(), `${kind} ${n}`).toBe(1);
  }
  for (const bench of [clean, faulted]) await bench.drain();

  expect(edges.map((each) => each.kind)).toContain('dynamodb.UpdateItem');
  await expectSameEnd(clean, faulted);
});

test.each(['sqs.SendMessage', 'dynamodb.UpdateItem'])(
  'reconcile killed after %s while it sends an upload on its way again changes nothing',
  async (kind) => {
    today += slot;
    for (const bench of [clean, faulted]) {
      bench.losing.add('normalize');
      await deliver(bench, today);
      await bench.pipeline.settle();
      bench.losing.clear();
      bench.at(today + 3 * 60 * minute);
    }
    const kill = killAfter(faulted, 'reconcile', 1, (call) => kindOf(call) === kind);
    faulted.trouble = kill.trouble;
    for (const bench of [clean, faulted]) await bench.drain();
    faulted.trouble = undefined;

    expect(kill.struck()).toBe(1);
    await expectSameEnd(clean, faulted);
  },
);
