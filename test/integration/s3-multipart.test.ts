import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type UploadPartCopyCommandInput,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { arrivals, BUCKET, from, multipart, refusal, type S3Fixture, s3Fixture } from './s3-fixture.ts';

let fixture: S3Fixture;
const { faults, arrived } = arrivals();
beforeAll(async () => {
  fixture = await s3Fixture({}, { faults, minimumPartBytes: 10, maximumCopyBytes: 100 });
});
afterAll(() => fixture[Symbol.asyncDispose]());

const md5 = (bytes: string | Buffer) => createHash('md5').update(bytes).digest();

/** An open upload and what one does with it. */
async function start(Key: string) {
  const { UploadId } = await fixture.client.send(
    new CreateMultipartUploadCommand({ Bucket: BUCKET, Key, Metadata: { who: 'me' }, ContentType: 'text/csv' }),
  );
  const on = { Bucket: BUCKET, Key, UploadId };
  const { client } = fixture;
  return {
    async part(PartNumber: number, Body: string) {
      const { ETag } = await client.send(new UploadPartCommand({ ...on, PartNumber, Body }));
      return { PartNumber, ETag };
    },
    async copyPart(PartNumber: number, CopySource: string, more: Partial<UploadPartCopyCommandInput> = {}) {
      const command = new UploadPartCopyCommand({ ...on, PartNumber, CopySource, ...more });
      return { PartNumber, ETag: (await client.send(command)).CopyPartResult?.ETag };
    },
    complete: (
      Parts: { PartNumber: number; ETag: string | undefined }[],
      more: Partial<CompleteMultipartUploadCommandInput> = {},
    ) =>
      client.send(
        new CompleteMultipartUploadCommand({
          ...on,
          MultipartUpload: { Parts: Parts.map(({ PartNumber, ETag = '' }) => ({ PartNumber, ETag })) },
          ...more,
        }),
      ),
    abort: () => client.send(new AbortMultipartUploadCommand(on)),
    parts: (more: { MaxParts?: number; PartNumberMarker?: string } = {}) =>
      client.send(new ListPartsCommand({ ...on, ...more })),
  };
}

test('the parts come back as one object, whose ETag is the MD5 of their MD5s and their count', async () => {
  const upload = await start('m/plain');
  const second = await upload.part(2, 'abc');
  const first = await upload.part(1, '0123456789');
  const { ETag } = await upload.complete([first, second]);
  const expected = md5(Buffer.concat([md5('0123456789'), md5('abc')])).toString('hex');
  expect(ETag).toBe(`"${expected}-2"`);
  expect(await fixture.text('m/plain')).toBe('0123456789abc');
  const head = await fixture.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'm/plain' }));
  expect(head).toMatchObject({ ETag, Metadata: { who: 'me' }, ContentType: 'text/csv', ContentLength: 13 });
});

test('a range may cross parts', async () => {
  await multipart(fixture.client, 'm/range', ['0123456789', 'abcdefghij', 'z']);
  const get = new GetObjectCommand({ Bucket: BUCKET, Key: 'm/range', Range: 'bytes=8-20' });
  expect(await (await fixture.client.send(get)).Body?.transformToString()).toBe('89abcdefghijz');
});

test('the object is dated by the start of its upload', async () => {
  const upload = await start('m/dated');
  const started = fixture.clock.now();
  fixture.clock.move(60_000);
  await upload.complete([await upload.part(1, 'x')]);
  const head = await fixture.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'm/dated' }));
  expect(head.LastModified?.getTime()).toBe(started - (started % 1000));
});

test('UploadPartCopy takes ranges of a source, whole seconds and conditions included', async () => {
  const text = 'abcdefghijklmnopqrstuvwxyz';
  const CopySourceIfMatch = await fixture.put('m/source', text);
  const upload = await start('m/copied');
  const parts = [
    await upload.copyPart(1, from('m/source'), { CopySourceRange: 'bytes=0-9', CopySourceIfMatch }),
    await upload.copyPart(2, from('m/source'), { CopySourceRange: 'bytes=10-25', CopySourceIfMatch }),
  ];
  expect(parts[0]?.ETag).toBe(`"${md5(text.slice(0, 10)).toString('hex')}"`);
  await upload.complete(parts);
  expect(await fixture.text('m/copied')).toBe(text);
});

test('UploadPartCopy refuses a changed source, a range outside it, and too much at once', async () => {
  await fixture.put('m/changed', 'x'.repeat(150));
  const upload = await start('m/refused');
  const refused = (more: Partial<UploadPartCopyCommandInput>) => refusal(upload.copyPart(1, from('m/changed'), more));
  expect(await refused({ CopySourceIfMatch: `"${md5('y').toString('hex')}"` })).toBe('412 PreconditionFailed');
  expect(await refused({ CopySourceRange: 'bytes=0-150' })).toBe('400 InvalidArgument');
  expect(await refused({})).toBe('400 InvalidRequest');
  expect(await refused({ CopySourceRange: 'bytes=0-99' })).toBe('answered');
});

