import { type DuckDBConnection, DuckDBInstance, type DuckDBType, type DuckDBValue } from '@duckdb/node-api';

export interface EngineResult {
  readonly columns: readonly { readonly name: string; readonly type: DuckDBType }[];
  readonly rows: readonly (readonly DuckDBValue[])[];
}

/** The DuckDB database behind the stand-in. */
export interface Engine {
  /** A connection of its own for every session and for the loader, so that each has its own transactions. */
  connect(): Promise<DuckDBConnection>;
  close(): void;
}

/** `file` is where the warehouse lives; in memory without one. */
export async function openEngine(file?: string): Promise<Engine> {
  const instance = await DuckDBInstance.create(file ?? ':memory:');
  const connect = async () => {
    const connection = await instance.connect();
    await connection.run("SET TimeZone = 'UTC'");
    // NULL is the highest value in Snowflake, whichever way it sorts (Snowflake docs: ORDER BY).
    await connection.run("SET default_null_order = 'nulls_last_on_asc_first_on_desc'");
    return connection;
  };
  const connection = await connect();
  for (const sql of SETUP) await connection.run(sql);
  connection.closeSync();
  return { connect, close: () => instance.closeSync() };
}

export async function runSql(connection: DuckDBConnection, sql: string): Promise<EngineResult> {
  const reader = await connection.runAndReadAll(sql);
  const types = reader.columnTypes();
  const columns = reader.columnNames().map((name, index) => ({ name, type: types[index] as DuckDBType }));
  return { columns, rows: reader.getRows() };
}

/** A DuckDB string literal. */
export function duckString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A DuckDB quoted identifier. */
export function duckName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The DuckDB schema of a Snowflake schema: one database holds them all, under the dotted name. */
export function duckTable([database, schema, name]: readonly string[]): string {
  return `${duckName(`${database}.${schema}`)}.${duckName(name ?? '')}`;
}

/**
 * What Snowflake has and DuckDB lacks, and the stand-in's own books. `\\u0001n` and `\\u0001s` mark exact numbers and
 * escaped strings inside a VARIANT (number-text.ts); variant_text takes the marks away again.
 */
const SETUP = [
  'CREATE SCHEMA IF NOT EXISTS standin',
  'CREATE TABLE IF NOT EXISTS standin.catalogue (kind VARCHAR, name VARCHAR, body VARCHAR, PRIMARY KEY (kind, name))',
  `CREATE TABLE IF NOT EXISTS standin.loads (
    id BIGINT PRIMARY KEY, pipe VARCHAR, table_name VARCHAR, bucket VARCHAR, stage_location VARCHAR, file_name VARCHAR,
    file_size BIGINT, received_at TIMESTAMPTZ, status VARCHAR, last_load_time TIMESTAMPTZ, row_count BIGINT,
    row_parsed BIGINT, first_error VARCHAR, error_line BIGINT, error_character BIGINT, error_column VARCHAR,
    error_count BIGINT)`,
  'CREATE OR REPLACE MACRO iff(condition, yes, no) AS CASE WHEN condition THEN yes ELSE no END',
  'CREATE OR REPLACE MACRO nvl(value, other) AS coalesce(value, other)',
  'CREATE OR REPLACE MACRO to_date(value) AS CAST(value AS DATE)',
  'CREATE OR REPLACE MACRO to_varchar(value) AS CAST(value AS VARCHAR)',
  'CREATE OR REPLACE MACRO to_timestamp_ntz(value) AS CAST(value AS TIMESTAMP)',
  'CREATE OR REPLACE MACRO to_timestamp_tz(value) AS CAST(value AS TIMESTAMPTZ)',
  'CREATE OR REPLACE MACRO dateadd_second(n, value) AS value + to_seconds(n)',
  'CREATE OR REPLACE MACRO dateadd_minute(n, value) AS value + to_minutes(n)',
  'CREATE OR REPLACE MACRO dateadd_hour(n, value) AS value + to_hours(n)',
  'CREATE OR REPLACE MACRO dateadd_day(n, value) AS value + to_days(n)',
  'CREATE OR REPLACE MACRO dateadd_week(n, value) AS value + to_weeks(n)',
  'CREATE OR REPLACE MACRO dateadd_month(n, value) AS value + to_months(n)',
  'CREATE OR REPLACE MACRO dateadd_year(n, value) AS value + to_years(n)',
  // NULL for JSON null, the characters of a string, the digits of a number, and JSON text for the rest. A quote that
  // opens a string follows one of these three characters, one inside a string a backslash.
  `CREATE OR REPLACE MACRO variant_text(variant) AS CASE
    WHEN starts_with(json_extract_string(variant, '$'), chr(1)) THEN substr(json_extract_string(variant, '$'), 3)
    WHEN json_type(variant) IN ('OBJECT', 'ARRAY') THEN regexp_replace(regexp_replace(json_extract_string(variant, '$'),
      '([:,[])"\\\\u0001n([^"]*)"', '\\1\\2', 'g'), '([:,[])"\\\\u0001s', '\\1"', 'g')
    ELSE json_extract_string(variant, '$') END`,
  `CREATE OR REPLACE MACRO variant_ntz(variant) AS
    CAST(regexp_replace(variant_text(variant), '(Z|[+-]\\d\\d:?\\d\\d)$', '') AS TIMESTAMP)`,
] as const;
