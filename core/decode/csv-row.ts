/** How rows and cells are told apart, as bytes. */
export interface CsvMarks {
  readonly delimiter: Uint8Array;
  /** -1 when cells are never quoted. */
  readonly quote: number;
  /** Takes the meaning from a quote or from itself inside quotes; the same byte as the quote in RFC 4180. */
  readonly escaper: number;
  /** Spaces and tabs around cells do not count. */
  readonly trim: boolean;
}

/** Where a reader of one row stands. */
export interface CsvCursor {
  /** Index in the view up to which the row has been read. */
  at: number;
  /** Before a cell, in one without quotes, inside quotes, behind them; after a fault, to the end of the line. */
  state: 'start' | 'plain' | 'quoted' | 'closed' | 'after';
  /** Start, end and kind of each cell, one after another: indexes in the view. */
  readonly cells: number[];
  /** False once the row is too long: its cells do not matter, only its end. */
  keep: boolean;
  cellStart: number;
  cellEnd: number;
  kind: number;
  /** Index of the first byte behind the row's last cell; `at` is then behind the line end. */
  end: number;
  fault: 'decode.textAfterQuote' | 'decode.unterminatedQuote' | undefined;
  faultAt: number;
  /** Number of the cell being read, from 1, and of the one at fault. */
  cell: number;
  faultCell: number;
}

/** Kinds of cells: without quotes, in quotes, in quotes with something to take out. */
export const PLAIN = 0;
export const QUOTED = 1;
export const ESCAPED = 2;

const LF = 0x0a;
const CR = 0x0d;

export function newCsvCursor(): CsvCursor {
  return {
    at: 0,
    state: 'start',
    cells: [],
    keep: true,
    cellStart: 0,
    cellEnd: 0,
    kind: PLAIN,
    end: 0,
    fault: undefined,
    faultAt: 0,
    cell: 0,
    faultCell: 0,
  };
}

/** Sets the cursor to the first byte of a row. */
export function beginCsvRow(cursor: CsvCursor, at: number): void {
  cursor.at = at;
  cursor.state = 'start';
  cursor.cells.length = 0;
  cursor.keep = true;
  cursor.kind = PLAIN;
  cursor.fault = undefined;
  cursor.cell = 0;
}

/**
 * Reads one row on, by RFC 4180: a quoted cell holds anything, a doubled quote stands for one, and rows end with LF,
 * CRLF or CR. A quote inside a cell that does not begin with one is text. True when the row's end is found. False when
 * the view ends first (never if nothing follows, `last`): everything before `at` is read, so that a row of which
 * nothing is kept can be read in pieces.
 */
export function readCsvRow(cursor: CsvCursor, view: Buffer, marks: CsvMarks, last: boolean): boolean {
  for (;;) {
    const state = cursor.state;
    if (state === 'quoted') {
      if (!readQuoted(cursor, view, marks, last)) return false;
      continue;
    }
    if (marks.trim && (state === 'start' || state === 'closed')) skipBlanks(cursor, view, marks);
    if (state === 'start') {
      if (cursor.at === view.length && !last) return false;
      beginCell(cursor, view, marks);
      continue;
    }
    const step = state === 'closed' ? readMark(cursor, view, marks, last) : readPlain(cursor, view, marks, last);
    if (step === 'starved') return false;
    if (step === 'row') return true;
    if (step === 'text') {
      // Most likely a quote that should have been doubled, so that no quote of this row can be trusted any more.
      setFault(cursor, 'decode.textAfterQuote', cursor.at);
      cursor.state = 'after';
    }
  }
}

function beginCell(cursor: CsvCursor, view: Buffer, marks: CsvMarks): void {
  cursor.cell++;
  if (view[cursor.at] === marks.quote) {
    cursor.at++;
    cursor.state = 'quoted';
    cursor.kind = QUOTED;
  } else {
    cursor.state = 'plain';
    cursor.kind = PLAIN;
  }
  cursor.cellStart = cursor.at;
}

