import { DecodeError, type RowFault } from './codes.ts';
import type { CsvFormat } from './csv.ts';
import type { CsvMarks } from './csv-row.ts';
import { bytesOf, type CsvEncoding } from './csv-text.ts';

/** Cells of a row, or why it has none. */
export type Cells = (string | null)[];
export interface CellFault {
  readonly code: RowFault;
  readonly message: string;
}

/** A format's options with every default filled in. */
export interface CsvDialect {
  readonly encoding: CsvEncoding;
  readonly marks: CsvMarks;
  readonly delimiter: string;
  /** Takes the escapes out of a quoted cell's text. */
  readonly unescape: (text: string) => string;
  /** A quoted cell may hold line ends. */
  readonly multiline: boolean;
  readonly comment: Uint8Array | undefined;
  readonly header: boolean;
  readonly nulls: ReadonlySet<string> | undefined;
  /** Cuts a row that is not delimited; quotes and delimiter then mean nothing. */
  readonly cut?: (text: string) => Cells | CellFault;
}

/** Fills in the defaults. Throws DecodeError `decode.badFormat` when options contradict each other. */
export function dialectOf(format: CsvFormat): CsvDialect {
  const { delimiter = ',', quote = '"', escape: escaper = quote, encoding = 'utf-8', comment, columns, nulls } = format;
  if (delimiter === '' || /[\r\n]/.test(delimiter)) refuse('delimiter must be one or more characters, no line ends');
  if (quote !== null && !isMark(quote)) refuse('quote must be one ASCII character, or null for none');
  if (escaper !== null && (quote === null || !isMark(escaper)))
    refuse('escape must be one ASCII character, and needs a quote');
  if (quote !== null && delimiter.includes(quote)) refuse('delimiter must not contain the quote');
  if (comment === '') refuse('comment must not be empty');
  if (!Number.isInteger(format.skipRows ?? 0) || (format.skipRows ?? 0) < 0) refuse('skipRows must be 0 or more');
  if (columns) {
    const fault = nameFault(columns);
    if (fault) refuse(`columns: ${fault}`);
  }
  return {
    encoding,
    marks: {
      delimiter: encoded(delimiter, encoding),
      quote: quote === null ? -1 : quote.charCodeAt(0),
      escaper: escaper === null ? -1 : escaper.charCodeAt(0),
      trim: format.trim === true,
    },
    delimiter,
    unescape: unescapeOf(quote ?? '', escaper ?? ''),
    multiline: format.multiline ?? true,
    comment: comment === undefined ? undefined : encoded(comment, encoding),
    header: format.header ?? columns === undefined,
    nulls: nulls && nulls.length > 0 ? new Set(nulls) : undefined,
  };
}

/** What is wrong with names of columns: never quotes them, because a first row that is no header holds data. */
export function nameFault(names: readonly string[]): string | undefined {
  const first = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    if (name === '') return `column ${index + 1} has no name`;
    const other = first.get(name);
    if (other !== undefined) return `columns ${other + 1} and ${index + 1} have the same name`;
    first.set(name, index);
  }
  return names.length === 0 ? 'there are no columns' : undefined;
}

function isMark(text: string): boolean {
  return /^[^\r\n\u0080-\uffff]$/.test(text);
}

/** Takes white space off a cell without quotes if the dialect says so, and finds out whether it means null. */
export function plainCell({ nulls, marks }: Pick<CsvDialect, 'nulls' | 'marks'>, cell: string): string | null {
  const text = marks.trim ? cell.trim() : cell;
  return nulls?.has(text) ? null : text;
}

function encoded(text: string, encoding: CsvEncoding): Uint8Array {
  return bytesOf(text, encoding) ?? refuse(`'${text}' cannot be written in ${encoding}`);
}

function unescapeOf(quote: string, escaper: string): (text: string) => string {
  const pair = quote + quote;
  if (quote === escaper) return (text) => text.replaceAll(pair, quote);
  return (text) => {
    let result = '';
    for (let at = 0; at < text.length; at++) {
      const next = text[at + 1];
      if ((text[at] === escaper && (next === quote || next === escaper)) || (text[at] === quote && next === quote))
        at++;
      result += text[at];
    }
    return result;
  };
}

function refuse(message: string): never {
  throw new DecodeError('decode.badFormat', `csv: ${message}`);
}
