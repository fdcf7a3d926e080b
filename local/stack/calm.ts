import { setTimeout } from 'node:timers/promises';
import type { Activity } from '../lambda/activity.ts';
import type { Settling } from './settle.ts';

const LOOK_MS = 100;

/**
 * Resolves once nothing has run, and nothing was about to run, for `quietMs` of real time: the clock goes at its own
 * pace. What waits for a timer longer than that (a message that failed, until it is visible again) is no unrest.
 * Resolves at once when the signal aborts.
 */
export async function calm(
  { activity, mappings, extraIdle }: Omit<Settling, 'clock'>,
  quietMs: number,
  signal: AbortSignal,
): Promise<void> {
  let version = -1;
  let since = performance.now();
  while (!signal.aborted) {
    const stirs = activity.running() > 0 || mappings.some((mapping) => mapping.state() === 'busy') || !extraIdle();
    if (stirs || activity.version() !== version) {
      version = activity.version();
      since = performance.now();
    } else if (performance.now() - since >= quietMs) return;
    await setTimeout(LOOK_MS, undefined, { signal }).catch(() => {});
  }
}

/** Resolves when nothing runs any more, or after `graceMs` of real time. */
export async function ended(activity: Activity, graceMs: number): Promise<void> {
  const over = new AbortController();
  const deadline = setTimeout(graceMs, undefined, { signal: over.signal }).catch(() => {});
  const idle = async () => {
    while (activity.running() > 0 && !over.signal.aborted) await activity.changed();
  };
  await Promise.race([idle(), deadline]);
  over.abort();
}
