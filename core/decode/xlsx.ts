import { batches } from './batches.ts';
import { DecodeError } from './codes.ts';
import type { DecodeLimits, RowBatch } from './format.ts';
import type { RandomAccess } from './random-access.ts';
import { scanSheet } from './xlsx-sheet.ts';
import { openWorkbook } from './xlsx-workbook.ts';

export interface XlsxOptions {
  /** Name of the sheet, or its number, from 1, hidden ones counted. The first that is not hidden unless given. */
  readonly sheet?: string | number;
  /** The first row that is not blank holds the names. True unless `columns` is given; with both, it is passed over. */
  readonly header?: boolean;
  /** Names of the cells. With neither these nor a header they are '0', '1', … */
  readonly columns?: readonly string[];
  /** Rows of the sheet, blank ones counted, before the header or the first row. */
  readonly skipRows?: number;
  /** Texts that mean null, such as '' or '#N/A'. */
  readonly nulls?: readonly string[];
  /** Takes white space off both ends of texts. */
  readonly trim?: boolean;
}

export interface XlsxFormat extends XlsxOptions {
  readonly name: 'xlsx';
}

/**
 * One sheet of an Excel workbook (.xlsx, .xlsm). Blank rows are passed over, cells without content are null. Numbers
 * keep their digits as they are stored; dates and times are told from numbers by how the cell shows them, and are text
 * without a zone: `2026-11-21`, `2026-11-21T13:45:30`, `13:45:30`. A formula is its stored result, an error its name
 * (`#REF!`), of merged cells only the first has the content.
 *
 * Throws DecodeError `decode.badFormat` for a sheet or a number of rows that cannot be, and for names given twice.
 */
export function xlsx(options: XlsxOptions = {}): XlsxFormat {
  const { sheet, skipRows = 0, columns = [] } = options;
  if (sheet === '' || (typeof sheet === 'number' && !(Number.isInteger(sheet) && sheet > 0))) {
    throw badFormat('sheet is a name, or a number from 1');
  }
  if (!Number.isInteger(skipRows) || skipRows < 0) throw badFormat('skipRows is a number of rows');
  if (options.columns?.length === 0) throw badFormat('columns has no name');
  if (new Set(columns).size < columns.length) throw badFormat('columns has a name twice');
  return { name: 'xlsx', ...options };
}

const BLOCK_BYTES = 64 * 1024;

/**
 * Rows of a sheet, as lists of cells, by position: the number of the row in the sheet, from 0. What shared texts take
 * stays in memory, up to 256 MiB; the sheet itself is read as a stream.
 *
 * Throws DecodeError `decode.unsupportedXlsx` for workbooks with a password, `.xls` and `.xlsb`, `decode.noSheet`,
 * `decode.badHeader`, `decode.tooLarge` for more shared texts, and `decode.corruptXlsx`, `decode.corruptZip` or
 * `decode.corruptXml` for damage, after the rows before it. Errors of `file` are thrown on unchanged.
 */
export async function* decodeXlsx(
  file: RandomAccess,
  format: XlsxFormat,
  limits: DecodeLimits,
  from: number,
): AsyncGenerator<RowBatch, void, undefined> {
  const { sheet, ...shared } = await openWorkbook(file, format.sheet, limits);
  const context = { ...shared, trim: format.trim ?? false, nulls: new Set(format.nulls) };
  yield* batches(sheet.bytes, limits, scanSheet(format, context, limits, from), BLOCK_BYTES);
}

function badFormat(message: string): DecodeError {
  return new DecodeError('decode.badFormat', `xlsx: ${message}`);
}
