import type { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { ExportStore } from '../core/export/batch.ts';
import type { LandingStore } from '../core/normalize/run.ts';
import type { CopyStore, ObjectFacts } from '../core/upload/copy.ts';
import type { ListedRowsStore } from '../core/upload/listed-rows.ts';
import { isConflict, isMissing, isPreconditionFailed } from './aws-error.ts';
import { type CopyLimits, copyObject, defaultCopyLimits } from './s3-copy.ts';

/** One client an execution environment: its sockets outlive an invocation. */
export function createS3(): S3Client {
  // An endpoint of one's own has no host for each bucket, and a bucket's dots would make none out of an address.
  return new S3Client({ forcePathStyle: Boolean(process.env['AWS_ENDPOINT_URL_S3']) });
}

const archiveClasses = new Set(['GLACIER', 'DEEP_ARCHIVE']);

/** S3 as copy sees it: source buckets and landing. */
export function copyStore(s3: S3Client, limits: CopyLimits = defaultCopyLimits): CopyStore {
  return {
    head: (bucket, key, versionId) => head(s3, bucket, key, versionId),
    copy: (source, destination) => copyObject(s3, source, destination, limits),
  };
}

async function head(s3: S3Client, bucket: string, key: string, versionId?: string): Promise<ObjectFacts | undefined> {
  try {
    const found = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));
    const restored = found.Restore?.includes('ongoing-request="false"') === true;
    return {
      bucket,
      key,
      etag: found.ETag ?? '',
      sizeBytes: found.ContentLength ?? 0,
      lastModifiedMs: found.LastModified?.getTime() ?? 0,
      contentType: found.ContentType,
      archived: (archiveClasses.has(found.StorageClass ?? '') || found.ArchiveStatus !== undefined) && !restored,
      ...(found.VersionId === undefined || found.VersionId === 'null' ? {} : { versionId: found.VersionId }),
    };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The landing bucket as normalize sees it. */
export function landingStore(s3: S3Client, bucket: string): LandingStore {
  return {
    async open(key) {
      try {
        const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        const body = object.Body as Readable;
        // A body that is not read to its end would keep its socket for ever.
        return { metadata: object.Metadata ?? {}, body, discard: () => void body.destroy() };
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
        if (isConflict(error) && !(await head(s3, bucket, key))) throw error;
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
