import { beginCsvRow, type CsvCursor, newCsvCursor, readCsvRow } from './csv-row.ts';

/** What the first rows say about delimited text. */
export interface CsvShape {
  readonly delimiter: string;
  readonly header: boolean;
}

const delimiters = [',', ';', '\t', '|'];
const delimitersByName: Readonly<Record<string, string>> = { csv: ',', txt: ',', tsv: '\t', tab: '\t', psv: '|' };

/** More rows than this do not change the answer. */
const MAX_ROWS = 200;

/** So many of the rows must have as many cells as the first: a few may be damaged. */
const MIN_SHARE = 0.8;

interface Candidate {
  readonly delimiter: string;
  readonly share: number;
  readonly columns: number;
  readonly first: readonly string[];
}

/**
 * Finds delimiter and header: the delimiter that cuts most rows into as many cells as the first, at least two. Text in
 * which none does is one column if its name says that it is delimited text, else undefined.
 */
export function sniffCsv(view: Buffer, isWhole: boolean, extension: string): CsvShape | undefined {
  const named = delimitersByName[extension];
  const candidates = delimiters
    .map((delimiter) => candidateOf(view, delimiter, isWhole))
    .filter(({ share, columns }) => share >= MIN_SHARE && columns > 1);
  // A name may lie about the rest, but nobody writes .tsv and .psv by accident.
  const expected = candidates.find(({ delimiter }) => delimiter === named && named !== ',');
  const [best] = expected ? [expected] : candidates.sort((a, b) => b.share - a.share || b.columns - a.columns);
  if (best) return { delimiter: best.delimiter, header: looksLikeHeader(best.first) };
  if (named === undefined) return undefined;
  return { delimiter: named, header: looksLikeHeader(candidateOf(view, named, isWhole).first) };
}

function candidateOf(view: Buffer, delimiter: string, isWhole: boolean): Candidate {
  const marks = { delimiter: Buffer.from(delimiter), quote: 0x22, escaper: 0x22, trim: false };
  const cursor = newCsvCursor();
  let first: readonly string[] = [];
  let rows = 0;
  let alike = 0;
  for (let at = 0; at < view.length && rows < MAX_ROWS; at = cursor.at) {
    beginCsvRow(cursor, at);
    if (!readCsvRow(cursor, view, marks, isWhole)) break;
    if (cursor.end === at) continue;
    rows++;
    if (rows === 1) first = cellsOf(cursor, view);
    if (!cursor.fault && cursor.cells.length / 3 === first.length) alike++;
  }
  return { delimiter, share: rows === 0 ? 0 : alike / rows, columns: first.length, first };
}

function cellsOf({ cells }: CsvCursor, view: Buffer): string[] {
  const texts: string[] = [];
  for (let index = 0; index < cells.length; index += 3)
    texts.push(view.toString('latin1', cells[index], cells[index + 1]));
  return texts;
}

/** Names are not numbers, dates or truth values. A row of nothing but words is taken for a header. */
function looksLikeHeader(cells: readonly string[]): boolean {
  return cells.every(
    (cell) =>
      !/^[-+]?[\d.,]*\d[\d.,]*(e[-+]?\d+)?%?$|^\d{1,4}[-/.]\d{1,2}[-/.]\d|^(true|false|null|n\/a)$/i.test(cell.trim()),
  );
}
