import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { mapBounded } from '../core/bounded.ts';
import type { LandingCopy, ObjectFacts } from '../core/upload/copy.ts';
import { isConflict, isMissingObject, isPreconditionFailed } from './aws-error.ts';

export interface CopyLimits {
  /** Objects larger than this go by multipart copy. CopyObject takes 5 GiB at most. */
  readonly singleCopyBytes: number;
  /** Least size of a part; it grows so that 10,000 parts are enough. S3 wants at least 5 MiB. */
  readonly partBytes: number;
  /** Parts under way at once. */
  readonly concurrency: number;
}

export const defaultCopyLimits: CopyLimits = {
  singleCopyBytes: 5 * 1024 ** 3,
  partBytes: 256 * 1024 ** 2,
  concurrency: 8,
};

const mostParts = 10_000;
const conflictTries = 4;
const conflictPauseMs = 200;

/**
 * Copies one object version server-side. Both conditions are on every call that can carry one: the source still has
 * the ETag, the destination does not exist. `precondition` says that one of them did not hold.
 */
export async function copyObject(
  s3: S3Client,
  source: ObjectFacts,
  destination: LandingCopy,
  limits: CopyLimits,
): Promise<'copied' | 'precondition'> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (source.sizeBytes <= limits.singleCopyBytes) await copyWhole(s3, source, destination);
      else await copyParts(s3, source, destination, limits);
      return 'copied';
    } catch (error) {
      // A source that vanished is told apart from one that changed by the next HeadObject.
      if (isPreconditionFailed(error) || isMissingObject(error)) return 'precondition';
      if (!isConflict(error) || attempt >= conflictTries) throw error;
      await new Promise((resolve) => setTimeout(resolve, attempt * conflictPauseMs));
    }
  }
}

/** `bucket/key?versionId=` as the header wants it: the SDK does not encode it. */
export function copySource({ bucket, key, versionId }: Pick<ObjectFacts, 'bucket' | 'key' | 'versionId'>): string {
  const path = key.split('/').map(encodeURIComponent).join('/');
  const version = versionId === undefined ? '' : `?versionId=${encodeURIComponent(versionId)}`;
  return `${encodeURIComponent(bucket)}/${path}${version}`;
}

async function copyWhole(s3: S3Client, source: ObjectFacts, { bucket, key, metadata }: LandingCopy): Promise<void> {
  await s3.send(
    new CopyObjectCommand({
      Bucket: bucket,
      Key: key,
      CopySource: copySource(source),
      CopySourceIfMatch: source.etag,
      IfNoneMatch: '*',
      MetadataDirective: 'REPLACE',
      Metadata: { ...metadata },
      ContentType: source.contentType,
      // The default would copy tags, which needs rights that owners of source buckets seldom grant.
      TaggingDirective: 'REPLACE',
      // The same goes for annotations, which are copied by default and billed one by one.
      AnnotationDirective: 'EXCLUDE',
    }),
  );
}

async function copyParts(
  s3: S3Client,
  source: ObjectFacts,
  { bucket, key, metadata }: LandingCopy,
  limits: CopyLimits,
): Promise<void> {
  const target = { Bucket: bucket, Key: key };
  const created = await s3.send(
    new CreateMultipartUploadCommand({ ...target, Metadata: { ...metadata }, ContentType: source.contentType }),
  );
  const upload = { ...target, UploadId: created.UploadId };
  try {
    const ranges = partRanges(source.sizeBytes, limits.partBytes);
    const parts = await mapBounded(ranges, limits.concurrency, async (range, index) => {
      const part = { ...upload, PartNumber: index + 1, CopySource: copySource(source) };
      const copied = await s3.send(
        new UploadPartCopyCommand({
          ...part,
          CopySourceIfMatch: source.etag,
          CopySourceRange: `bytes=${range.first}-${range.last}`,
        }),
      );
      return { PartNumber: index + 1, ETag: copied.CopyPartResult?.ETag };
    });
    await s3.send(
      new CompleteMultipartUploadCommand({
        ...upload,
        IfNoneMatch: '*',
        MpuObjectSize: source.sizeBytes,
        MultipartUpload: { Parts: [...parts] },
      }),
    );
  } catch (error) {
    // Otherwise the parts would be billed until the bucket's lifecycle rule removes them.
    await s3.send(new AbortMultipartUploadCommand(upload)).catch(() => {});
    throw error;
  }
}

/** Byte ranges, both ends inclusive, of equal parts that are at least `partBytes` and at most 10,000. */
export function partRanges(
  sizeBytes: number,
  partBytes: number,
): readonly { readonly first: number; readonly last: number }[] {
  const mebibyte = 1024 ** 2;
  const least = Math.ceil(sizeBytes / mostParts);
  const length = least <= partBytes ? partBytes : Math.ceil(least / mebibyte) * mebibyte;
  const count = Math.ceil(sizeBytes / length);
  return Array.from({ length: count }, (_, index) => ({
    first: index * length,
    last: Math.min((index + 1) * length, sizeBytes) - 1,
  }));
}
