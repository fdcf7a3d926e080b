import { codecOf, innerName } from './codec.ts';
import { DecodeError } from './codes.ts';
import { resume } from './resume.ts';
import { unpack } from './unpack.ts';

export interface DecompressLimits {
  /** Bytes that may come out of one object, and out of any layer of its compression. */
  readonly maxOutputBytes: number;
  /** Bytes out for each byte of the object. DEFLATE cannot do more than 1,032, and text rarely more than 20. */
  readonly maxRatio: number;
  /** Output below this is never held against the ratio. */
  readonly ratioFromBytes: number;
}

export interface DecompressOptions extends Partial<DecompressLimits> {
  /** The object's key or file name; only `.br` means anything. */
  readonly name?: string;
}

const defaultLimits: DecompressLimits = {
  maxOutputBytes: 50 * 1024 ** 3,
  maxRatio: 1000,
  ratioFromBytes: 64 * 1024 ** 2,
};

/** Compressions inside each other. */
const MAX_LAYERS = 3;

/** The longest mark by which a compression is known. */
const HEAD_BYTES = 10;

export interface Decompressed {
  /**
   * To be read once. Holds a few MiB a layer, however much the data shrank, and what the format itself refers back to:
   * 32 KiB for gzip, 5 MiB for bzip2, 16 MiB for Brotli, up to 128 MiB for Zstandard (8 MiB at its usual levels).
   */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** The layers from the outside in, joined by `+`: 'gzip', 'zstd', 'brotli', 'gzip+gzip'; or 'none'. */
  readonly compression: string;
}

/**
 * Decompresses an object if its first bytes say that it is gzip, Zstandard or bzip2, whatever its name, and does so again with
 * what comes out, up to three times. Brotli has no mark, so `.br` at the end of the name stands for one. Several
 * members or frames one after another are one object; zeros behind gzip are padding.
 *
 * `bytes` throws DecodeError `decode.corruptGzip`, `decode.corruptZstd`, `decode.corruptBzip2` or `decode.corruptBrotli` when the data is
 * damaged or cut off, after delivering what came before it (where the damage is in the data itself, up to the 16 KiB of
 * input in which it lies, however the input is cut into chunks), and `decode.bomb` when a limit is passed. Errors of the input are thrown on unchanged. An
 * error of either kind before the first byte is thrown at once, as is `decode.nested` for a fourth layer. Stopping
 * early closes the input.
 */
export async function decompress(
  input: AsyncIterable<Uint8Array>,
  options: DecompressOptions = {},
): Promise<Decompressed> {
  const { name: outerName = '', ...given } = options;
  const limits = { ...defaultLimits, ...given };
  const read = { bytes: 0 };
  const compressions: string[] = [];
  let name = outerName;
  let opened = await open(counted(input, read));
  for (;;) {
    const codec = codecOf(opened.head, name);
    if (!codec) return { bytes: opened.bytes, compression: compressions.join('+') || 'none' };
    if (compressions.length === MAX_LAYERS) {
      await opened.bytes.return(undefined);
      const message = `there is ${codec.title} inside ${compressions.join('+')}: more than ${MAX_LAYERS} layers are not unpacked`;
      throw new DecodeError('decode.nested', message);
    }
    compressions.push(codec.name);
    name = innerName(name);
    opened = await open(limited(unpack(opened.bytes, codec), read, limits));
  }
}

type Bytes = AsyncGenerator<Uint8Array, void, undefined>;

/** The first bytes (fewer when it ends, or fails, before), and everything, these bytes included. */
async function open(bytes: Bytes): Promise<{ readonly head: Uint8Array; readonly bytes: Bytes }> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let failure: { readonly error: unknown } | undefined;
  while (length < HEAD_BYTES && !failure) {
    try {
      const next = await bytes.next();
      if (next.done) break;
      // Copied, because whoever made it may use its memory again for the next.
      if (next.value.length > 0) chunks.push(new Uint8Array(next.value));
      length += next.value.length;
    } catch (error) {
      if (length === 0) throw error;
      failure = { error };
    }
  }
  const head = Buffer.concat(chunks.map((chunk) => chunk.subarray(0, HEAD_BYTES))).subarray(0, HEAD_BYTES);
  return { head, bytes: resume(chunks, bytes, failure) };
}

async function* counted(input: AsyncIterable<Uint8Array>, read: { bytes: number }): Bytes {
  for await (const chunk of input) {
    read.bytes += chunk.length;
    yield chunk;
  }
}

async function* limited(bytes: Bytes, read: { readonly bytes: number }, limits: DecompressLimits): Bytes {
  const { maxOutputBytes, maxRatio, ratioFromBytes } = limits;
  let given = 0;
  for await (const chunk of bytes) {
    given += chunk.length;
    if (given > maxOutputBytes) {
      const message = `decompressing gives more than ${maxOutputBytes} bytes, the most that is allowed`;
      throw new DecodeError('decode.bomb', message);
    }
    if (given > ratioFromBytes && given > read.bytes * maxRatio) {
      const message = `decompressing gives more than ${maxRatio} bytes for each byte of the object`;
      throw new DecodeError('decode.bomb', message);
    }
    yield chunk;
  }
}
