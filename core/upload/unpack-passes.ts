import { createLanes } from '../bounded.ts';
import { type ArchiveEntry, type ArchiveKind, readArchive } from '../decode/archive.ts';
import { DecodeError } from '../decode/codes.ts';
import type { RandomAccess } from '../decode/random-access.ts';
import { type MemberNote, noteMember } from './archive-books.ts';
import { isPassedOver, type Member, memberOf, type ParentArchive, pathRefusal } from './archive-member.ts';
import {
  damageOf,
  landMember,
  type MemberHead,
  type MemberPorts,
  markOf,
  markOfAll,
  nestedRefusal,
  readHead,
  rejectMember,
} from './land-member.ts';

export interface UnpackLimits {
  /** Folders count. */
  readonly maxMembers: number;
  /** Of all members together. */
  readonly maxBytes: number;
  /** Bytes out for each byte of the archive; nothing below `ratioFromBytes` is held against it. */
  readonly maxRatio: number;
  readonly ratioFromBytes: number;
  /** Members up to this size are held in memory, and `lanes` of them land at once. */
  readonly memberBytes: number;
  readonly lanes: number;
  /** Nothing more is read when less of the invocation is left: what is under way must land in this time. */
  readonly reserveMs: number;
}

export const defaultUnpackLimits: UnpackLimits = {
  maxMembers: 10_000,
  maxBytes: 50 * 1024 ** 3,
  maxRatio: 1000,
  ratioFromBytes: 64 * 1024 ** 2,
  memberBytes: 8 * 1024 ** 2,
  lanes: 8,
  reserveMs: 60_000,
};

/** One run over an archive. */
export interface Run {
  readonly parent: ParentArchive;
  readonly kind: ArchiveKind;
  readonly file: RandomAccess;
  readonly ports: MemberPorts;
  readonly limits: UnpackLimits;
  readonly noted: Map<number, MemberNote>;
  /** Members noted by this very run. */
  fresh: number;
}

/** Takes every member that is not noted yet. Answers what ended the archive early, '' when nothing did. */
export async function firstPass(run: Run): Promise<string> {
  const { parent, kind, file, limits, noted } = run;
  const lanes = createLanes(limits.lanes);
  const paths = new Set<string>();
  const taken = { bytes: 0 };
  let fault = '';
  try {
    for await (const entry of readArchive(kind, file, parent.facts.object.key, limits)) {
      if (isPassedOver(entry)) continue;
      const member = memberOf(parent, entry);
      const refusal = entry.refusal ?? pathRefusal(entry.path) ?? twice(member, paths);
      if (refusal === undefined) expectRoom(taken, member, run);
      if (noted.has(entry.ordinal)) continue;
      if (refusal !== undefined)
        await lanes.run(() => note(run, member, rejectMember(parent, member, refusal, run.ports)));
      else if (kind === 'zip') await lanes.run(() => note(run, member, take(run, entry, member)));
      else await takeInTurn(run, entry, member, lanes.run);
    }
  } catch (error) {
    const damage = damageOf(error);
    if (damage === undefined) {
      // What is under way is noted, for the next run.
      await lanes.end().catch(() => undefined);
      throw error;
    }
    fault = damage;
  }
  await lanes.end();
  return fault;
}

function twice({ path }: Member, paths: Set<string>): string | undefined {
  if (paths.has(path)) return 'another member before it has the same path';
  paths.add(path);
  return undefined;
}

/** Counts what members say of their size: their data is held to it. */
function expectRoom(taken: { bytes: number }, { sizeBytes }: Member, { limits, file }: Run): void {
  taken.bytes += sizeBytes;
  const isTooMuch = taken.bytes > limits.maxBytes;
  if (!isTooMuch && (taken.bytes <= limits.ratioFromBytes || taken.bytes <= file.sizeBytes * limits.maxRatio)) return;
  const most = isTooMuch ? `${limits.maxBytes} bytes` : `${limits.maxRatio} bytes for each of its own`;
  throw new DecodeError('decode.bomb', `its members hold more than ${most}`);
}

async function note(run: Run, { ordinal }: Member, landing: Promise<MemberNote>): Promise<void> {
  run.noted.set(ordinal, await landing);
  run.fresh += 1;
}

/** Lands a member that can be read on its own, and whose content the archive names. */
async function take({ parent, limits, ports }: Run, entry: ArchiveEntry, member: Member): Promise<MemberNote> {
  let head: MemberHead | undefined;
  try {
    head = await readHead(entry, limits.memberBytes);
    const refusal = await nestedRefusal(head, member.path);
    if (refusal !== undefined) return await rejectMember(parent, member, refusal, ports);
    return await landMember(parent, member, entry.contentMark ?? markOf(head.bytes), head, ports);
  } catch (error) {
    const damage = damageOf(error);
    if (damage === undefined) throw error;
    return rejectMember(parent, member, damage, ports);
  } finally {
    await head?.rest.return?.();
  }
}

/** Reads a member of a stream before the next one comes, and lands it beside the next if it is small. */
async function takeInTurn(
  run: Run,
  entry: ArchiveEntry,
  member: Member,
  inLane: (work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const { parent, limits, ports } = run;
  const reject = (reason: string) => inLane(() => note(run, member, rejectMember(parent, member, reason, ports)));
  try {
    const head = await readHead(entry, limits.memberBytes);
    const refusal = await nestedRefusal(head, member.path);
    if (refusal !== undefined) return await reject(refusal);
    if (head.isWhole) {
      return await inLane(() => note(run, member, landMember(parent, member, markOf(head.bytes), head, ports)));
    }
    const hashed: MemberNote = { memberState: 'hashed', contentMark: await markOfAll(head) };
    await noteMember(ports.table, parent.name.uploadId, member, hashed);
    await note(run, member, Promise.resolve(hashed));
  } catch (error) {
    const damage = damageOf(error);
    if (damage === undefined) throw error;
    // Of the rest of the archive the reader will say the same.
    await reject(damage);
  }
}

/** Lands the long members whose content has a name by now. */
export async function secondPass(run: Run): Promise<void> {
  const { parent, kind, file, limits, noted, ports } = run;
  const waiting = new Map([...noted].filter(([, each]) => each.memberState === 'hashed'));
  for await (const entry of readArchive(kind, file, parent.facts.object.key, limits)) {
    const { contentMark } = waiting.get(entry.ordinal) ?? {};
    if (contentMark === undefined) continue;
    const member = memberOf(parent, entry);
    await note(
      run,
      member,
      readHead(entry, limits.memberBytes).then((head) => landMember(parent, member, contentMark, head, ports)),
    );
    waiting.delete(entry.ordinal);
    if (waiting.size === 0) return;
  }
}
