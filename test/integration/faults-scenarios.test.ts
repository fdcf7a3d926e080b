import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectSound } from '../support/end-state.ts';
import { type Bench, bootBench, day, lines, minute, startMs } from '../support/pipeline.ts';
import { all, killAfter, strike } from '../support/trouble.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await bootBench('scenarios', true);
});
afterAll(() => bench?.close());

interface Row {
  readonly id: string;
  readonly rev: number;
  readonly total: number;
}

interface Upload {
  readonly source: 'orders-till' | 'orders-desk';
  readonly rows: readonly Row[];
}

/** Which event comes next, and how often: numbers that pick from what there is. */
type Order = readonly number[];

interface Scenario {
  readonly uploads: readonly Upload[];
  readonly copyOrder: Order;
  readonly normalizeOrder: Order;
  readonly trouble: { readonly kind: 'kill' | 'throttle'; readonly by: string; readonly n: number };
}

const row: fc.Arbitrary<Row> = fc.record({
  id: fc.constantFrom('a', 'b', 'c'),
  rev: fc.integer({ min: 1, max: 3 }),
  total: fc.integer({ min: 0, max: 3 }),
});
const upload: fc.Arbitrary<Upload> = fc.record({
  source: fc.constantFrom('orders-till', 'orders-till', 'orders-desk'),
  rows: fc.array(row, { minLength: 1, maxLength: 5 }),
});
const order = fc.array(fc.nat(3), { minLength: 2, maxLength: 8 });
const scenario: fc.Arbitrary<Scenario> = fc.record({
  uploads: fc.array(upload, { minLength: 2, maxLength: 4 }),
  copyOrder: order,
  normalizeOrder: order,
  trouble: fc.record({
    kind: fc.constantFrom('kill', 'throttle'),
    by: fc.constantFrom('copy', 'normalize', 'export', 'reconcile'),
    n: fc.integer({ min: 1, max: 12 }),
  }),
});

/** The table as it must be: of each key and source the newest, by version, then upload, then place in it. */
function model(name: string, uploads: readonly Upload[]): Map<string, number> {
  const newest = new Map<string, Row>();
  for (const { source, rows } of uploads) {
    for (const each of rows) {
      const key = `${name}${each.id} ${source}`;
      const standing = newest.get(key);
      if (!standing || standing.rev <= each.rev) newest.set(key, each);
    }
  }
  return new Map([...newest].map(([key, { total }]) => [key, total]));
}

function body(name: string, { source, rows }: Upload): string {
  const named = rows.map((each) => ({ ...each, id: `${name}${each.id}` }));
  if (source === 'orders-till') return lines(...named);
  return `order_no;rev;amount\n${named.map(({ id, rev, total }) => `${id};${rev};${total}\n`).join('')}`;
}

/** All events at least once, in an order of which the first are picked. */
function deliveries(events: readonly string[], picks: Order): string[] {
  return [...picks.map((pick) => events[pick % events.length] ?? ''), ...events];
}

/** Lets one queue's events wait until all are there, and delivers them as they are picked. */
async function deliver(queue: 'copy' | 'normalize', picks: Order): Promise<void> {
  const events = bench.delivered[queue].splice(0);
  bench.losing.delete(queue);
  bench.send(queue, deliveries(events, picks));
  await bench.pipeline.settle();
}

let runs = 0;

async function play({ uploads, copyOrder, normalizeOrder, trouble }: Scenario): Promise<void> {
  runs += 1;
  const name = `r${runs}`;
  const { by, n } = trouble;
  bench.losing.add('copy').add('normalize');
  for (const [index, each] of uploads.entries()) {
    bench.at(startMs + runs * day + index * minute);
    await bench.put(each.source, `${name}-${index}`, body(name, each));
  }
  await bench.pipeline.settle();
  bench.trouble =
    trouble.kind === 'kill'
      ? killAfter(bench, by, n).trouble
      : all(
          ...['s3', 'dynamodb'].map((service) =>
            strike((call) => call.by === by && call.service === service, { kind: 'throttle' }, Math.min(n, 4)),
          ),
        ).trouble;
  await deliver('copy', copyOrder);
  await deliver('normalize', normalizeOrder);
  await bench.drain();
  bench.trouble = undefined;

  const state = await bench.endState();
  expectSound(state);
  const visible = state.visible.filter(({ key }) => key.startsWith(name));
  const shown = visible.map(({ key, sortKey, payload }) => [`${key} ${sortKey}`, (payload as { total: number }).total]);
  expect(new Map(shown as [string, number][])).toEqual(model(name, uploads));
  const ours = state.uploads.filter(({ object }) => object.includes(`/${name}-`));
  expect(ours.map(({ state: ended }) => ended)).toEqual(uploads.map(() => 'loaded'));
}

test('whatever comes twice, in any order, and dies or is throttled: the table holds the newest of each key', async () => {
  await fc.assert(fc.asyncProperty(scenario, play), { numRuns: 8, seed: 20_310_106, endOnFailure: true });
});
