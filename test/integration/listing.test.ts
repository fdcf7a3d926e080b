import { DeleteObjectCommand, PutObjectCommand, RestoreObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chunkStore } from '../../adapters/s3-chunks.ts';
import { sourceListers } from '../../adapters/s3-list.ts';
import { listPages } from '../../core/origin/listing.ts';
import { pollSources } from '../../core/origin/poll.ts';
import { compileRoutes } from '../../core/source/routing.ts';
import { defineSource } from '../../core/source/source.ts';
import { memoryTable } from '../support/memory-table.ts';
import { BUCKET, type S3Fixture, s3Fixture } from './s3-fixture.ts';

const LANDING = 'landing-bucket';
const naming = { prefix: '', suffix: '' };
const odd = ['a b', 'a+b', '../up', 'é', 'ﬁ', '\u{1F600}', 'q?&=<>"\'', 'x%20y', '~', '\r\n', 'A'];
const keys = Array.from({ length: 1100 }, (_, n) => `many/${odd[n % odd.length]}/${n}`);
const from = { bucket: BUCKET, prefix: 'many/', poll: { listCalls: 1 } };
const source = { id: 'feed', hash: 'h', source: defineSource({ from, entity: 'thing', fields: {} }) };
const registry = { build: '1', sources: [source] };
let fixture: S3Fixture;

beforeAll(async () => {
  fixture = await s3Fixture();
  await fixture.s3.createBucket(LANDING);
  const left = [...keys, 'elsewhere/x'];
  const worker = async () => {
    for (let key = left.pop(); key !== undefined; key = left.pop()) await fixture.put(key, 'x');
  };
  await Promise.all(Array.from({ length: 8 }, worker));
});
afterAll(() => fixture[Symbol.asyncDispose]());

const lister = () => sourceListers(fixture.client)(source);

describe('a listing', () => {
  test('names every key as it is, in pages of a thousand', async () => {
    const pages = [];
    for await (const page of listPages(lister(), BUCKET, 'many/')) pages.push(page.objects.map(({ key }) => key));

    expect(pages.map((page) => page.length)).toEqual([1000, 100]);
    expect(pages.flat()).toEqual(keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  });

  test('tells what HeadObject tells, and which objects are archived', async () => {
    const place = { Bucket: BUCKET, Key: 'cold' };
    await fixture.client.send(new PutObjectCommand({ ...place, Body: 'cold', StorageClass: 'GLACIER' }));
    const first = async () => (await lister().list(BUCKET, 'cold', undefined)).objects[0];
    const listed = { key: 'cold', sizeBytes: 4, etag: expect.stringMatching(/^"[0-9a-f]{32}"$/) };
    expect(await first()).toMatchObject({ ...listed, archived: true });

    await fixture.client.send(new RestoreObjectCommand({ ...place, RestoreRequest: { Days: 1 } }));

    expect(await first()).toMatchObject({ ...listed, archived: false });
  });

  test('of a bucket that is not there says what to do', async () => {
    await expect(lister().list('gone-bucket', '', undefined)).rejects.toMatchObject({
      kind: 'config',
      code: 'list.noBucket',
      message: expect.stringMatching(/s3:\/\/gone-bucket\/ failed: there is no such bucket\. Correct/),
    });
  });
});

test('a poller finds each of many keys once, over several runs, and none when nothing has changed', async () => {
  const sent: string[] = [];
  const table = memoryTable();
  const run = () =>
    pollSources({
      registry,
      naming,
      route: compileRoutes(registry, naming),
      listerFor: sourceListers(fixture.client),
      chunks: chunkStore(fixture.client, LANDING),
      send: async (bodies) => void sent.push(...bodies.map((body) => JSON.parse(body).key)),
      table,
      now: () => fixture.clock.now(),
      remainingMs: () => 600_000,
    });

  expect(await run()).toMatchObject([{ listCalls: 1, finished: false }]);
  expect(await run()).toMatchObject([{ listCalls: 1, finished: true }]);
  expect(sent.toSorted()).toEqual(keys.toSorted());

  sent.length = 0;
  fixture.clock.move(15 * 60_000);
  await fixture.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: keys[7] }));
  await fixture.put(keys[8] ?? '', 'other');
  await fixture.put('many/!', 'first of all');
  expect(await run()).toMatchObject([{ listCalls: 1, finished: false }]);
  expect(await run()).toMatchObject([{ listCalls: 1, finished: true }]);
  expect(sent.toSorted()).toEqual(['many/!', keys[8]].toSorted());
});
