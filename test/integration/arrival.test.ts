import { join } from 'node:path';
import { PutObjectCommand, RestoreObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { backfillSource } from '../../cli/backfill.ts';
import { pollStateKey } from '../../core/table/key.ts';
import { root } from '../../deploy/folders.ts';
import type { UploadState } from '../support/end-state.ts';
import { type Bench, bootBench, day, lines, minute } from '../support/pipeline.ts';
import { killAfter, kindOf } from '../support/trouble.ts';

let bench: Bench;
const logged: { readonly function: string; readonly line: string }[] = [];

beforeAll(async () => {
  bench = await bootBench('arrival', true, {
    sources: 'arrival-sources',
    onLog: (name, line) => void logged.push({ function: name, line }),
  });
}, 120_000);
afterAll(() => bench?.close());
afterEach(() => {
  bench.trouble = undefined;
});

/** Lets time pass until the sources are due. */
function due(): void {
  bench.at(bench.pipeline.cloud.clock.now() + 15 * minute);
}

/** Lets the sources be due, runs the poller, and waits until nothing moves any more. */
async function poll(): Promise<void> {
  due();
  await bench.pipeline.cloud.invoke('poll', {});
  await bench.pipeline.settle();
}

async function uploads(source: string): Promise<readonly UploadState[]> {
  await bench.drain();
  return (await bench.endState()).uploads.filter((each) => each.source === source);
}

const price = (article: string, of = 1) => lines({ article, price: of });
const callsOf = (kind: string) => bench.calls.filter((call) => call.by === 'poll' && kindOf(call) === kind).length;

describe('a bucket without events', () => {
  test('is polled: what lies there arrives, late keys that sort early and overwritten objects too', async () => {
    await bench.put('prices', 'b.ndjson', price('b'));
    await bench.put('prices', 'c.ndjson', price('c'));
    await bench.pipeline.settle();
    expect(await uploads('prices')).toEqual([]);

    await poll();
    await bench.put('prices', 'a.ndjson', price('a'));
    await bench.put('prices', 'c.ndjson', price('c', 2));
    await poll();

    const arrived = await uploads('prices');
    expect(arrived.map(({ state, closed, accepted }) => [state, closed, accepted])).toEqual(
      Array.from({ length: 4 }, () => ['loaded', true, 1]),
    );
    const { visible } = await bench.endState();
    expect(visible.filter(({ table }) => table === 'PRICES').map(({ payload }) => payload)).toEqual([
      { article: 'a', price: 1 },
      { article: 'b', price: 1 },
      { article: 'c', price: 2 },
    ]);
  });

  test('costs one LIST call and no message when nothing has changed', async () => {
    await poll();
    bench.calls.length = 0;

    await poll();

    // Two sources are polled.
    expect(callsOf('s3.ListObjectsV2')).toBe(2);
    expect(callsOf('sqs.SendMessageBatch')).toBe(0);
    expect(callsOf('s3.PutObject')).toBe(2);
  });

  test('is polled once, however many pollers run', async () => {
    due();
    bench.calls.length = 0;

    await Promise.all(Array.from({ length: 4 }, () => bench.pipeline.cloud.invoke('poll', {})));

    expect(callsOf('s3.ListObjectsV2')).toBe(2);
  });

  test('loses nothing when its poller is killed after any of its calls', async () => {
    bench.calls.length = 0;
    await bench.put('prices', 'kill-0.ndjson', price('kill-0'));
    await poll();
    const calls = bench.calls.filter((call) => call.by === 'poll' && call.operation !== 'Telemetry').length;
    for (let n = 1; n <= calls; n += 1) {
      await bench.put('prices', `kill-${n}.ndjson`, price(`kill-${n}`));
      const kill = killAfter(bench, 'poll', n);
      bench.trouble = kill.trouble;
      await expect(poll(), `call ${n} of ${calls}`).rejects.toThrow('killed');
      bench.trouble = undefined;
      expect(kill.struck(), `call ${n} of ${calls}`).toBe(1);
    }
    // The last lease runs out before the next run.
    await poll();
    await poll();

    const arrived = (await uploads('prices')).filter(({ object }) => object.includes('kill-'));
    expect(arrived.map(({ state, closed }) => [state, closed])).toEqual(
      Array.from({ length: calls + 1 }, () => ['loaded', true]),
    );
    expect((await bench.endState()).deadLetters).toEqual([]);
    expect(calls).toBeGreaterThan(7);
  }, 120_000);

  test('that denies access is said so, and keeps no other from being polled', async () => {
    await bench.put('stock', 'hidden', 'x');
    await bench.put('prices', 'meanwhile.ndjson', price('meanwhile'));
    logged.length = 0;
    const { s3 } = bench.pipeline.cloud;
    await s3.configureBucket('partner.stock', { access: { owner: '999999999999', readers: [] } });

    await poll();
    await s3.configureBucket('partner.stock', { access: {} });

    const [said] = logged.filter(({ line }) => line.includes('a source could not be polled'));
    expect(JSON.parse(said?.line ?? '{}')).toMatchObject({
      level: 'error',
      sourceId: 'stock',
      code: 'copy.accessDenied',
      message: expect.stringMatching(/s3:\/\/partner.stock\/out\/.*s3:ListBucket.*npx firn grants --source stock/),
    });
    expect(await bench.pipeline.table.get(pollStateKey('stock'))).toMatchObject({
      pollProblem: expect.stringContaining('s3:ListBucket'),
    });
    const arrived = (await uploads('prices')).filter(({ object }) => object.includes('meanwhile'));
    expect(arrived).toMatchObject([{ state: 'loaded' }]);
    await poll();
    expect(await bench.pipeline.table.get(pollStateKey('stock'))).toMatchObject({ pollProblem: '' });
  });
});

describe('an archived object', () => {
  const cold = async (sourceId: string, Key: string, Body: string) => {
    const place = { Bucket: bench.pipeline.bucketOf(sourceId), Key };
    await bench.pipeline.s3.send(new PutObjectCommand({ ...place, Body, StorageClass: 'DEEP_ARCHIVE' }));
    return () => bench.pipeline.s3.send(new RestoreObjectCommand({ ...place, RestoreRequest: { Days: 2 } }));
  };
  const stateOf = async (sourceId: string, Key: string) =>
    (await uploads(sourceId)).filter(({ object }) => object.endsWith(Key)).map(({ state }) => state);

  test('is parked, and loaded when the event of its restore comes', async () => {
    const restore = await cold('scans', 'scans/cold.ndjson', lines({ ticket: 'cold' }));
    expect(await stateOf('scans', 'scans/cold.ndjson')).toEqual(['parked']);

    await restore();
    await bench.pipeline.settle();

    expect(await stateOf('scans', 'scans/cold.ndjson')).toEqual(['loaded']);
  });

  test('of a polled bucket is found by the sweep after its restore', async () => {
    const restore = await cold('prices', 'in/cold.ndjson', price('cold'));
    await poll();
    expect(await stateOf('prices', 'in/cold.ndjson')).toEqual(['parked']);

    await restore();
    await poll();

    expect(await stateOf('prices', 'in/cold.ndjson')).toEqual(['loaded']);
  });
});

describe('a backfill', () => {
  /** Runs the command as a person would, against the embedded cloud. */
  async function firnBackfill(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const { cloud } = bench.pipeline;
    const environment = {
      AWS_ENDPOINT_URL_S3: cloud.endpoints.s3,
      AWS_ENDPOINT_URL_SQS: cloud.endpoints.sqs,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'person',
      AWS_SECRET_ACCESS_KEY: 'local',
      FIRN_SOURCES: join(root, 'test', 'fixtures', 'arrival-sources'),
      FIRN_COPY_QUEUE_URL: cloud.physicalId('CopyQueue'),
    };
    const told: Record<'log' | 'error', string[]> = { log: [], error: [] };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    for (const name of ['log', 'error'] as const)
      vi.spyOn(console, name).mockImplementation((line) => void told[name].push(`${line}\n`));
    try {
      const code = await backfillSource.run(['--source', 'scans', '--stage', 'local', ...args]);
      return { code, out: told.log.join(''), err: told.error.join('') };
    } finally {
      vi.unstubAllEnvs();
      vi.restoreAllMocks();
    }
  }
  const objects = async () => (await uploads('scans')).filter(({ object }) => object.includes('/old/'));

  test('shows what lay there before there was a source, sends it when told to, and changes nothing the second time', async () => {
    // What nobody is told of is as if it had been put before.
    bench.losing.add('copy');
    for (const name of ['a', 'b', 'c']) await bench.put('scans', `old/${name}.ndjson`, lines({ ticket: name }));
    await bench.put('orders', '2/not-a-scan.ndjson', lines({ id: 'z', total: 1 }));
    await bench.pipeline.settle();
    bench.losing.clear();

    const looked = await firnBackfill('--prefix', 'scans/old/', '--limit', '2');
    await bench.pipeline.settle();
    expect(looked).toMatchObject({ code: 0, err: '', out: expect.stringContaining('Nothing was sent: --yes') });
    expect(looked.out).toMatch(/: 2 objects of source scans, 30 bytes\n/);
    expect(await objects()).toEqual([]);

    const sent = await firnBackfill('--prefix', 'scans/old/', '--yes', '--json');
    await bench.pipeline.settle();
    expect(JSON.parse(sent.out)).toMatchObject({ source: 'scans', objects: 3, bytes: 45, sent: 3 });
    expect((await objects()).map(({ state }) => state)).toEqual(['loaded', 'loaded', 'loaded']);

    const before = await bench.endState();
    expect(JSON.parse((await firnBackfill('--yes', '--json')).out).sent).toBeGreaterThanOrEqual(3);
    await bench.drain();
    expect(await bench.endState()).toEqual(before);
  });

  test('takes what was modified in a span of time', async () => {
    const at = (ms: number) => new Date(bench.pipeline.cloud.clock.now() + ms).toISOString();
    const found = async (...args: string[]) => JSON.parse((await firnBackfill(...args, '--json')).out).objects;

    expect(await found('--since', at(minute))).toBe(0);
    expect(await found('--until', '2031-01-06')).toBe(0);
    expect(await found('--since', '2031-01-06', '--until', at(minute))).toBeGreaterThan(2);
  });

  test('says what is wrong with how it is called, or with the bucket', async () => {
    await expect(firnBackfill('--prefix', 'elsewhere/')).rejects.toThrow("which is 'scans/'");
    await expect(firnBackfill('--limit', 'some')).rejects.toThrow('--limit');
    await expect(firnBackfill('--since', 'yesterday')).rejects.toThrow('--since');
    await expect(firnBackfill('--source', 'nobody')).rejects.toThrow('There is no source nobody');
    expect(await firnBackfill('--stage', 'other')).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /Listing s3:\/\/firn-other-feeds-111122223333-eu-central-1\/scans\/ failed: there is no such bucket/,
      ),
    });
  });
});

