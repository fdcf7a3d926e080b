import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { createLanes } from '../core/bounded.ts';
import { retryable } from '../core/failure.ts';
import type { UnpackStore } from '../core/upload/unpack-archive.ts';
import { isConflict, isMissing, isPreconditionFailed } from './aws-error.ts';
import { headObject } from './s3-head.ts';

export interface PartLimits {
  /** Bytes of a part. S3 wants at least 5 MiB, and takes 10,000 parts. */
  readonly partBytes: number;
  /** Parts of one object under way at once, apart from the one that is being filled. */
  readonly concurrency: number;
}

const defaultPartLimits: PartLimits = { partBytes: 8 * 1024 ** 2, concurrency: 3 };

type Place = { readonly Bucket: string; readonly Key: string };

/** The landing bucket as archives are unpacked from and into it. */
export function unpackStore(s3: S3Client, bucket: string, limits: PartLimits = defaultPartLimits): UnpackStore {
  const has = async (key: string) => (await headObject(s3, { Bucket: bucket, Key: key })) !== undefined;
  /** Runs a conditional write; that somebody else was first is as good. */
  const once = async (key: string, write: (place: Place) => Promise<unknown>) => {
    try {
      await write({ Bucket: bucket, Key: key });
    } catch (error) {
      if (isPreconditionFailed(error)) return;
      // Another write of the same bytes is under way, and may still fail.
      if (!isConflict(error) || !(await has(key))) throw error;
    }
  };
  return {
    has,
    async open(key) {
      try {
        const found = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
        const object = { Bucket: bucket, Key: key, IfMatch: found.ETag };
        return {
          metadata: found.Metadata ?? {},
          sizeBytes: found.ContentLength ?? 0,
          read: (start, end) => readRange(s3, object, start, end),
        };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    putOnce: (key, body, metadata) =>
      once(key, (place) =>
        s3.send(new PutObjectCommand({ ...place, Body: body, Metadata: { ...metadata }, IfNoneMatch: '*' })),
      ),
    putStreamOnce: (key, body, metadata) => once(key, (place) => putParts(s3, place, body, metadata, limits)),
  };
}

async function readRange(
  s3: S3Client,
  object: Place & { readonly IfMatch: string | undefined },
  start: number,
  end: number,
): Promise<Uint8Array> {
  if (end <= start) return new Uint8Array();
  const { Body } = await s3.send(new GetObjectCommand({ ...object, Range: `bytes=${start}-${end - 1}` }));
  const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
  if (bytes.length === end - start) return bytes;
  const message = `Reading bytes ${start} to ${end} of s3://${object.Bucket}/${object.Key} failed: ${bytes.length} came. It is tried again.`;
  throw retryable('s3.shortRead', message);
}

async function putParts(
  s3: S3Client,
  place: Place,
  body: AsyncIterable<Uint8Array>,
  metadata: Readonly<Record<string, string>>,
  { partBytes, concurrency }: PartLimits,
): Promise<void> {
  // The SDK sends a CRC-32 with each part: the upload has to be begun and completed with it, too.
  const ChecksumAlgorithm = 'CRC32';
  const begin = { ...place, Metadata: { ...metadata }, ChecksumAlgorithm } as const;
  const created = await s3.send(new CreateMultipartUploadCommand(begin));
  const upload = { ...place, UploadId: created.UploadId };
  const lanes = createLanes(concurrency);
  const parts: CompletedPart[] = [];
  try {
    for await (const Body of filled(body, partBytes)) {
      const PartNumber = parts.length + 1;
      const part: CompletedPart = { PartNumber };
      parts.push(part);
      await lanes.run(async () => {
        const put = await s3.send(new UploadPartCommand({ ...upload, PartNumber, ChecksumAlgorithm, Body }));
        part.ETag = put.ETag;
        part.ChecksumCRC32 = put.ChecksumCRC32;
      });
    }
    await lanes.end();
    const complete = { ...upload, IfNoneMatch: '*', MultipartUpload: { Parts: parts } };
    await s3.send(new CompleteMultipartUploadCommand(complete));
  } catch (error) {
    await lanes.end().catch(() => undefined);
    // Otherwise the parts would be billed until the bucket's lifecycle rule removes them.
    await s3.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}

/** The stream in pieces of exactly this length, but for the last; each has memory of its own. */
async function* filled(body: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array, void, undefined> {
  let piece = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for await (const chunk of body) {
    for (let from = 0; from < chunk.length; ) {
      const taken = Math.min(chunk.length - from, length - at);
      piece.set(chunk.subarray(from, from + taken), at);
      from += taken;
      at += taken;
      if (at < length) continue;
      yield piece;
      piece = Buffer.allocUnsafeSlow(length);
      at = 0;
    }
  }
  if (at > 0) yield piece.subarray(0, at);
}
