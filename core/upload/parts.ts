import type { Format } from '../decode/format.ts';
import { partKey, partPrefix } from '../table/key.ts';
import type { Item, Table } from '../table/table.ts';
import { type PartBooks, partBooks } from './books.ts';
import type { Turn } from './side-file.ts';

/** How an object was cut, and what it was found to be: pinned in its first part, so that no retry sees it otherwise. */
export interface Plan {
  readonly parts: number;
  /** Part n begins at n times this many bytes. The last one ends with the object. */
  readonly partBytes: number;
  readonly sizeBytes: number;
  /** Absent when the object is empty. */
  readonly format?: Format;
  readonly compression: string;
  readonly contentId: string;
  /** Names of the cells, where there are several parts and the format has them. */
  readonly columns: readonly string[];
}

/** Where a part stands at a checkpoint. */
export interface Progress {
  readonly books: PartBooks;
  /** Where decoding goes on: the first position that no row before the checkpoint has. Undefined: at the beginning. */
  readonly nextPosition: number | undefined;
  /** One more than the last row's position, by which the unread rest of a damaged object is named. */
  readonly afterPosition: number;
  readonly columnNames: readonly string[];
  /** Turns one after another that came no further. */
  readonly stalls: number;
}

/** A part that one worker has to itself until its lease ends. */
export interface Claim extends Turn {
  readonly progress: Progress;
}

export type Claimed = Claim | { readonly busyUntilMs: number } | 'done';

interface Lease {
  readonly nowMs: number;
  /** When the invocation ends, and with it whatever the worker may still do. */
  readonly untilMs: number;
}

/**
 * Pins a plan. An object of one part is claimed by the same write, because nearly all objects are. `pinned: false`:
 * another worker was first, and this is its plan.
 */
export async function pinPlan(
  table: Table,
  at: { readonly uploadId: string; readonly revision: number },
  plan: Plan,
  lease: Lease,
): Promise<{ readonly pinned: boolean; readonly plan: Plan; readonly first: Item | undefined }> {
  const key = partKey(at.uploadId, at.revision, 0);
  const taken = { epoch: 1, leaseUntilMs: lease.untilMs, partState: 'running' };
  const state = plan.parts === 1 ? taken : { ...rangeOf(plan, 0), partState: 'planned' };
  const put = await table.put(
    { ...key, partPlan: plan, ...state, changedAtMs: lease.nowMs },
    { expression: 'attribute_not_exists(pk)' },
  );
  return { pinned: put.done, plan: put.done ? plan : ((put.item && planOf(put.item)) ?? plan), first: put.item };
}

export function planOf(item: Item): Plan | undefined {
  return item['partPlan'] as Plan | undefined;
}

/**
 * Takes a part, unless it is done or another worker's lease on it still runs. The epoch grows with every claim, and
 * what a worker writes later counts only as long as it is still its own.
 */
export async function claimPart(
  table: Table,
  uploadId: string,
  plan: Plan,
  turn: Pick<Turn, 'revision' | 'part'>,
  { nowMs, untilMs }: Lease,
): Promise<Claimed> {
  const key = partKey(uploadId, turn.revision, turn.part);
  const item = await table.get(key);
  if (item?.['partState'] === 'done') return 'done';
  const busyUntilMs = Number(item?.['leaseUntilMs'] ?? 0);
  if (busyUntilMs > nowMs) return { busyUntilMs };
  const before = Number(item?.['epoch'] ?? 0);
  const update = await table.update(key, {
    set: { epoch: before + 1, leaseUntilMs: untilMs, partState: 'running', changedAtMs: nowMs },
    onlyIfAbsent: plan.parts === 1 ? {} : rangeOf(plan, turn.part),
    // Whoever had it may have finished it since it was read.
    condition:
      before === 0
        ? { expression: 'attribute_not_exists(epoch)' }
        : {
            expression: 'epoch = :before AND partState = :running',
            values: { ':before': before, ':running': 'running' },
          },
  });
  if (!update.done) return { busyUntilMs: Number(update.item?.['leaseUntilMs'] ?? untilMs) };
  return { ...turn, epoch: before + 1, progress: progressOf(item) };
}

