import type { RowBatch } from '../decode/format.ts';

/** All but the first `count` bytes. `onChunk` is called for each chunk of those. */
export async function* withoutFirst(
  bytes: AsyncIterable<Uint8Array>,
  count: number,
  onChunk: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = count;
  for await (const chunk of bytes) {
    if (left === 0) {
      yield chunk;
      continue;
    }
    const passed = Math.min(left, chunk.length);
    left -= passed;
    if (passed < chunk.length) yield chunk.subarray(passed);
    else onChunk();
  }
}

/** All bytes. `onChunk` is called for each chunk. */
export async function* timed(
  bytes: AsyncIterable<Uint8Array>,
  onChunk: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of bytes) {
    onChunk();
    yield chunk;
  }
}

/** The rows of these batches at `position` and behind. `onBatch` is called for each batch that has none. */
export async function* rowsFrom(
  batches: AsyncIterable<RowBatch>,
  position: number,
  onBatch: () => void,
): AsyncGenerator<RowBatch, void, undefined> {
  for await (const batch of batches) {
    const rest = cut(batch, position);
    if (rest) yield rest;
    else onBatch();
  }
}

function cut(batch: RowBatch, position: number): RowBatch | undefined {
  const { rows, positions, bad } = batch;
  const found = positions.findIndex((each) => each >= position);
  const from = found < 0 ? positions.length : found;
  const laterBad = bad.filter((each) => each.position >= position);
  if (from === 0 && laterBad.length === bad.length) return batch;
  if (from === positions.length && laterBad.length === 0) return undefined;
  return {
    ...batch,
    rows: rows.slice(from),
    positions: positions.slice(from),
    bad: laterBad,
    raw: (index) => batch.raw(index + from),
  };
}
