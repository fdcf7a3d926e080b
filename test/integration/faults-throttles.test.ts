import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Fault } from '../../local/faults.ts';
import { expectSameEnd } from '../support/end-state.ts';
import { type Bench, bootPair, day, lines, minute, type SeenCall, startMs } from '../support/pipeline.ts';
import { kindOf } from '../support/trouble.ts';

const functions = ['copy', 'normalize', 'export', 'reconcile'];
let clean: Bench;
let faulted: Bench;
let today = startMs;

beforeAll(async () => {
  ({ clean, faulted } = await bootPair('throttles'));
});
afterAll(async () => {
  await clean?.close();
  await faulted?.close();
});
beforeEach(() => {
  today += 2 * day;
});
afterEach(() => {
  faulted.trouble = undefined;
});

/** An upload that is stuck and has to be sent on its way again, one that replaces, one that appends. */
async function deliver(bench: Bench): Promise<void> {
  const name = String((today - startMs) / day);
  const ids = Array.from({ length: 7 }, (_, index) => `${name}-${index}`);
  bench.at(today);
  bench.losing.add('normalize');
  await bench.put('orders-till', `${name}-stuck.ndjson`, lines({ id: `${name}-stuck`, rev: 1, total: 1 }));
  await bench.pipeline.settle();
  bench.losing.delete('normalize');
  bench.at(today + 3 * 60 * minute);
  const orders = ids.map((id) => ({ id, rev: 1, total: 2 }));
  await bench.put('orders-till', `${name}.ndjson`, lines(...orders, { id: 'bad' }));
  await bench.put('scans', `${name}.ndjson`, lines(...ids.map((ticket, seq) => ({ gate: 'west', ticket, seq }))));
}

/** What a kind of call is here: the same operation of two functions is two. */
const nameOf = (call: SeenCall) => `${call.by} ${kindOf(call)}`;

/** The kinds of calls that functions make to AWS in a run where nothing goes wrong. */
function kindsOfClean(): string[] {
  const calls = clean.calls.filter((call) => functions.includes(call.by) && call.service !== 'snowflake');
  return [...new Set(calls.map(nameOf))].sort();
}

/**
 * Plays both stories, one of them with this fault on the first `times` calls of each kind that `fits`, and compares.
 * Answers which kinds were struck.
 */
async function expectSameUnder(
  fault: Fault,
  times: number,
  fits: (call: SeenCall) => boolean = ({ service }) => service !== 'snowflake',
): Promise<string[]> {
  const struck = new Map<string, number>();
  await deliver(clean);
  await clean.drain();
  faulted.trouble = (call, phase) => {
    if ((phase === 'after') !== (fault.kind === 'lostReply') || !functions.includes(call.by) || !fits(call)) return;
    const before = struck.get(nameOf(call)) ?? 0;
    if (before >= times) return;
    struck.set(nameOf(call), before + 1);
    return fault;
  };
  await deliver(faulted);
  await faulted.drain();
  faulted.trouble = undefined;
  await expectSameEnd(clean, faulted);
  expect(Math.min(...struck.values())).toBeGreaterThan(0);
  return [...struck.keys()].sort();
}

test('the first call of each kind is throttled', async () => {
  const struck = await expectSameUnder({ kind: 'throttle' }, 1);

  expect(struck).toEqual(kindsOfClean());
  expect(struck).toContain('reconcile sqs.SendMessage');
});

test.each([0, 1, 2])('four calls of a third of all kinds fail, one more than the SDK tries (%i)', async (third) => {
  // In thirds, so that no message fails more often than its queue delivers it.
  const kinds = kindsOfClean().filter((_, index) => index % 3 === third);

  const fault = { kind: 'error', status: 500, code: 'InternalError' } as const;
  const struck = await expectSameUnder(fault, 4, (call) => kinds.includes(nameOf(call)));

  expect(struck).toEqual(kinds);
});

test('writes of records are throttled more often than the SDK tries', async () => {
  const struck = await expectSameUnder({ kind: 'throttle' }, 8, ({ by, operation }) =>
    by === 'normalize' ? /^(PutItem|BatchWriteItem)$/.test(operation) : false,
  );

  expect(struck).toEqual(['normalize dynamodb.BatchWriteItem', 'normalize dynamodb.PutItem']);
});

test('the replies to the first two calls of each kind are lost', async () => {
  const struck = await expectSameUnder({ kind: 'lostReply' }, 2);

  // More than those: who never hears that a part is his own finds it taken, and comes back later.
  expect(struck).toEqual(expect.arrayContaining(kindsOfClean()));
});

test.each([0, 3])('writes from number %i of a batch on are left unprocessed, twice in a row', async (from) => {
  const fault = { kind: 'unprocessed', from } as const;
  const struck = await expectSameUnder(fault, 2, ({ operation }) => operation === 'BatchWriteItem');

  expect(struck).toEqual(['export dynamodb.BatchWriteItem', 'normalize dynamodb.BatchWriteItem']);
});

test('replies of Snowflake are lost', async () => {
  const struck = await expectSameUnder({ kind: 'lostReply' }, 1, (call) => /^(Login|Query)$/.test(call.operation));

  expect(struck).toContain('reconcile snowflake.Login');
});
