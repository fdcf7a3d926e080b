import { gzipSync } from 'node:zlib';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { unpackStore } from '../../adapters/s3-archive.ts';
import { sourceStores } from '../../adapters/source-store.ts';
import { defineSource, text } from '../../core/firn.ts';
import { compileRoutes } from '../../core/source/routing.ts';
import { copyCandidate } from '../../core/upload/copy.ts';
import { unpackArchive } from '../../core/upload/unpack-archive.ts';
import { memoryTable } from '../support/memory-table.ts';
import { tarOf } from '../support/tar.ts';
import { zipOf } from '../support/zip.ts';
import { BUCKET, type S3Fixture, s3Fixture } from './s3-fixture.ts';

const landing = 'landing-bucket';
let fixture: S3Fixture;

beforeEach(async () => {
  fixture = await s3Fixture({}, { minimumPartBytes: 1 });
  await fixture.s3.createBucket(landing);
});
afterEach(() => fixture[Symbol.asyncDispose]());

const store = () => unpackStore(fixture.client, landing, { partBytes: 1000, concurrency: 3 });
const contentOf = async (key: string) => {
  const object = await fixture.client.send(new GetObjectCommand({ Bucket: landing, Key: key }));
  return { content: Buffer.from((await object.Body?.transformToByteArray()) ?? []), ...object };
};
/** Names of the requests that are made from now on. */
function watched(): readonly string[] {
  const names: string[] = [];
  fixture.client.middlewareStack.add(
    (next, { commandName = '' }) =>
      (request) => {
        names.push(commandName);
        return next(request);
      },
    { step: 'initialize' },
  );
  return names;
}

async function* streamed(bytes: Uint8Array, chunk: number, failure?: Error) {
  // The same memory for every chunk, as streams may have it.
  const memory = Buffer.alloc(chunk);
  for (let at = 0; at < bytes.length; at += chunk) {
    const piece = bytes.subarray(at, at + chunk);
    memory.set(piece);
    yield memory.subarray(0, piece.length);
  }
  if (failure) throw failure;
}

describe('a member in landing', () => {
  const bytes = Buffer.from(Array.from({ length: 4321 }, (_, at) => at % 251));

  test.each([100, 999, 1000, 1001, 5000])('is put in parts as it comes, %d bytes at a time', async (chunk) => {
    await store().putStreamOnce('landing/a', streamed(bytes, chunk), { 'firn-source': 'x' });

    const { content, Metadata, ETag } = await contentOf('landing/a');
    expect(content.equals(bytes)).toBe(true);
    expect(Metadata).toEqual({ 'firn-source': 'x' });
    expect(ETag).toMatch(/-5"$/);
    expect(await store().has('landing/a')).toBe(true);
  });

  test('that is there already stays as it is', async () => {
    await store().putOnce('landing/a', Buffer.from('first'), {});
    await store().putOnce('landing/a', Buffer.from('second'), {});
    const requests = watched();
    await store().putStreamOnce('landing/a', streamed(bytes, 500), {});

    expect((await contentOf('landing/a')).content.toString()).toBe('first');
    expect(requests).toContain('AbortMultipartUploadCommand');
  });

  test('whose content fails on the way leaves nothing behind', async () => {
    const requests = watched();
    const put = store().putStreamOnce('landing/a', streamed(bytes, 500, new Error('damaged')), {});

    await expect(put).rejects.toThrow('damaged');
    expect(await store().has('landing/a')).toBe(false);
    expect(requests).toContain('AbortMultipartUploadCommand');
  });
});

test('an archive is read by range, and one that is gone is told', async () => {
  await store().putOnce('archive/a', Buffer.from('0123456789'), { 'firn-source': 'x' });

  const opened = await store().open('archive/a');
  expect(opened).toMatchObject({ sizeBytes: 10, metadata: { 'firn-source': 'x' } });
  expect(Buffer.from((await opened?.read(3, 6)) ?? []).toString()).toBe('345');
  expect(await opened?.read(4, 4)).toHaveLength(0);
  await expect(opened?.read(8, 12)).rejects.toMatchObject({ kind: 'retryable', code: 's3.shortRead' });
  expect(await store().open('archive/none')).toBeUndefined();
});

describe('copy', () => {
  const from = (more: object) => ({
    hash: 'h',
    source: defineSource({ from: { bucket: BUCKET, ...more }, entity: 'order', fields: { id: text() } }),
  });
  const registry = {
    build: '1',
    sources: [
      { id: 'packs', ...from({ prefix: 'in/' }) },
      { id: 'files', ...from({ prefix: 'asis/', unpack: false }) },
    ],
  };
  const copy = (key: string, table = memoryTable()) =>
    copyCandidate(
      { bucket: BUCKET, key },
      {
        route: compileRoutes(registry, { prefix: '', suffix: '' }),
        storeFor: sourceStores(fixture.client),
        deliveries: { standing: async () => undefined, release: async () => undefined },
        table,
        landingBucket: landing,
        now: () => fixture.clock.now(),
      },
    );
  const tar = tarOf([{ path: 'a.csv', body: 'id\n1\n' }]);

  test.each([
    ['in/rows.csv', Buffer.from('id\n1\n'), 'landing/'],
    ['in/rows.csv.gz', gzipSync('id\n1\n'), 'landing/'],
    ['in/empty.zip', Buffer.alloc(0), 'landing/'],
    ['in/pack.zip', zipOf({ 'a.csv': 'id\n1\n' }), 'archive/'],
    ['in/named-otherwise.csv', zipOf({ 'a.csv': 'id\n1\n' }), 'archive/'],
    ['in/pack.tar', tar, 'archive/'],
    ['in/pack.tgz', gzipSync(tar), 'archive/'],
    ['in/book.xlsx', zipOf({ '[Content_Types].xml': '<x/>', 'xl/workbook.xml': '<x/>' }), 'landing/'],
    ['asis/pack.zip', zipOf({ 'a.csv': 'id\n1\n' }), 'landing/'],
  ])('lands %s where it belongs', async (key, body, prefix) => {
    await fixture.put(key, body);

    const copied = await copy(key);

    expect(copied).toMatchObject({ kind: 'landed', landingKey: expect.stringMatching(`^${prefix}source=`) });
  });

  test('and unpack together land what the archive holds', async () => {
    const members = { 'a.csv': 'id\n1\n', 'long.csv': `id\n${'x\n'.repeat(4000)}`, '../b.csv': 'id\n' };
    await fixture.put('in/pack.zip', zipOf(members));
    const table = memoryTable();
    const copied = await copy('in/pack.zip', table);
    const key = copied.kind === 'landed' ? copied.landingKey : '';
    const ports = {
      ...{ table, store: store(), landingBucket: landing, limits: { memberBytes: 2000 } },
      ...{ sendToUnpack: async () => {}, now: () => fixture.clock.now(), remainingMs: () => 900_000 },
    };

    expect(await unpackArchive(key, ports)).toMatchObject({ kind: 'unpacked', members: 3, rejected: 1 });

    const landed = [...table.items.values()].filter((item) => item['parentId'] && item['landingKey']);
    const contents = await Promise.all(landed.map((each) => contentOf(String(each['landingKey']))));
    expect(contents.map(({ content }) => content.toString()).sort()).toEqual([members['a.csv'], members['long.csv']]);
  });
});
