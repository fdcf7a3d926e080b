import { pollStateKey } from '../table/key.ts';
import type { Condition, Item, Table } from '../table/table.ts';
import type { SweepState } from './sweep.ts';

/** A source that this run holds, and where its sweep stands. */
export interface Held {
  readonly sourceId: string;
  /** Grows with each holder: what an earlier one still wants to write is refused. */
  readonly fence: number;
  readonly state: SweepState;
}

/** Renewed with every page, which takes seconds. A holder that died is out of the way before the next run. */
const leaseMs = 2 * 60_000;

/** Takes the lease of a source, and begins a sweep when none is under way. Undefined when another run holds it. */
export async function take(table: Table, sourceId: string, nowMs: number): Promise<Held | undefined> {
  const key = pollStateKey(sourceId);
  const found = await table.get(key);
  if (number(found, 'leaseUntilMs') > nowMs) return undefined;
  const fence = number(found, 'pollFence');
  const state = sweepOf(found, nowMs);
  const set = { sourceId, pollFence: fence + 1, leaseUntilMs: nowMs + leaseMs, ...attributesOf(state) };
  const condition: Condition = found
    ? { expression: 'pollFence = :fence', values: { ':fence': fence } }
    : { expression: 'attribute_not_exists(pk)' };
  const taken = await table.update(key, { set, condition });
  return taken.done ? { sourceId, fence: fence + 1, state } : undefined;
}

/** Notes how far the sweep has come; false when the lease went to another run meanwhile. */
export async function renew(table: Table, held: Held, state: SweepState, nowMs: number): Promise<boolean> {
  const set = { leaseUntilMs: nowMs + leaseMs, ...attributesOf(state) };
  return (await table.update(pollStateKey(held.sourceId), { set, condition: stillHeld(held) })).done;
}

/** What is noted with the end of a lease; `sweep: 0` ends the sweep, `pollProblem: ''` says that there was none. */
export interface Released {
  readonly dueAtMs: number;
  readonly pollProblem: string;
  readonly sweep?: 0;
  readonly earlierSweep?: number;
  readonly earlierChunks?: number;
}

/** Gives the lease back; without effect when it went to another run meanwhile. */
export async function release(table: Table, held: Held, { sweep, ...noted }: Released): Promise<void> {
  const set = { ...noted, ...(sweep === undefined ? {} : { sweepStartedAtMs: sweep }), leaseUntilMs: 0 };
  await table.update(pollStateKey(held.sourceId), { set, condition: stillHeld(held) });
}

function stillHeld({ fence }: Held): Condition {
  return { expression: 'pollFence = :fence', values: { ':fence': fence } };
}

function sweepOf(item: Item | undefined, nowMs: number): SweepState {
  const earlier = { sweep: number(item, 'earlierSweep'), chunks: number(item, 'earlierChunks') };
  const sweep = number(item, 'sweepStartedAtMs');
  // A clock may stand still or go back; no two sweeps may share their chunks.
  if (sweep === 0)
    return { sweep: Math.max(nowMs, earlier.sweep + 1), chunks: 0, cursor: '', earlier: { ...earlier, at: 0 } };
  const cursor = String(item?.['sweepCursor'] ?? '');
  return { sweep, chunks: number(item, 'sweepChunks'), cursor, earlier: { ...earlier, at: number(item, 'earlierAt') } };
}

function attributesOf({ sweep, chunks, cursor, earlier }: SweepState) {
  return {
    sweepStartedAtMs: sweep,
    sweepChunks: chunks,
    sweepCursor: cursor,
    earlierSweep: earlier.sweep,
    earlierChunks: earlier.chunks,
    earlierAt: earlier.at,
  };
}

function number(item: Item | undefined, name: string): number {
  return Number(item?.[name] ?? 0);
}
