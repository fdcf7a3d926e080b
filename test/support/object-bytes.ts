import type { ObjectBytes } from '../../core/normalize/open.ts';

/** Bytes in memory as an object: `body` begins at `from` and comes in chunks of so many bytes. */
export function objectOf(bytes: Uint8Array, from = 0, chunkBytes = Math.max(1, bytes.length)): ObjectBytes {
  async function* chunks() {
    for (let at = from; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  return {
    sizeBytes: bytes.length,
    body: chunks(),
    read: async (start, end) => {
      if (start < 0 || end > bytes.length) throw new RangeError(`no bytes ${start} to ${end}`);
      return bytes.slice(start, end);
    },
    discard: () => {},
  };
}
