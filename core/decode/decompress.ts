import { gunzip } from './gunzip.ts';

export interface DecompressLimits {
  /** Bytes that may come out of one object. */
  readonly maxOutputBytes: number;
  /** Bytes out for each byte in. DEFLATE cannot do more than 1,032, and text rarely more than 20. */
  readonly maxRatio: number;
  /** Output below this is never held against the ratio. */
  readonly ratioFromBytes: number;
}

const defaultLimits: DecompressLimits = {
  maxOutputBytes: 50 * 1024 ** 3,
  maxRatio: 1000,
  ratioFromBytes: 64 * 1024 ** 2,
};

export interface Decompressed {
  /** To be read once. Holds a few hundred KiB, and up to 17 MiB while it inflates data that shrank a thousandfold. */
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly compression: 'gzip' | 'none';
}

/**
 * Decompresses an object if its first bytes say that it is gzip, whatever its name; several members one after another
 * are one object, zeros behind them are padding.
 *
 * `bytes` throws DecodeError `decode.corruptGzip` when the data is damaged or cut off, after delivering what came
 * before it (where the damage is in the data itself, up to the 16 KiB of input in which it lies), and `decode.bomb`
 * when a limit is passed. Errors of the input are thrown on unchanged. Stopping early closes the input.
 */
export async function decompress(
  input: AsyncIterable<Uint8Array>,
  limits: Partial<DecompressLimits> = {},
): Promise<Decompressed> {
  const chunks = input[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let length = 0;
  while (length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    head.push(new Uint8Array(next.value));
    length += next.value.length;
  }
  const [first, second] = Buffer.concat(head.map((chunk) => chunk.subarray(0, 2)));
  const bytes = resume(head, chunks);
  if (first !== 0x1f || second !== 0x8b) return { bytes, compression: 'none' };
  return { bytes: gunzip(bytes, { ...defaultLimits, ...limits }), compression: 'gzip' };
}

/** What was taken off an iterator, then the rest of it. */
function resume(head: readonly Uint8Array[], chunks: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  let taken = 0;
  const iterator: AsyncIterator<Uint8Array> = {
    next: async () => {
      const value = head[taken++];
      return value ? { value, done: false } : chunks.next();
    },
    return: async () => {
      await chunks.return?.();
      return { value: undefined, done: true };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}
