import type { ObjectIdentity } from './identity.ts';

/** What a landing object says of its origin, so that a lost manifest can be made again from it. */
export interface LandingFacts {
  readonly sourceId: string;
  readonly object: ObjectIdentity & {
    readonly etag: string;
    readonly sizeBytes: number;
    readonly lastModifiedMs: number;
  };
}

/** User metadata of a landing object. The key is base64url: header values are ASCII. S3 allows 2 KB in all. */
export function landingMetadata({ sourceId, object }: LandingFacts): Readonly<Record<string, string>> {
  return {
    'firn-source': sourceId,
    'firn-bucket': object.bucket,
    'firn-key': Buffer.from(object.key).toString('base64url'),
    'firn-etag': object.etag.replaceAll('"', ''),
    'firn-size': String(object.sizeBytes),
    'firn-modified': new Date(object.lastModifiedMs).toISOString(),
    ...(object.versionId === undefined ? {} : { 'firn-version': object.versionId }),
  };
}

/** What `landingMetadata` wrote, or undefined when it was not Firn that wrote the object. */
export function parseLandingMetadata(metadata: Readonly<Record<string, string>>): LandingFacts | undefined {
  const sourceId = metadata['firn-source'];
  const bucket = metadata['firn-bucket'];
  const key = metadata['firn-key'];
  const etag = metadata['firn-etag'];
  const sizeBytes = Number(metadata['firn-size']);
  const lastModifiedMs = Date.parse(metadata['firn-modified'] ?? '');
  if (!sourceId || !bucket || !key || etag === undefined) return undefined;
  if (!Number.isSafeInteger(sizeBytes) || !Number.isFinite(lastModifiedMs)) return undefined;
  const versionId = metadata['firn-version'];
  const object = { bucket, key: Buffer.from(key, 'base64url').toString(), etag, sizeBytes, lastModifiedMs };
  return { sourceId, object: versionId === undefined ? object : { ...object, versionId } };
}
