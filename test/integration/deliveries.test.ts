import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sourceStores } from '../../adapters/source-store.ts';
import { type Candidate, envelope, readMessage } from '../../core/origin/candidate.ts';
import { openDeliveries } from '../../core/origin/complete.ts';
import { compileRoutes } from '../../core/source/routing.ts';
import { defineSource, type Origin } from '../../core/source/source.ts';
import { type Copied, copyCandidate } from '../../core/upload/copy.ts';
import { memoryTable } from '../support/memory-table.ts';
import { seeded, shuffled } from '../support/shuffle.ts';
import { BUCKET, type S3Fixture, s3Fixture } from './s3-fixture.ts';

const LANDING = 'landing-bucket';
let fixture: S3Fixture;
let table: ReturnType<typeof memoryTable>;
/** The copy queue. */
let queue: string[];

beforeEach(async () => {
  fixture = await s3Fixture();
  await fixture.s3.createBucket(LANDING);
  table = memoryTable();
  queue = [];
});
afterEach(() => fixture[Symbol.asyncDispose]());

type Origins = Readonly<Record<string, Omit<Origin, 'bucket'>>>;
type Stores = ReturnType<typeof sourceStores>;

/** Copy with these sources, as its handler puts it together. */
function copying(origins: Origins, wrap: (stores: Stores) => Stores = (stores) => stores) {
  const sources = Object.entries(origins).map(([id, from]) => ({
    id,
    hash: 'h',
    source: defineSource({ from: { bucket: BUCKET, ...from }, entity: 'order', fields: {} }),
  }));
  const shared = {
    route: compileRoutes({ build: '1', sources }, { prefix: '', suffix: '' }),
    storeFor: wrap(sourceStores(fixture.client)),
  };
  const deliveries = openDeliveries({ ...shared, sendToCopy: async (bodies) => void queue.push(...bodies) });
  const ports = { ...shared, deliveries, table, landingBucket: LANDING, now: () => fixture.clock.now() };
  const copy = (key: string, more: Partial<Candidate> = {}): Promise<Copied> =>
    copyCandidate({ bucket: BUCKET, key, ...more }, ports);
  return {
    copy,
    /** Works off the queue. */
    async drain() {
      for (let body = queue.shift(); body !== undefined; body = queue.shift()) {
        const message = readMessage(body);
        if (message.kind !== 'candidates') throw new Error(`copy cannot read ${body}`);
        for (const candidate of message.candidates) await copyCandidate(candidate, ports);
      }
    },
  };
}

/** Base names of what lies in landing. */
async function landed(): Promise<string[]> {
  const { Contents = [] } = await fixture.client.send(new ListObjectsV2Command({ Bucket: LANDING }));
  return Contents.map(({ Key = '' }) => Key.split('/').at(-1) ?? '').sort();
}

/** State and reason of each upload by the name of its object. */
function books(): Record<string, string> {
  return Object.fromEntries(
    [...table.items.values()].map((item) => [
      String(item['objectKey']),
      [item['uploadState'], item['closed'] ? 'closed' : 'open', item['stateReason']].filter(Boolean).join(', '),
    ]),
  );
}

