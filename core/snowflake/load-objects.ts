import { identifier, literal, qualified } from './identifier.ts';
import type { EntityObjects, SnowflakeObjects } from './objects.ts';
import { RAW_COLUMNS } from './raw-table.ts';

/**
 * The storage integration. Never replaced: stages are tied to it by a hidden id, so a replacement breaks every one of
 * them, even under the same external id (Snowflake docs: CREATE STORAGE INTEGRATION).
 */
export function integrationSql(objects: SnowflakeObjects): string {
  return [
    `CREATE STORAGE INTEGRATION IF NOT EXISTS ${identifier(objects.integration)}`,
    '  TYPE = EXTERNAL_STAGE',
    "  STORAGE_PROVIDER = 'S3'",
    '  ENABLED = TRUE',
    `  STORAGE_AWS_ROLE_ARN = ${literal(objects.roleArn)}`,
    `  STORAGE_AWS_EXTERNAL_ID = ${literal(objects.externalId)}`,
    `  STORAGE_ALLOWED_LOCATIONS = (${literal(objects.allowedLocation)})`,
    `  COMMENT = ${literal(`How Snowflake reads the export bucket of Firn ${objects.environment}.`)}`,
  ].join('\n');
}

/** Sets the one property of an existing integration that may change without breaking stages or trust. */
export function allowedLocationsSql(objects: SnowflakeObjects): string {
  return (
    `ALTER STORAGE INTEGRATION ${identifier(objects.integration)}\n` +
    `  SET STORAGE_ALLOWED_LOCATIONS = (${literal(objects.allowedLocation)})`
  );
}

/** One JSON document a line, duplicate members an error, explicit nulls kept. */
export function fileFormatSql(objects: SnowflakeObjects): string {
  return [
    `CREATE FILE FORMAT IF NOT EXISTS ${qualified(objects.database, objects.rawSchema, objects.fileFormat)}`,
    '  TYPE = JSON',
    '  COMPRESSION = AUTO',
    '  STRIP_OUTER_ARRAY = FALSE',
    '  MULTI_LINE = FALSE',
    '  ALLOW_DUPLICATE = FALSE',
    '  STRIP_NULL_VALUES = FALSE',
    `  COMMENT = ${literal('Export files of Firn: newline-delimited JSON.')}`,
  ].join('\n');
}

/** The stage of one pipe. Its URL ends in a slash; without it a neighbour such as `load=10/` would match `load=1`. */
export function stageSql(objects: SnowflakeObjects, entity: EntityObjects): string {
  return [
    `CREATE STAGE IF NOT EXISTS ${qualified(objects.database, objects.rawSchema, entity.stage)}`,
    `  URL = ${literal(entity.url)}`,
    `  STORAGE_INTEGRATION = ${identifier(objects.integration)}`,
    `  COMMENT = ${literal(`Export files of entity ${entity.entity}, load ${entity.load}.`)}`,
  ].join('\n');
}

/**
 * The pipe of one entity and load. It matches columns by name and has no SELECT, because only so VALIDATE_PIPE_LOAD
 * still explains a failed file (Snowflake docs: VALIDATE_PIPE_LOAD).
 */
export function pipeSql(objects: SnowflakeObjects, entity: EntityObjects): string {
  const metadata = RAW_COLUMNS.flatMap((column) => ('from' in column ? [`${column.name} = ${column.from}`] : []));
  const inRaw = (name: string) => qualified(objects.database, objects.rawSchema, name);
  return [
    `CREATE PIPE IF NOT EXISTS ${inRaw(entity.pipe)}`,
    '  AUTO_INGEST = TRUE',
    `  COMMENT = ${literal(`Loads entity ${entity.entity}, load ${entity.load}, into ${objects.rawSchema}.${entity.table}.`)}`,
    'AS',
    `COPY INTO ${inRaw(entity.table)}`,
    `FROM @${inRaw(entity.stage)}`,
    `FILE_FORMAT = (FORMAT_NAME = ${literal(inRaw(objects.fileFormat))})`,
    'MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE',
    `INCLUDE_METADATA = (${metadata.join(', ')})`,
    'ON_ERROR = SKIP_FILE',
  ].join('\n');
}
