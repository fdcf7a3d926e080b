import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  type CopyObjectCommandInput,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCopyCommand,
  type UploadPartCopyCommandInput,
} from '@aws-sdk/client-s3';
import { mapBounded } from '../core/bounded.ts';
import type { LandingCopy, ObjectFacts } from '../core/upload/copy.ts';
import { isArchived, isConflict, isMissingObject, isPreconditionFailed } from './aws-error.ts';
import type { SentAlong } from './source-access.ts';

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
  sentAlong: SentAlong = {},
): Promise<'copied' | 'precondition' | 'archived'> {
  const from = {
    CopySource: copySource(source),
    CopySourceIfMatch: source.etag,
    RequestPayer: sentAlong.RequestPayer,
    ExpectedSourceBucketOwner: sentAlong.ExpectedBucketOwner,
  };
  return onCondition(async () => {
    if (source.sizeBytes <= limits.singleCopyBytes) return copyWhole(s3, source, destination, from);
    await putParts(s3, source, destination, limits, async (upload, { first, last }) => {
      const part = { ...upload, ...from, CopySourceRange: `bytes=${first}-${last}` };
      return (await s3.send(new UploadPartCopyCommand(part))).CopyPartResult ?? {};
    });
  });
}

/** Runs a conditional copy, again while another writer of the same key is under way, and tells how it ended. */
export async function onCondition(copy: () => Promise<void>): Promise<'copied' | 'precondition' | 'archived'> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await copy();
      return 'copied';
    } catch (error) {
      // A source that vanished is told apart from one that changed by the next HeadObject.
      if (isPreconditionFailed(error) || isMissingObject(error)) return 'precondition';
      if (isArchived(error)) return 'archived';
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

type From = Pick<
  CopyObjectCommandInput & UploadPartCopyCommandInput,
  'CopySource' | 'CopySourceIfMatch' | 'RequestPayer' | 'ExpectedSourceBucketOwner'
>;

async function copyWhole(
  s3: S3Client,
  source: ObjectFacts,
  { bucket, key, metadata }: LandingCopy,
  from: From,
): Promise<void> {
  await s3.send(
    new CopyObjectCommand({
      ...from,
      Bucket: bucket,
      Key: key,
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

interface PartUpload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string | undefined;
  readonly PartNumber: number;
}

type Range = { readonly first: number; readonly last: number };

/** What S3 answers for a part. */
interface PutPart {
  readonly ETag?: string | undefined;
  readonly ChecksumCRC32?: string | undefined;
}

/**
 * Puts an object together from parts that `put` brings, if the destination does not exist. What fails is cleared away.
 * Parts whose bytes the SDK sends carry a CRC-32: then the upload has to be begun and completed with it, too.
 */
export async function putParts(
  s3: S3Client,
  source: ObjectFacts,
  { bucket, key, metadata }: LandingCopy,
  limits: Pick<CopyLimits, 'partBytes' | 'concurrency'>,
  put: (part: PartUpload, range: Range) => Promise<PutPart>,
  ChecksumAlgorithm?: 'CRC32',
): Promise<void> {
  const target = { Bucket: bucket, Key: key };
  const described = { Metadata: { ...metadata }, ContentType: source.contentType, ChecksumAlgorithm };
  const created = await s3.send(new CreateMultipartUploadCommand({ ...target, ...described }));
  const upload = { ...target, UploadId: created.UploadId };
  try {
    const ranges = partRanges(source.sizeBytes, limits.partBytes);
    const parts = await mapBounded(ranges, limits.concurrency, async (range, index) => {
      const PartNumber = index + 1;
      const { ETag, ChecksumCRC32 } = await put({ ...upload, PartNumber }, range);
      return { PartNumber, ETag, ChecksumCRC32: ChecksumAlgorithm && ChecksumCRC32 };
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
export function partRanges(sizeBytes: number, partBytes: number): readonly Range[] {
  const mebibyte = 1024 ** 2;
  const least = Math.ceil(sizeBytes / mostParts);
  const length = least <= partBytes ? partBytes : Math.ceil(least / mebibyte) * mebibyte;
  const count = Math.ceil(sizeBytes / length);
  return Array.from({ length: count }, (_, index) => ({
    first: index * length,
    last: Math.min((index + 1) * length, sizeBytes) - 1,
  }));
}
