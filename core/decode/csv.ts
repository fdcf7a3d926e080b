import { type Batch, isFull, type Scanner, tooLong } from './batches.ts';
import { type CsvDialect, dialectOf } from './csv-dialect.ts';
import {
  type CsvReader,
  newCsvReader,
  positionOf,
  type RowOptions,
  rawHead,
  refuseHeader,
  takeCsvRow,
} from './csv-reader.ts';
import { beginCsvRow, readCsvRow } from './csv-row.ts';
import { type CsvEncoding, isUtf16, utf16Of } from './csv-text.ts';
import type { DecodeLimits } from './format.ts';
import { addLongRow, longRow } from './long-row.ts';
import type { Window } from './window.ts';

export interface CsvOptions {
  /** One or more characters; `,` unless given. */
  readonly delimiter?: string;
  /** `"` unless given; null: quotes are text like any other. */
  readonly quote?: string | null;
  /** Inside quotes, takes the meaning from a quote or from itself. A doubled quote stands for one in any case. */
  readonly escape?: string;
  /**
   * Whether a quoted cell may hold line ends. True unless given. With false a quote that is never closed costs only its
   * own line, and a large object is read in several places at once.
   */
  readonly multiline?: boolean;
  /** The first row holds the names. True unless `columns` is given; with both, the row is passed over. */
  readonly header?: boolean;
  /** Names of the cells. With neither these nor a header they are '0', '1', … as many as the first row has cells. */
  readonly columns?: readonly string[];
  /** Lines before the header, or before the first row; quotes do not count in them. */
  readonly skipRows?: number;
  /** Lines that begin with this are passed over. */
  readonly comment?: string;
  /** Cells without quotes that mean null, such as '' or 'NULL'. */
  readonly nulls?: readonly string[];
  /** Takes white space off both ends of cells without quotes, and spaces and tabs from around quotes. */
  readonly trim?: boolean;
  /** A row with too few cells: into quarantine (unless given), or filled up with nulls. Too many is always a bad row. */
  readonly ragged?: 'quarantine' | 'pad';
  readonly encoding?: CsvEncoding;
}

export interface CsvFormat extends CsvOptions {
  readonly name: 'csv';
}

/**
 * Delimited text by RFC 4180: rows end with LF, CRLF or CR, empty lines are passed over, cells may be quoted and then
 * hold anything. White space around names in the header does not count. Throws DecodeError `decode.badFormat` when
 * options contradict each other.
 *
 * UTF-16 is converted as it is read. Its rows are numbered, because offsets are not known then, and lengths and
 * `maxRowBytes` count bytes of UTF-8.
 */
export function csv(options: CsvOptions = {}): CsvFormat {
  const format: CsvFormat = { name: 'csv', ...options };
  dialectOf(format);
  return format;
}

const LF = 0x0a;
const CR = 0x0d;

/** Rows of cells, by position: the byte offset of the row. */
export function scanCsv(format: CsvFormat, limits: DecodeLimits): Scanner {
  return scanRows(format, dialectOf(format), limits);
}

/** Rows of cells by any dialect, those that are not delimited included. */
export function scanRows(format: RowOptions, dialect: CsvDialect, limits: DecodeLimits): Scanner {
  const reader = newCsvReader(format, dialect, limits);
  const { encoding } = dialect;
  return {
    scan: (window, batch) => scan(reader, window, batch),
    columns: () => reader.names ?? [],
    ...(isUtf16(encoding)
      ? { original: (bytes) => utf16Of(bytes, encoding) }
      : { next: (window) => nextOf(reader, window) }),
  };
}

function nextOf({ long, passing, passedFrom }: CsvReader, window: Window): number {
  return long?.offset ?? (passing ? passedFrom : window.base + window.at);
}

/**
 * Finds the rows. A row without a quote is cut by native searches alone and split as text, about four times as fast as
 * looking at each byte; where the next quote and the next line ends are is only searched for once each is passed.
 */
