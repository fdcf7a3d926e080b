import { addRow, type Scanner } from './batches.ts';
import { DecodeError } from './codes.ts';
import type { DecodeLimits } from './format.ts';
import { rowJson } from './row-json.ts';
import type { XlsxFormat } from './xlsx.ts';
import { type Cell, type CellContext, cellsOf } from './xlsx-cells.ts';
import { dimensionOf, sheetShape } from './xlsx-workbook.ts';
import { rejectElement, scanElements } from './xml-elements.ts';
import { localName } from './xml-names.ts';
import { parseXmlRow } from './xml-row.ts';

/** A sheet says how wide it is within so many bytes. */
const HEAD_BYTES = 8 * 1024;

const CELL_BYTES = 8;

const rowPath = ['worksheet', 'sheetData', 'row'];

/** Rows of a sheet, by position: the row's number, from 0. Those before `from` are passed over. */
export function scanSheet(format: XlsxFormat, context: CellContext, limits: DecodeLimits, from: number): Scanner {
  const { skipRows = 0, columns } = format;
  let awaitsHeader = format.header ?? columns === undefined;
  let names = columns;
  let width = 0;
  let last = -1;
  const cellsAt = (bytes: Buffer) => {
    const row = parseXmlRow(bytes.toString(), sheetShape);
    return 'row' in row ? cellsOf(row.row, context) : row;
  };
  return scanElements(
    {
      begin({ view, at, done }) {
        if (view.length - at < HEAD_BYTES && !done) return false;
        width = dimensionOf(view.toString('latin1', at, at + HEAD_BYTES));
        return true;
      },
      isRow: (path) => path.length === 3 && path.every((name, index) => localName(name) === rowPath[index]),
      positionOf(tag) {
        const number = Number(/^<[^\s>]*\s[^>]*?\br\s*=\s*["'](\d{1,9})["']/.exec(tag)?.[1] ?? 0);
        // Rows are in order; what is not must still have a number of its own.
        last = Math.max(number - 1, last + 1);
        return last;
      },
      tooLong() {
        if (awaitsHeader && last >= skipRows) throw badHeader('is too long');
      },
      take(batch, view, element) {
        const { start, end, position } = element;
        if (position < skipRows || (position < from && !awaitsHeader && names)) return;
        const cells = cellsAt(view.subarray(start, end));
        if (!Array.isArray(cells)) {
          if (awaitsHeader) throw badHeader(`cannot be read: ${cells.what}`);
          return rejectElement(batch, view, element, { code: 'decode.badCell', message: cells.what }, limits);
        }
        if (cells.every((cell) => cell === null || cell === '')) return;
        if (awaitsHeader) {
          awaitsHeader = false;
          names ??= namesOf(cells);
          return;
        }
        names ??= Array.from({ length: Math.max(cells.length, width) }, (_, index) => String(index));
        if (position < from) return;
        if (cells.length > names.length) {
          const message = `the row has ${cells.length} cells, and there are ${names.length} columns`;
          return rejectElement(batch, view, element, { code: 'decode.raggedRow', message }, limits);
        }
        addRow(batch, padded(cells, names.length), position, start, end);
        // Few bytes may stand for thousands of empty cells.
        batch.bytes += CELL_BYTES * names.length;
      },
      columns: () => names ?? [],
      // What stands in the sheet refers to texts elsewhere.
      original(bytes) {
        const cells = cellsAt(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
        return new TextEncoder().encode(rowJson(Array.isArray(cells) ? padded(cells, names?.length ?? 0) : []));
      },
    },
    limits,
  );
}

function padded(cells: Cell[], length: number): Cell[] {
  while (cells.length < length) cells.push(null);
  return cells;
}

/** Names by a header; a column without one is called by its number, as without a header. */
function namesOf(cells: readonly Cell[]): readonly string[] {
  const names = cells.map((cell, index) => (cell === null ? '' : String(cell)).trim() || String(index));
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (twice >= 0) {
    const first = names.indexOf(names[twice] ?? '');
    throw badHeader(`has the same name for columns ${first + 1} and ${twice + 1}: give columns, with header: true`);
  }
  return names;
}

function badHeader(reason: string): DecodeError {
  return new DecodeError('decode.badHeader', `the sheet's header ${reason}`);
}
