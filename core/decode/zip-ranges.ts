/** Stretches of an archive that no two members may share. */
export interface Ranges {
  /** False when `[start, end)` shares a byte with one that was added before. */
  add(start: number, end: number): boolean;
}

/** Ranges are kept sorted; members mostly come in the order in which they lie, and are then just appended. */
export function newRanges(): Ranges {
  const starts: number[] = [];
  const ends: number[] = [];
  return {
    add(start, end) {
      let low = starts.length;
      if (low > 0 && start < (ends[low - 1] as number)) low = firstAfter(starts, start);
      const follows = starts[low];
      const before = ends[low - 1];
      if ((before !== undefined && before > start) || (follows !== undefined && follows < end)) return false;
      starts.splice(low, 0, start);
      ends.splice(low, 0, end);
      return true;
    },
  };
}

/** Index of the first number above `value`. */
function firstAfter(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
