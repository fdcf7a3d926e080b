import { batches } from './batches.ts';
import type { CsvFormat } from './csv.ts';
import { scanCsv } from './csv.ts';
import { isUtf16 } from './csv-text.ts';
import { blockBytes as defaultBlockBytes, defaultLimits } from './decode.ts';
import type { FixedWidthFormat } from './fixed-width.ts';
import { scanFixedWidth } from './fixed-width.ts';
import type { DecodeLimits, Format, RowBatch } from './format.ts';
import type { NdjsonFormat } from './ndjson.ts';
import { scanNdjson } from './ndjson.ts';
import { resume } from './resume.ts';

/** A format whose rows stand at offsets: decoding can begin at any of its rows. */
export type LineFormat = NdjsonFormat | CsvFormat | FixedWidthFormat;

export interface DecodeRange {
  /** Offset in the decompressed object of the first byte that is handed over. */
  readonly from: number;
  /** That byte may lie inside a row: the first row is the one behind the next line end. */
  readonly seeking: boolean;
  /** Rows that begin here or later are left to others; one that begins before is read to its end. */
  readonly until: number;
  /** CSV, when `from` is not 0: names of the cells, as the object's beginning gives them; none when it gave none. */
  readonly columns: readonly string[];
}

/** Whether positions of this format are offsets. UTF-16 is converted as it is read, so its rows are numbered. */
export function isLineFormat(format: Format): format is LineFormat {
  if (format.name === 'ndjson') return true;
  return (format.name === 'csv' || format.name === 'fixedWidth') && !isUtf16(format.encoding);
}

/** Whether every line end ends a row, so that rows can be found from anywhere in the object. */
export function isSplittable(format: LineFormat): boolean {
  return format.name !== 'csv' || format.multiline === false || format.quote === null;
}

/** {@link decode} for a stretch of an object: the same rows at the same positions as decoding all of it gives there. */
export async function* decodeRange(
  bytes: AsyncIterable<Uint8Array>,
  format: LineFormat,
  range: DecodeRange,
  limits: Partial<DecodeLimits> = {},
  blockBytes = defaultBlockBytes,
): AsyncGenerator<RowBatch, void, undefined> {
  const found = range.seeking ? await seekRow(bytes, range, format.name !== 'ndjson') : { from: range.from, bytes };
  if (!found) return;
  const all = { ...defaultLimits, ...limits };
  const stretch = { from: found.from, until: range.until };
  yield* batches(
    found.bytes,
    all,
    scannerOf(range.from === 0 ? format : bodyOf(format, range), all),
    blockBytes,
    stretch,
  );
}

function scannerOf(format: LineFormat, limits: DecodeLimits) {
  if (format.name === 'ndjson') return scanNdjson(limits);
  return format.name === 'csv' ? scanCsv(format, limits) : scanFixedWidth(format, limits);
}

/** The format of what follows an object's beginning: nothing to skip, no header, and the names are known. */
function bodyOf(format: LineFormat, { columns }: DecodeRange): LineFormat {
  if (format.name === 'ndjson') return format;
  if (format.name === 'fixedWidth') return { ...format, skipRows: 0 };
  const { columns: _given, ...rest } = format;
  return { ...rest, header: false, skipRows: 0, ...(columns.length > 0 && { columns }) };
}

const LF = 0x0a;
const CR = 0x0d;

/** Passes over the rest of a row, however long. Undefined when no row begins behind it before `until`. */
async function seekRow(
  bytes: AsyncIterable<Uint8Array>,
  { from, until }: DecodeRange,
  endsInCr: boolean,
): Promise<{ readonly from: number; readonly bytes: AsyncIterable<Uint8Array> } | undefined> {
  const chunks = bytes[Symbol.asyncIterator]();
  let at = from;
  let afterCr = false;
  for (;;) {
    const next = at >= until ? undefined : await chunks.next();
    if (!next || next.done) break;
    const start = firstBehindLineEnd(next.value, endsInCr, afterCr);
    if (start !== undefined) {
      const found = at + start;
      if (found >= until) break;
      return { from: found, bytes: resume([next.value.subarray(start)], chunks) };
    }
    afterCr = endsInCr && next.value.length > 0 ? next.value.at(-1) === CR : afterCr;
    at += next.value.length;
  }
  await chunks.return?.();
  return undefined;
}

/** Index of the first byte behind a line end; undefined when the chunk ends before that is sure. */
function firstBehindLineEnd(chunk: Uint8Array, endsInCr: boolean, afterCr: boolean): number | undefined {
  if (afterCr && chunk.length > 0) return chunk[0] === LF ? 1 : 0;
  const lf = chunk.indexOf(LF);
  const cr = endsInCr ? chunk.indexOf(CR) : -1;
  if (cr < 0 || (lf >= 0 && lf < cr)) return lf < 0 ? undefined : lf + 1;
  if (cr + 1 === chunk.length) return undefined;
  return chunk[cr + 1] === LF ? cr + 2 : cr + 1;
}
