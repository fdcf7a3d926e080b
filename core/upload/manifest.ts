import { Failure } from '../failure.ts';
import { type Key, manifestKey, uploadsOfDay } from '../table/key.ts';
import type { Item, Table } from '../table/table.ts';
import { etagText, type ObjectIdentity } from './identity.ts';
import { dayOf } from './landing-key.ts';

/** On the way: seen, landed, normalizing, normalized, exported, loaded; archives go by unpacked. Ended: the rest. */
export type UploadState =
  | 'seen'
  | 'landed'
  | 'normalizing'
  | 'normalized'
  | 'exported'
  | 'unpacked'
  | 'loaded'
  | 'rejected'
  | 'failed'
  | 'superseded'
  | 'deleted'
  | 'unrouted'
  | 'parked';

/** A source that claims no object: uploads that no source claims are listed under it. No source can have this id. */
export const unroutedSource = '~unrouted';

export interface Manifest extends Item {
  readonly sourceId: string;
  readonly uploadState: UploadState;
  readonly bucketName: string;
  readonly objectKey: string;
  readonly versionId?: string;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly lastModifiedMs?: number;
  readonly landingKey?: string;
  readonly landedAt: string;
  /** When the state last changed, milliseconds since the epoch. */
  readonly changedAtMs: number;
  /** The revision it is normalized under; absent until the first one is finished. */
  readonly revision?: number;
  readonly firstRevision?: number;
  readonly closed?: boolean;
  readonly stateReason?: string;
  /** Of a member: the upload of its archive. */
  readonly parentId?: string;
  /** Of an archive that is unpacked. Folders do not count. */
  readonly memberCount?: number;
}

const listedAnewMs = 7 * 24 * 60 * 60 * 1000;

export interface NewUpload {
  readonly sourceId: string;
  readonly uploadId: string;
  /** Of a member of an archive: the upload of its archive. */
  readonly parentId?: string | undefined;
  readonly object: ObjectIdentity;
}

function facts({ sourceId, uploadId, parentId, object }: NewUpload, nowMs: number) {
  const landedAt = new Date(nowMs).toISOString();
  return {
    sourceId,
    bucketName: object.bucket,
    objectKey: object.key,
    etag: etagText(object.etag),
    landedAt,
    gsi1pk: uploadsOfDay(sourceId, dayOf(nowMs)),
    gsi1sk: `${landedAt}#${uploadId}`,
    ...(parentId === undefined ? {} : { parentId }),
    ...(object.sizeBytes === undefined ? {} : { sizeBytes: object.sizeBytes }),
    ...(object.versionId === undefined ? {} : { versionId: object.versionId }),
    ...(object.lastModifiedMs === undefined ? {} : { lastModifiedMs: object.lastModifiedMs }),
  };
}

/** Notes that an upload was seen, and answers with its manifest as it stood before, if it had one. */
export async function noteSeen(table: Table, upload: NewUpload, nowMs: number): Promise<Manifest | undefined> {
  const item = { ...manifestKey(upload.uploadId), ...facts(upload, nowMs), uploadState: 'seen', changedAtMs: nowMs };
  const put = await table.put(item, { expression: 'attribute_not_exists(pk)' });
  return put.done ? undefined : (put.item as Manifest);
}

/** Notes that the verbatim copy lies in landing. Changes nothing once the upload is further on. */
export async function noteLanded(table: Table, upload: NewUpload, landingKey: string, nowMs: number): Promise<void> {
  await table.update(manifestKey(upload.uploadId), {
    // The copy exists, so this outweighs an earlier belief that the object was gone, archived or stuck.
    set: { uploadState: 'landed', landingKey, changedAtMs: nowMs, closed: false, stateReason: '' },
    onlyIfAbsent: facts(upload, nowMs),
    condition: { expression: 'attribute_not_exists(landingKey)' },
  });
}

/** Notes how an upload ended before it landed: listed, so that no event vanishes in silence. */
export async function noteEnded(
  table: Table,
  upload: NewUpload,
  end: { readonly uploadState: UploadState; readonly stateReason: string },
  nowMs: number,
): Promise<void> {
  await table.update(manifestKey(upload.uploadId), {
    // A parked upload waits for its restore or for the rest of its delivery: its books stay open.
    set: { ...end, closed: end.uploadState !== 'parked', changedAtMs: nowMs },
    onlyIfAbsent: facts(upload, nowMs),
    condition: {
      expression:
        'attribute_not_exists(landingKey) AND (attribute_not_exists(uploadState) OR uploadState IN (:seen, :parked))',
      values: { ':seen': 'seen', ':parked': 'parked' },
    },
  });
}

/**
 * Notes that a worker normalizes the upload under this revision; creates a manifest that was lost. Undefined when the
 * upload is already finished under this revision or a later one. `firstRevision` of the answer is the one that any
 * worker of this upload began with.
 */
export async function noteNormalizing(
  table: Table,
  upload: NewUpload,
  landing: { readonly landingKey: string; readonly revision: number },
  nowMs: number,
): Promise<Manifest | undefined> {
  const key = manifestKey(upload.uploadId);
  const update = await table.update(key, {
    set: { uploadState: 'normalizing', landingKey: landing.landingKey, changedAtMs: nowMs, closed: false },
    onlyIfAbsent: { ...facts(upload, nowMs), firstRevision: landing.revision },
    condition: {
      expression: 'attribute_not_exists(revision) OR revision < :revision',
      values: { ':revision': landing.revision },
    },
  });
  if (!update.done) return undefined;
  const manifest = update.item as Manifest;
  // Open books are looked for among the uploads of recent days: an old upload that runs again is listed anew.
  if (Date.parse(manifest.landedAt) < nowMs - listedAnewMs) {
    const { gsi1pk, gsi1sk } = facts(upload, nowMs);
    await table.update(key, { set: { gsi1pk, gsi1sk } });
  }
  return manifest;
}

/**
 * What lists an upload among those of today, when it was listed a week ago or longer; nothing otherwise. Open books are
 * looked for among recent days alone.
 */
export function listedAnew(manifest: Manifest, nowMs: number): { readonly gsi1pk?: string; readonly gsi1sk?: string } {
  const [listedAt = ''] = String(manifest['gsi1sk'] ?? '').split('#');
  if (Date.parse(listedAt) > nowMs - listedAnewMs) return {};
  const now = new Date(nowMs).toISOString();
  return {
    gsi1pk: uploadsOfDay(manifest.sourceId, dayOf(nowMs)),
    gsi1sk: `${now}#${uploadIdOf(manifest)}`,
  };
}

/** The key of a manifest back to its upload's id. */
export function uploadIdOf(key: Key): string {
  if (!key.pk.startsWith('U#')) throw new Failure('config', 'table.badKey', `${key.pk} is no upload's partition`);
  return key.pk.slice(2);
}
