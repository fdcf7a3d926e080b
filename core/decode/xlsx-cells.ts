import { type ExactNumber, exactNumber } from './exact-number.ts';
import { dateText, type NumberKind } from './xlsx-dates.ts';
import type { XmlObject, XmlValue } from './xml-row.ts';

export type Cell = string | number | bigint | boolean | ExactNumber | null;

/** What cells of any sheet need to be understood. */
export interface CellContext {
  readonly strings: readonly string[];
  /** Kind of number by a cell's style. */
  readonly kinds: readonly NumberKind[];
  readonly is1904: boolean;
  readonly trim: boolean;
  readonly nulls: ReadonlySet<string>;
}

/** Columns of the largest sheet that there can be: A to XFD. */
const MAX_COLUMNS = 16_384;

/** Cells of a `row` element, up to the last that holds something; or what is wrong with one, never its content. */
export function cellsOf(row: XmlObject, context: CellContext): Cell[] | { readonly what: string } {
  const cells: Cell[] = [];
  let column = -1;
  for (const element of listOf(row['c'])) {
    const cell = (typeof element === 'object' && element !== null ? element : {}) as XmlObject;
    const reference = cell['@r'];
    column = typeof reference === 'string' ? columnNumber(reference) : column + 1;
    if (!(column >= 0 && column < MAX_COLUMNS)) return { what: 'a cell stands in no column' };
    const value = valueOfCell(cell, context);
    if (value instanceof CellFault) return { what: `the cell in column ${columnName(column)} ${value.what}` };
    while (cells.length < column) cells.push(null);
    cells[column] = value;
  }
  while (cells.length > 0 && cells.at(-1) === null) cells.pop();
  return cells;
}

/** Text of a `t`, or of the runs of rich text; how Japanese is pronounced is left out. */
export function richText(item: XmlValue | undefined): string {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return '';
  const { t, r } = item as XmlObject;
  const runs = listOf(r).map((run) => plainText((run as XmlObject | null)?.['t']));
  return unescaped(plainText(t) + runs.join(''));
}

/** Column number, from 0, of a reference such as `AB12`; -1 for none. */
export function columnNumber(reference: string): number {
  const letters = /^\$?([A-Za-z]{1,3})/.exec(reference)?.[1]?.toUpperCase() ?? '';
  let number = 0;
  for (const letter of letters) number = number * 26 + letter.charCodeAt(0) - 64;
  return number - 1;
}

function columnName(column: number): string {
  const last = String.fromCharCode(65 + (column % 26));
  return column < 26 ? last : columnName(Math.floor(column / 26) - 1) + last;
}

class CellFault {
  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }
}

function valueOfCell(cell: XmlObject, context: CellContext): Cell | CellFault {
  const { '@t': type = 'n', '@s': style, v, f } = cell;
  if (type === 'inlineStr') return textCell(richText(cell['is']), context);
  const text = plainText(v);
  // A text may be empty; anything else has a result or was never calculated.
  if (v === undefined || (text.trim() === '' && type !== 'str')) {
    if (f === undefined) return null;
    return new CellFault('holds a formula that was never calculated: save the workbook in a spreadsheet program');
  }
  switch (type) {
    case 's': {
      const found = /^\s*\d+\s*$/.test(text) ? context.strings[Number(text)] : undefined;
      return found === undefined
        ? new CellFault('refers to a text that the workbook does not hold')
        : textCell(found, context);
    }
    case 'str':
      return textCell(unescaped(text), context);
    case 'b':
      return text.trim() === '1' || text.trim() === 'true';
    case 'n':
      return numberCell(text.trim(), context.kinds[Number(style ?? 0)] ?? 'number', context.is1904);
    // An error's name, or a date in ISO 8601.
    default:
      return textCell(text, context);
  }
}

function textCell(text: string, { trim, nulls }: CellContext): Cell {
  const shown = trim ? text.trim() : text;
  return nulls.has(shown) ? null : shown;
}

const grammar = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

function numberCell(text: string, kind: NumberKind, is1904: boolean): Cell | CellFault {
  if (!grammar.test(text)) return new CellFault('is said to be a number and is none');
  const date = kind === 'number' ? undefined : dateText(Number(text), kind, is1904);
  return date ?? numberOf(text.replace(/^\+/, ''));
}

/**
 * Spreadsheets compute with doubles, and Excel stores 17 digits of them: 1.1 stands as 1.1000000000000001. The shortest
 * text of the same double is what people typed and see. Integers, and longer fractions, come from other writers and
 * keep all their digits.
 */
function numberOf(text: string): number | bigint | ExactNumber {
  const value = Number(text);
  const isDouble = /[.eE]/.test(text) && significantDigits(text) <= 17 && Number.isFinite(value);
  return isDouble ? value : exactNumber(text);
}

function significantDigits(text: string): number {
  return text
    .replace(/[eE].*/, '')
    .replaceAll(/\D/g, '')
    .replace(/^0+/, '').length;
}

function plainText(value: XmlValue | undefined): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return plainText(value[0]);
  return plainText((value as XmlObject | null | undefined)?.['#text'] ?? '');
}

function listOf(value: XmlValue | undefined): readonly XmlValue[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value as XmlValue];
}

/** Characters that XML does not allow stand as `_x000B_` (ECMA-376 part 1 §22.9.2.19). */
function unescaped(text: string): string {
  if (!text.includes('_x')) return text;
  return text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}
