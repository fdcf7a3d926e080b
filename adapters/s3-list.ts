import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { misconfigured } from '../core/failure.ts';
import type { ListedObject, Lister } from '../core/origin/listing.ts';
import type { RegisteredSource } from '../core/source/registry.ts';
import { errorName } from './aws-error.ts';
import { archiveClasses } from './s3-head.ts';
import { type SourceAccess, sourceAccess } from './source-access.ts';

/** The buckets of sources as the poller sees them: each listed by its source's own access. */
export function sourceListers(s3: S3Client): (source: RegisteredSource) => Lister {
  const accessTo = sourceAccess(s3);
  return (source) => listerOf(accessTo(source));
}

/** Lists by this access. Throws config `list.noBucket`, and what the access throws. */
export function listerOf(access: SourceAccess): Lister {
  return {
    async list(bucket, prefix, after) {
      const place = `s3://${bucket}/${prefix}`;
      try {
        const page = await access.ask('list', place, (reader, sentAlong) =>
          reader.send(
            new ListObjectsV2Command({
              ...sentAlong,
              Bucket: bucket,
              Prefix: prefix,
              StartAfter: after,
              // XML cannot carry every character that a key may have.
              EncodingType: 'url',
              OptionalObjectAttributes: ['RestoreStatus'],
            }),
          ),
        );
        const objects = (page.Contents ?? []).map(
          ({ Key = '', ETag = '', Size = 0, LastModified, StorageClass = '', RestoreStatus }): ListedObject => ({
            key: decodeKey(Key),
            etag: ETag,
            sizeBytes: Size,
            lastModifiedMs: LastModified?.getTime() ?? 0,
            archived: archiveClasses.has(StorageClass) && RestoreStatus?.RestoreExpiryDate === undefined,
          }),
        );
        return { objects, truncated: page.IsTruncated === true };
      } catch (error) {
        if (errorName(error) !== 'NoSuchBucket') throw error;
        const message = `Listing ${place} failed: there is no such bucket. Correct the source's bucket, or ask its owner.`;
        throw misconfigured('list.noBucket', message);
      }
    },
  };
}

/** Listings encode keys like forms do: a space is a plus. */
function decodeKey(encoded: string): string {
  return decodeURIComponent(encoded.replaceAll('+', ' '));
}
