import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketAclCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUCKET, refusal, type S3Fixture, START, s3Fixture } from './s3-fixture.ts';

let fixture: S3Fixture;
beforeAll(async () => {
  fixture = await s3Fixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

const head = (Key: string) => fixture.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key }));
const range = (Key: string, Range: string) => fixture.client.send(new GetObjectCommand({ Bucket: BUCKET, Key, Range }));

describe('objects', () => {
  test('an object comes back with its bytes, type, encoding and user metadata', async () => {
    await fixture.put('o/meta', 'one', {
      ContentType: 'text/csv',
      ContentEncoding: 'identity',
      Metadata: { 'Source-Key': 'a=b' },
    });
    const got = await fixture.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'o/meta' }));
    expect(await got.Body?.transformToString()).toBe('one');
    expect(got).toMatchObject({ ContentType: 'text/csv', ContentEncoding: 'identity', ContentLength: 3 });
    expect(got.Metadata).toEqual({ 'source-key': 'a=b' });
  });

  test('the ETag of a single put is the quoted MD5 of its body', async () => {
    const etag = await fixture.put('o/etag', 'body');
    expect(etag).toBe(`"${createHash('md5').update('body').digest('hex')}"`);
    expect((await head('o/etag')).ETag).toBe(etag);
  });

  test('LastModified is the clock cut to whole seconds', async () => {
    await fixture.put('o/time', 'x');
    expect((await head('o/time')).LastModified?.getTime()).toBe(fixture.clock.now() - 412);
    expect(START % 1000).toBe(412);
  });

  test.each(['../../etc/passwd', '/leading', 'a//b', 'sp ace+plus%2F&?#', 'ünï/日本😀', './.', 'x'.repeat(1024)])(
    'the key %j is taken literally',
    async (key) => {
      await fixture.put(key, key);
      expect(await fixture.text(key)).toBe(key);
    },
  );

  test('a key over 1024 bytes is refused', async () => {
    expect(await refusal(fixture.put('é'.repeat(513), 'x'))).toBe('400 KeyTooLongError');
  });

  test('an empty object can be put and read', async () => {
    await fixture.put('o/empty', '', { ContentLength: 0 });
    expect(await fixture.text('o/empty')).toBe('');
    expect(await refusal(range('o/empty', 'bytes=0-0'))).toBe('416 InvalidRange');
  });

  test('a stream arrives whole through aws-chunked with a trailing checksum', async () => {
    const pieces = Array.from({ length: 40 }, (_, at) => Buffer.alloc(65_537, at));
    const whole = Buffer.concat(pieces);
    await fixture.put('o/stream', Readable.from(pieces), { ContentLength: whole.length, ContentEncoding: 'gzip' });
    const got = await fixture.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'o/stream' }));
    expect(whole.equals(Buffer.from((await got.Body?.transformToByteArray()) ?? []))).toBe(true);
    expect(got.ContentEncoding).toBe('gzip');
    expect(got.ETag).toBe(`"${createHash('md5').update(whole).digest('hex')}"`);
  });

  test('a body that does not match its CRC32 is refused and leaves nothing', async () => {
    const ChecksumCRC32 = crcOf('other');
    expect(await refusal(fixture.put('o/crc', 'body', { ChecksumCRC32 }))).toBe('400 BadDigest');
    expect(await refusal(head('o/crc'))).toBe('404 NotFound');
  });

  test('a body that does not match its Content-MD5 or SHA256 is refused', async () => {
    const ContentMD5 = createHash('md5').update('other').digest('base64');
    expect(await refusal(fixture.put('o/md5', 'body', { ContentMD5 }))).toBe('400 BadDigest');
    const ChecksumSHA256 = createHash('sha256').update('other').digest('base64');
    expect(await refusal(fixture.put('o/sha', 'body', { ChecksumSHA256 }))).toBe('400 BadDigest');
  });

  test('a checksum that cannot be verified is refused, not believed', async () => {
    expect(await refusal(fixture.put('o/crc64', 'body', { ChecksumCRC64NVME: 'AAAAAAAAAAA=' }))).toBe(
      '501 NotImplemented',
    );
  });

  test('GET hands out the CRC32 that the writer sent, for clients to check', async () => {
    await fixture.put('o/checked', 'body');
    const got = await fixture.client.send(
      new GetObjectCommand({ Bucket: BUCKET, Key: 'o/checked', ChecksumMode: 'ENABLED' }),
    );
    expect(got.ChecksumCRC32).toBe(crcOf('body'));
    expect(await got.Body?.transformToString()).toBe('body');
  });

  test('user metadata over 2 KB is refused', async () => {
    expect(await refusal(fixture.put('o/fat', 'x', { Metadata: { a: 'x'.repeat(2048) } }))).toBe(
      '400 MetadataTooLarge',
    );
  });

  test('a reader that started before an overwrite and a delete gets the old bytes', async () => {
    const old = Buffer.alloc(8_000_000, 'old');
    await fixture.put('o/swap', old);
    const { Body } = await fixture.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'o/swap' }));
    await fixture.put('o/swap', Buffer.alloc(8_000_000, 'new'));
    await fixture.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'o/swap' }));
    expect(old.equals(Buffer.from((await Body?.transformToByteArray()) ?? []))).toBe(true);
  });

  test('an archived object answers HEAD, but not GET', async () => {
    await fixture.put('o/cold', 'x', { StorageClass: 'GLACIER' });
    expect((await head('o/cold')).StorageClass).toBe('GLACIER');
    expect(await refusal(fixture.text('o/cold'))).toBe('403 InvalidObjectState');
  });

  test('an object under KMS has an ETag that says nothing about its bytes', async () => {
    const md5 = `"${createHash('md5').update('x').digest('hex')}"`;
    expect(await fixture.put('o/kms', 'x', { ServerSideEncryption: 'aws:kms' })).not.toBe(md5);
  });

  test('tags come back and leave ETag and LastModified alone', async () => {
    await fixture.put('o/tagged', 'x', { Tagging: 'a=1&b=two%20words' });
    const before = await head('o/tagged');
    const TagSet = [{ Key: 'c', Value: '<3>' }];
    await fixture.client.send(new PutObjectTaggingCommand({ Bucket: BUCKET, Key: 'o/tagged', Tagging: { TagSet } }));
    const got = await fixture.client.send(new GetObjectTaggingCommand({ Bucket: BUCKET, Key: 'o/tagged' }));
    expect(got.TagSet).toEqual(TagSet);
    expect(await head('o/tagged')).toMatchObject({ ETag: before.ETag, LastModified: before.LastModified });
  });
});

