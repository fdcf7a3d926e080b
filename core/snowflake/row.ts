/** One row of a Snowflake result, by column name, as the driver hands it over. */
export type SnowflakeRow = Readonly<Record<string, unknown>>;

/** The value of a column whose name is written in upper or lower case; SHOW and DESC use lower-case names. */
export function column(row: SnowflakeRow, name: string): unknown {
  return row[name] ?? row[name.toUpperCase()] ?? row[name.toLowerCase()];
}

/** Its text, undefined for NULL and for a column that is not there. */
export function textColumn(row: SnowflakeRow, name: string): string | undefined {
  const value = column(row, name);
  return value === null || value === undefined ? undefined : String(value);
}
