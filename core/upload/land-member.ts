import { createHash, hash } from 'node:crypto';
import { type ArchiveEntry, archiveKind } from '../decode/archive.ts';
import { DecodeError } from '../decode/codes.ts';
import type { Table } from '../table/table.ts';
import { type MemberNote, noteMember } from './archive-books.ts';
import {
  type Member,
  memberLandingKey,
  memberMetadata,
  memberUpload,
  type ParentArchive,
  tooLongPath,
} from './archive-member.ts';
import { noteEnded, noteLanded } from './manifest.ts';

/** Landing, as members are put there. */
export interface MemberStore {
  has(key: string): Promise<boolean>;
  /** Writes an object unless there is one of this key already. */
  putOnce(key: string, body: Uint8Array, metadata: Readonly<Record<string, string>>): Promise<void>;
  /** The same for a body of any length; chunks are valid until the next. A body that fails leaves nothing behind. */
  putStreamOnce(
    key: string,
    body: AsyncIterable<Uint8Array>,
    metadata: Readonly<Record<string, string>>,
  ): Promise<void>;
}

export interface MemberPorts {
  readonly table: Table;
  readonly store: MemberStore;
  readonly now: () => number;
}

/** The first bytes of a member, all of them when it is small. */
export interface MemberHead {
  readonly bytes: Uint8Array;
  readonly isWhole: boolean;
  readonly rest: AsyncIterator<Uint8Array>;
}

/** Reads as much of a member as is held in memory. Throws DecodeError where it is damaged. */
export async function readHead(entry: ArchiveEntry, most: number): Promise<MemberHead> {
  const rest = entry.open()[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let length = 0;
  let isWhole = false;
  while (length <= most) {
    const next = await rest.next();
    if (next.done) {
      isWhole = true;
      break;
    }
    chunks.push(new Uint8Array(next.value));
    length += next.value.length;
  }
  return { bytes: Buffer.concat(chunks, length), isWhole, rest };
}

/** Names the bytes of a small member. */
export function markOf(bytes: Uint8Array): string {
  return `sha256-${hash('sha256', bytes, 'hex')}`;
}

/** Names the bytes of a member of any length, and thereby reads it to its end. */
export async function markOfAll({ bytes, rest }: MemberHead): Promise<string> {
  const sha = createHash('sha256').update(bytes);
  for (let next = await rest.next(); !next.done; next = await rest.next()) sha.update(next.value);
  return `sha256-${sha.digest('hex')}`;
}

/** Why a member whose first bytes these are is not taken, or undefined: it is an archive itself. */
export async function nestedRefusal({ bytes }: MemberHead, path: string): Promise<string | undefined> {
  const kind = await archiveKind(async (length) => bytes.subarray(0, length), path);
  return kind && `it is a ${kind} archive, and archives inside archives are not unpacked: send it by itself`;
}

/**
 * Lands one member as an upload of its own: object, then its manifest, then the note in its parent's books. The note is
 * last, so that a worker that finds it has nothing left to do; all of them are the same on every attempt.
 */
export async function landMember(
  parent: ParentArchive,
  member: Member,
  contentMark: string,
  head: MemberHead,
  ports: MemberPorts,
): Promise<MemberNote> {
  const metadata = memberMetadata(parent, member, contentMark);
  if (!metadata) return rejectMember(parent, member, tooLongPath, ports);
  const key = memberLandingKey(parent, member);
  if (head.isWhole) await ports.store.putOnce(key, head.bytes, metadata);
  else if (!(await ports.store.has(key))) await ports.store.putStreamOnce(key, wholeOf(head), metadata);
  await noteLanded(ports.table, memberUpload(parent, member, contentMark), key, ports.now());
  const note: MemberNote = { memberState: 'landed', contentMark };
  await noteMember(ports.table, parent.name.uploadId, member, note);
  return note;
}

async function* wholeOf({ bytes, rest }: MemberHead): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

/** Lists a member as an upload that ended before it began, with the reason. */
export async function rejectMember(
  parent: ParentArchive,
  member: Member,
  reason: string,
  { table, now }: MemberPorts,
): Promise<MemberNote> {
  const stateReason = `this member of the archive was not taken: ${reason}`;
  await noteEnded(table, memberUpload(parent, member, undefined), { uploadState: 'rejected', stateReason }, now());
  const note: MemberNote = { memberState: 'rejected', stateReason };
  await noteMember(table, parent.name.uploadId, member, note);
  return note;
}

/** What to say of an error that lies in the archive; undefined for every other error. */
export function damageOf(error: unknown): string | undefined {
  return error instanceof DecodeError ? `${error.code}: ${error.message}` : undefined;
}
