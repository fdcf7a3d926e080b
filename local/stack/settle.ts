import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { Activity } from '../lambda/activity.ts';
import type { Mapping } from '../lambda/mapping.ts';

/** What has to come to rest. */
export interface Settling {
  readonly clock: Clock;
  readonly activity: Activity;
  readonly mappings: readonly Pick<Mapping, 'source' | 'functionName' | 'state'>[];
  /** Says whether somebody else, who works by himself, has nothing left to do. */
  readonly extraIdle: () => boolean;
}

/** Turns of the event loop that must pass without any change before silence is believed. */
const QUIET_TURNS = 4;
/** A pause in real time for what announces its progress nowhere: writes of a mapping, `extraIdle`. */
const PAUSE_MS = 2;

/**
 * Resolves when everything has come to rest: nothing runs, every mapped queue and stream is read to its end, no timer
 * of the clock is pending and `extraIdle` agrees. Whenever only timers are left, it skips to the next one.
 */
export async function settle(settling: Settling): Promise<void> {
  const { clock, activity, mappings, extraIdle } = settling;
  for (;;) {
    if (activity.running() > 0) {
      await activity.changed();
    } else if (!(await staysQuiet(settling)) || !extraIdle()) {
      await setTimeout(PAUSE_MS);
    } else {
      const next = clock.nextTimer();
      if (next !== undefined) {
        clock.skipTo(next);
      } else {
        refuseStuck(mappings);
        return;
      }
    }
  }
}

/** True when nothing runs or is about to run, and nothing has started meanwhile. */
async function staysQuiet({ activity, mappings }: Settling): Promise<boolean> {
  const version = activity.version();
  for (let turn = 0; turn < QUIET_TURNS; turn += 1) {
    await setImmediate();
    if (activity.version() !== version || activity.running() > 0) return false;
    if (mappings.some((mapping) => mapping.state() === 'busy')) return false;
  }
  return true;
}

function refuseStuck(mappings: Settling['mappings']): void {
  const stuck = mappings.filter((mapping) => mapping.state() !== 'idle');
  if (stuck.length === 0) return;
  const names = stuck.map((mapping) => `${mapping.source} -> ${mapping.functionName}`).join(', ');
  throw new Error(`cannot settle: messages of ${names} are in flight, but no timer is pending that would end that`);
}
