import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { landingStore } from '../../adapters/s3.ts';
import { spooler } from '../../adapters/spool.ts';
import { openRows } from '../../core/normalize/open.ts';
import type { LandingStore } from '../../core/normalize/ports.ts';
import { BUCKET, type S3Fixture, s3Fixture } from './s3-fixture.ts';

let s3: S3Fixture;
let store: LandingStore;

beforeAll(async () => {
  s3 = await s3Fixture();
  store = landingStore(s3.client, BUCKET);
});
afterAll(() => s3[Symbol.asyncDispose]());

async function all(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('a landing object', () => {
  test('is read from any byte on, and by range', async () => {
    await s3.put('landing/a', '0123456789', { Metadata: { 'firn-source': 'a' } });
    for (const from of [0, 4, 9]) {
      const object = await store.open('landing/a', from);
      expect(object).toMatchObject({ sizeBytes: 10, metadata: { 'firn-source': 'a' } });
      expect(await all(object?.body ?? (async function* () {})())).toBe('0123456789'.slice(from));
      expect(Buffer.from((await object?.read(2, 5)) ?? '').toString()).toBe('234');
      expect(await object?.read(3, 3)).toHaveLength(0);
      await expect(object?.read(8, 12)).rejects.toMatchObject({ code: 's3.shortRead' });
    }
    expect(await store.open('landing/none')).toBeUndefined();
  });

  test('is not read on when another has taken its place', async () => {
    await s3.put('landing/b', 'first');
    const object = await store.open('landing/b');
    await s3.put('landing/b', 'other');
    await expect(object?.read(0, 2)).rejects.toMatchObject({ name: 'PreconditionFailed' });
    object?.discard();
  });

  test.each([
    ['is read by range where its format wants it', false],
    ['is unpacked first when it is compressed', true],
  ])('%s', async (_how, packed) => {
    const file = readFileSync('test/fixtures/parquet/polars.parquet');
    await s3.put('landing/c', packed ? gzipSync(file) : file);
    const object = await store.open('landing/c');
    if (!object) throw new Error('it is gone');
    const opened = await openRows(object, undefined, 'c', spooler(10_000_000));
    if ('reason' in opened) throw new Error(opened.reason);
    let rows = 0;
    for await (const batch of opened.batches) rows += batch.rows.length;

    expect(opened).toMatchObject({ format: { name: 'parquet' }, compression: packed ? 'gzip' : 'none' });
    expect(rows).toBeGreaterThan(1);
  });

  test('that does not fit on the disk once it is unpacked is refused with the reason', async () => {
    await s3.put('landing/d', gzipSync(readFileSync('test/fixtures/parquet/polars.parquet')));
    const object = await store.open('landing/d');
    if (!object) throw new Error('it is gone');
    const opened = await openRows(object, undefined, 'd', spooler(100));
    object.discard();
    expect(opened).toEqual({ reason: expect.stringMatching(/^decode.tooLarge: .*larger than 100 bytes/) });
  });
});
