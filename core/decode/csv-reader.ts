import { isUtf8 } from 'node:buffer';
import { addBad, addRow, type Batch, headOf, tooLong } from './batches.ts';
import { DecodeError } from './codes.ts';
import type { CsvFormat } from './csv.ts';
import { type CellFault, type Cells, type CsvDialect, nameFault, plainCell } from './csv-dialect.ts';
import { type CsvCursor, ESCAPED, newCsvCursor, PLAIN } from './csv-row.ts';
import { isUtf16, textOf, utf16Of } from './csv-text.ts';
import type { DecodeLimits } from './format.ts';
import { firstInvalid } from './json-row.ts';
import type { LongRow } from './long-row.ts';
import type { Window } from './window.ts';

/** Where a reader of delimited text stands; survives from one block of bytes to the next. */
export interface CsvReader {
  readonly dialect: CsvDialect;
  readonly limits: DecodeLimits;
  readonly pad: boolean;
  readonly cursor: CsvCursor;
  /** Names of the cells, once they are known. */
  names: readonly string[] | undefined;
  /** The next row is the header. */
  awaitsHeader: boolean;
  /** Lines still to be passed over at the beginning. */
  skipRows: number;
  /** Inside a line that is no row, which begins at the offset `passedFrom`. */
  passing: boolean;
  passedFrom: number;
  /** Rows so far, for encodings in which offsets are not known. */
  ordinal: number;
  long: LongRow | undefined;
}

/** A row in the view. If quoted, the cursor holds its cells. */
export interface CsvRow {
  readonly start: number;
  readonly end: number;
  readonly isQuoted: boolean;
}

/** What a reader takes from a format as it stands there. */
export type RowOptions = Pick<CsvFormat, 'columns' | 'skipRows' | 'ragged'>;

export function newCsvReader(format: RowOptions, dialect: CsvDialect, limits: DecodeLimits): CsvReader {
  return {
    dialect,
    limits,
    pad: format.ragged === 'pad',
    cursor: newCsvCursor(),
    names: format.columns,
    awaitsHeader: dialect.header,
    skipRows: format.skipRows ?? 0,
    passing: false,
    passedFrom: 0,
    ordinal: 0,
    long: undefined,
  };
}

/** Position of a row at this offset of the bytes that are scanned. Called once a row, in order. */
export function positionOf(reader: CsvReader, offset: number): number {
  return isUtf16(reader.dialect.encoding) ? reader.ordinal++ : offset;
}

/** Throws DecodeError `decode.badHeader` if the row that cannot be read is the header. */
export function refuseHeader(reader: CsvReader, reason: string): void {
  if (!reader.awaitsHeader) return;
  const remedy = 'Say where it is (skipRows, comment), or give columns, with header: true to pass over this row';
  throw new DecodeError('decode.badHeader', `the header cannot be used: ${reason}. ${remedy}`);
}

/** Adds a row to the batch as cells or as a bad row, or takes it as the header. */
export function takeCsvRow(reader: CsvReader, window: Window, batch: Batch, row: CsvRow): void {
  const { start, end } = row;
  const { view } = window;
  const found = cellsOf(reader, view, row);
  if (!Array.isArray(found)) {
    refuseHeader(reader, found.message);
    const raw = rawHead(reader, view.subarray(start, end));
    addBad(batch, found, { position: positionOf(reader, window.base + start), length: end - start, raw });
    return;
  }
  if (reader.awaitsHeader) {
    takeHeader(reader, found);
    return;
  }
  reader.names ??= found.map((_, index) => String(index));
  const position = positionOf(reader, window.base + start);
  const columns = reader.names.length;
  while (reader.pad && found.length < columns) found.push(null);
  if (found.length === columns) {
    addRow(batch, found, position, start, end);
    return;
  }
  const message = `expected ${columns} cells, found ${found.length}`;
  const raw = rawHead(reader, view.subarray(start, end));
  addBad(batch, { code: 'decode.raggedRow', message }, { position, length: end - start, raw });
}

/** The first bytes of a bad row, as they stand in the object. */
export function rawHead({ dialect, limits }: CsvReader, bytes: Uint8Array): Uint8Array {
  const head = headOf(bytes, limits);
  if (!isUtf16(dialect.encoding)) return head;
  return utf16Of(head, dialect.encoding).slice(0, limits.rawLimitBytes - (limits.rawLimitBytes % 2));
}

function cellsOf(reader: CsvReader, view: Buffer, row: CsvRow): Cells | CellFault {
  const { start, end, isQuoted } = row;
  const { cursor, dialect, limits } = reader;
  if (end - start > limits.maxRowBytes) return tooLong(limits);
  if (isQuoted && cursor.fault) return { code: cursor.fault, message: quoteFault(cursor, start) };
  const text = textOf(view, start, end, dialect.encoding);
  const isUnicode = dialect.encoding === 'utf-8' || isUtf16(dialect.encoding);
  if (isUnicode && text.includes('\ufffd') && !isUtf8(view.subarray(start, end))) {
    const offset = firstInvalid(view.subarray(start, end), text);
    const where = dialect.encoding === 'utf-8' ? `UTF-8 at byte ${offset}` : 'UTF-16: half a surrogate pair';
    return { code: 'decode.invalidUtf8', message: `not ${where}` };
  }
  if (dialect.cut) return dialect.cut(text);
  const cells = isQuoted ? quotedCells(reader, view, row, text) : text.split(dialect.delimiter);
  if (!isQuoted && (dialect.nulls || dialect.marks.trim))
    return cells.map((cell) => plainCell(dialect, cell as string));
  return cells;
}

function quotedCells({ cursor, dialect }: CsvReader, view: Buffer, { start, end }: CsvRow, text: string): Cells {
  const { cells } = cursor;
  // One character a byte: the cells can be cut out of the text instead of being decoded one by one.
  const isSingle = text.length === end - start;
  const found: Cells = [];
  for (let index = 0; index < cells.length; index += 3) {
    const from = cells[index] as number;
    const to = cells[index + 1] as number;
    const kind = cells[index + 2];
    const cell = isSingle ? text.slice(from - start, to - start) : textOf(view, from, to, dialect.encoding);
    if (kind === PLAIN) found.push(plainCell(dialect, cell));
    else found.push(kind === ESCAPED ? dialect.unescape(cell) : cell);
  }
  return found;
}

function takeHeader(reader: CsvReader, cells: Cells): void {
  const written = cells.map((cell) => cell?.trim() ?? '');
  // Exports leave the name of an index, or of what follows a last delimiter, blank; a line of blanks is no header.
  const isHeader = written.some((name) => name !== '');
  const names = isHeader ? written.map((name, index) => name || String(index)) : written;
  const given = reader.names;
  const fault = given ? undefined : nameFault(names);
  if (fault) refuseHeader(reader, fault);
  if (given && given.length !== names.length) {
    refuseHeader(reader, `columns names ${given.length} cells, the header has ${names.length}`);
  }
  reader.names = given ?? names;
  reader.awaitsHeader = false;
}

function quoteFault({ fault, faultAt, faultCell }: CsvCursor, start: number): string {
  const where = `at byte ${faultAt - start}, in cell ${faultCell}`;
  return fault === 'decode.unterminatedQuote'
    ? `the quote ${where} is never closed`
    : `there is text behind the closing quote, ${where}`;
}
