import type { RowBatch } from '../../core/decode/format.ts';

/** What batches hold, joined; raw bytes as text. */
export interface DecodedBatches {
  readonly rows: unknown[];
  readonly positions: number[];
  readonly raws: string[];
  readonly bad: { position: number; code: string; message: string; length: number; raw: string }[];
  batches: number;
  /** What they ended with, when that was an error. */
  error: unknown;
}

/** Reads batches to their end, or to their error. */
export async function joined(batches: AsyncIterable<RowBatch>): Promise<DecodedBatches> {
  const result: DecodedBatches = { rows: [], positions: [], raws: [], bad: [], batches: 0, error: undefined };
  try {
    for await (const batch of batches) {
      result.batches++;
      result.rows.push(...batch.rows);
      result.positions.push(...batch.positions);
      result.raws.push(...batch.rows.map((_, index) => Buffer.from(batch.raw(index)).toString()));
      result.bad.push(...batch.bad.map((bad) => ({ ...bad, raw: Buffer.from(bad.raw).toString() })));
    }
  } catch (error) {
    result.error = error;
  }
  return result;
}