function scan(reader: CsvReader, window: Window, batch: Batch): 'more' | 'full' | 'end' {
  const { view, done } = window;
  const { limits, cursor } = reader;
  const { marks, multiline } = reader.dialect;
  const stop = window.until - window.base;
  let lf = -1;
  let cr = -1;
  let quote = -1;
  while (window.at < view.length || (reader.long && done)) {
    if (isFull(batch, limits)) return 'full';
    const start = window.at;
    if (reader.long) {
      if (!passLong(reader, window, batch)) return 'more';
      continue;
    }
    if (start >= stop) return 'end';
    if (lf < start) lf = indexOrEnd(view, LF, start);
    if (cr < start) cr = indexOrEnd(view, CR, start);
    if (quote < start) quote = marks.quote < 0 ? view.length : indexOrEnd(view, marks.quote, start);
    const end = Math.min(lf, cr);
    const next = end === cr && lf === cr + 1 ? end + 2 : Math.min(end + 1, view.length);
    // A CR at the edge may be half a line end.
    const isWhole = done || (end < view.length && (end === lf || cr + 1 < view.length));
    if ((isWhole && end === start) || isPassedOver(reader, view, start)) {
      if (!reader.passing) reader.passedFrom = window.base + start;
      reader.passing = !isWhole;
      window.at = isWhole ? next : end;
      if (isWhole && reader.skipRows > 0) reader.skipRows--;
      if (!isWhole) return 'more';
      continue;
    }
    let found = isWhole;
    const isQuoted = quote < end;
    if (isQuoted && (multiline || isWhole)) {
      beginCsvRow(cursor, start);
      found = multiline
        ? readCsvRow(cursor, view, marks, done)
        : readCsvRow(cursor, view.subarray(0, end), marks, true);
    }
    if (found) {
      takeCsvRow(reader, window, batch, { start, end: isQuoted ? cursor.end : end, isQuoted });
      window.at = isQuoted && multiline ? cursor.at : next;
    } else if (view.length - start < limits.maxRowBytes + 3) return 'more';
    else beginLong(reader, window);
  }
  return done || (!reader.long && window.at >= stop) ? 'end' : 'more';
}

/** Whether the line that begins at `start` is no row. What the view cuts off is no whole row yet either way. */
function isPassedOver(reader: CsvReader, view: Buffer, start: number): boolean {
  if (reader.passing || reader.skipRows > 0) return true;
  const { comment } = reader.dialect;
  if (!comment) return false;
  for (let index = 0; index < comment.length; index++) if (view[start + index] !== comment[index]) return false;
  return true;
}

/** Begins a row that is longer than allowed and whose end is not in the window. */
function beginLong(reader: CsvReader, window: Window): void {
  const { cursor, limits } = reader;
  const long = longRow(window, positionOf(reader, window.base + window.at), limits);
  reader.long = { ...long, raw: rawHead(reader, long.raw) };
  beginCsvRow(cursor, window.at);
  cursor.keep = false;
}

/** Reads on in it. False when its end is not in the window. */
function passLong(reader: CsvReader, window: Window, batch: Batch): boolean {
  const { cursor, dialect, limits, long } = reader;
  if (!long) return true;
  cursor.at = window.at;
  const { marks } = dialect;
  // Where no cell holds a line end, the line's end is the row's, whatever its quotes say.
  const ends = dialect.multiline ? marks : { ...marks, quote: -1, escaper: -1 };
  const found = readCsvRow(cursor, window.view, ends, window.done);
  window.at = cursor.at;
  if (!found) return false;
  refuseHeader(reader, tooLong(limits).message);
  addLongRow(batch, long, window.base + cursor.end, limits);
  reader.long = undefined;
  return true;
}

function indexOrEnd(view: Buffer, byte: number, from: number): number {
  const index = view.indexOf(byte, from);
  return index < 0 ? view.length : index;
}
