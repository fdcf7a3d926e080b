import type { Clock } from '../../local/clock.ts';

interface Sleeper {
  readonly at: number;
  readonly background: boolean;
  wake(): void;
}

/**
 * A clock that stands still until it is told to skip, so that two runs see every write at the same time, however busy
 * the machine is. Workers add its offset to their own running time; each look at the clock brings them back to it.
 */
export function createSteppedClock(startMs: number): Clock {
  const offset = new SharedArrayBuffer(8);
  const ahead = new BigInt64Array(offset);
  const sleepers = new Set<Sleeper>();
  let time = startMs;
  const now = () => {
    Atomics.store(ahead, 0, BigInt(time - Date.now()));
    return time;
  };
  now();
  return {
    now,
    offset,
    nextTimer() {
      const times = [...sleepers].filter((each) => !each.background).map((each) => each.at);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    skipTo(at) {
      time = Math.max(time, at);
      now();
      for (const sleeper of [...sleepers].sort((a, b) => a.at - b.at)) if (sleeper.at <= time) sleeper.wake();
    },
    sleep(ms, { signal, background = false } = {}) {
      if (ms <= 0 || signal?.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper: Sleeper = { at: time + ms, background, wake };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake);
      });
    },
  };
}
