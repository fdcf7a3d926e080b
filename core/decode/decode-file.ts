import { defaultLimits } from './decode.ts';
import type { DecodeLimits, FileFormat, Format, RowBatch } from './format.ts';
import { decodeParquet } from './parquet.ts';
import type { RandomAccess } from './random-access.ts';
import { decodeXlsx } from './xlsx.ts';

export type { FileFormat };

/** Whether a format has its index at the end or in the middle, so that it needs {@link decodeFile} instead of `decode`. */
export function isFileFormat(format: Format): format is FileFormat {
  return format.name === 'parquet' || format.name === 'xlsx';
}

/**
 * Decodes a decompressed object that can be read anywhere into batches of rows, in order. As `decode` in all else: rows,
 * positions and bad rows depend on the object and the format alone, where batches end may not.
 *
 * `from` is the first position that is wanted: what lies before it is passed over without being decoded, as far as the
 * format allows. An error of `file` is thrown on unchanged, after every row that was complete before it.
 */
export function decodeFile(
  file: RandomAccess,
  format: FileFormat,
  limits: Partial<DecodeLimits> = {},
  from = 0,
): AsyncIterable<RowBatch> {
  const all = { ...defaultLimits, ...limits };
  switch (format.name) {
    case 'parquet':
      return decodeParquet(file, format, all, from);
    case 'xlsx':
      return decodeXlsx(file, format, all, from);
  }
}
