import { randomBytes } from 'node:crypto';
import type { Attributes } from './attributes.ts';
import type { Segment } from './blobs.ts';
import { checkWrite, conditionalConflict, writeCondition } from './conditions.ts';
import { bucketNamed, type S3Context, wholeSeconds } from './context.ts';
import type { EventName, Happening } from './events.ts';
import type { S3Request } from './request.ts';
import type { Bucket, Change, Version } from './state.ts';

/** A body ready to become the newest version of a key. */
export interface Draft extends Attributes {
  readonly etag: string;
  readonly size: number;
  /** Held for the writer, who releases them once the version is committed or refused. */
  readonly segments: readonly Segment[];
  readonly md5?: string;
  readonly crc32?: string;
  /** Milliseconds; now when absent. */
  readonly lastModifiedMs?: number;
  /** Committed together with the version. */
  readonly also?: readonly Change[];
}

export interface WriteOptions {
  readonly event: EventName;
  /** Called when the write loses with 409, before the error is thrown. */
  readonly onConflict?: () => void;
}

/**
 * Makes what `make` returns the newest version of the request's key, if the request's conditions hold before and
 * after. Readers see the old version until the commit, and keep it if they began before. Throws 404, 409, 412.
 */
export async function writeVersion(
  context: S3Context,
  request: S3Request,
  options: WriteOptions,
  make: () => Draft | Promise<Draft>,
): Promise<Version> {
  const { key } = request;
  const condition = writeCondition(request);
  checkWrite(condition, key, latestVersion(bucketNamed(context, request.bucket), key));
  const write = context.writes.begin(request.bucket, key);
  try {
    const draft = await make();
    try {
      const bucket = bucketNamed(context, request.bucket);
      checkWrite(condition, key, latestVersion(bucket, key));
      if (condition !== undefined && write.raced()) {
        options.onConflict?.();
        throw conditionalConflict(key);
      }
      return commitVersion(context, request, bucket, draft, options.event);
    } finally {
      context.store.blobs.release(draft.segments);
    }
  } finally {
    write.end();
  }
}

function commitVersion(
  context: S3Context,
  request: S3Request,
  bucket: Bucket,
  { also = [], lastModifiedMs = wholeSeconds(context.clock), ...draft }: Draft,
  event: EventName,
): Version {
  const version = { ...draft, id: newVersionId(bucket), deleteMarker: false, lastModifiedMs };
  commitChange(context, request, bucket, version, event, [
    { do: 'put', bucket: bucket.name, key: request.key, version },
    ...also,
  ]);
  return version;
}

/** Commits changes to one key, tells the writes in progress and whoever listens. */
export function commitChange(
  context: S3Context,
  request: S3Request,
  bucket: Bucket,
  told: { readonly id: string; readonly etag?: string; readonly size?: number },
  event: EventName,
  changes: readonly Change[],
  key: string = request.key,
): void {
  const sequence = Math.max(context.store.state.sequence + 1, context.clock.now() * SEQUENCE_PER_MS);
  const happening: Happening = {
    name: event,
    key,
    ...(told.etag === undefined ? {} : { etag: told.etag }),
    ...(told.size === undefined ? {} : { size: told.size }),
    versionId: told.id,
    sequence,
    principal: request.principal,
    requestId: request.id,
  };
  context.store.commit({ do: 'sequence', sequence, told: { bucket: bucket.name, happening } }, ...changes);
  context.writes.changed(bucket.name, key);
  context.announce(bucket, happening);
}

/** Sequencers follow the clock, so that they look like S3's, with room for some changes in a millisecond. */
const SEQUENCE_PER_MS = 1024;

/** The newest version of a key, which may be a delete marker; undefined when the key has none. */
export function latestVersion(bucket: Bucket, key: string): Version | undefined {
  return bucket.keys.get(key)?.at(-1);
}

/** `null` unless versioning is on. */
export function newVersionId(bucket: Bucket): string {
  return bucket.settings.versioning === 'on' ? randomBytes(24).toString('base64url') : 'null';
}

/** `x-amz-version-id`, which only buckets that ever had versioning send. */
export function versionHeader(bucket: Bucket, version: { readonly id: string }): Record<string, string> {
  return bucket.settings.versioning === 'off' ? {} : { 'x-amz-version-id': version.id };
}
