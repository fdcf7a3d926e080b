import { envelope } from '../origin/candidate.ts';
import { manifestKey } from '../table/key.ts';
import type { Table } from '../table/table.ts';
import { isArchiveKey } from './archive-key.ts';
import { listedAnew, type Manifest, uploadIdOf } from './manifest.ts';

export interface RedrivePorts {
  readonly table: Table;
  readonly landingBucket: string;
  readonly sendToCopy: (body: string) => Promise<void>;
  readonly sendToNormalize: (body: string) => Promise<void>;
  readonly sendToUnpack: (body: string) => Promise<void>;
  readonly now: () => number;
}

/** A queue message may be invisible for this long while a worker that died held it: longer than any visibility timeout. */
const stuckMs = 2 * 60 * 60 * 1000;
const redrives = 3;
const dayMs = 24 * 60 * 60 * 1000;
/** How long a parked upload is looked at every day; after that every week, for which it is listed anew each time. */
const dailyLooksMs = 14 * dayMs;

/** Sends a stuck upload on its way again, a few times; then it is failed, and a person has to look. */
export async function redrive(manifest: Manifest, ports: RedrivePorts): Promise<'redriven' | 'failed' | undefined> {
  const { uploadState, changedAtMs } = manifest;
  if (uploadState === 'parked') return lookAgain(manifest, ports);
  const waiting = uploadState === 'seen' || uploadState === 'landed' || uploadState === 'normalizing';
  if (!waiting || ports.now() - changedAtMs < stuckMs) return undefined;
  const movedAtMs = uploadState === 'normalizing' ? await lastMoveOfParts(manifest, ports.table) : 0;
  if (ports.now() - movedAtMs < stuckMs) return undefined;
  // What has come further since it was last sent is tried as often again.
  const before = movedAtMs > changedAtMs ? 0 : Number(manifest['redrives'] ?? 0);
  const key = manifestKey(uploadIdOf(manifest));
  const condition = { expression: 'changedAtMs = :then', values: { ':then': changedAtMs } };
  if (before >= redrives) {
    const stateReason = `it stopped while ${uploadState}, and again after each of ${redrives} new tries: look for its message in the dead-letter queue`;
    await ports.table.update(key, { set: { uploadState: 'failed', stateReason, changedAtMs: ports.now() }, condition });
    return 'failed';
  }
  // Sent first: a message too many does no harm, one too few would lose the upload.
  if (manifest.landingKey === undefined) await ports.sendToCopy(envelope(candidateOf(manifest)));
  else {
    const send = isArchiveKey(manifest.landingKey) ? ports.sendToUnpack : ports.sendToNormalize;
    await send(envelope({ bucket: ports.landingBucket, key: manifest.landingKey }));
  }
  await ports.table.update(key, { set: { redrives: before + 1, changedAtMs: ports.now() }, condition });
  return 'redriven';
}

/**
 * Sends a parked upload to copy once a day for two weeks, then once a week: what it waits for may have come without an
 * event (a restore of somebody else's object tells nobody), and what was overwritten or deleted meanwhile ends there.
 */
async function lookAgain(
  manifest: Manifest,
  { table, sendToCopy, now }: RedrivePorts,
): Promise<'redriven' | undefined> {
  const { changedAtMs, landedAt } = manifest;
  const everyMs = now() - Date.parse(landedAt) < dailyLooksMs ? dayMs : 7 * dayMs;
  if (now() - changedAtMs < everyMs) return undefined;
  await sendToCopy(envelope(candidateOf(manifest)));
  const condition = { expression: 'changedAtMs = :then', values: { ':then': changedAtMs } };
  const set = { changedAtMs: now(), ...listedAnew(manifest, now()) };
  await table.update(manifestKey(uploadIdOf(manifest)), { set, condition });
  return 'redriven';
}

/** When the last checkpoint of any of its parts was: an upload of many parts may take hours. */
async function lastMoveOfParts(manifest: Manifest, table: Table): Promise<number> {
  let last = 0;
  for await (const items of table.query(manifest.pk, 'P#')) {
    for (const item of items) last = Math.max(last, Number(item['changedAtMs'] ?? 0));
  }
  return last;
}

function candidateOf(manifest: Manifest) {
  const { bucketName: bucket, objectKey: key, versionId, etag, sizeBytes, lastModifiedMs } = manifest;
  return { bucket, key, versionId, etag, sizeBytes, lastModifiedMs };
}
