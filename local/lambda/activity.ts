/**
 * Counts what is running, and lets a waiter sleep until something starts or ends. `settle` waits on it instead of
 * polling, and compares `version` before and after a pause to see whether anything moved.
 */
export interface Activity {
  /** Something starts; the function it returns says that it ended (calling it twice counts once). */
  begin(): () => void;
  running(): number;
  /** Grows with every start and every end. */
  version(): number;
  /** Resolves at the next start or end. */
  changed(): Promise<void>;
}

/** A counter with nothing running. */
export function createActivity(): Activity {
  let running = 0;
  let version = 0;
  let waiters: (() => void)[] = [];

  const change = (by: 1 | -1) => {
    running += by;
    version += 1;
    const woken = waiters;
    waiters = [];
    for (const wake of woken) wake();
  };

  return {
    begin() {
      change(1);
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        change(-1);
      };
    },
    running: () => running,
    version: () => version,
    changed: () => new Promise((resolve) => waiters.push(resolve)),
  };
}
