import { HeadObjectCommand, type HeadObjectCommandInput, type S3Client } from '@aws-sdk/client-s3';
import type { ObjectFacts } from '../core/upload/copy.ts';
import { isMissing } from './aws-error.ts';

/** Storage classes whose objects have to be restored before they can be read. */
export const archiveClasses: ReadonlySet<string> = new Set(['GLACIER', 'DEEP_ARCHIVE']);

/** An object as HeadObject reports it; undefined when there is no such object, version or bucket. */
export async function headObject(
  s3: S3Client,
  asked: HeadObjectCommandInput & { readonly Bucket: string; readonly Key: string },
): Promise<ObjectFacts | undefined> {
  try {
    const found = await s3.send(new HeadObjectCommand(asked));
    const restored = found.Restore?.includes('ongoing-request="false"') === true;
    return {
      bucket: asked.Bucket,
      key: asked.Key,
      etag: found.ETag ?? '',
      sizeBytes: found.ContentLength ?? 0,
      lastModifiedMs: found.LastModified?.getTime() ?? 0,
      contentType: sendable(found.ContentType),
      archived: (archiveClasses.has(found.StorageClass ?? '') || found.ArchiveStatus !== undefined) && !restored,
      ...(found.VersionId === undefined || found.VersionId === 'null' ? {} : { versionId: found.VersionId }),
    };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Undefined for what cannot be sent along with a copy: of a header that is no ASCII, S3 would not take the signature. */
function sendable(contentType: string | undefined): string | undefined {
  return contentType !== undefined && /^[\x20-\x7e]+$/.test(contentType) ? contentType : undefined;
}
