import type { RandomAccess } from '../../core/decode/random-access.ts';

/** Bytes as a file that can be read anywhere, and the ranges that were read. It refuses what no store would answer. */
export function bytesFile(bytes: Uint8Array): RandomAccess & { readonly reads: (readonly [number, number])[] } {
  const reads: (readonly [number, number])[] = [];
  return {
    sizeBytes: bytes.length,
    reads,
    async read(start, end) {
      if (!(Number.isSafeInteger(start) && start >= 0 && start < end && end <= bytes.length)) {
        throw new RangeError(`no range: ${start} to ${end} of ${bytes.length}`);
      }
      reads.push([start, end]);
      return new Uint8Array(bytes.subarray(start, end));
    },
  };
}