describe('a delivery with a marker', () => {
  const orders: Origins = { orders: { prefix: 'in/', complete: { marker: '_SUCCESS' } } };

  test('waits with open books until the marker arrives, and then lands whole', async () => {
    const { copy, drain } = copying(orders);
    await fixture.put('in/1/a.csv', 'a');
    await fixture.put('in/1/deep/b.csv', 'b');
    expect(await copy('in/1/a.csv')).toMatchObject({ kind: 'parked' });
    expect(await copy('in/1/deep/b.csv')).toMatchObject({ kind: 'parked' });
    expect(books()).toEqual({
      'in/1/a.csv': `parked, open, waits for s3://${BUCKET}/in/1/_SUCCESS`,
      'in/1/deep/b.csv': `parked, open, waits for s3://${BUCKET}/in/1/deep/_SUCCESS`,
    });
    expect(await landed()).toEqual([]);

    await fixture.put('in/1/_SUCCESS', '');
    await fixture.put('in/2/_SUCCESS', '');
    await fixture.put('in/2/c.csv', 'of another delivery');
    expect(await copy('in/1/_SUCCESS')).toMatchObject({ kind: 'announced', released: { sent: 2 } });
    await drain();

    expect(await landed()).toEqual(['a.csv', 'b.csv']);
    expect(books()).toEqual({ 'in/1/a.csv': 'landed, open', 'in/1/deep/b.csv': 'landed, open' });
  });

  test('lets through at once what comes after its marker', async () => {
    const { copy, drain } = copying(orders);
    await fixture.put('in/1/_SUCCESS', '');
    expect(await copy('in/1/_SUCCESS')).toMatchObject({ kind: 'announced', released: { sent: 0 } });
    await drain();

    await fixture.put('in/1/late.csv', 'x');

    expect(await copy('in/1/late.csv')).toMatchObject({ kind: 'landed' });
  });

  test('is claimed with its marker whatever the source ends in or excludes', async () => {
    const { copy, drain } = copying({ orders: { ...orders['orders'], suffix: '.csv', exclude: ['**/_*'] } });
    await fixture.put('in/1/a.csv', 'a');
    await copy('in/1/a.csv');
    await fixture.put('in/1/_SUCCESS', '');

    expect(await copy('in/1/_SUCCESS')).toMatchObject({ kind: 'announced', released: { sent: 1 } });
    await drain();

    expect(await landed()).toEqual(['a.csv']);
  });

  test('may belong to several sources of one folder', async () => {
    const complete = { marker: '_SUCCESS' };
    const { copy, drain } = copying({
      orders: { prefix: 'in/', suffix: '.csv', complete },
      customers: { prefix: 'in/', suffix: '.json', complete },
      notes: { prefix: 'in/', suffix: '.txt' },
    });
    for (const key of ['in/a.csv', 'in/b.json', 'in/c.txt']) await fixture.put(key, key);
    await fixture.put('in/_SUCCESS', '');

    expect(await copy('in/_SUCCESS')).toMatchObject({ released: { sent: 2 } });
    await drain();

    expect(await landed()).toEqual(['a.csv', 'b.json']);
  });

  test('does not miss an object that looked for the marker just before it came', async () => {
    let between: (() => Promise<void>) | undefined;
    const { copy, drain } = copying(orders, (stores) => (source) => {
      const store = stores(source);
      return {
        ...store,
        async head(bucket, key, versionId) {
          const found = await store.head(bucket, key, versionId);
          const run = key.endsWith('_SUCCESS') ? between : undefined;
          if (run) between = undefined;
          await run?.();
          return found;
        },
      };
    });
    await fixture.put('in/a.csv', 'a');
    between = async () => {
      await fixture.put('in/_SUCCESS', '');
      await copy('in/_SUCCESS');
      await drain();
    };

    expect(await copy('in/a.csv')).toMatchObject({ kind: 'parked' });

    expect(await landed()).toEqual(['a.csv']);
    expect(books()).toEqual({ 'in/a.csv': 'landed, open' });
  });

  test('lands whole in whatever order, how often and how parallel its events come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(fc.nat({ max: 5 }), { maxLength: 6 }), async (seed, again) => {
        const { copy, drain } = copying(orders);
        const folder = `in/${seed}-${again.join('-')}`;
        const keys = [...['a', 'b', 'c', 'd', 'e'].map((name) => `${folder}/${name}`), `${folder}/_SUCCESS`];
        // Each event comes after its put, and perhaps again much later.
        const events = shuffled([...keys, ...again.map((index) => keys[index] ?? '')], seeded(seed));
        const running: Promise<unknown>[] = [];
        const there = new Set<string>();
        for (const key of events) {
          if (!there.has(key)) await fixture.put(key, key);
          there.add(key);
          running.push(copy(key));
        }
        await Promise.all(running);
        await drain();

        const names = Object.entries(books()).filter(([key]) => key.startsWith(`${folder}/`));
        expect(Object.fromEntries(names)).toEqual(
          Object.fromEntries(keys.slice(0, 5).map((key) => [key, 'landed, open'])),
        );
      }),
      { numRuns: 10 },
    );
  });

  test('closes the books of what was overwritten or deleted while it waited', async () => {
    const { copy, drain } = copying(orders);
    const waiting: Candidate[] = [];
    for (const key of ['in/a.csv', 'in/b.csv']) {
      await fixture.put(key, 'first');
      await copy(key);
    }
    for (const item of table.items.values()) {
      const { bucketName, objectKey, etag, sizeBytes, lastModifiedMs } = item as Record<string, unknown>;
      waiting.push({ bucket: bucketName, key: objectKey, etag, sizeBytes, lastModifiedMs } as Candidate);
    }
    await fixture.put('in/a.csv', 'second');
    await fixture.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'in/b.csv' }));

    // As they are looked at again each day.
    queue.push(...waiting.map(envelope));
    await drain();

    const states = [...table.items.values()].map((item) => [item['objectKey'], item['uploadState'], item['closed']]);
    expect(states.sort()).toEqual([
      ['in/a.csv', 'parked', false],
      ['in/a.csv', 'superseded', true],
      ['in/b.csv', 'deleted', true],
    ]);
  });

  test('is not released by a marker that is gone again', async () => {
    const { copy } = copying(orders);

    expect(await copy('in/_SUCCESS')).toEqual({ kind: 'announced', sourceId: 'orders', released: undefined });
    expect(table.items.size).toBe(0);
  });
});

