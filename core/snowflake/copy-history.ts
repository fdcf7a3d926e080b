import { identifier, literal } from './identifier.ts';
import { column, type SnowflakeRow, textColumn } from './row.ts';

/** COPY_HISTORY of INFORMATION_SCHEMA goes back this many days (Snowflake docs: COPY_HISTORY). */
export const COPY_HISTORY_DAYS = 14;

/** The statuses of COPY_HISTORY that the docs name; unlike the REST API's they are mixed-case words. */
export type LoadStatus = 'Loaded' | 'Load failed' | 'Partially loaded' | 'Load in progress' | 'Load skipped';

/** What Snowflake says about one export file. */
export interface LoadEvidence {
  /** Full key within the export bucket. */
  readonly fileName: string;
  /** A status no release has named yet is passed on as it is, and is not `Loaded`. */
  readonly status: LoadStatus | (string & {});
  readonly rowCount: number;
  readonly rowParsed: number;
  readonly errorCount: number;
  readonly firstError: string | undefined;
  /** ISO 8601, UTC; undefined while the first rows are still loading. */
  readonly lastLoadTime: string | undefined;
}

export interface CopyHistoryPage {
  readonly database: string;
  readonly schema: string;
  readonly table: string;
  /** ISO 8601 with zone, inclusive; at most 14 days back. */
  readonly since: string;
  /** The last file of the page before, to continue after it. */
  readonly after?: { readonly lastLoadTime: string; readonly stageLocation: string; readonly fileName: string };
  /** Rows a page; 10,000 when absent. */
  readonly limit?: number;
}

/**
 * The load history of one table, oldest first, a page at a time. A page continues after (load time, stage, file), which
 * orders even files that were loaded in the same instant; files still in progress come last.
 */
export function copyHistorySql({ database, schema, table, since, after, limit = 10_000 }: CopyHistoryPage): string {
  // The function takes its table as a string; identifier() still checks each part.
  for (const part of [database, schema, table]) identifier(part);
  const time = (iso: string) => `${literal(iso)}::TIMESTAMP_LTZ`;
  const later = after
    ? [
        `WHERE LAST_LOAD_TIME > ${time(after.lastLoadTime)} OR LAST_LOAD_TIME IS NULL OR (LAST_LOAD_TIME = ${time(after.lastLoadTime)}`,
        `  AND (STAGE_LOCATION > ${literal(after.stageLocation)} OR (STAGE_LOCATION = ${literal(after.stageLocation)}`,
        `  AND FILE_NAME > ${literal(after.fileName)})))`,
      ]
    : [];
  return [
    'SELECT FILE_NAME, STAGE_LOCATION, STATUS, ROW_COUNT, ROW_PARSED, ERROR_COUNT, FIRST_ERROR_MESSAGE, LAST_LOAD_TIME',
    `FROM TABLE(${identifier(database)}.INFORMATION_SCHEMA.COPY_HISTORY(`,
    `  TABLE_NAME => ${literal([database, schema, table].join('.'))}, START_TIME => ${time(since)}))`,
    ...later,
    'ORDER BY LAST_LOAD_TIME, STAGE_LOCATION, FILE_NAME',
    `LIMIT ${limit}`,
  ].join('\n');
}

/** Where the page after this row begins; undefined for a file still in progress, where paging ends. */
export function pageAfter(row: SnowflakeRow): CopyHistoryPage['after'] {
  const lastLoadTime = isoTime(column(row, 'LAST_LOAD_TIME'));
  if (lastLoadTime === undefined) return undefined;
  return { lastLoadTime, stageLocation: required(row, 'STAGE_LOCATION'), fileName: required(row, 'FILE_NAME') };
}

/** Reads one row of `copyHistorySql`. Snowflake names a file relative to its stage; evidence carries the whole key. */
export function parseCopyHistory(row: SnowflakeRow): LoadEvidence {
  return {
    fileName: objectKey(required(row, 'STAGE_LOCATION'), required(row, 'FILE_NAME')),
    status: required(row, 'STATUS'),
    rowCount: count(row, 'ROW_COUNT'),
    rowParsed: count(row, 'ROW_PARSED'),
    errorCount: count(row, 'ERROR_COUNT'),
    firstError: textColumn(row, 'FIRST_ERROR_MESSAGE'),
    lastLoadTime: isoTime(column(row, 'LAST_LOAD_TIME')),
  };
}

function objectKey(stageLocation: string, fileName: string): string {
  const prefix = /^s3:\/\/[^/]+\/(.*)$/.exec(stageLocation)?.[1];
  if (prefix === undefined)
    throw new Error(
      `Reading COPY_HISTORY: stage location ${stageLocation} is no S3 URL. Firn's stages begin with s3://.`,
    );
  return `${prefix}${prefix === '' || prefix.endsWith('/') ? '' : '/'}${fileName}`;
}

function required(row: SnowflakeRow, name: string): string {
  const value = textColumn(row, name);
  if (value === undefined)
    throw new Error(`Reading COPY_HISTORY: a row has no ${name}. Select it, as copyHistorySql does.`);
  return value;
}

/** NULL while a load is in progress counts as nothing loaded yet. */
function count(row: SnowflakeRow, name: string): number {
  const value = Number(textColumn(row, name) ?? '0');
  if (!Number.isSafeInteger(value))
    throw new Error(`Reading COPY_HISTORY: ${name} is ${textColumn(row, name)}, no whole number.`);
  return value;
}

function isoTime(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  const time = value instanceof Date ? value : new Date(String(value));
  if (Number.isNaN(time.getTime()))
    throw new Error(`Reading COPY_HISTORY: LAST_LOAD_TIME ${String(value)} is no time.`);
  return time.toISOString();
}
