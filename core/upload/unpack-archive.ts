import { archiveKind } from '../decode/archive.ts';
import type { RandomAccess } from '../decode/random-access.ts';
import { retryable } from '../failure.ts';
import { envelope } from '../origin/candidate.ts';
import { manifestKey } from '../table/key.ts';
import {
  type MemberNote,
  notedMembers,
  noteProgress,
  noteRead,
  noteStandstill,
  noteUnpacked,
} from './archive-books.ts';
import { parseArchiveKey } from './archive-key.ts';
import type { MemberPorts, MemberStore } from './land-member.ts';
import { parseLandingMetadata } from './landing-metadata.ts';
import { noteLanded } from './manifest.ts';
import { defaultUnpackLimits, firstPass, type Run, secondPass, type UnpackLimits } from './unpack-passes.ts';

/** The landing bucket as archives are read from it, and members put there. */
export interface UnpackStore extends MemberStore {
  /** Undefined when it is gone. */
  open(key: string): Promise<(RandomAccess & { readonly metadata: Readonly<Record<string, string>> }) | undefined>;
}

export interface UnpackPorts extends MemberPorts {
  readonly store: UnpackStore;
  readonly landingBucket: string;
  /** Sends a message to the queue that this one came from. */
  readonly sendToUnpack: (body: string) => Promise<void>;
  /** Milliseconds left of this invocation. */
  readonly remainingMs: () => number;
  readonly limits?: Partial<UnpackLimits>;
}

export type Unpacked =
  | {
      readonly kind: 'unpacked' | 'continued';
      readonly uploadId: string;
      readonly members: number;
      readonly rejected: number;
      /** What ended the archive early; '' when nothing did. */
      readonly fault: string;
    }
  | { readonly kind: 'already' | 'notArchive' };

/** An archive is given up after so many runs in a row that get no member further. */
const mostStandstills = 3;

/** Thrown inside, when too little time is left to read on. */
const outOfTime = Symbol('out of time');

/**
 * Lands every member of the archive under this key as an upload of its own. May run twice, at once, and in several
 * goes: what the parent's books note is done, and every write is a pure function of the archive's bytes. When time runs
 * out a message to the same queue goes on. Memory: `lanes` members of `memberBytes`, whatever the archive's size.
 *
 * The content of a member of a tar has to be known before its copy is written, so long ones are read twice.
 *
 * Throws retryable `unpack.archiveGone`, and `unpack.noProgress` when one invocation is too short for a single member;
 * the third time in a row that ends the archive.
 */
export async function unpackArchive(key: string, ports: UnpackPorts): Promise<Unpacked> {
  const name = parseArchiveKey(key);
  if (!name) return { kind: 'notArchive' };
  const opened = await ports.store.open(key);
  const facts = opened && parseLandingMetadata(opened.metadata);
  if (!opened || !facts) {
    const why = opened ? 'its metadata is not Firn’s' : 'it is gone';
    throw retryable('unpack.archiveGone', `Unpacking ${key} failed: ${why}. Land the archive again.`);
  }
  const { table } = ports;
  const manifest = await table.get(manifestKey(name.uploadId));
  if (manifest?.['memberCount'] !== undefined) return { kind: 'already' };
  if (manifest?.['landingKey'] === undefined) {
    await noteLanded(table, { ...name, object: facts.object }, key, ports.now());
  }
  const limits = { ...defaultUnpackLimits, ...ports.limits };
  const file = { sizeBytes: opened.sizeBytes, read: untilTimeRunsOut(opened, ports, limits) };
  const kind = await archiveKind((bytes) => opened.read(0, Math.min(bytes, opened.sizeBytes)), facts.object.key);
  const noted = await notedMembers(table, name.uploadId);
  const run = kind && { parent: { name, facts }, kind, file, ports, limits, noted, fresh: 0 };
  const isRead = manifest?.['archiveRead'] === true;
  const before = isRead ? String(manifest['archiveFault']) : undefined;
  try {
    const fault = run ? await finishRun(run, before) : 'it is no archive that this build knows';
    await noteUnpacked(table, name.uploadId, noted, fault, ports.now());
    return { kind: 'unpacked', uploadId: name.uploadId, ...countsOf(noted), fault };
  } catch (error) {
    if (error !== outOfTime || !run) throw error;
    return goOnLater(key, run, ports, Number(manifest?.['standstills'] ?? 0));
  }
}

/** Runs both passes; `before` is the outcome of the first one, if an earlier run finished it. Answers what ended it early. */
async function finishRun(run: Run, before: string | undefined): Promise<string> {
  const fault = before ?? (await firstPass(run));
  const isWaiting = [...run.noted.values()].some((each) => each.memberState === 'hashed');
  if (!isWaiting) return fault;
  if (before === undefined) await noteRead(run.ports.table, run.parent.name.uploadId, fault);
  await secondPass(run);
  return fault;
}

async function goOnLater(key: string, run: Run, ports: UnpackPorts, standstills: number): Promise<Unpacked> {
  const { parent, noted } = run;
  const { uploadId } = parent.name;
  if (run.fresh > 0) {
    await noteProgress(ports.table, uploadId, ports.now());
    await ports.sendToUnpack(envelope({ bucket: ports.landingBucket, key }));
    return { kind: 'continued', uploadId, ...countsOf(noted), fault: '' };
  }
  const fault = 'one invocation is too short to get from one member to the next: send them by themselves';
  if (standstills + 1 < mostStandstills) {
    await noteStandstill(ports.table, uploadId, standstills + 1);
    throw retryable('unpack.noProgress', `Unpacking ${key} failed: ${fault}. It is tried again.`);
  }
  await noteUnpacked(ports.table, uploadId, noted, fault, ports.now());
  return { kind: 'unpacked', uploadId, ...countsOf(noted), fault };
}

function countsOf(noted: ReadonlyMap<number, MemberNote>): { readonly members: number; readonly rejected: number } {
  const notes = [...noted.values()];
  return { members: notes.length, rejected: notes.filter((each) => each.memberState === 'rejected').length };
}

function untilTimeRunsOut(file: RandomAccess, { remainingMs }: UnpackPorts, { reserveMs }: UnpackLimits) {
  return async (start: number, end: number): Promise<Uint8Array> => {
    if (remainingMs() < reserveMs) throw outOfTime;
    return file.read(start, end);
  };
}
