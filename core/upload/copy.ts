import { retryable } from '../failure.ts';
import type { Candidate } from '../origin/candidate.ts';
import type { RegisteredSource } from '../source/registry.ts';
import type { Route } from '../source/routing.ts';
import type { Table } from '../table/table.ts';
import { etagText, type ObjectIdentity, uploadId } from './identity.ts';
import { dayOf, landingKey, safeBaseName } from './landing-key.ts';
import { type LandingFacts, landingMetadata } from './landing-metadata.ts';
import { type NewUpload, noteEnded, noteLanded, noteSeen, unroutedSource } from './manifest.ts';

/** An object as HeadObject reports it. */
export interface ObjectFacts extends ObjectIdentity {
  readonly etag: string;
  readonly sizeBytes: number;
  readonly lastModifiedMs: number;
  readonly contentType?: string | undefined;
  /** True for an object in an archive tier that has to be restored before it can be read. */
  readonly archived?: boolean;
}

/** The objects copy works with. */
export interface CopyStore {
  /** Undefined when there is no such object or version. */
  head(bucket: string, key: string, versionId?: string): Promise<ObjectFacts | undefined>;
  /**
   * Copies server-side, whatever the size, only if the source still has this ETag and the destination does not exist.
   * `precondition`: one of the two did not hold.
   */
  copy(source: ObjectFacts, destination: LandingCopy): Promise<'copied' | 'precondition'>;
}

export interface LandingCopy {
  readonly bucket: string;
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface CopyPorts {
  readonly route: Route;
  readonly store: CopyStore;
  readonly table: Table;
  readonly landingBucket: string;
  readonly now: () => number;
}

/** What became of a candidate. Every outcome is final: what may work later is thrown. */
export type Copied =
  | { readonly kind: 'landed'; readonly sourceId: string; readonly uploadId: string; readonly landingKey: string }
  | { readonly kind: 'already'; readonly sourceId: string; readonly uploadId: string }
  | { readonly kind: 'superseded' | 'deleted' | 'parked'; readonly sourceId: string; readonly uploadId: string }
  | { readonly kind: 'unrouted' | 'folder' };

/** A source that is overwritten faster than it can be copied is left to its next event after this many tries. */
const tries = 5;

/**
 * Takes one candidate into landing. HeadObject's values alone name the upload, so every trigger path, repeat and
 * order of events gives the same; the copy is conditional on both ends, so that parallel workers do it once.
 * Throws retryable `copy.sourceKeepsChanging`.
 */
export async function copyCandidate(candidate: Candidate, ports: CopyPorts): Promise<Copied> {
  if (candidate.key.endsWith('/') && (candidate.sizeBytes ?? 0) === 0) return { kind: 'folder' };
  const registered = ports.route(candidate.bucket, candidate.key);
  if (!registered) return unrouted(candidate, ports);
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const found = await ports.store.head(candidate.bucket, candidate.key, candidate.versionId);
    if (!found) return gone(candidate, registered.id, ports);
    // The event's own object was overwritten: say so, and land what is there now, whose event may have been collapsed.
    // Only at the first look: what it found there has been listed under its own id since.
    if (attempt === 0 && isOther(candidate, found)) await superseded(candidate, registered.id, ports);
    const outcome = await land(registered, found, ports);
    if (outcome) return outcome;
  }
  const object = `s3://${candidate.bucket}/${candidate.key}`;
  throw retryable(
    'copy.sourceKeepsChanging',
    `Copying ${object} failed: it changed during each of ${tries} tries. It is tried again.`,
  );
}

/** True when the event tells of another object than the one that is there now. */
function isOther({ etag, lastModifiedMs }: Candidate, found: ObjectFacts): boolean {
  if (etag !== undefined && etagText(etag) !== etagText(found.etag)) return true;
  // The same bytes put again are another upload; only Firn's own envelope knows when its object was put.
  return lastModifiedMs !== undefined && Math.floor(lastModifiedMs / 1000) !== Math.floor(found.lastModifiedMs / 1000);
}

async function land(registered: RegisteredSource, found: ObjectFacts, ports: CopyPorts): Promise<Copied | undefined> {
  const { table, store, landingBucket } = ports;
  const upload: NewUpload = { sourceId: registered.id, uploadId: uploadId(registered.id, found), object: found };
  const named = { sourceId: upload.sourceId, uploadId: upload.uploadId };
  if (found.archived) {
    const stateReason = `the object is archived: restore s3://${found.bucket}/${found.key}, then send its event again`;
    await noteEnded(table, upload, { uploadState: 'parked', stateReason }, ports.now());
    return { kind: 'parked', ...named };
  }
  const before = await noteSeen(table, upload, ports.now());
  if (before?.landingKey !== undefined) return { kind: 'already', ...named };
  const key = landingKey({ ...named, day: dayOf(found.lastModifiedMs), baseName: safeBaseName(found.key) });
  const facts: LandingFacts = { sourceId: upload.sourceId, object: found };
  // Somebody was here before: perhaps only the note of the copy is missing, and the copy may be a large one.
  if (before && (await store.head(landingBucket, key))) {
    await noteLanded(table, upload, key, ports.now());
    return { kind: 'landed', ...named, landingKey: key };
  }
  const result = await store.copy(found, { bucket: landingBucket, key, metadata: landingMetadata(facts) });
  // 412 has two causes: landed means somebody else was first, absent means the source changed.
  if (result === 'precondition' && !(await store.head(landingBucket, key))) {
    await noteEnded(
      table,
      upload,
      { uploadState: 'superseded', stateReason: 'overwritten before it was copied' },
      ports.now(),
    );
    return undefined;
  }
  await noteLanded(table, upload, key, ports.now());
  return { kind: 'landed', ...named, landingKey: key };
}

async function unrouted(candidate: Candidate, ports: CopyPorts): Promise<Copied> {
  const upload = eventUpload(candidate, unroutedSource);
  const stateReason = 'no source claims this bucket and key';
  await noteEnded(ports.table, upload, { uploadState: 'unrouted', stateReason }, ports.now());
  return { kind: 'unrouted' };
}

async function gone(candidate: Candidate, sourceId: string, ports: CopyPorts): Promise<Copied> {
  const upload = eventUpload(candidate, sourceId);
  await noteEnded(
    ports.table,
    upload,
    { uploadState: 'deleted', stateReason: 'deleted before it was copied' },
    ports.now(),
  );
  return { kind: 'deleted', sourceId, uploadId: upload.uploadId };
}

async function superseded(candidate: Candidate, sourceId: string, ports: CopyPorts): Promise<void> {
  const upload = eventUpload(candidate, sourceId);
  await noteEnded(
    ports.table,
    upload,
    { uploadState: 'superseded', stateReason: 'overwritten before it was copied' },
    ports.now(),
  );
}

// An object that is gone cannot be asked: its id comes from what the event says.
function eventUpload(candidate: Candidate, sourceId: string): NewUpload {
  return { sourceId, uploadId: uploadId(sourceId, candidate), object: candidate };
}
