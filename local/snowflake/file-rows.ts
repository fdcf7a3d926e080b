import { DuckDBDecimalValue, DuckDBTimestampTZValue, type DuckDBValue } from '@duckdb/node-api';
import type { Column, Pipe } from './catalogue.ts';
import { JsonError, type Member, readLine } from './json-lines.ts';

export interface LoadError {
  readonly message: string;
  /** From 1. */
  readonly line: number;
  /** Characters from the start of the line, from 0. */
  readonly character: number | null;
  readonly column: string | null;
}

/** What a file holds: its rows, column by column in the table's order, or what is wrong with it. */
export interface FileRows {
  readonly columns: readonly (readonly DuckDBValue[])[];
  readonly rowCount: number;
  readonly errorCount: number;
  readonly firstError: LoadError | undefined;
}

/**
 * Reads the rows of an NDJSON file. The whole file is read even after an error: SKIP_FILE buffers it either way
 * (Snowflake docs: COPY INTO <table>).
 */
export function readRows(
  text: string,
  columns: readonly Column[],
  pipe: Pipe,
  path: string,
  scannedAtMs: number,
): FileRows {
  const rows = columns.map((): DuckDBValue[] => []);
  const placed = columnIndex(columns, pipe);
  const metadata = metadataValues(columns, pipe, path, scannedAtMs);
  let [rowCount, errorCount, line] = [0, 0, 0];
  let firstError: LoadError | undefined;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    line++;
    try {
      for (const members of readLine(text.slice(start, end))) {
        rowCount++;
        const values = rowValues(members, columns, placed, metadata, rowCount);
        for (let index = 0; index < columns.length; index++) rows[index]?.push(values[index] ?? null);
      }
    } catch (error) {
      errorCount++;
      firstError ??= describeError(error, line);
    }
    start = end + 1;
  }
  return { columns: rows, rowCount, errorCount, firstError };
}

/**
 * Which column a member goes to, by its name in upper case. Metadata columns take nothing from the file: they win over
 * a member of the same name (Snowflake docs: COPY INTO <table>). Members without a column are dropped.
 */
function columnIndex(columns: readonly Column[], pipe: Pipe): (key: string) => number | undefined {
  const byName = new Map(columns.flatMap(({ name }, index) => (pipe.metadata[name] ? [] : [[name, index] as const])));
  const byKey = new Map<string, number | undefined>();
  return (key) => {
    if (!byKey.has(key)) byKey.set(key, byName.get(key.toUpperCase()));
    return byKey.get(key);
  };
}

/** For each metadata column its value, given the number of the row. */
function metadataValues(columns: readonly Column[], pipe: Pipe, path: string, scannedAtMs: number) {
  const scanned = new DuckDBTimestampTZValue(BigInt(Math.trunc(scannedAtMs)) * 1000n);
  return columns.flatMap(({ name, type }, index) => {
    const metadata = pipe.metadata[name];
    if (!metadata) return [];
    const value = (row: number): DuckDBValue => {
      if (metadata === 'METADATA$FILENAME') return path;
      if (metadata === 'METADATA$FILE_ROW_NUMBER')
        return type.name === 'VARCHAR' ? String(row) : decimalValue(String(row), type.name);
      return type.name === 'VARCHAR' ? new Date(scannedAtMs).toISOString() : scanned;
    };
    return [{ index, value }];
  });
}

function rowValues(
  members: ReadonlyMap<string, Member>,
  columns: readonly Column[],
  placed: (key: string) => number | undefined,
  metadata: ReturnType<typeof metadataValues>,
  row: number,
): DuckDBValue[] {
  const values: DuckDBValue[] = new Array(columns.length).fill(null);
  for (const [key, member] of members) {
    const index = placed(key);
    const column = index === undefined ? undefined : columns[index];
    if (index !== undefined && column) values[index] = convert(member, column);
  }
  for (const { index, value } of metadata) values[index] = value(row);
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index] as Column;
    // A file in which no member matches a column loads as rows of NULLs, unless a NOT NULL stands in the way
    // (Snowflake docs: COPY INTO <table>, MATCH_BY_COLUMN_NAME).
    if (column.notNull && values[index] === null)
      throw new ColumnError('NULL result in a non-nullable column', column.name);
  }
  return values;
}

class ColumnError extends Error {
  readonly column: string;

  constructor(message: string, column: string) {
    super(message);
    this.name = 'ColumnError';
    this.column = column;
  }
}

function describeError(error: unknown, line: number): LoadError {
  if (error instanceof JsonError) return { message: error.message, line, character: error.at, column: null };
  if (error instanceof ColumnError)
    return { message: error.message, line, character: null, column: `"${error.column}"` };
  throw error;
}

/** A member's value for a column; the default NULL_IF of a JSON format turns the text `\N` into NULL. */
function convert({ text, exact }: Member, { name, type }: Column): DuckDBValue {
  if (type.name === 'VARIANT') return exact;
  if (text === 'null') return null;
  const value = text.startsWith('"') ? (text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1)) : text;
  if (value === '\\N') return null;
  if (type.name === 'VARCHAR') return value;
  if (type.name === 'BOOLEAN') {
    if (/^true$/i.test(value)) return true;
    if (/^false$/i.test(value)) return false;
    throw new ColumnError(`Boolean value '${value}' is not recognized`, name);
  }
  if (type.name.startsWith('NUMBER') && /^-?\d+(\.\d+)?$/.test(value)) return decimalValue(value, type.name);
  if (type.name === 'FLOAT' && value !== '' && Number.isFinite(Number(value))) return Number(value);
  if (type.name === 'TIMESTAMP_LTZ' && !Number.isNaN(Date.parse(value)))
    return new DuckDBTimestampTZValue(BigInt(Date.parse(value)) * 1000n);
  const kind = type.name.startsWith('TIMESTAMP') ? 'Timestamp' : 'Numeric value';
  throw new ColumnError(`${kind} '${value}' is not recognized`, name);
}

/** A plain decimal number, rounded half away from zero to the type's scale. */
function decimalValue(text: string, type: string): DuckDBDecimalValue {
  const [, width = '38', scale = '0'] = /\((\d+),(\d+)\)/.exec(type) ?? [];
  const digits = Number(scale);
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  const kept = BigInt(whole + fraction.slice(0, digits).padEnd(digits, '0'));
  const rounded = (fraction[digits] ?? '0') >= '5' ? kept + 1n : kept;
  return new DuckDBDecimalValue(text.startsWith('-') ? -rounded : rounded, Number(width), digits);
}
