import {
  DuckDBDateValue,
  DuckDBDecimalType,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
} from '@duckdb/node-api';
import { plainJson } from './number-text.ts';
import { unsupported } from './sql-error.ts';

/** One column of a result as the wire describes it. */
export interface RowType {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly precision: number | null;
  readonly scale: number | null;
  readonly length: number | null;
  readonly byteLength: number | null;
}

/** A result as the wire carries it: every cell a string or null. */
export interface Result {
  readonly rowtype: readonly RowType[];
  readonly rowset: readonly (readonly (string | null)[])[];
}

/** VARCHAR is 16 MB unless declared longer (Snowflake docs: String & binary data types). */
const TEXT_LENGTH = 16_777_216;

/** A result of text columns. */
export function textResult(names: readonly string[], rows: readonly (readonly (string | null)[])[]): Result {
  return { rowtype: names.map((name) => rowType(name, 'text', { length: TEXT_LENGTH })), rowset: rows };
}

/** What statements without rows answer: one row, column `status`. */
export function statusResult(status: string): Result {
  return textResult(['status'], [[status]]);
}

function rowType(
  name: string,
  type: string,
  sizes: { length?: number; precision?: number; scale?: number } = {},
): RowType {
  const { length = null, precision = null, scale = null } = sizes;
  return { name, type, nullable: true, precision, scale, length, byteLength: length };
}

const INTEGERS: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.HUGEINT,
]);

/** How the wire calls the type of a DuckDB column. Instants are LTZ: DuckDB keeps no offset (data-types.ts). */
export function describeColumn(name: string, type: DuckDBType): RowType {
  if (type.alias === 'JSON') return rowType(name, 'variant');
  if (type instanceof DuckDBDecimalType) return rowType(name, 'fixed', { precision: type.width, scale: type.scale });
  if (INTEGERS.has(type.typeId)) return rowType(name, 'fixed', { precision: 38, scale: 0 });
  switch (type.typeId) {
    case DuckDBTypeId.VARCHAR:
      return rowType(name, 'text', { length: TEXT_LENGTH });
    case DuckDBTypeId.BOOLEAN:
      return rowType(name, 'boolean');
    case DuckDBTypeId.FLOAT:
    case DuckDBTypeId.DOUBLE:
      return rowType(name, 'real');
    case DuckDBTypeId.DATE:
      return rowType(name, 'date');
    case DuckDBTypeId.TIMESTAMP:
      return rowType(name, 'timestamp_ntz', { precision: 0, scale: 9 });
    case DuckDBTypeId.TIMESTAMP_TZ:
      return rowType(name, 'timestamp_ltz', { precision: 0, scale: 9 });
    case DuckDBTypeId.SQLNULL:
      return rowType(name, 'text', { length: TEXT_LENGTH });
    default:
      throw unsupported(`result column ${name} of type ${type.toString()}`, 'Cast it to a type the stand-in knows.');
  }
}

/** A value as the wire writes it. */
export function encodeCell(value: DuckDBValue, type: DuckDBType): string | null {
  if (value === null) return null;
  if (type.alias === 'JSON') return plainJson(String(value));
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (value instanceof DuckDBDateValue) return String(value.days);
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) return seconds(value.micros);
  return String(value);
}

/** Seconds since the epoch as a decimal with nine digits after the point; before 1970 it is negative as a whole. */
function seconds(micros: bigint): string {
  const size = micros < 0n ? -micros : micros;
  const fraction = ((size % 1_000_000n) * 1000n).toString().padStart(9, '0');
  return `${micros < 0n ? '-' : ''}${size / 1_000_000n}.${fraction}`;
}
