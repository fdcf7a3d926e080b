import { DeleteObjectCommand, ListObjectsV2Command, type ListObjectsV2CommandInput } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUCKET, refusal, type S3Fixture, s3Fixture } from './s3-fixture.ts';

let fixture: S3Fixture;
beforeAll(async () => {
  fixture = await s3Fixture({ versioning: true });
});
afterAll(() => fixture[Symbol.asyncDispose]());

const list = (ask: Partial<ListObjectsV2CommandInput> = {}) =>
  fixture.client.send(new ListObjectsV2Command({ Bucket: BUCKET, ...ask }));

/** Every page of a listing: keys and common prefixes as they come. */
async function pages(ask: Partial<ListObjectsV2CommandInput>): Promise<string[][]> {
  const found: string[][] = [];
  let token: string | undefined;
  do {
    const page = await list({ ...ask, ...(token && { ContinuationToken: token }) });
    const keys = [...(page.Contents ?? []).map(({ Key }) => Key), ...(page.CommonPrefixes ?? []).map((p) => p.Prefix)];
    expect(page.KeyCount).toBe(keys.length);
    found.push(keys.map((key) => key ?? ''));
    token = page.NextContinuationToken;
    expect(page.IsTruncated).toBe(token !== undefined);
  } while (token !== undefined);
  return found;
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

describe('more than a thousand awkward keys', () => {
  const odd = ['a b', 'a+b', '../up', '/lead', 'é', '\uffee', '😀', 'q?&=<>"\'', 'x%20y', 'z/', 'z//', '~', 'A'];
  const keys = Array.from({ length: 1100 }, (_, at) => `many/${odd[at % odd.length]}/${at}`);
  const ordered = keys.toSorted(byBytes);
  beforeAll(async () => {
    const queue = keys.toReversed();
    const worker = async () => {
      for (let key = queue.pop(); key !== undefined; key = queue.pop()) await fixture.put(key, 'x');
    };
    await Promise.all(Array.from({ length: 8 }, worker));
  });

  test('a listing comes in pages of 1000, in UTF-8 byte order, each key once', async () => {
    const found = await pages({ Prefix: 'many/' });
    expect(found.map((page) => page.length)).toEqual([1000, 100]);
    expect(found.flat()).toEqual(ordered);
  });

  test('max-keys above 1000 still gives 1000', async () => {
    expect((await list({ Prefix: 'many/', MaxKeys: 5000 })).Contents).toHaveLength(1000);
  });

  test('small pages meet neither gap nor double', async () => {
    const found = await pages({ Prefix: 'many/', MaxKeys: 137 });
    expect(found.flat()).toEqual(ordered);
  });

  test('start-after begins behind that key, whether or not it exists', async () => {
    const after = ordered[700] ?? '';
    const found = await pages({ Prefix: 'many/', StartAfter: after });
    expect(found.flat()).toEqual(ordered.slice(701));
    expect((await pages({ Prefix: 'many/', StartAfter: `${after}\u0001` })).flat()).toEqual(ordered.slice(701));
  });

  test('with a delimiter, keys below it appear as one common prefix, also across pages', async () => {
    const expected = [...new Set(keys.map((key) => `${/^many\/[^/]*\//.exec(key)?.[0]}`))].toSorted(byBytes);
    expect((await pages({ Prefix: 'many/', Delimiter: '/' })).flat()).toEqual(expected);
    expect((await pages({ Prefix: 'many/', Delimiter: '/', MaxKeys: 3 })).flat()).toEqual(expected);
  });

  test('encoding-type=url encodes keys and prefixes, a space as plus', async () => {
    const { Contents, EncodingType } = await list({ Prefix: 'many/a b/', EncodingType: 'url', MaxKeys: 1 });
    expect(EncodingType).toBe('url');
    expect(Contents?.[0]?.Key).toBe('many/a+b/0');
    const { CommonPrefixes } = await list({ Prefix: 'many/a+', Delimiter: '/', EncodingType: 'url' });
    expect(CommonPrefixes).toEqual([{ Prefix: 'many/a%2Bb/' }]);
  });
});

test('an entry has the quoted ETag, the size and LastModified in whole seconds', async () => {
  const ETag = await fixture.put('entry/one', 'four', { StorageClass: 'GLACIER' });
  const { Contents } = await list({ Prefix: 'entry/' });
  const LastModified = new Date(fixture.clock.now() - 412);
  expect(Contents).toEqual([{ Key: 'entry/one', ETag, Size: 4, LastModified, StorageClass: 'GLACIER' }]);
});

test('keys behind a delete marker are not listed', async () => {
  await fixture.put('marked/a', 'x');
  await fixture.put('marked/b', 'x');
  await fixture.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'marked/a' }));
  expect(await pages({ Prefix: 'marked/' })).toEqual([['marked/b']]);
});

test('keys and common prefixes share the page', async () => {
  for (const key of ['mix/a', 'mix/b/1', 'mix/b/2', 'mix/c']) await fixture.put(key, 'x');
  expect(await pages({ Prefix: 'mix/', Delimiter: '/', MaxKeys: 2 })).toEqual([['mix/a', 'mix/b/'], ['mix/c']]);
});

test('max-keys 0 gives an empty page that is the last', async () => {
  expect(await list({ MaxKeys: 0 })).toMatchObject({ KeyCount: 0, IsTruncated: false });
});

test('a token that is none is refused', async () => {
  expect(await refusal(list({ ContinuationToken: 'bogus' }))).toBe('400 InvalidArgument');
});
