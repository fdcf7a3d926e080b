import { hash } from 'node:crypto';
import { base32 } from './base32.ts';

/** What identifies one version of one object, as HeadObject reports it, so that every trigger path gives the same. */
export interface ObjectIdentity {
  readonly bucket: string;
  readonly key: string;
  /** `null` and absent are the same: no versioning. */
  readonly versionId?: string | undefined;
  /** With or without the quotes of the HTTP header. */
  readonly etag?: string | undefined;
  readonly sizeBytes?: number | undefined;
  /** Milliseconds since the epoch; only whole seconds count. */
  readonly lastModifiedMs?: number | undefined;
}

/** 26 characters that name an upload: the same object version at the same source always gives the same. */
export function uploadId(sourceId: string, object: ObjectIdentity): string {
  const seconds = object.lastModifiedMs === undefined ? '' : String(Math.floor(object.lastModifiedMs / 1000));
  return identify([sourceId, object.bucket, object.key, version(object), etagText(object.etag), size(object), seconds]);
}

/** Like the uploadId, but equal for equal bytes put again at the same key: without version and LastModified. */
export function contentId(sourceId: string, object: ObjectIdentity): string {
  return identify([sourceId, object.bucket, object.key, etagText(object.etag), size(object)]);
}

/** The uploadId of an archive's member: the parent names the bytes, the ordinal tells equal paths apart. */
export function memberUploadId(parentId: string, ordinal: number, path: string): string {
  return identify([parentId, String(ordinal), path]);
}

/** The ETag without quotes: events carry it bare, HeadObject quotes it. */
export function etagText(etag: string | undefined): string {
  return etag?.replaceAll('"', '') ?? '';
}

function version(object: ObjectIdentity): string {
  return object.versionId === undefined || object.versionId === 'null' ? '' : object.versionId;
}

function size(object: ObjectIdentity): string {
  return object.sizeBytes === undefined ? '' : String(object.sizeBytes);
}

// Length before each value: no two lists of values give the same text.
function identify(values: readonly string[]): string {
  const text = values.map((value) => `${Buffer.byteLength(value)}:${value}`).join('');
  return base32(hash('sha256', text, 'buffer'), 26);
}
