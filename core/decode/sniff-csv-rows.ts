import { beginCsvRow, type CsvCursor, newCsvCursor, PLAIN, readCsvRow } from './csv-row.ts';

export interface Quoting {
  readonly quote: string | null;
  readonly escape?: string;
  readonly trim?: boolean;
}

export const usualQuotes: Quoting = { quote: '"' };

/** Ways to quote otherwise. */
export const otherQuotes: readonly Quoting[] = [
  { quote: '"', trim: true },
  { quote: '"', escape: '\\' },
  { quote: "'" },
  { quote: null },
];

/** The text that rows are looked for in. */
export interface Lines {
  readonly view: Buffer;
  /** The view ends where the object does. */
  readonly isWhole: boolean;
  /** Where the first row may begin. */
  readonly from: number;
  /** Lines that begin with this character are none. */
  readonly comment: string | undefined;
}

export interface Row {
  /** Offset in the view. */
  readonly start: number;
  readonly cells: number;
  /** Cells with something in them. Counted for the first rows only: for others, all. */
  readonly filled: number;
  readonly isBad: boolean;
  /** Some of its cells stand in quotes. */
  readonly isQuoted: boolean;
  /** There is a space before some of its quotes. Seen in the first rows only. */
  readonly isSpaced: boolean;
}

/** The rows that one dialect finds. */
export interface Candidate {
  readonly delimiter: string;
  readonly quoting: Quoting;
  readonly rows: readonly Row[];
  /** How many of the rows are a title above the table. */
  readonly titles: number;
  /** Of the rows below the title, those with as many cells as the first of them. */
  readonly share: number;
  readonly columns: number;
}

/** More rows than this do not change the answer. */
const MAX_ROWS = 200;

/** More lines are no title. */
const MAX_TITLE_ROWS = 20;

export function candidateOf(lines: Lines, delimiter: string, quoting: Quoting): Candidate {
  const rows = rowsOf(lines, delimiter, quoting);
  const titles = titleRows(rows, (row) => looksLikeHeader(cellsAt(lines.view, row.start, delimiter, quoting)));
  const table = rows.slice(titles);
  const columns = table[0]?.cells ?? 0;
  const alike = table.filter(({ cells, isBad }) => !isBad && cells === columns).length;
  return { delimiter, quoting, rows, titles, share: table.length === 0 ? 0 : alike / table.length, columns };
}

function rowsOf({ view, isWhole, from, comment }: Lines, delimiter: string, quoting: Quoting): readonly Row[] {
  const marks = marksOf(delimiter, quoting);
  const cursor = newCsvCursor();
  const rows: Row[] = [];
  for (let at = from; at < view.length && rows.length < MAX_ROWS; at = cursor.at) {
    beginCsvRow(cursor, at);
    if (!readCsvRow(cursor, view, marks, isWhole)) break;
    if (cursor.end === at || (comment !== undefined && view[at] === comment.charCodeAt(0))) continue;
    rows.push(rowOf(cursor, view, at, rows.length <= MAX_TITLE_ROWS));
  }
  return rows;
}

function rowOf({ cells, fault }: CsvCursor, view: Buffer, start: number, counted: boolean): Row {
  const count = cells.length / 3;
  let filled = counted ? 0 : count;
  let isQuoted = false;
  let isSpaced = false;
  for (let index = 0; index < cells.length; index += 3) {
    if (cells[index + 2] !== PLAIN) isQuoted = true;
    if (!counted) continue;
    const text = view.toString('latin1', cells[index], cells[index + 1]);
    if (/\S/.test(text)) filled++;
    if (cells[index + 2] === PLAIN && /^ +"/.test(text)) isSpaced = true;
  }
  return { start, cells: count, filled, isBad: fault !== undefined, isQuoted, isSpaced };
}

/**
 * How many rows stand above a table as its title: a few that have far fewer cells than most rows, or, padded to their
 * number, only one with something in it; and behind them a header, so that no row of data is taken for a title.
 */
function titleRows(rows: readonly Row[], isHeader: (row: Row) => boolean): number {
  const counts = [...Map.groupBy(rows, ({ cells }) => cells)].map(([cells, same]) => [cells, same.length] as const);
  const [columns, alike] = counts.sort((a, b) => b[1] - a[1] || b[0] - a[0])[0] ?? [0, 0];
  if (columns < 3) return 0;
  const isTitle = ({ cells, filled, isBad }: Row) =>
    !isBad && (cells === 1 || cells < columns - 1 || (cells === columns && filled === 1));
  const count = rows.findIndex((row) => !isTitle(row));
  const header = rows[count];
  if (!header || count === 0 || count > MAX_TITLE_ROWS || alike <= Math.max(count, 2)) return 0;
  return header.cells === columns && header.filled === columns && isHeader(header) ? count : 0;
}

function marksOf(delimiter: string, quoting: Quoting) {
  const quote = quoting.quote?.charCodeAt(0) ?? -1;
  const escaper = quoting.escape?.charCodeAt(0) ?? quote;
  return { delimiter: Buffer.from(delimiter), quote, escaper, trim: quoting.trim === true };
}

/** Cells of the first row below the title, a character for each byte. */
export function headerOf(view: Buffer, { delimiter, quoting, rows, titles }: Candidate): readonly string[] {
  return cellsAt(view, rows[titles]?.start ?? view.length, delimiter, quoting);
}

function cellsAt(view: Buffer, start: number, delimiter: string, quoting: Quoting): readonly string[] {
  const cursor = newCsvCursor();
  beginCsvRow(cursor, start);
  readCsvRow(cursor, view, marksOf(delimiter, quoting), true);
  const { cells } = cursor;
  return Array.from({ length: cells.length / 3 }, (_, cell) =>
    view.toString('latin1', cells[cell * 3], cells[cell * 3 + 1]),
  );
}

/** Names are not numbers, dates or truth values. A row of nothing but words is taken for a header. */
export function looksLikeHeader(cells: readonly string[]): boolean {
  return cells.every(
    (cell) =>
      !/^[-+]?[\d.,]*\d[\d.,]*(e[-+]?\d+)?%?$|^\d{1,4}[-/.]\d{1,2}[-/.]\d|^(true|false|null|n\/a)$/i.test(cell.trim()),
  );
}
