import { retryable } from '../failure.ts';

/** What an invocation has left, and what it needs to come to rest: writes under way, side files, a checkpoint. */
export interface Time {
  /** Milliseconds left of this invocation. */
  readonly remainingMs: () => number;
  readonly marginMs: number;
}

/** A fifteenth of the time that an invocation has, at most a minute: what it keeps back to come to rest. */
export function marginOf(invocationMs: number): number {
  return Math.min(60_000, invocationMs / 15);
}

export function isTimeUp({ remainingMs, marginMs }: Time): boolean {
  return remainingMs() < marginMs;
}

const outOfTime = 'normalize.outOfTime';

/** Throws when the time is up while what was read before is passed over, where no row can be taken yet. */
export function refuseWhenTimeIsUp(time: Time): void {
  if (isTimeUp(time)) throw retryable(outOfTime, 'The time was up before the place was reached where to go on.');
}

export function isOutOfTime(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === outOfTime;
}
