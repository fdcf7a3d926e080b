import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CopyLimits, copySource, partRanges } from '../../adapters/s3-copy.ts';
import { sourceStores } from '../../adapters/source-store.ts';
import { defineSource, text } from '../../core/firn.ts';
import { compileRoutes } from '../../core/source/routing.ts';
import { type Copied, copyCandidate } from '../../core/upload/copy.ts';
import { parseLandingMetadata } from '../../core/upload/landing-metadata.ts';
import { memoryTable } from '../support/memory-table.ts';
import { BUCKET, type S3Fixture, s3Fixture } from './s3-fixture.ts';

const LANDING = 'landing-bucket';
const source = (prefix: string, exclude: readonly string[] = []) => ({
  hash: 'h',
  source: defineSource({ from: { bucket: BUCKET, prefix, exclude }, entity: 'order', fields: { id: text() } }),
});
const registry = {
  build: '1',
  sources: [
    { id: 'outer', ...source('in/') },
    { id: 'inner', ...source('in/deep/') },
    { id: 'choosy', ...source('choosy/', ['**/*.tmp']) },
  ],
};
const noDeliveries = { standing: async () => undefined, release: async () => undefined };
const limits: CopyLimits = { singleCopyBytes: 1000, partBytes: 300, concurrency: 3 };

let fixture: S3Fixture;
let table: ReturnType<typeof memoryTable>;

beforeEach(async () => {
  fixture = await s3Fixture({}, { minimumPartBytes: 1 });
  await fixture.s3.createBucket(LANDING);
  table = memoryTable();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const copy = (key: string, rest: { etag?: string; sizeBytes?: number } = {}): Promise<Copied> =>
  copyCandidate(
    { bucket: BUCKET, key, ...rest },
    {
      route: compileRoutes(registry, { prefix: '', suffix: '' }),
      storeFor: sourceStores(fixture.client, limits),
      deliveries: noDeliveries,
      table,
      landingBucket: LANDING,
      now: () => fixture.clock.now(),
    },
  );

function landed(copied: Copied): string {
  if (copied.kind !== 'landed') throw new Error(`it was not landed but ${copied.kind}`);
  return copied.landingKey;
}

const bodyOf = async (key: string) => {
  const object = await fixture.client.send(new GetObjectCommand({ Bucket: LANDING, Key: key }));
  return { text: await object.Body?.transformToString(), metadata: object.Metadata ?? {}, etag: object.ETag };
};

describe('copying an object into landing', () => {
  it('keeps every byte and says where it came from', async () => {
    const key = 'in/Relatório + anexo (1).csv';
    await fixture.put(key, 'a,b\n1,2\n');

    const { text: body, metadata } = await bodyOf(landed(await copy(key)));

    expect(body).toBe('a,b\n1,2\n');
    expect(parseLandingMetadata(metadata)).toMatchObject({
      sourceId: 'outer',
      object: { bucket: BUCKET, key, sizeBytes: 8 },
    });
  });

  it('goes by multipart copy above the limit, in parts of the given size', async () => {
    const body = Array.from({ length: 1201 }, (_, n) => String(n % 10)).join('');
    await fixture.put('in/large.ndjson', body);

    const copied = await bodyOf(landed(await copy('in/large.ndjson')));

    expect(copied.text).toBe(body);
    expect(copied.etag).toMatch(/-5"$/);
  });

  it('does it once, however often and however parallel it is told to', async () => {
    const body = 'x'.repeat(2000);
    await fixture.put('in/large.ndjson', body);

    const outcomes = await Promise.all(Array.from({ length: 8 }, () => copy('in/large.ndjson')));

    const { Contents } = await listLanding();
    expect(Contents).toHaveLength(1);
    expect(new Set(outcomes.map((each) => ('uploadId' in each ? each.uploadId : each.kind))).size).toBe(1);
    expect((await copy('in/large.ndjson')).kind).toBe('already');
  });

  it('lets the longest prefix win', async () => {
    await fixture.put('in/deep/a.csv', 'x');

    expect(await copy('in/deep/a.csv')).toMatchObject({ kind: 'landed', sourceId: 'inner' });
  });

  it('lists an object that no source claims', async () => {
    await fixture.put('elsewhere/a.csv', 'x');

    expect(await copy('elsewhere/a.csv')).toEqual({ kind: 'unrouted' });

    expect([...table.items.values()]).toMatchObject([
      { uploadState: 'unrouted', objectKey: 'elsewhere/a.csv', closed: true },
    ]);
  });

  it('leaves an excluded object alone without listing it', async () => {
    await fixture.put('choosy/a.tmp', 'x');

    expect(await copy('choosy/a.tmp')).toEqual({ kind: 'excluded' });

    expect(table.items.size).toBe(0);
  });

  it('parks an archived object until it is restored', async () => {
    await fixture.client.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: 'in/cold.csv', Body: 'x', StorageClass: 'GLACIER' }),
    );

    expect((await copy('in/cold.csv')).kind).toBe('parked');

    expect([...table.items.values()]).toMatchObject([{ uploadState: 'parked', closed: false }]);
  });

  it('lists an object that is gone as deleted, and an overwritten one as superseded', async () => {
    expect((await copy('in/gone.csv', { etag: 'old' })).kind).toBe('deleted');
    await fixture.put('in/now.csv', 'new');
    expect((await copy('in/now.csv', { etag: 'old' })).kind).toBe('landed');

    expect([...table.items.values()].map((item) => item['uploadState']).sort()).toEqual([
      'deleted',
      'landed',
      'superseded',
    ]);
  });

  it('ignores the marker of a folder', async () => {
    await fixture.put('in/folder/', '');

    expect(await copy('in/folder/')).toEqual({ kind: 'folder' });
    expect(await copy('in/folder/', { sizeBytes: 0 })).toEqual({ kind: 'folder' });
  });

  it('takes an object with content for one, whatever its key ends in', async () => {
    await fixture.put('in/folder/', 'id\n1\n');

    expect(await copy('in/folder/')).toMatchObject({ kind: 'landed' });
  });
});

async function listLanding() {
  return fixture.client.send(new ListObjectsV2Command({ Bucket: LANDING, Prefix: 'landing/' }));
}

describe('the parts of a multipart copy', () => {
  it('cover the object without gap or overlap, and are at most 10,000', () => {
    for (const [size, part] of [
      [1, 5],
      [10, 5],
      [11, 5],
      [50 * 1024 ** 4, 256 * 1024 ** 2],
    ] as const) {
      const ranges = partRanges(size, part);
      expect(ranges.length).toBeLessThanOrEqual(10_000);
      expect(ranges[0]?.first).toBe(0);
      expect(ranges.at(-1)?.last).toBe(size - 1);
      expect(ranges.slice(1).every((range, index) => range.first === (ranges[index]?.last ?? 0) + 1)).toBe(true);
    }
  });

  it('name their source as the header wants it', () => {
    expect(copySource({ bucket: 'b', key: 'a b/ü+.csv', versionId: 'v/1' })).toBe(
      'b/a%20b/%C3%BC%2B.csv?versionId=v%2F1',
    );
  });
});

it('HeadObject of the copy tells the same length as the source', async () => {
  await fixture.put('in/a.csv', 'x'.repeat(1500));
  const key = landed(await copy('in/a.csv'));
  const head = await fixture.client.send(new HeadObjectCommand({ Bucket: LANDING, Key: key }));
  expect(head.ContentLength).toBe(1500);
});
