import type { DynamoDBRecord } from 'aws-lambda';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { expectSameEnd, type UploadState } from '../support/end-state.ts';
import { type Bench, bootBench, day, lines, minute, startMs } from '../support/pipeline.ts';
import { seeded } from '../support/shuffle.ts';
import { killAfter, kindOf, strike } from '../support/trouble.ts';

let clean: Bench;
let faulted: Bench;
let today = startMs;
/** How many records the retry of a failed batch carries. */
let edge = (size: number) => size;

beforeAll(async () => {
  clean = await bootBench('stream', false);
  const random = seeded(7);
  // Files load late, in any order, a few rows at a time.
  const loading = { delayMs: () => Math.floor(random() * 5) * minute, shuffle: random, splitRows: 2 };
  faulted = await bootBench('stream', true, { loading, retryEdge: (size) => edge(size) });
});
afterAll(async () => {
  await clean?.close();
  await faulted?.close();
});
beforeEach(() => {
  today += day;
});
afterEach(() => {
  faulted.trouble = undefined;
  edge = (size) => size;
});

/** Orders, scans, and an hour later the same orders again, half of them changed. */
async function deliver(bench: Bench, ms: number): Promise<void> {
  const name = String((ms - startMs) / minute);
  const ids = Array.from({ length: 12 }, (_, index) => `${name}-${index}`);
  bench.at(ms);
  await bench.put('orders-till', `${name}-1.ndjson`, lines(...ids.map((id) => ({ id, rev: 1, total: 1 }))));
  await bench.put('scans', `${name}.ndjson`, lines(...ids.map((ticket, seq) => ({ gate: 'east', ticket, seq }))));
  await bench.pipeline.settle();
  bench.at(ms + 60 * minute);
  await bench.put(
    'orders-till',
    `${name}-2.ndjson`,
    lines(...ids.map((id, n) => ({ id, rev: 1, total: 1 + (n % 2) }))),
  );
  await bench.pipeline.settle();
}

/** Everything that the stream still holds of records, as batches that export may be handed again: one a shard. */
function streamedBatches({ pipeline }: Bench): readonly (readonly DynamoDBRecord[])[] {
  const stream = pipeline.cloud.dynamodb.stream(pipeline.tableName);
  const ofRecords = (record: DynamoDBRecord) => record.dynamodb?.Keys?.['pk']?.S?.startsWith('R#');
  return stream.shards.map((shard) => stream.read(shard, undefined, 10_000).filter(ofRecords));
}

test.each([
  ['smaller', (size: number) => Math.ceil(size / 3)],
  ['larger', (size: number) => size * 2],
])('export dies between its writes, and the retry has a %s batch', async (_, ofSize) => {
  edge = ofSize;
  for (const [turn, kind] of ['s3.PutObject', 'dynamodb.PutItem', 'dynamodb.BatchWriteItem'].entries()) {
    const kill = killAfter(faulted, 'export', 1, (call) => kindOf(call) === kind);
    faulted.trouble = kill.trouble;
    for (const bench of [clean, faulted]) await deliver(bench, today + turn * 4 * 60 * minute);
    expect(kill.struck(), kind).toBe(1);
  }
  for (const bench of [clean, faulted]) await bench.drain();

  await expectSameEnd(clean, faulted);
});

test('batches that fail again and again are halved', async () => {
  // Ten failures of one call more than the SDK tries, spread over the shards.
  const failure = { kind: 'error', status: 500, code: 'InternalError' } as const;
  const fails = strike((call) => call.by === 'export' && call.operation === 'PutObject', failure, 30);
  const filesOf = ({ calls }: Bench) => calls.filter((call) => call.by === 'export' && call.service === 's3').length;
  const before = filesOf(faulted) - filesOf(clean);
  faulted.trouble = fails.trouble;
  for (const bench of [clean, faulted]) {
    await deliver(bench, today);
    await bench.drain();
  }

  expect(fails.struck()).toBe(30);
  expect(filesOf(faulted) - filesOf(clean)).toBeGreaterThan(before);
  await expectSameEnd(clean, faulted);
});

test('batches that were exported come again in one, before the books are closed and after', async () => {
  for (const bench of [clean, faulted]) await deliver(bench, today);
  const again = async () => {
    const batches = streamedBatches(faulted);
    expect(batches.flat().length).toBeGreaterThan(30);
    for (const Records of batches) await faulted.pipeline.cloud.invoke('export', { Records });
  };
  await again();
  for (const bench of [clean, faulted]) await bench.drain();
  await again();
  await faulted.drain();

  await expectSameEnd(clean, faulted);
});

test('reconcile runs while files are still loading: it closes nothing too early', async () => {
  let early: readonly UploadState[] | undefined;
  const name = String((today - startMs) / minute);
  faulted.trouble = async (call, phase) => {
    if (early || call.principal !== 'snowflake' || phase !== 'before') return;
    early = [];
    await faulted.pipeline.cloud.invoke('reconcile', {});
    const { uploads } = await faulted.endState();
    early = uploads.filter(({ object }) => object.includes(`/${name}`));
  };
  for (const bench of [clean, faulted]) {
    await deliver(bench, today);
    await bench.drain();
  }

  expect(early?.map(({ closed }) => closed)).toEqual([false, false]);
  await expectSameEnd(clean, faulted);
});