/** Reads up to and over the closing quote. */
function readQuoted(cursor: CsvCursor, view: Buffer, { quote, escaper }: CsvMarks, last: boolean): boolean {
  for (;;) {
    const at = escaper === quote ? view.indexOf(quote, cursor.at) : indexOfEither(view, quote, escaper, cursor.at);
    cursor.at = at < 0 ? view.length : at;
    if (at < 0 ? last : at + 1 === view.length && last && view[at] !== quote) {
      setFault(cursor, 'decode.unterminatedQuote', cursor.cellStart - 1);
      cursor.at = view.length;
      cursor.cellEnd = view.length;
      cursor.state = 'closed';
      return true;
    }
    // Whether a quote is doubled shows in the byte behind it.
    if (at < 0 || (at + 1 === view.length && !last)) return false;
    const next = view[at + 1];
    const isPair = at + 1 < view.length && (next === quote || (view[at] === escaper && next === escaper));
    if (isPair) {
      cursor.kind = ESCAPED;
      cursor.at += 2;
    } else if (view[at] === quote) {
      cursor.cellEnd = at;
      cursor.at = at + 1;
      cursor.state = 'closed';
      return true;
    } else cursor.at++;
  }
}

function indexOfEither(view: Buffer, quote: number, escaper: number, from: number): number {
  for (let at = from; at < view.length; at++) if (view[at] === quote || view[at] === escaper) return at;
  return -1;
}

type Step = 'cell' | 'row' | 'text' | 'starved';

/** Reads up to and over the mark that ends a cell without quotes. */
function readPlain(cursor: CsvCursor, view: Buffer, marks: CsvMarks, last: boolean): Step {
  const first = marks.delimiter[0];
  for (;;) {
    let at = cursor.at;
    while (at < view.length && view[at] !== first && view[at] !== LF && view[at] !== CR) at++;
    cursor.at = at;
    if (cursor.state === 'plain') cursor.cellEnd = at;
    const step = readMark(cursor, view, marks, last);
    if (step !== 'text') return step;
    cursor.at++;
  }
}

/** Takes a delimiter or line end, if that is what stands at `at`, and ends the cell. */
function readMark(cursor: CsvCursor, view: Buffer, { delimiter }: CsvMarks, last: boolean): Step {
  const { at } = cursor;
  const byte = view[at];
  if (at === view.length) {
    if (!last) return 'starved';
    return endRow(cursor, at);
  }
  if (byte === LF) return endRow(cursor, at + 1);
  if (byte === CR) {
    if (at + 1 === view.length && !last) return 'starved';
    return endRow(cursor, view[at + 1] === LF && at + 1 < view.length ? at + 2 : at + 1);
  }
  if (cursor.state === 'after') return 'text';
  for (let index = 0; index < delimiter.length; index++) {
    if (at + index === view.length) return last ? 'text' : 'starved';
    if (view[at + index] !== delimiter[index]) return 'text';
  }
  endCell(cursor);
  cursor.at = at + delimiter.length;
  cursor.state = 'start';
  return 'cell';
}

function endRow(cursor: CsvCursor, next: number): 'row' {
  endCell(cursor);
  cursor.end = cursor.at;
  cursor.at = next;
  return 'row';
}

function endCell(cursor: CsvCursor): void {
  if (cursor.keep) cursor.cells.push(cursor.cellStart, cursor.cellEnd, cursor.kind);
}

function setFault(cursor: CsvCursor, fault: NonNullable<CsvCursor['fault']>, at: number): void {
  if (cursor.fault) return;
  cursor.fault = fault;
  cursor.faultAt = at;
  cursor.faultCell = cursor.cell;
}

/** Spaces and tabs, unless they are what delimits. */
function skipBlanks(cursor: CsvCursor, view: Buffer, { delimiter }: CsvMarks): void {
  while (cursor.at < view.length) {
    const byte = view[cursor.at];
    if ((byte !== 0x20 && byte !== 0x09) || byte === delimiter[0]) return;
    cursor.at++;
  }
}
