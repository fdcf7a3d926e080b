import { decodeFile, type FileFormat } from '../../core/decode/decode-file.ts';
import type { DecodeLimits } from '../../core/decode/format.ts';
import { bytesFile } from './bytes-file.ts';
import type { Decoded } from './decoded.ts';

/** As `decoded`, for formats that are read anywhere in a file, with the error that ended them. */
export async function fileRows(
  bytes: Uint8Array,
  format: FileFormat,
  limits: Partial<DecodeLimits> = {},
  from = 0,
): Promise<Decoded & { error: unknown }> {
  const result: Decoded & { error: unknown } = {
    rows: [],
    positions: [],
    raws: [],
    bad: [],
    columns: undefined,
    batches: 0,
    error: undefined,
  };
  try {
    for await (const batch of decodeFile(bytesFile(bytes), format, limits, from)) {
      result.batches++;
      result.columns = batch.columns;
      result.rows.push(...batch.rows);
      result.positions.push(...batch.positions);
      result.raws.push(...batch.rows.map((_, index) => Buffer.from(batch.raw(index)).toString()));
      result.bad.push(...batch.bad.map((bad) => ({ ...bad, raw: Buffer.from(bad.raw).toString('latin1') })));
    }
  } catch (error) {
    result.error = error;
  }
  return result;
}
