import { retryable } from '../failure.ts';
import { isAnnouncer } from '../origin/announcer.ts';
import type { Candidate } from '../origin/candidate.ts';
import type { Deliveries, Released } from '../origin/complete.ts';
import { isFolder } from '../origin/listing.ts';
import type { RegisteredSource } from '../source/registry.ts';
import type { Route } from '../source/routing.ts';
import type { Table } from '../table/table.ts';
import { copyPlace } from './copy-place.ts';
import { etagText, type ObjectIdentity, uploadId } from './identity.ts';
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

/**
 * The bucket of one source, reached the way its origin says, and landing. Whatever the owner does not allow is thrown as
 * retryable `copy.accessDenied`, with what to ask the owner for.
 */
export interface CopyStore {
  /** An object of the source. Undefined when there is no such object or version. */
  head(bucket: string, key: string, versionId?: string): Promise<ObjectFacts | undefined>;
  /**
   * Bytes of this very object, both ends inclusive; fewer where it ends before `last`. `precondition`: it was
   * overwritten or deleted. `archived`: it has to be restored first.
   */
  read(source: ObjectFacts, first: number, last: number): Promise<Uint8Array | 'precondition' | 'archived'>;
  /** Whether landing has the key. */
  landed(bucket: string, key: string): Promise<boolean>;
  /**
   * Copies an object whatever its size, only if the source still has this ETag and the destination does not exist.
   * `precondition`: one of the two did not hold. `archived`: it has to be restored before it can be read.
   */
  copy(source: ObjectFacts, destination: LandingCopy): Promise<'copied' | 'precondition' | 'archived'>;
}

export interface LandingCopy {
  readonly bucket: string;
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface CopyPorts {
  readonly route: Route;
  /** The store that reaches a source's bucket. */
  readonly storeFor: (source: RegisteredSource) => CopyStore;
  readonly deliveries: Deliveries;
  readonly table: Table;
  readonly landingBucket: string;
  readonly now: () => number;
}

/** What became of a candidate. Every outcome is final: what may work later is thrown. */
export type Copied =
  | { readonly kind: 'landed'; readonly sourceId: string; readonly uploadId: string; readonly landingKey: string }
  | { readonly kind: 'already'; readonly sourceId: string; readonly uploadId: string }
  | {
      readonly kind: 'superseded' | 'deleted' | 'parked' | 'unlisted';
      readonly sourceId: string;
      readonly uploadId: string;
    }
  /** It was a marker or a manifest; `released` is undefined when it is gone again. */
  | { readonly kind: 'announced'; readonly sourceId: string; readonly released: Released | undefined }
  | { readonly kind: 'unrouted' | 'excluded' | 'folder' };

/** A source that is overwritten faster than it can be copied is left to its next event after this many tries. */
const tries = 5;

/**
 * Takes one candidate into landing. HeadObject's values alone name the upload, so every trigger path, repeat and
 * order of events gives the same; the copy is conditional on both ends, so that parallel workers do it once.
 * Throws retryable `copy.sourceKeepsChanging`.
 */
export async function copyCandidate(candidate: Candidate, ports: CopyPorts): Promise<Copied> {
  if (isFolder(candidate)) return { kind: 'folder' };
  const registered = ports.route(candidate.bucket, candidate.key);
  if (registered === 'excluded') return { kind: 'excluded' };
  if (!registered) return unrouted(candidate, ports);
  const { from } = registered.source.config;
  if (isAnnouncer(from, candidate.key)) {
    const released = await ports.deliveries.release(registered, candidate.bucket, candidate.key);
    return { kind: 'announced', sourceId: registered.id, released };
  }
  const store = ports.storeFor(registered);
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const found = await store.head(candidate.bucket, candidate.key, candidate.versionId);
    if (!found) return gone(candidate, registered.id, ports);
    // Not every candidate says how large it is.
    if (isFolder(found)) return { kind: 'folder' };
    // The event's own object was overwritten: say so, and land what is there now, whose event may have been collapsed.
    // Only at the first look: what it found there has been listed under its own id since.
    if (attempt === 0 && isOther(candidate, found)) await superseded(eventUpload(candidate, registered.id), ports);
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
  const { table, landingBucket } = ports;
  const store = ports.storeFor(registered);
  const upload: NewUpload = { sourceId: registered.id, uploadId: uploadId(registered.id, found), object: found };
  const named = { sourceId: upload.sourceId, uploadId: upload.uploadId };
  if (found.archived) return park(upload, restoreFirst(found), ports);
  const standing = await ports.deliveries.standing(registered, found.bucket, found.key);
  if (standing?.kind === 'waits') return park(upload, standing.reason, ports);
  if (standing) {
    await noteEnded(table, upload, { uploadState: 'unrouted', stateReason: standing.reason }, ports.now());
    return { kind: 'unlisted', ...named };
  }
  const before = await noteSeen(table, upload, ports.now());
  if (before?.landingKey !== undefined) return { kind: 'already', ...named };
  const place = await copyPlace(registered, upload.uploadId, found, store);
  if (place === 'archived') return park(upload, restoreFirst(found), ports);
  if (place === 'precondition') return superseded(upload, ports);
  const { key } = place;
  const facts: LandingFacts = { sourceId: upload.sourceId, object: found };
  // Somebody was here before: perhaps only the note of the copy is missing, and the copy may be a large one.
  if (before && (await store.landed(landingBucket, key))) {
    await noteLanded(table, upload, key, ports.now());
    return { kind: 'landed', ...named, landingKey: key };
  }
  const result = await store.copy(found, { bucket: landingBucket, key, metadata: landingMetadata(facts) });
  // HeadObject does not tell of every tier that is an archive.
  if (result === 'archived') return park(upload, restoreFirst(found), ports);
  // 412 has two causes: landed means somebody else was first, absent means the source changed.
  if (result === 'precondition' && !(await store.landed(landingBucket, key))) return superseded(upload, ports);
  await noteLanded(table, upload, key, ports.now());
  return { kind: 'landed', ...named, landingKey: key };
}

/** Keeps the upload's books open until it can be read; the event of what it waits for sends it again. */
async function park(upload: NewUpload, stateReason: string, { table, now }: CopyPorts): Promise<Copied> {
  await noteEnded(table, upload, { uploadState: 'parked', stateReason }, now());
  return { kind: 'parked', sourceId: upload.sourceId, uploadId: upload.uploadId };
}

function restoreFirst({ bucket, key }: ObjectFacts): string {
  return `it is archived: restore s3://${bucket}/${key}`;
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

async function superseded(upload: NewUpload, { table, now }: CopyPorts): Promise<undefined> {
  const end = { uploadState: 'superseded', stateReason: 'overwritten before it was copied' } as const;
  await noteEnded(table, upload, end, now());
}

// An object that is gone cannot be asked: its id comes from what the event says.
function eventUpload(candidate: Candidate, sourceId: string): NewUpload {
  return { sourceId, uploadId: uploadId(sourceId, candidate), object: candidate };
}