describe('a delivery', () => {
  test('waits for its marker with open books, and is loaded when it comes', async () => {
    await bench.put('orders', '1/a.ndjson', lines({ id: 'a', total: 1 }));
    await bench.put('orders', '1/b.ndjson', lines({ id: 'b', total: 2 }));
    const waiting = await uploads('orders');
    expect(waiting.map(({ state, closed }) => [state, closed])).toEqual([
      ['parked', false],
      ['parked', false],
    ]);

    await bench.put('orders', '1/_SUCCESS', '');
    await bench.pipeline.settle();

    const arrived = await uploads('orders');
    expect(arrived.map(({ state, closed }) => [state, closed])).toEqual([
      ['loaded', true],
      ['loaded', true],
    ]);
    await bench.put('orders', '1/late.ndjson', lines({ id: 'c', total: 3 }));
    expect((await uploads('orders')).map(({ state }) => state)).toEqual(['loaded', 'loaded', 'loaded']);
  });

  test('is loaded whole when copy is killed after any of its calls since the marker came', async () => {
    const deliver = async (folder: string, beforeMarker: () => void) => {
      for (const name of ['a', 'b', 'c'])
        await bench.put('orders', `${folder}/${name}.ndjson`, lines({ id: name, total: 1 }));
      await bench.pipeline.settle();
      beforeMarker();
      await bench.put('orders', `${folder}/_SUCCESS`, '');
      await bench.pipeline.settle();
    };
    await deliver('kill-0', () => {
      bench.calls.length = 0;
    });
    const calls = bench.calls.filter((call) => call.by === 'copy' && call.operation !== 'Telemetry').length;
    for (let n = 1; n <= calls; n += 1) {
      const kill = killAfter(bench, 'copy', n);
      await deliver(`kill-${n}`, () => {
        bench.trouble = kill.trouble;
      });
      bench.trouble = undefined;
      expect(kill.struck(), `call ${n} of ${calls}`).toBe(1);
    }

    const arrived = (await uploads('orders')).filter(({ object }) => object.includes('/kill-'));
    expect(arrived.filter(({ state }) => state !== 'loaded')).toEqual([]);
    expect(arrived).toHaveLength(3 * (calls + 1));
    expect((await bench.endState()).deadLetters).toEqual([]);
    expect(calls).toBeGreaterThan(10);
  }, 180_000);

  test('closes within a day the books of what was overwritten or deleted while it waited', async () => {
    const total = (of: number) => lines({ id: 'waits', total: of });
    await bench.put('orders', '3/a.ndjson', total(1));
    await bench.put('orders', '3/b.ndjson', total(2));
    await bench.pipeline.settle();
    await bench.put('orders', '3/a.ndjson', total(30));
    await bench.remove('orders', '3/b.ndjson');
    const inDelivery = async () =>
      (await uploads('orders'))
        .filter(({ object }) => object.includes('/3/'))
        .map(({ object, state, closed }) => [object.split('/').at(-1), state, closed])
        .sort();
    expect((await inDelivery()).map(([, state]) => state)).toEqual(['parked', 'parked', 'parked']);

    bench.at(bench.pipeline.cloud.clock.now() + day + minute);

    expect(await inDelivery()).toEqual([
      ['a.ndjson', 'parked', false],
      ['a.ndjson', 'superseded', true],
      ['b.ndjson', 'deleted', true],
    ]);
    await bench.put('orders', '3/_SUCCESS', '');
    await bench.pipeline.settle();
    expect((await inDelivery())[0]).toEqual(['a.ndjson', 'loaded', true]);
  });

  test('of a polled bucket waits for its manifest, and leaves alone what that does not list', async () => {
    const level = (article: string) => lines({ article, level: 1 });
    for (const name of ['a', 'b', 'c']) await bench.put('stock', `day-1/${name}.ndjson`, level(name));
    await poll();
    const inDelivery = async () => (await uploads('stock')).filter(({ object }) => object.includes('day-1'));
    expect((await inDelivery()).map(({ state }) => state)).toEqual(['parked', 'parked', 'parked']);

    await bench.put('stock', 'day-1/files.txt', 'a.ndjson\nb.ndjson\n');
    await poll();

    expect((await inDelivery()).map(({ object, state }) => [object.split('/').at(-1), state]).sort()).toEqual([
      ['a.ndjson', 'loaded'],
      ['b.ndjson', 'loaded'],
      ['c.ndjson', 'unrouted'],
    ]);
  });
});
