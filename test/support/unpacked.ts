import { decode } from '../../core/decode/decode.ts';
import { type DecompressOptions, decompress } from '../../core/decode/decompress.ts';
import { ndjson } from '../../core/decode/ndjson.ts';
import { chunked, untilError } from './decoded.ts';

/** What came out of a compressed object, and what ended it: at once, or after the bytes. */
export interface Unpacked {
  readonly bytes: Buffer;
  readonly compression: string | undefined;
  readonly error: unknown;
}

export async function unpacked(packed: Iterable<Uint8Array>, options: DecompressOptions = {}): Promise<Unpacked> {
  try {
    const { bytes, compression } = await decompress(chunked(packed), options);
    const { items, error } = await untilError(copied(bytes));
    return { bytes: Buffer.concat(items), compression, error };
  } catch (error) {
    return { bytes: Buffer.alloc(0), compression: undefined, error };
  }
}

/** Chunks are valid until the next is asked for. */
async function* copied(chunks: AsyncIterable<Uint8Array>) {
  for await (const chunk of chunks) yield new Uint8Array(chunk);
}

/** The lines of JSON in a compressed object, up to an error. */
export async function unpackedRows(packed: Iterable<Uint8Array>, options: DecompressOptions = {}) {
  try {
    const { bytes } = await decompress(chunked(packed), options);
    const { items, error } = await untilError(decode(bytes, ndjson(), { batchRows: 100 }));
    return { rows: items.flatMap(({ rows }) => rows), bad: items.flatMap(({ bad }) => bad), error };
  } catch (error) {
    return { rows: [], bad: [], error };
  }
}
