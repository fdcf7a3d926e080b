import { envelope } from '../origin/candidate.ts';
import { manifestKey } from '../table/key.ts';
import type { Table } from '../table/table.ts';
import { type Manifest, uploadIdOf } from './manifest.ts';

export interface RedrivePorts {
  readonly table: Table;
  readonly landingBucket: string;
  readonly sendToCopy: (body: string) => Promise<void>;
  readonly sendToNormalize: (body: string) => Promise<void>;
  readonly now: () => number;
}

/** A queue message may be invisible for this long while a worker that died held it: longer than any visibility timeout. */
const stuckMs = 2 * 60 * 60 * 1000;
const redrives = 3;

/** Sends a stuck upload on its way again, a few times; then it is failed, and a person has to look. */
export async function redrive(manifest: Manifest, ports: RedrivePorts): Promise<'redriven' | 'failed' | undefined> {
  const { uploadState, changedAtMs } = manifest;
  const waiting = uploadState === 'seen' || uploadState === 'landed' || uploadState === 'normalizing';
  if (!waiting || ports.now() - changedAtMs < stuckMs) return undefined;
  const before = Number(manifest['redrives'] ?? 0);
  const key = manifestKey(uploadIdOf(manifest));
  const condition = { expression: 'changedAtMs = :then', values: { ':then': changedAtMs } };
  if (before >= redrives) {
    const stateReason = `it stopped while ${uploadState}, and again after each of ${redrives} new tries: look for its message in the dead-letter queue`;
    await ports.table.update(key, { set: { uploadState: 'failed', stateReason, changedAtMs: ports.now() }, condition });
    return 'failed';
  }
  // Sent first: a message too many does no harm, one too few would lose the upload.
  if (manifest.landingKey === undefined) await ports.sendToCopy(envelope(candidateOf(manifest)));
  else await ports.sendToNormalize(envelope({ bucket: ports.landingBucket, key: manifest.landingKey }));
  await ports.table.update(key, { set: { redrives: before + 1, changedAtMs: ports.now() }, condition });
  return 'redriven';
}

function candidateOf(manifest: Manifest) {
  const { bucketName: bucket, objectKey: key, versionId, etag, sizeBytes, lastModifiedMs } = manifest;
  return { bucket, key, versionId, etag, sizeBytes, lastModifiedMs };
}
