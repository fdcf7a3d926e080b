/**
 * Maps with at most `limit` calls under way, results in order. After the first failure no further call starts; those
 * under way are waited for, so that nothing goes on behind the caller's back.
 */
export async function mapBounded<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T, index: number) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  let failure: { error: unknown } | undefined;
  const lane = async () => {
    while (next < items.length && !failure) {
      const index = next;
      next += 1;
      try {
        results[index] = await map(items[index] as T, index);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  if (failure) throw failure.error;
  return results;
}

/** Work that is handed over piece by piece, with at most `limit` pieces under way. */
export interface Lanes {
  /** Begins a piece once a lane is free. Throws what an earlier one threw; nothing begins after that. */
  run(work: () => Promise<void>): Promise<void>;
  /** Waits for what is under way, and throws what it threw. */
  end(): Promise<void>;
}

/** Opens lanes for work that comes from a stream. */
export function createLanes(limit: number): Lanes {
  const underWay = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;
  const lane = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      failure ??= { error };
    }
  };
  return {
    async run(work) {
      while (underWay.size >= limit) await Promise.race(underWay);
      if (failure) throw failure.error;
      const piece = lane(work);
      underWay.add(piece);
      void piece.then(() => underWay.delete(piece));
    },
    async end() {
      await Promise.all(underWay);
      if (failure) throw failure.error;
    },
  };
}

/** Lets at most `limit` pieces of work through at once, whoever brings them; the others wait in the order they came. */
export function createGate(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let open = limit;
  return async (work) => {
    if (open > 0) open -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else open += 1;
    }
  };
}
