import { Failure } from '../failure.ts';
import { type Key, manifestKey, uploadsOfDay } from '../table/key.ts';
import type { Item, Table } from '../table/table.ts';
import { etagText, type ObjectIdentity } from './identity.ts';
import { dayOf } from './landing-key.ts';

/** On the way: seen, landed, normalizing, normalized, exported, loaded. Ended: the rest. */
export type UploadState =
  | 'seen'
  | 'landed'
  | 'normalizing'
  | 'normalized'
  | 'exported'
  | 'loaded'
  | 'rejected'
  | 'failed'
  | 'superseded'
  | 'deleted'
  | 'unrouted'
  | 'parked';

export const endedStates: readonly UploadState[] = ['loaded', 'rejected', 'superseded', 'deleted', 'unrouted'];

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
  readonly revision?: number;
  readonly closed?: boolean;
  readonly stateReason?: string;
}

export interface NewUpload {
  readonly sourceId: string;
  readonly uploadId: string;
  readonly object: ObjectIdentity;
}

function facts({ sourceId, uploadId, object }: NewUpload, nowMs: number) {
  const landedAt = new Date(nowMs).toISOString();
  return {
    sourceId,
    bucketName: object.bucket,
    objectKey: object.key,
    etag: etagText(object.etag),
    landedAt,
    gsi1pk: uploadsOfDay(sourceId, dayOf(nowMs)),
    gsi1sk: `${landedAt}#${uploadId}`,
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
    set: { uploadState: 'landed', landingKey, changedAtMs: nowMs },
    onlyIfAbsent: facts(upload, nowMs),
    // The copy exists, so this outweighs an earlier belief that the object was gone.
    condition: {
      expression: 'attribute_not_exists(uploadState) OR uploadState IN (:seen, :superseded, :deleted)',
      values: { ':seen': 'seen', ':superseded': 'superseded', ':deleted': 'deleted' },
    },
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
    // A parked upload waits for its restore: its books stay open.
    set: { ...end, closed: end.uploadState !== 'parked', changedAtMs: nowMs },
    onlyIfAbsent: facts(upload, nowMs),
    condition: { expression: 'attribute_not_exists(uploadState) OR uploadState = :seen', values: { ':seen': 'seen' } },
  });
}

/**
 * Notes that a worker normalizes the upload under this revision; creates a manifest that was lost. Undefined when the
 * upload is already finished under this revision or a later one.
 */
export async function noteNormalizing(
  table: Table,
  upload: NewUpload,
  landing: { readonly landingKey: string; readonly revision: number },
  nowMs: number,
): Promise<Manifest | undefined> {
  const update = await table.update(manifestKey(upload.uploadId), {
    set: { uploadState: 'normalizing', landingKey: landing.landingKey, changedAtMs: nowMs, closed: false },
    onlyIfAbsent: facts(upload, nowMs),
    condition: {
      expression: 'attribute_not_exists(revision) OR revision < :revision',
      values: { ':revision': landing.revision },
    },
  });
  return update.done ? (update.item as Manifest) : undefined;
}

/** The key of a manifest back to its upload's id. */
export function uploadIdOf(key: Key): string {
  if (!key.pk.startsWith('U#')) throw new Failure('config', 'table.badKey', `${key.pk} is no upload's partition`);
  return key.pk.slice(2);
}
