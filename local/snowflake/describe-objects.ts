import type { Pipe } from './catalogue.ts';
import { type Result, type RowType, textResult } from './cells.ts';
import { fullName, fullSchemaName, type Session, type Warehouse } from './context.ts';
import { doesNotExist, unsupported } from './sql-error.ts';
import type { TokenCursor } from './token-cursor.ts';

/** One per Snowflake account, shared by its integrations (Snowflake docs: Option 1, storage integration for S3). */
const IAM_USER = 'arn:aws:iam::000000000000:user/firn-s-standin';

/** Runs DESC or DESCRIBE; the cursor stands behind that word. */
export function describe(cursor: TokenCursor, session: Session, warehouse: Warehouse): Result {
  if (cursor.accept('STORAGE', 'INTEGRATION') || cursor.accept('INTEGRATION'))
    return describeIntegration(cursor, warehouse);
  if (cursor.accept('PIPE')) {
    const name = fullName(cursor.name(), session);
    cursor.end();
    const pipe = warehouse.catalogue.objects.pipe.get(name);
    if (!pipe) throw doesNotExist('Pipe', name);
    return pipes([[name, pipe]], session, warehouse);
  }
  throw unsupported(`DESC ${cursor.peek()?.text.toUpperCase() ?? ''}`);
}

function describeIntegration(cursor: TokenCursor, { catalogue }: Warehouse): Result {
  const name = cursor.name().join('.');
  cursor.end();
  const integration = catalogue.objects.integration.get(name);
  if (!integration) throw doesNotExist('Integration', name);
  const rows = [
    ['ENABLED', 'Boolean', String(integration.enabled), 'false'],
    ['STORAGE_PROVIDER', 'String', 'S3', ''],
    ['STORAGE_ALLOWED_LOCATIONS', 'List', integration.allowed.join(','), '[]'],
    ['STORAGE_BLOCKED_LOCATIONS', 'List', '', '[]'],
    ['STORAGE_AWS_IAM_USER_ARN', 'String', IAM_USER, ''],
    ['STORAGE_AWS_ROLE_ARN', 'String', integration.roleArn, ''],
    ['STORAGE_AWS_EXTERNAL_ID', 'String', integration.externalId, ''],
    ['COMMENT', 'String', integration.comment, ''],
  ];
  return textResult(['property', 'property_type', 'property_value', 'property_default'], rows);
}

/** Runs SHOW PIPES; the cursor stands behind SHOW. */
export function show(cursor: TokenCursor, session: Session, warehouse: Warehouse): Result {
  if (!cursor.accept('PIPES')) throw unsupported(`SHOW ${cursor.peek()?.text.toUpperCase() ?? ''}`);
  const like = cursor.accept('LIKE') ? likePattern(cursor.string()) : /^/;
  const within = scope(cursor, session);
  cursor.end();
  const listed = [...warehouse.catalogue.objects.pipe].filter(([name]) => name.startsWith(within));
  return pipes(
    listed.filter(([name]) => like.test(name.split('.')[2] ?? '')).sort(([a], [b]) => (a < b ? -1 : 1)),
    session,
    warehouse,
  );
}

/** The beginning of the dotted names that IN SCHEMA, IN DATABASE or IN ACCOUNT leaves. */
function scope(cursor: TokenCursor, session: Session): string {
  if (!cursor.accept('IN')) {
    if (session.database === undefined) return '';
    return session.schema === undefined ? `${session.database}.` : `${session.database}.${session.schema}.`;
  }
  if (cursor.accept('ACCOUNT')) return '';
  if (cursor.accept('DATABASE')) return `${cursor.name().join('.')}.`;
  cursor.accept('SCHEMA');
  return `${fullSchemaName(cursor.name(), session)}.`;
}

/** LIKE of a SHOW is case-insensitive (Snowflake docs: SHOW PIPES). */
function likePattern(pattern: string): RegExp {
  const escaped = pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('%', '.*').replaceAll('_', '.')}$`, 'i');
}

/** The lower-case columns of SHOW PIPES, which DESC PIPE shares (Snowflake docs: SHOW PIPES). */
function pipes(
  listed: readonly (readonly [string, Pipe])[],
  session: Session,
  { notificationChannel }: Warehouse,
): Result {
  const names = [
    'created_on',
    'name',
    'database_name',
    'schema_name',
    'definition',
    'owner',
    'notification_channel',
    'comment',
  ];
  const empty = ['integration', 'pattern', 'error_integration', 'owner_role_type', 'invalid_reason', 'kind'];
  const rows = listed.map(([full, pipe]) => {
    const [database = '', schema = '', name = ''] = full.split('.');
    const created = `${Math.floor(pipe.createdAt / 1000)}.${String(pipe.createdAt % 1000).padStart(3, '0')}000000`;
    const known = [created, name, database, schema, pipe.definition, session.role, notificationChannel, pipe.comment];
    return [...known, null, null, null, 'ROLE', null, 'STAGE'];
  });
  const result = textResult([...names, ...empty], rows);
  const timestamp = (column: RowType): RowType => ({
    ...column,
    type: 'timestamp_ltz',
    precision: 0,
    scale: 3,
    length: null,
    byteLength: null,
  });
  return {
    ...result,
    rowtype: result.rowtype.map((column) => (column.name === 'created_on' ? timestamp(column) : column)),
  };
}