describe('an object with a marker of its own', () => {
  test('waits for it alone', async () => {
    const { copy, drain } = copying({ orders: { prefix: 'in/', complete: { marker: '{stem}.ok' } } });
    for (const key of ['in/a.csv', 'in/a-2.csv', 'in/b.csv']) {
      await fixture.put(key, key);
      await copy(key);
    }
    await fixture.put('in/a.ok', '');

    expect(await copy('in/a.ok')).toMatchObject({ released: { sent: 1 } });
    await drain();

    expect(await landed()).toEqual(['a.csv']);
  });
});

describe('a delivery with a manifest', () => {
  const orders: Origins = {
    orders: { prefix: 'in/', complete: { manifest: 'manifest.json', files: 'entries[].url' } },
  };
  const manifest = (...keys: string[]) =>
    JSON.stringify({ entries: keys.map((key) => ({ url: `s3://${BUCKET}/${key}`, mandatory: true })) });

  test('lands what it lists, notes what it does not, and names what is not there', async () => {
    const { copy, drain } = copying(orders);
    for (const key of ['in/a.csv', 'in/b.csv', 'in/extra.csv']) {
      await fixture.put(key, key);
      expect(await copy(key)).toMatchObject({ kind: 'parked' });
    }
    await fixture.put('in/manifest.json', manifest('in/a.csv', 'in/b.csv', 'in/late.csv'));

    expect(await copy('in/manifest.json')).toMatchObject({
      kind: 'announced',
      released: { sent: 3, notice: 'lists 1 that are not there: in/late.csv' },
    });
    await drain();
    expect(await landed()).toEqual(['a.csv', 'b.csv']);
    expect(books()).toMatchObject({
      'in/extra.csv': `unrouted, closed, s3://${BUCKET}/in/manifest.json does not list it`,
    });

    await fixture.put('in/late.csv', 'x');
    expect(await copy('in/late.csv')).toMatchObject({ kind: 'landed' });
    await fixture.put('in/unlisted.csv', 'x');
    expect(await copy('in/unlisted.csv')).toMatchObject({ kind: 'unlisted' });
  });

  test('lands what a corrected manifest lists, too', async () => {
    const { copy, drain } = copying(orders);
    await fixture.put('in/a.csv', 'a');
    await fixture.put('in/manifest.json', '{"entries":');
    expect(await copy('in/a.csv')).toMatchObject({ kind: 'parked' });
    expect(await copy('in/manifest.json')).toMatchObject({
      released: { sent: 0, notice: expect.stringMatching(/is no JSON/) },
    });
    expect(books()['in/a.csv']).toMatch(
      /^parked, open, waits for a readable manifest: s3:\/\/feeds\/in\/manifest.json/,
    );
    await fixture.put('in/manifest.json', manifest());
    expect(await copy('in/manifest.json')).toMatchObject({ released: { sent: 1 } });
    await drain();
    expect(books()['in/a.csv']).toMatch(/^unrouted/);

    await fixture.put('in/manifest.json', manifest('in/a.csv'));
    await copy('in/manifest.json');
    await drain();

    expect(await landed()).toEqual(['a.csv']);
  });
});

describe('an archived object', () => {
  test('whose archive only the copy tells of is parked, and landed when it is restored', async () => {
    const { copy } = copying({ orders: {} }, (stores) => (source) => ({
      ...stores(source),
      // Intelligent-Tiering may archive an object between HeadObject and the copy.
      head: async (bucket, key, versionId) => {
        const found = await stores(source).head(bucket, key, versionId);
        return found && { ...found, archived: false };
      },
    }));
    await fixture.put('in/cold.csv', 'x', { StorageClass: 'GLACIER' });

    expect(await copy('in/cold.csv')).toMatchObject({ kind: 'parked' });

    expect(books()).toEqual({ 'in/cold.csv': `parked, open, it is archived: restore s3://${BUCKET}/in/cold.csv` });
  });
});