test('a part but the last below the minimum is refused at completion', async () => {
  const upload = await start('m/small');
  const parts = [await upload.part(1, 'short'), await upload.part(2, 'x')];
  expect(await refusal(upload.complete(parts))).toBe('400 EntityTooSmall');
});

test('parts out of order, unknown or with another ETag are refused', async () => {
  const upload = await start('m/wrong');
  const [one, two] = [await upload.part(1, '0123456789'), await upload.part(2, '0123456789')];
  expect(await refusal(upload.complete([two, one]))).toBe('400 InvalidPartOrder');
  expect(await refusal(upload.complete([one, { ...two, PartNumber: 3 }]))).toBe('400 InvalidPart');
  expect(await refusal(upload.complete([{ ...one, ETag: `"${'0'.repeat(32)}"` }]))).toBe('400 InvalidPart');
  expect(await refusal(upload.complete([one, two]))).toBe('answered');
});

test('MpuObjectSize must be the size of the result', async () => {
  const upload = await start('m/size');
  const part = await upload.part(1, 'four');
  expect(await refusal(upload.complete([part], { MpuObjectSize: 5 }))).toBe('400 InvalidRequest');
  expect(await refusal(upload.complete([part], { MpuObjectSize: 4 }))).toBe('answered');
});

test('a part sent again replaces the earlier one, and parts left out are dropped', async () => {
  const upload = await start('m/again');
  await upload.part(1, 'first attempt');
  const one = await upload.part(1, 'second attempt');
  await upload.part(2, 'left out');
  await upload.complete([one]);
  expect(await fixture.text('m/again')).toBe('second attempt');
});

test('If-None-Match:* at completion is 412 where the key exists, and the upload stays', async () => {
  await fixture.put('m/exists', 'before');
  const upload = await start('m/exists');
  const part = await upload.part(1, 'x');
  expect(await refusal(upload.complete([part], { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed');
  expect(await fixture.text('m/exists')).toBe('before');
  expect((await upload.parts()).Parts).toHaveLength(1);
});

test('after a 409 at completion the whole upload must be started again', async () => {
  const upload = await start('m/conflict');
  const part = await upload.part(1, 'x');
  const body = new PassThrough();
  const here = arrived('PutObject');
  const slow = fixture.put('m/conflict', body, { ContentLength: 4 });
  body.write('sl');
  await here;
  const conflict = '409 ConditionalRequestConflict';
  expect(await refusal(upload.complete([part], { IfNoneMatch: '*' }))).toBe(conflict);
  body.end('ow');
  await slow;
  expect(await refusal(upload.complete([part]))).toBe(conflict);
  expect(await refusal(upload.abort())).toBe('answered');
});

test('an upload that was completed or aborted is gone', async () => {
  const aborted = await start('m/aborted');
  const part = await aborted.part(1, 'x');
  await aborted.abort();
  expect(await refusal(aborted.part(2, 'x'))).toBe('404 NoSuchUpload');
  expect(await refusal(aborted.complete([part]))).toBe('404 NoSuchUpload');
  const done = await start('m/done');
  const last = await done.part(1, 'x');
  await done.complete([last]);
  expect(await refusal(done.complete([last]))).toBe('404 NoSuchUpload');
  expect(await refusal(done.parts())).toBe('404 NoSuchUpload');
});

test('ListParts shows what has arrived, page by page', async () => {
  const upload = await start('m/list');
  for (const number of [3, 1, 2]) await upload.part(number, `part ${number}`);
  const first = await upload.parts({ MaxParts: 2 });
  expect(first.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
    [1, 6],
    [2, 6],
  ]);
  expect(first.IsTruncated).toBe(true);
  const second = await upload.parts({ PartNumberMarker: first.NextPartNumberMarker ?? '' });
  expect(second.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([3]);
  expect(second.IsTruncated).toBe(false);
});

test('the minimum part is 5 MiB unless a test makes it smaller', async () => {
  await using real = await s3Fixture();
  const almost = Buffer.alloc(5 * 1024 ** 2 - 1);
  expect(await refusal(multipart(real.client, 'm/real', [almost, 'x']))).toBe('400 EntityTooSmall');
  const enough = Buffer.alloc(5 * 1024 ** 2);
  expect(await refusal(multipart(real.client, 'm/real', [enough, 'x']))).toBe('answered');
});
