import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Lister } from '../core/origin/listing.ts';
import type { RegisteredSource } from '../core/source/registry.ts';
import type { CopyStore, ObjectFacts } from '../core/upload/copy.ts';
import { isArchived, isMissingObject, isPreconditionFailed } from './aws-error.ts';
import { type CopyLimits, copyObject, defaultCopyLimits } from './s3-copy.ts';
import { headObject } from './s3-head.ts';
import { listerOf } from './s3-list.ts';
import { defaultStreamLimits, type StreamLimits, streamObject } from './s3-stream-copy.ts';
import { type SourceAccess, sourceAccess } from './source-access.ts';

/** S3 as copy sees it: each source's bucket by its own access, landing by this client. */
export function sourceStores(
  s3: S3Client,
  limits: CopyLimits = defaultCopyLimits,
  streamLimits: StreamLimits = defaultStreamLimits,
): (source: RegisteredSource) => CopyStore & Lister {
  const accessTo = sourceAccess(s3);
  return (source) => {
    const access = accessTo(source);
    return {
      ...listerOf(access),
      head: (bucket, key, versionId) =>
        access.ask('head', `s3://${bucket}/${key}`, (reader, sentAlong) =>
          headObject(reader, { ...sentAlong, Bucket: bucket, Key: key, VersionId: versionId }),
        ),
      read: (object, first, last) => readIfThere(access, object, first, last),
      landed: async (bucket, key) => (await headObject(s3, { Bucket: bucket, Key: key })) !== undefined,
      copy(object, destination) {
        if (access.inRole) {
          const read = (first: number, last: number) => readRange(access, object, first, last);
          return streamObject(s3, read, object, destination, streamLimits);
        }
        // A copy is asked of landing, in landing's region: S3 fetches the source from wherever it lies.
        return access.ask('copy', `s3://${object.bucket}/${object.key}`, (_reader, sentAlong) =>
          copyObject(s3, object, destination, limits, sentAlong),
        );
      },
    };
  };
}

async function readIfThere(
  access: SourceAccess,
  object: ObjectFacts,
  first: number,
  last: number,
): Promise<Uint8Array | 'precondition' | 'archived'> {
  // S3 refuses every range of an object without bytes.
  if (object.sizeBytes === 0) return new Uint8Array();
  try {
    return await readRange(access, object, first, last);
  } catch (error) {
    if (isPreconditionFailed(error) || isMissingObject(error)) return 'precondition';
    if (isArchived(error)) return 'archived';
    throw error;
  }
}

function readRange(
  access: SourceAccess,
  { bucket, key, versionId, etag }: ObjectFacts,
  first: number,
  last: number,
): Promise<Uint8Array> {
  return access.ask('read', `s3://${bucket}/${key}`, async (reader, sentAlong) => {
    const range = { IfMatch: etag, Range: `bytes=${first}-${last}` };
    const asked = { ...sentAlong, ...range, Bucket: bucket, Key: key, VersionId: versionId };
    const { Body } = await reader.send(new GetObjectCommand(asked));
    return (await Body?.transformToByteArray()) ?? new Uint8Array();
  });
}
