/**
 * What was taken off an iterator, then what reading on threw, or the rest. Stopping early closes the rest, begun or not: a
 * generator of its own would not close it if it was never begun.
 */
export function resume<T>(
  taken: readonly T[],
  rest: AsyncIterator<T, unknown, undefined>,
  failure?: { readonly error: unknown },
): AsyncGenerator<T, void, undefined> {
  let at = 0;
  let failed = failure;
  const ended = async (): Promise<IteratorReturnResult<void>> => {
    at = taken.length;
    failed = undefined;
    await rest.return?.();
    return { value: undefined, done: true };
  };
  const resumed: AsyncGenerator<T, void, undefined> = {
    next: async () => {
      if (at < taken.length) return { value: taken[at++] as T, done: false };
      if (failed) {
        const { error } = failed;
        await ended();
        throw error;
      }
      const next = await rest.next();
      return next.done ? { value: undefined, done: true } : next;
    },
    return: ended,
    throw: async (error) => {
      await ended();
      throw error;
    },
    [Symbol.asyncIterator]: () => resumed,
    [Symbol.asyncDispose]: async () => void (await ended()),
  };
  return resumed;
}
