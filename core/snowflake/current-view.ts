import { literal, qualified } from './identifier.ts';
import type { EntityObjects, SnowflakeObjects } from './objects.ts';

/** What the view shows of a raw row: everything but the bookkeeping of the load. */
const SHOWN = ['RECORD_KEY', 'SORT_KEY', 'SOURCE_ID', 'VERSION', 'DIGEST', 'UPLOAD_ID', 'ROW_NO', 'PAYLOAD'] as const;

/**
 * The secure view over a raw table: the newest version of each record, records that were deleted hidden.
 *
 * A record is its key and sort key: the source for upserts, source, content, position and output for appends. So a
 * file that Snowflake loaded twice, or rows that two export files share, show once. The version decides before the
 * delete flag is looked at; otherwise an older version would come back to life.
 * The view holds no data, so it may be replaced; COPY GRANTS keeps who may read it.
 */
export function currentViewSql(objects: SnowflakeObjects, entity: EntityObjects): string {
  return [
    `CREATE OR REPLACE SECURE VIEW ${qualified(objects.database, objects.viewSchema, entity.table)}`,
    '  COPY GRANTS',
    `  COMMENT = ${literal(`The newest version of each ${entity.entity}, by Firn.`)}`,
    'AS',
    `SELECT ${SHOWN.join(', ')}`,
    `FROM ${qualified(objects.database, objects.rawSchema, entity.table)}`,
    'QUALIFY ROW_NUMBER() OVER (PARTITION BY RECORD_KEY, SORT_KEY ORDER BY VERSION DESC, EVENT_ID DESC) = 1',
    '  AND NOT DELETED',
  ].join('\n');
}
