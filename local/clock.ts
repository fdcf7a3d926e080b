/**
 * The clock of the embedded cloud: real time plus an offset that only ever grows.
 *
 * Batch windows, visibility timeouts and retention sleep on it. A test (or `npm start`) that has nothing left to wait
 * for skips to the next timer, so nothing waits for a wall clock. The offset lives in shared memory: worker threads
 * add it to their own `Date`, so handlers and stand-ins always agree on the time.
 */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms`. A background sleep (a schedule, a retention sweep) does not keep `nextTimer` busy. */
  sleep(ms: number, options?: { signal?: AbortSignal; background?: boolean }): Promise<void>;
  /** When the earliest sleep that is not in the background ends; undefined when nothing sleeps. */
  nextTimer(): number | undefined;
  /** Moves time forward to `at` (never back) and wakes every sleeper that is due. */
  skipTo(at: number): void;
  /** One BigInt64: milliseconds to add to the real clock. Hand it to worker threads. */
  readonly offset: SharedArrayBuffer;
}

interface Sleeper {
  readonly at: number;
  readonly background: boolean;
  wake(): void;
}

/** A clock that starts at the real time. It holds no timer while nobody sleeps, and never keeps a process alive. */
export function createClock(): Clock {
  const offset = new SharedArrayBuffer(8);
  const skipped = new BigInt64Array(offset);
  const sleepers = new Set<Sleeper>();
  let timer: NodeJS.Timeout | undefined;

  const now = () => Date.now() + Number(Atomics.load(skipped, 0));
  const earliest = (all: boolean) => {
    let at: number | undefined;
    for (const sleeper of sleepers)
      if ((all || !sleeper.background) && (at === undefined || sleeper.at < at)) at = sleeper.at;
    return at;
  };
  const rearm = () => {
    clearTimeout(timer);
    const at = earliest(true);
    if (at !== undefined) timer = setTimeout(wakeDue, Math.max(0, Math.min(at - now(), 2 ** 31 - 1)));
  };
  const wakeDue = () => {
    const time = now();
    for (const sleeper of [...sleepers].filter((each) => each.at <= time).sort((a, b) => a.at - b.at)) sleeper.wake();
    rearm();
  };

  return {
    now,
    offset,
    nextTimer: () => earliest(false),
    skipTo(at) {
      const ahead = at - now();
      if (ahead > 0) Atomics.add(skipped, 0, BigInt(Math.ceil(ahead)));
      wakeDue();
    },
    sleep(ms, { signal, background = false } = {}) {
      if (ms <= 0 || signal?.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', wake);
          if (sleepers.size === 0) clearTimeout(timer);
          resolve();
        };
        const sleeper: Sleeper = { at: now() + ms, background, wake };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake);
        rearm();
      });
    },
  };
}
