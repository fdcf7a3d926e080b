import {
  type Candidate,
  candidateOf,
  headerOf,
  type Lines,
  looksLikeHeader,
  otherQuotes,
  usualQuotes,
} from './sniff-csv-rows.ts';

/** What the first rows say about delimited text. What is absent is as by default. */
export interface CsvShape {
  readonly delimiter: string;
  readonly quote?: string | null;
  readonly escape?: string;
  readonly trim?: boolean;
  readonly header: boolean;
  readonly skipRows?: number;
  readonly comment?: string;
}

const delimiters = [',', ';', '\t', '|'];
const delimitersByName: Readonly<Record<string, string>> = { csv: ',', txt: ',', tsv: '\t', tab: '\t', psv: '|' };

/** So many of the rows must have as many cells as the first: a few may be damaged. */
const MIN_SHARE = 0.8;

/**
 * Finds the dialect: the delimiter that cuts most rows into as many cells as the first, at least two, below a title of
 * a few lines if there is one; and the quotes with which fewest rows are damaged. Text in which no delimiter does is
 * one column if its name says that it is delimited text, else undefined.
 */
export function sniffCsv(view: Buffer, isWhole: boolean, extension: string): CsvShape | undefined {
  const named = delimitersByName[extension];
  // What Excel writes above a table to tell itself how to read it.
  const [line = '', said] = /^"?sep=([^\r\n"])"?(?:\r\n|\n|\r)/i.exec(view.toString('latin1', 0, 16)) ?? [];
  const lines = { view, isWhole, from: line.length, comment: undefined };
  const among = said === undefined ? delimiters : [said];
  const plain = bestOf(lines, among, named) ?? rareOf(lines);
  const best = view[0] === 0x23 ? belowRemarks({ ...lines, comment: '#' }, among, named, plain) : plain;
  if (best) return shapeOf(view, longerOf(lines, best) ?? best, line.length);
  if (named === undefined) return undefined;
  return { delimiter: named, header: looksLikeHeader(headerOf(view, candidateOf(lines, named, usualQuotes))) };
}

/** What is found when lines that begin with `#` are passed over, unless the first of them is a header like any other. */
function belowRemarks(
  lines: Lines,
  among: readonly string[],
  named: string | undefined,
  plain: Candidate | undefined,
): Candidate | undefined {
  const found = bestOf(lines, among, named) ?? rareOf(lines);
  const isHeader = plain?.titles === 0 && plain.share >= (found?.share ?? 0);
  return isHeader ? plain : (found ?? plain);
}

/** Of all delimiters and ways to quote, the best; undefined when none gives rows that are alike. */
function bestOf(lines: Lines, among: readonly string[], named: string | undefined): Candidate | undefined {
  const usual = among.map((delimiter) => candidateOf(lines, delimiter, usualQuotes));
  const pick = (candidates: readonly Candidate[]) => {
    const fit = candidates.filter(({ share, columns }) => share >= MIN_SHARE && columns > 1);
    // A name may lie about the rest, but nobody writes .tsv and .psv by accident.
    const expected = fit.find(({ delimiter }) => delimiter === named && named !== ',');
    return expected ?? fit.sort((a, b) => b.share - a.share || b.columns - a.columns)[0];
  };
  const best = pick(usual);
  const isClean = best?.share === 1 && !best.rows.some(({ isSpaced }) => isSpaced);
  const better = isClean ? undefined : pick(usual.flatMap((each) => quotedOtherwise(lines, each)));
  if (!better || !best) return best ?? better;
  return better.share > best.share || (better.quoting.trim && better.share === best.share) ? better : best;
}

/** The same delimiter with other quotes, where they are there and seem to be what damages rows otherwise. */
function quotedOtherwise(lines: Lines, { rows, delimiter }: Candidate): readonly Candidate[] {
  const damaged = rows.filter(({ isBad }) => isBad).length;
  const quoted = rows.filter(({ isBad, isQuoted }) => isQuoted && !isBad).length;
  return otherQuotes.flatMap((quoting) => {
    const { quote, escape: escaper, trim } = quoting;
    // Where most quotes stand as they should, the others are damage.
    if (quote === null) return damaged < 2 || quoted >= damaged ? [] : [candidateOf(lines, delimiter, quoting)];
    if (escaper && (damaged === 0 || !lines.view.includes(`${escaper}${quote}`))) return [];
    if (trim && !rows.some(({ isSpaced }) => isSpaced)) return [];
    const found = candidateOf(lines, delimiter, quoting);
    return found.rows.some(({ isQuoted, isBad }) => isQuoted && !isBad) ? [found] : [];
  });
}

/** A delimiter that nobody would take for another mark, in text that has no usual one. */
function rareOf(lines: Lines): Candidate | undefined {
  const found = bestOf(lines, rareIn(lines), undefined);
  return found && found.rows.length > 1 ? found : undefined;
}

/** A delimiter of several characters of which `found` is one: all its cells are then cut apart by them. */
function longerOf(lines: Lines, found: Candidate): Candidate | undefined {
  const times = (text: string) => text.split(found.delimiter).length - 1;
  return rareIn(lines)
    .filter((delimiter) => delimiter !== found.delimiter && times(delimiter) > 0)
    .map((delimiter) => candidateOf(lines, delimiter, found.quoting))
    .find(
      ({ delimiter, share, columns }) =>
        columns > 2 && share >= found.share && (columns - 1) * times(delimiter) === found.columns - 1,
    );
}

/** What may be a rare delimiter in the first line: one mark or control character, or several marks together. */
function rareIn({ view, from, comment }: Lines): readonly string[] {
  const lines = view.toString('latin1', from, from + 16_384).split(/[\r\n]+/);
  const first = lines.find((line) => line !== '' && !(comment && line.startsWith(comment))) ?? '';
  const controls = first.split('').filter((character) => character < ' ' && character !== '\t');
  return [...new Set([...(first.match(/[|~^:#$*!@]{2,4}|[~^]/g) ?? []), ...controls])];
}

function shapeOf(view: Buffer, found: Candidate, from: number): CsvShape {
  const { delimiter, quoting, rows, titles } = found;
  const before = view.toString('latin1', 0, rows[titles]?.start);
  const isRemarked = from === 0 && titles === 0 && before.startsWith('#');
  const isBelow = from > 0 || titles > 0;
  return {
    delimiter,
    ...(quoting.quote !== '"' && { quote: quoting.quote }),
    ...(quoting.escape && { escape: quoting.escape }),
    ...(quoting.trim && { trim: true }),
    header: looksLikeHeader(headerOf(view, found)),
    ...(isBelow && { skipRows: before.match(/\r\n|\n|\r/g)?.length ?? 0 }),
    ...(isRemarked && { comment: '#' }),
  };
}
