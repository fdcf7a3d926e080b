import { literal, qualified } from './identifier.ts';
import type { EntityObjects, SnowflakeObjects } from './objects.ts';

/**
 * The columns of a raw table. Those with a `from` come out of Snowflake's own metadata, the rest are the members of an
 * export file's line, under exactly these names. The NOT NULLs guard the load: a file of the wrong shape matches no
 * column, and would otherwise load as rows that are NULL throughout (Snowflake docs: COPY INTO <table>).
 */
export const RAW_COLUMNS = [
  { name: 'EVENT_ID', type: 'VARCHAR NOT NULL' },
  { name: 'RECORD_KEY', type: 'VARCHAR NOT NULL' },
  { name: 'SORT_KEY', type: 'VARCHAR NOT NULL' },
  { name: 'SOURCE_ID', type: 'VARCHAR NOT NULL' },
  { name: 'VERSION', type: 'VARCHAR NOT NULL' },
  { name: 'DIGEST', type: 'VARCHAR NOT NULL' },
  { name: 'UPLOAD_ID', type: 'VARCHAR NOT NULL' },
  { name: 'ROW_NO', type: 'VARCHAR NOT NULL' },
  { name: 'DELETED', type: 'BOOLEAN NOT NULL' },
  { name: 'PAYLOAD', type: 'VARIANT' },
  { name: 'FILE_NAME', type: 'VARCHAR', from: 'METADATA$FILENAME' },
  { name: 'FILE_ROW', type: 'NUMBER', from: 'METADATA$FILE_ROW_NUMBER' },
  // The scan's own time: CURRENT_TIMESTAMP in a pipe is fixed when the pipe is compiled, hours early at worst.
  { name: 'SCANNED_AT', type: 'TIMESTAMP_LTZ', from: 'METADATA$START_SCAN_TIME' },
] as const satisfies readonly { name: string; type: string; from?: string }[];

/** Adds the table and never touches one that holds rows. */
export function rawTableSql(objects: SnowflakeObjects, entity: EntityObjects): string {
  const columns = RAW_COLUMNS.map(({ name, type }) => `  ${name} ${type}`).join(',\n');
  const comment = `Every version of every ${entity.entity} that Firn exported, as loaded. Read the view in ${objects.viewSchema} instead.`;
  return (
    `CREATE TABLE IF NOT EXISTS ${qualified(objects.database, objects.rawSchema, entity.table)} (\n${columns}\n)\n` +
    `COMMENT = ${literal(comment)}`
  );
}