/** What a first claim begins with: pinned with the plan, so there is no item to read. */
export function progressOf(item: Item | undefined): Progress {
  const next = item?.['nextPosition'];
  return {
    books: partBooks(item ?? ({} as Item)),
    nextPosition: typeof next === 'number' ? next : undefined,
    afterPosition: Number(item?.['afterPosition'] ?? 0),
    columnNames: (item?.['columnNames'] ?? []) as readonly string[],
    stalls: Number(item?.['stalls'] ?? 0),
  };
}

/** Notes that all parts of a plan have been sent as messages. */
export async function noteSent(table: Table, uploadId: string, revision: number): Promise<void> {
  await table.update(partKey(uploadId, revision, 0), { set: { partsSent: true } });
}

/**
 * Keeps how far a part is, or that it is done. `leaseUntilMs`: 0 ends the lease. False when the part is another worker's
 * by now.
 */
export async function keepProgress(
  table: Table,
  uploadId: string,
  turn: Turn,
  kept: {
    readonly progress: Progress;
    readonly partState: 'running' | 'done';
    readonly leaseUntilMs: number;
    readonly nowMs: number;
  },
): Promise<boolean> {
  const { books, ...place } = kept.progress;
  return setOwn(table, uploadId, turn, {
    ...books,
    ...place,
    partState: kept.partState,
    leaseUntilMs: kept.leaseUntilMs,
    changedAtMs: kept.nowMs,
  });
}

/** Ends a lease early, so that the next try need not wait for its end. */
export async function releasePart(table: Table, uploadId: string, turn: Turn): Promise<void> {
  await setOwn(table, uploadId, turn, { leaseUntilMs: 0 });
}

async function setOwn(
  table: Table,
  uploadId: string,
  { revision, part, epoch }: Turn,
  set: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  const condition = { expression: 'epoch = :epoch', values: { ':epoch': epoch } };
  return (await table.update(partKey(uploadId, revision, part), { set, condition })).done;
}

/** When the last lease on a part of an upload ends that is held under another revision than this; 0 when none is. */
export async function leasedUnderOthers(table: Table, uploadId: string, revision: number): Promise<number> {
  const own = partPrefix(uploadId, revision);
  let untilMs = 0;
  for await (const items of table.query(own.pk, 'P#')) {
    const others = items.filter(({ sk }) => !sk.startsWith(own.sk));
    untilMs = Math.max(untilMs, ...others.map((item) => Number(item['leaseUntilMs'] ?? 0)));
  }
  return untilMs;
}

/** All part items of an upload under one revision; parts that nobody has begun have none, but for the first. */
export async function partItems(table: Table, uploadId: string, revision: number): Promise<readonly Item[]> {
  const { pk, sk } = partPrefix(uploadId, revision);
  const items: Item[] = [];
  for await (const page of table.query(pk, sk)) items.push(...page);
  return items;
}

/** Numbers of the parts that are not done, by the items of all. */
export function openParts(plan: Plan, revision: number, items: readonly Item[]): readonly number[] {
  const done = new Set(items.filter((item) => item['partState'] === 'done').map(({ sk }) => sk));
  const numbers = Array.from({ length: plan.parts }, (_, part) => part);
  return numbers.filter((part) => !done.has(partKey('', revision, part).sk));
}

/** Whether these items are those of all parts of a pinned plan, and all are done: only then are their books whole. */
export function areDone(revision: number, items: readonly Item[]): boolean {
  const plan = items.map(planOf).find((each) => each !== undefined);
  return plan !== undefined && openParts(plan, revision, items).length === 0;
}

/** Bytes of the object in which the rows of a part begin: the first, and the first behind them. */
export function rangeOf(plan: Plan, part: number): { readonly fromByte: number; readonly toByte: number } {
  const fromByte = part * plan.partBytes;
  return { fromByte, toByte: part === plan.parts - 1 ? plan.sizeBytes : fromByte + plan.partBytes };
}
