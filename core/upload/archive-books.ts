import { manifestKey, memberNoteKey } from '../table/key.ts';
import type { Item, Table } from '../table/table.ts';
import type { Member } from './archive-member.ts';
import { type Manifest, uploadIdOf } from './manifest.ts';

/** `hashed`: its content is known by name and has not landed yet. */
export type MemberState = 'hashed' | 'landed' | 'rejected';

/** What became of one member, as its parent's books tell. */
export interface MemberNote {
  readonly memberState: MemberState;
  /** Stands for the bytes, where the archive did not name them itself. */
  readonly contentMark?: string;
  readonly stateReason?: string;
}

/** Longer paths are cut in the books; the upload has what could be kept of them. */
const MAX_PATH = 1024;

/** What has become of the members so far, by ordinal. */
export async function notedMembers(table: Table, parentId: string): Promise<Map<number, MemberNote>> {
  const noted = new Map<number, MemberNote>();
  for await (const page of membersOf(table, parentId)) {
    for (const item of page) noted.set(Number(item['ordinal']), item as Item & MemberNote);
  }
  return noted;
}

/** A parent's notes on its members, in order, in pages. */
export function membersOf(table: Table, parentId: string): AsyncIterable<readonly Item[]> {
  return table.query(manifestKey(parentId).pk, 'M#');
}

/** Notes what became of a member: the same, however often and by whom. */
export async function noteMember(table: Table, parentId: string, member: Member, note: MemberNote): Promise<void> {
  const { ordinal, uploadId, path, sizeBytes } = member;
  const item = {
    ...memberNoteKey(parentId, ordinal),
    ...{ ordinal, sizeBytes, memberId: uploadId, memberPath: path.slice(0, MAX_PATH), ...note },
  };
  // A slower worker must not take back that it landed.
  await table.put(item, note.memberState === 'hashed' ? { expression: 'attribute_not_exists(pk)' } : undefined);
}

/** Notes that all members were seen, though some have not landed; `fault` says what ended the archive early, if anything. */
export async function noteRead(table: Table, parentId: string, fault: string): Promise<void> {
  await table.update(manifestKey(parentId), { set: { archiveRead: true, archiveFault: fault } });
}

/** Notes that a worker got on with an archive, so that it is not taken for stuck. */
export async function noteProgress(table: Table, parentId: string, nowMs: number): Promise<void> {
  await table.update(manifestKey(parentId), {
    set: { changedAtMs: nowMs, redrives: 0, standstills: 0 },
    condition: underWay,
  });
}

/** Notes how often in a row an invocation got no member further. */
export async function noteStandstill(table: Table, parentId: string, standstills: number): Promise<void> {
  await table.update(manifestKey(parentId), { set: { standstills }, condition: underWay });
}

const underWay = {
  expression: 'uploadState IN (:seen, :landed, :failed)',
  values: { ':seen': 'seen', ':landed': 'landed', ':failed': 'failed' },
};

/** Notes that every member has landed or was rejected. With a `fault` the rest of the archive is rejected. */
export async function noteUnpacked(
  table: Table,
  parentId: string,
  noted: ReadonlyMap<number, MemberNote>,
  fault: string,
  nowMs: number,
): Promise<void> {
  const notes = [...noted.values()];
  const inState = (state: MemberState) => notes.filter((each) => each.memberState === state).length;
  const membersRejected = inState('rejected');
  const end = fault === '' ? { uploadState: 'unpacked', closed: false } : { uploadState: 'rejected', closed: true };
  const stateReason = fault === '' ? '' : `${fault}; ${inState('landed')} of its members landed`;
  await table.update(manifestKey(parentId), {
    set: { ...end, memberCount: notes.length, membersRejected, stateReason, changedAtMs: nowMs },
    condition: underWay,
  });
}

/**
 * Closes the books of those archives of which every member's books are closed: loaded, or rejected and listed as such.
 * Answers how many closed.
 */
export async function closeArchives(open: readonly Manifest[], table: Table, nowMs: number): Promise<number> {
  let closed = 0;
  for (const manifest of open.filter((each) => each.uploadState === 'unpacked')) {
    if (!(await allClosed(uploadIdOf(manifest), table))) continue;
    const update = await table.update(manifestKey(uploadIdOf(manifest)), {
      set: { uploadState: 'loaded', closed: true, closedAtMs: nowMs },
      condition: { expression: 'uploadState = :unpacked', values: { ':unpacked': 'unpacked' } },
    });
    if (update.done) closed += 1;
  }
  return closed;
}

async function allClosed(parentId: string, table: Table): Promise<boolean> {
  for await (const page of membersOf(table, parentId)) {
    const manifests = await table.getMany(page.map((each) => manifestKey(String(each['memberId']))));
    if (manifests.length < page.length || manifests.some((each) => each['closed'] !== true)) return false;
  }
  return true;
}
