import type { Readable } from 'node:stream';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { ExportStore } from '../core/export/batch.ts';
import { retryable } from '../core/failure.ts';
import type { LandingStore } from '../core/normalize/ports.ts';
import type { ListedRowsStore } from '../core/upload/listed-rows.ts';
import { isConflict, isMissing, isPreconditionFailed } from './aws-error.ts';
import { headObject } from './s3-head.ts';

/** One client an execution environment: its sockets outlive an invocation. */
export function createS3(): S3Client {
  // An endpoint of one's own has no host for each bucket, and a bucket's dots would make none out of an address.
  return new S3Client({
    forcePathStyle: Boolean(process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL']),
    followRegionRedirects: true,
  });
}

/** The landing bucket as normalize sees it. */
export function landingStore(s3: S3Client, bucket: string): LandingStore {
  return {
    async open(key, from = 0) {
      try {
        const range = from > 0 ? { Range: `bytes=${from}-` } : {};
        const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...range }));
        const body = object.Body as Readable;
        return {
          metadata: object.Metadata ?? {},
          sizeBytes: from + (object.ContentLength ?? 0),
          body,
          read: (start, end) => readRange(s3, { bucket, key, etag: object.ETag }, start, end),
          // A body that is not read to its end would keep its socket for ever.
          discard: () => void body.destroy(),
        };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    async putObject(key, body, contentType) {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: contentType }));
    },
  };
}

async function readRange(
  s3: S3Client,
  object: { readonly bucket: string; readonly key: string; readonly etag: string | undefined },
  start: number,
  end: number,
): Promise<Uint8Array> {
  if (end <= start) return new Uint8Array();
  const range = { Range: `bytes=${start}-${end - 1}`, IfMatch: object.etag };
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: object.bucket, Key: object.key, ...range }));
  const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
  if (bytes.length === end - start) return bytes;
  const message = `Reading bytes ${start} to ${end} of s3://${object.bucket}/${object.key} failed: ${bytes.length} came. It is tried again.`;
  throw retryable('s3.shortRead', message);
}

/** The export bucket as the exporter sees it. */
export function exportStore(s3: S3Client, bucket: string): ExportStore {
  return {
    async putOnce(key, body, contentType) {
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: body,
        ContentType: contentType,
        IfNoneMatch: '*',
      });
      try {
        await s3.send(command);
      } catch (error) {
        // Written before, by this batch: the name is made from the rows. A conflict is that write, still under way.
        if (!isPreconditionFailed(error) && !isConflict(error)) throw error;
        if (isConflict(error) && !(await headObject(s3, { Bucket: bucket, Key: key }))) throw error;
      }
    },
  };
}

/** Side files and export files, read whole. */
export function listedRowsStore(s3: S3Client, landingBucket: string, exportBucket: string): ListedRowsStore {
  return {
    readLanding: (key) => read(s3, landingBucket, key),
    readExport: (key) => read(s3, exportBucket, key),
  };
}

async function read(s3: S3Client, bucket: string, key: string): Promise<Uint8Array | undefined> {
  try {
    const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return await object.Body?.transformToByteArray();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
