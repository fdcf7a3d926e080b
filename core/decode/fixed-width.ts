import type { Scanner } from './batches.ts';
import { DecodeError } from './codes.ts';
import { scanRows } from './csv.ts';
import { type CellFault, type Cells, type CsvDialect, nameFault, plainCell } from './csv-dialect.ts';
import type { CsvEncoding } from './csv-text.ts';
import type { DecodeLimits } from './format.ts';

/** A column that begins where the one before it ends. */
export interface WidthColumn {
  readonly name: string;
  /** Characters: Unicode code points of the decoded text, whatever their bytes. */
  readonly width: number;
}

/** A column at its own place. Places may leave gaps, overlap and come in any order. */
export interface PlacedColumn {
  readonly name: string;
  /** Characters before it in the line: 0 for the first column. */
  readonly start: number;
  readonly length: number;
}

export interface FixedWidthOptions {
  readonly columns: readonly WidthColumn[] | readonly PlacedColumn[];
  /** Takes white space off both ends of every cell. True unless given. */
  readonly trim?: boolean;
  /** Cells that mean null once they are trimmed, such as '' for blanks. */
  readonly nulls?: readonly string[];
  /** Lines before the first row, such as a header. */
  readonly skipRows?: number;
  /**
   * A line that ends before its last column does: into quarantine (unless given), or columns that it does not reach are
   * null and the one it ends in holds what there is, as when blanks at the ends of lines were cut off.
   */
  readonly ragged?: 'quarantine' | 'pad';
  /** utf-8 unless given. */
  readonly encoding?: CsvEncoding;
}

export interface FixedWidthFormat extends FixedWidthOptions {
  readonly name: 'fixedWidth';
}

/**
 * Lines in which columns lie at fixed places: lines end with LF, CRLF or CR, empty ones are passed over. A line must
 * reach to the end of its last column, and no further. Throws DecodeError `decode.badFormat` for columns without names
 * or places, and for other options that cannot be.
 *
 * UTF-16 is treated as by `csv`: rows are numbered.
 */
export function fixedWidth(options: FixedWidthOptions): FixedWidthFormat {
  const format: FixedWidthFormat = { name: 'fixedWidth', ...options };
  placesOf(format);
  return format;
}

/** Rows of cells, by position: the byte offset of the line. */
export function scanFixedWidth(format: FixedWidthFormat, limits: DecodeLimits): Scanner {
  const columns = format.columns.map(({ name }) => name);
  return scanRows({ columns, skipRows: format.skipRows ?? 0 }, dialectOf(format), limits);
}

interface Place {
  readonly start: number;
  readonly end: number;
}

function dialectOf(format: FixedWidthFormat): CsvDialect {
  const { encoding = 'utf-8', nulls = [], ragged, trim = true } = format;
  const places = placesOf(format);
  const expected = Math.max(...places.map(({ end }) => end));
  // A line end as delimiter: what a row is cut by is its length alone.
  const marks = { delimiter: Uint8Array.of(0x0a), quote: -1, escaper: -1, trim };
  const cells = { marks, nulls: nulls.length > 0 ? new Set(nulls) : undefined };
  return {
    ...cells,
    encoding,
    delimiter: '\n',
    unescape: (text) => text,
    multiline: false,
    comment: undefined,
    header: false,
    cut: (text) => cut(text, places, expected, ragged === 'pad', (cell) => plainCell(cells, cell)),
  };
}

function cut(
  text: string,
  places: readonly Place[],
  expected: number,
  pad: boolean,
  read: (cell: string) => string | null,
): Cells | CellFault {
  // In most lines a character is one unit of the text; where one takes two, they are told apart first.
  const points = /[\ud800-\udbff]/.test(text) ? Array.from(text) : undefined;
  const length = points?.length ?? text.length;
  const message = `expected ${expected} characters, found ${length}`;
  if (length > expected) return { code: 'decode.longRow', message };
  if (length < expected && !pad) return { code: 'decode.shortRow', message };
  return places.map(({ start, end }) => {
    if (start >= length) return null;
    return read(points ? points.slice(start, end).join('') : text.slice(start, end));
  });
}

/** Where each column lies. Throws DecodeError `decode.badFormat`. */
function placesOf({ columns, skipRows = 0 }: FixedWidthOptions): readonly Place[] {
  const fault = nameFault(columns.map(({ name }) => name));
  if (fault) refuse(`columns: ${fault}`);
  if (!isCount(skipRows)) refuse('skipRows must be 0 or more');
  let at = 0;
  const placed = columns.filter((column) => 'start' in column).length;
  if (placed > 0 && placed < columns.length)
    refuse('columns: give every column a width, or every one start and length');
  return columns.map((column) => {
    const [start, length, what] =
      'start' in column ? [column.start, column.length, 'length'] : [at, column.width, 'width'];
    if (!isCount(start)) refuse(`columns: the start of ${column.name} must be 0 or more`);
    if (!isCount(length) || length === 0) refuse(`columns: the ${what} of ${column.name} must be 1 or more`);
    at = start + length;
    return { start, end: at };
  });
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function refuse(message: string): never {
  throw new DecodeError('decode.badFormat', `fixedWidth: ${message}`);
}
