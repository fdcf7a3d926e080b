import { decodeInBlocks } from '../../core/decode/decode.ts';
import type { DecodeLimits, Format } from '../../core/decode/format.ts';

/** Everything a decoder said about an object, batches joined; raw bytes as latin1 text, one character a byte. */
export interface Decoded {
  readonly rows: unknown[];
  readonly positions: number[];
  readonly raws: string[];
  readonly bad: { position: number; code: string; message: string; length: number; raw: string }[];
  columns: readonly string[] | undefined;
  batches: number;
}

export async function decoded(
  bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array> | Uint8Array | string,
  format: Format,
  limits: Partial<DecodeLimits> = {},
  blockBytes = 64 * 1024,
): Promise<Decoded> {
  const result: Decoded = { rows: [], positions: [], raws: [], bad: [], columns: undefined, batches: 0 };
  for await (const batch of decodeInBlocks(chunked(bytes), format, limits, blockBytes)) {
    result.batches++;
    result.columns = batch.columns;
    result.rows.push(...batch.rows);
    result.positions.push(...batch.positions);
    result.raws.push(...batch.rows.map((_, index) => Buffer.from(batch.raw(index)).toString('latin1')));
    result.bad.push(...batch.bad.map((bad) => ({ ...bad, raw: Buffer.from(bad.raw).toString('latin1') })));
  }
  return result;
}

/** A stream that reuses one buffer for all chunks, so that nothing may rely on a chunk staying as it was. */
export async function* chunked(
  bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array> | Uint8Array | string,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (typeof bytes === 'string' || bytes instanceof Uint8Array) {
    yield Buffer.from(bytes);
    return;
  }
  for await (const chunk of bytes) {
    const copy = new Uint8Array(chunk);
    yield copy;
    copy.fill(0);
  }
}

/** The bytes cut at these places (any order, doubles allowed: an empty chunk). */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [...places].map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  return [0, ...sorted].map((from, index) => bytes.subarray(from, sorted[index] ?? bytes.length));
}

/** What an async iterable threw, and what it gave before. */
export async function untilError<T>(items: AsyncIterable<T>): Promise<{ items: T[]; error: unknown }> {
  const seen: T[] = [];
  try {
    for await (const item of items) seen.push(item);
  } catch (error) {
    return { items: seen, error };
  }
  return { items: seen, error: undefined };
}
