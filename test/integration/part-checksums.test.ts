import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { unpackStore } from '../../adapters/s3-archive.ts';
import { copyObject } from '../../adapters/s3-copy.ts';
import { streamObject } from '../../adapters/s3-stream-copy.ts';
import { BUCKET, type S3Fixture, s3Fixture } from './s3-fixture.ts';

const landing = 'landing-bucket';
const limits = { singleCopyBytes: 1000, partBytes: 1000, concurrency: 3, mostBytes: 5000 };
const bytes = Buffer.from(Array.from({ length: 2500 }, (_, at) => at % 251));
const key = 'in/a.csv';
let fixture: S3Fixture;
let inputs: Record<string, Record<string, unknown>[]>;

beforeEach(async () => {
  fixture = await s3Fixture({}, { minimumPartBytes: 1 });
  await fixture.s3.createBucket(landing);
  inputs = {};
  fixture.client.middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) => {
        inputs[commandName] = [...(inputs[commandName] ?? []), args.input as Record<string, unknown>];
        return next(args);
      },
    { step: 'initialize' },
  );
});
afterEach(() => fixture[Symbol.asyncDispose]());

const begun = () => inputs['CreateMultipartUploadCommand']?.map((each) => each['ChecksumAlgorithm']);
const completed = () =>
  inputs['CompleteMultipartUploadCommand']?.map((each) =>
    (each['MultipartUpload'] as { Parts: { ChecksumCRC32?: string }[] }).Parts.map((part) => part.ChecksumCRC32),
  );
const checksums = [0, 1000, 2000].map((at) => {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes.subarray(at, at + 1000)));
  return sum.toString('base64');
});

/** S3 refuses a part with a checksum in an upload that was begun without, and an end that leaves them out. */
describe('an upload whose parts carry checksums is begun and completed with them', () => {
  test('when a member of an archive is landed', async () => {
    async function* body() {
      yield bytes;
    }
    await unpackStore(fixture.client, landing, limits).putStreamOnce('landing/a', body(), {});

    expect({ begun: begun(), completed: completed() }).toEqual({ begun: ['CRC32'], completed: [checksums] });
  });

  test('when an object passes through a function', async () => {
    const source = { bucket: BUCKET, key, etag: 'e', sizeBytes: bytes.length, lastModifiedMs: 0 };
    const read = async (first: number, last: number) => bytes.subarray(first, last + 1);
    const destination = { bucket: landing, key: 'landing/a', metadata: {} };

    expect(await streamObject(fixture.client, read, source, destination, limits)).toBe('copied');
    expect({ begun: begun(), completed: completed() }).toEqual({ begun: ['CRC32'], completed: [checksums] });
  });
});

test('an upload of parts that S3 copies by itself has none', async () => {
  const etag = await fixture.put(key, bytes);
  const source = { bucket: BUCKET, key, etag, sizeBytes: bytes.length, lastModifiedMs: 0 };

  expect(await copyObject(fixture.client, source, { bucket: landing, key: 'landing/a', metadata: {} }, limits)).toBe(
    'copied',
  );
  expect({ begun: begun(), completed: completed() }).toEqual({
    ...{ begun: [undefined], completed: [[undefined, undefined, undefined]] },
  });
});