describe('ranges and read conditions', () => {
  beforeAll(() => fixture.put('r', '0123456789'));

  test.each([
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-99', '0123456789', 'bytes 0-9/10'],
    ['bytes=8-99', '89', 'bytes 8-9/10'],
  ])('%s gives %s', async (asked, text, contentRange) => {
    const got = await range('r', asked);
    expect(await got.Body?.transformToString()).toBe(text);
    expect(got).toMatchObject({ ContentRange: contentRange, ContentLength: text.length });
    expect(got.$metadata.httpStatusCode).toBe(206);
  });

  test.each(['bytes=10-', 'bytes=-0'])('%s lies outside and is refused', async (asked) => {
    expect(await refusal(range('r', asked))).toBe('416 InvalidRange');
  });

  test.each(['bytes=4-2', 'bytes=0-1,3-4', 'lines=1-2'])('%s is ignored', async (asked) => {
    expect(await (await range('r', asked)).Body?.transformToString()).toBe('0123456789');
  });

  test('If-Match with another ETag is refused with 412', async () => {
    const get = (IfMatch: string) => fixture.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'r', IfMatch }));
    expect(await refusal(get('"00000000000000000000000000000000"'))).toBe('412 PreconditionFailed');
    expect(await refusal(get((await head('r')).ETag ?? ''))).toBe('answered');
  });

  test('If-None-Match with the same ETag is answered 304', async () => {
    const IfNoneMatch = (await head('r')).ETag;
    const answer = fixture.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'r', IfNoneMatch }));
    expect(await refusal(answer)).toMatch(/^304 /);
  });
});

