import type { ObjectIdentity } from './identity.ts';

/** What a landing object says of its origin, so that a lost manifest can be made again from it. */
export interface LandingFacts {
  readonly sourceId: string;
  readonly object: ObjectIdentity & {
    readonly etag: string;
    readonly sizeBytes: number;
    readonly lastModifiedMs: number;
  };
  /** Of a member of an archive: `object.key` is then the archive's key and the member's path below it. */
  readonly member?: {
    readonly parentId: string;
    readonly ordinal: number;
    readonly archiveKey: string;
    readonly path: string;
  };
}

/** User metadata of a landing object. The key is base64url: header values are ASCII. S3 allows 2 KB in all. */
export function landingMetadata({ sourceId, object, member }: LandingFacts): Readonly<Record<string, string>> {
  return {
    'firn-source': sourceId,
    'firn-bucket': object.bucket,
    'firn-key': base64(member?.archiveKey ?? object.key),
    'firn-etag': object.etag.replaceAll('"', ''),
    'firn-size': String(object.sizeBytes),
    'firn-modified': new Date(object.lastModifiedMs).toISOString(),
    ...(object.versionId === undefined ? {} : { 'firn-version': object.versionId }),
    ...(member && { 'firn-parent': member.parentId, 'firn-member': `${member.ordinal}.${base64(member.path)}` }),
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64url').toString();
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
  const member = parseMember(metadata, fromBase64(key));
  const objectKey = member ? `${member.archiveKey}/${member.path}` : fromBase64(key);
  const object = { bucket, key: objectKey, etag, sizeBytes, lastModifiedMs };
  const facts = { sourceId, object: versionId === undefined ? object : { ...object, versionId } };
  return member ? { ...facts, member } : facts;
}

function parseMember(metadata: Readonly<Record<string, string>>, archiveKey: string): LandingFacts['member'] {
  const parentId = metadata['firn-parent'];
  const [ordinal, path] = metadata['firn-member']?.split('.') ?? [];
  if (parentId === undefined || path === undefined) return undefined;
  return { parentId, ordinal: Number(ordinal), archiveKey, path: fromBase64(path) };
}
