import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type EndState, expectSameEnd } from '../support/end-state.ts';
import { type Bench, bootPair, lines, minute, startMs } from '../support/pipeline.ts';
import { tarOf } from '../support/tar.ts';
import { killAfter } from '../support/trouble.ts';
import { zipOf } from '../support/zip.ts';

let clean: Bench;
let faulted: Bench;
let today = startMs;
/** Longer than a killed upload is out of sight, and short enough that reconcile, which looks back for 14 days, sees all. */
const slot = 3 * 60 * minute;

beforeAll(async () => {
  ({ clean, faulted } = await bootPair('archives'));
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
  for (const queue of ['copy', 'unpack', 'normalize'] as const) faulted.losing.delete(queue);
});

const orders = (name: string, total: number) =>
  lines({ id: `${name}a`, rev: total, total }, { id: `${name}b`, rev: 1, total });

/** One archive: two members that are records, one of them compressed, and one that is not taken. */
function archiveOf(name: string, total = 1): Uint8Array {
  return gzipSync(
    tarOf([
      { path: 'orders/', type: '5' },
      { path: 'orders/one.ndjson', body: orders(`${name}-1`, total) },
      { path: '../outside.ndjson', body: orders(`${name}-x`, total) },
      { path: 'orders/two.ndjson.gz', body: gzipSync(orders(`${name}-2`, total)) },
    ]),
  );
}

async function deliver(bench: Bench, ms: number): Promise<void> {
  bench.at(ms);
  const name = `n${(ms - startMs) / slot}`;
  await bench.put('orders-till', `${name}.tgz`, archiveOf(name));
}

/** How an archive of this name and its members ended. */
function endsOf({ uploads }: EndState, name: string): readonly (readonly [string, string])[] {
  return uploads
    .filter(({ object }) => object.includes(`/${name}`))
    .map(({ object, state }) => [object.slice(object.indexOf(name)), state] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

test('an archive lands member by member, and its books close with theirs', async () => {
  const state = await expectSameEnd(clean, faulted);

  expect(endsOf(state, 'n0.')).toEqual([
    ['n0.tgz', 'loaded'],
    ['n0.tgz/../outside.ndjson', 'rejected'],
    ['n0.tgz/orders/one.ndjson', 'loaded'],
    ['n0.tgz/orders/two.ndjson.gz', 'loaded'],
  ]);
  expect(state.records.map((each) => each['recordKey']?.S)).toEqual(['n0-1a', 'n0-1b', 'n0-2a', 'n0-2b']);
});

test('unpack killed after any of its calls changes nothing', async () => {
  // How many there are depends on whether copy has noted its copy by then: it ends where no such call was made.
  let n = 0;
  for (let struck = 1; struck > 0; ) {
    n += 1;
    today += slot;
    const kill = killAfter(faulted, 'unpack', n);
    faulted.trouble = kill.trouble;
    for (const bench of [clean, faulted]) {
      await deliver(bench, today);
      await bench.pipeline.settle();
    }
    faulted.trouble = undefined;
    struck = kill.struck();
  }
  for (const bench of [clean, faulted]) await bench.drain();

  // HEAD, GET, query, and three calls for each member at least.
  expect(n).toBeGreaterThan(12);
  await expectSameEnd(clean, faulted);
});

test('every event twice and at once changes nothing', async () => {
  today += slot;
  for (const queue of ['copy', 'unpack', 'normalize'] as const) faulted.delivered[queue].length = 0;
  for (const bench of [clean, faulted]) await deliver(bench, today);
  await faulted.pipeline.settle();
  const events = faulted.delivered.unpack.slice();
  expect(events).toHaveLength(1);
  faulted.send('unpack', [...events, ...events, ...events]);
  faulted.send('copy', faulted.delivered.copy);
  faulted.send('normalize', faulted.delivered.normalize);
  for (const bench of [clean, faulted]) await bench.drain();

  await expectSameEnd(clean, faulted);
});

test('two workers that unpack an archive side by side give what one gives', async () => {
  today += slot;
  faulted.losing.add('unpack');
  faulted.delivered.unpack.length = 0;
  for (const bench of [clean, faulted]) await deliver(bench, today);
  await faulted.pipeline.settle();
  faulted.losing.delete('unpack');
  const [event = ''] = faulted.delivered.unpack;
  faulted.send('unpack', [event, event]);
  for (const bench of [clean, faulted]) await bench.drain();

  await expectSameEnd(clean, faulted);
});

test('an archive whose event got lost is sent to be unpacked again', async () => {
  today += slot;
  for (const bench of [clean, faulted]) {
    bench.losing.add('unpack');
    await deliver(bench, today);
    await bench.pipeline.settle();
    bench.losing.delete('unpack');
  }
  today += slot;
  for (const bench of [clean, faulted]) {
    bench.at(today);
    await bench.drain();
  }

  const state = await expectSameEnd(clean, faulted);
  const ends = endsOf(state, `n${(today - slot - startMs) / slot}.`).map(([, ended]) => ended);
  expect(ends).toEqual(['loaded', 'rejected', 'loaded', 'loaded']);
});

test('an archive that is overwritten while copy looks at it lands as what it is then', async () => {
  today += slot;
  faulted.at(today);
  let left = 1;
  faulted.trouble = async (call, phase) => {
    if (call.by !== 'copy' || call.operation !== 'GetObject' || phase !== 'before' || left === 0) return;
    left -= 1;
    await faulted.put('orders-till', 'over.tgz', archiveOf('over', 2));
  };
  await faulted.put('orders-till', 'over.tgz', archiveOf('over', 1));
  await faulted.drain();

  const state = await faulted.endState();
  expect(left).toBe(0);
  const ends = endsOf(state, 'over.tgz');
  expect(
    ends
      .filter(([object]) => object === 'over.tgz')
      .map(([, ended]) => ended)
      .sort(),
  ).toEqual(['loaded', 'superseded']);
  const totals = state.records.filter((each) => each['recordKey']?.S?.startsWith('over'));
  expect(totals.map((each) => each['payload']?.M?.['total']?.N)).toEqual(['2', '2', '2', '2']);
});

test('an archive put again with a member more leaves the rows of an append source as they were', async () => {
  today += slot;
  const scans = (gate: string) => lines({ gate, ticket: 't1', seq: 1 }, { gate, ticket: 't2', seq: 2 });
  faulted.at(today);
  await faulted.put('scans', 'week.zip', zipOf({ 'mon/log': scans('mon'), 'tue/log': scans('tue') }));
  await faulted.drain();
  const before = (await faulted.endState()).records.filter((each) => each['entity']?.S === 'scan').length;
  faulted.at(today + minute);
  await faulted.put(
    'scans',
    'week.zip',
    zipOf({ 'mon/log': scans('mon'), 'tue/log': scans('tue'), 'wed/log': scans('wed') }),
  );
  await faulted.drain();

  const state = await faulted.endState();
  expect(before).toBe(4);
  expect(state.records.filter((each) => each['entity']?.S === 'scan')).toHaveLength(6);
  expect(state.uploads.filter((each) => !each.closed)).toEqual([]);
});