describe('errors', () => {
  test('what is missing is named: bucket, key, and nothing but a status for HEAD', async () => {
    const elsewhere = fixture.client.send(new GetObjectCommand({ Bucket: 'nowhere', Key: 'x' }));
    expect(await refusal(elsewhere)).toBe('404 NoSuchBucket');
    expect(await refusal(fixture.text('missing'))).toBe('404 NoSuchKey');
    expect(await refusal(head('missing'))).toBe('404 NotFound');
  });

  test('a version that is not there is NoSuchVersion', async () => {
    expect(await refusal(fixture.text('r', 'nope'))).toBe('404 NoSuchVersion');
  });

  test('what is not implemented is refused by name', async () => {
    const acl = fixture.client.send(new GetBucketAclCommand({ Bucket: BUCKET }));
    await expect(acl).rejects.toThrow(/GetBucketAcl/);
    const old = fixture.client.send(new ListObjectsCommand({ Bucket: BUCKET }));
    await expect(old).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining('ListObjects '),
    });
  });

  test('a customer-provided key is refused instead of ignored', async () => {
    const secret = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: Buffer.alloc(32, 1).toString('base64') };
    expect(await refusal(fixture.put('o/ssec', 'x', secret))).toBe('501 NotImplemented');
  });
});

describe('deletes', () => {
  test('deleting is idempotent', async () => {
    await fixture.put('d/one', 'x');
    const del = () => fixture.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'd/one' }));
    expect((await del()).$metadata.httpStatusCode).toBe(204);
    expect((await del()).$metadata.httpStatusCode).toBe(204);
    expect(await refusal(fixture.text('d/one'))).toBe('404 NoSuchKey');
  });

  test('DeleteObjects removes many awkward keys at once and lists them', async () => {
    const keys = ['d/a&b', 'd/<c>', 'd/é "q"', 'd/not there'];
    for (const key of keys.slice(0, 3)) await fixture.put(key, 'x');
    const Delete = { Objects: keys.map((Key) => ({ Key })) };
    const { Deleted } = await fixture.client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete }));
    expect(Deleted?.map(({ Key }) => Key)).toEqual(keys);
    for (const key of keys) expect(await refusal(fixture.text(key))).toBe('404 NoSuchKey');
  });
});

describe('buckets', () => {
  test('a bucket is created, seen, found in its Region, and deleted once it is empty', async () => {
    const Bucket = 'second.bucket';
    await fixture.client.send(new CreateBucketCommand({ Bucket }));
    expect((await fixture.client.send(new HeadBucketCommand({ Bucket }))).BucketRegion).toBe('eu-west-1');
    const { LocationConstraint } = await fixture.client.send(new GetBucketLocationCommand({ Bucket }));
    expect(LocationConstraint).toBe('eu-west-1');
    const { Buckets } = await fixture.client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual([BUCKET, Bucket]);

    await fixture.client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    const drop = () => fixture.client.send(new DeleteBucketCommand({ Bucket }));
    expect(await refusal(drop())).toBe('409 BucketNotEmpty');
    await fixture.client.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
    await drop();
    expect(fixture.s3.buckets()).toEqual([BUCKET]);
  });

  test('a bucket that exists, or has an impossible name, is refused', async () => {
    const create = (Bucket: string) => fixture.client.send(new CreateBucketCommand({ Bucket }));
    expect(await refusal(create(BUCKET))).toBe('409 BucketAlreadyOwnedByYou');
    expect(await refusal(create('No_Such'))).toBe('400 InvalidBucketName');
  });
});

function crcOf(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString('base64');
}
