import type { ObjectKind } from './catalogue.ts';
import { type Result, statusResult } from './cells.ts';
import { fullName, fullSchemaName, type Session, type Warehouse } from './context.ts';
import { duckName, duckTable, runSql } from './engine.ts';
import { parsePipe } from './pipe-definition.ts';
import { checkProperties, listProperty, parseProperties, requiredText, textProperty } from './properties.ts';
import { queryScope } from './query-scope.ts';
import { translateQuery } from './select-query.ts';
import { alreadyExists, doesNotExist, SqlError, syntaxError, unsupported } from './sql-error.ts';
import type { Token } from './sql-tokens.ts';
import { parseColumns, viewColumns } from './table-columns.ts';
import type { TokenCursor } from './token-cursor.ts';

/** The words after CREATE, and what they make. */
const KINDS: readonly (readonly [words: readonly string[], kind: ObjectKind, title: string])[] = [
  [['DATABASE'], 'database', 'Database'],
  [['SCHEMA'], 'schema', 'Schema'],
  [['STORAGE', 'INTEGRATION'], 'integration', 'Integration'],
  [['FILE', 'FORMAT'], 'fileFormat', 'File format'],
  [['STAGE'], 'stage', 'Stage area'],
  [['TABLE'], 'table', 'Table'],
  [['PIPE'], 'pipe', 'Pipe'],
  [['SECURE', 'VIEW'], 'view', 'View'],
  [['VIEW'], 'view', 'View'],
];

/** One CREATE on its way. */
interface Creation {
  readonly cursor: TokenCursor;
  readonly session: Session;
  readonly warehouse: Warehouse;
  readonly name: string;
  /** The words of the statement from the cursor on, as written. */
  readonly source: (rest: readonly Token[]) => string;
}

/** Runs a CREATE; the cursor stands behind that word. */
export async function createObject(
  cursor: TokenCursor,
  session: Session,
  warehouse: Warehouse,
  source: Creation['source'],
): Promise<Result> {
  const replace = cursor.accept('OR', 'REPLACE');
  const found = KINDS.find(([words]) => cursor.accept(...words));
  if (!found) throw unsupported(`CREATE ${cursor.peek()?.text.toUpperCase() ?? ''}`);
  const [words, kind, title] = found;
  if (replace && kind !== 'view')
    throw unsupported(
      `CREATE OR REPLACE ${words.join(' ')}`,
      'Use IF NOT EXISTS: replacing loses data, load history or trust.',
    );
  const ifNotExists = cursor.accept('IF', 'NOT', 'EXISTS');
  if (ifNotExists && replace) throw syntaxError('OR REPLACE and IF NOT EXISTS exclude each other');
  const parts = cursor.name();
  const short = parts.at(-1) ?? '';
  const name = scopedName(kind, parts, session);
  const { objects } = warehouse.catalogue;
  const taken =
    objects[kind].has(name) ||
    (kind === 'table' && objects.view.has(name)) ||
    (kind === 'view' && objects.table.has(name));
  if (taken && !replace) {
    if (!ifNotExists) throw alreadyExists('Object', short);
    return statusResult(`${short} already exists, statement succeeded.`);
  }
  if (kind !== 'database' && kind !== 'integration') requireSchema(kind, name, warehouse);
  await CREATE[kind]({ cursor, session, warehouse, name, source });
  return statusResult(`${title} ${short} successfully created.`);
}

function scopedName(kind: ObjectKind, parts: readonly string[], session: Session): string {
  if (kind === 'schema') return fullSchemaName(parts, session);
  if (kind !== 'database' && kind !== 'integration') return fullName(parts, session);
  if (parts.length > 1) throw syntaxError(`a ${kind} has no dotted name`);
  return parts.join('.');
}

function requireSchema(kind: ObjectKind, name: string, { catalogue }: Warehouse): void {
  const [database = '', schema = ''] = name.split('.');
  if (!catalogue.objects.database.has(database)) throw doesNotExist('Database', database);
  const full = `${database}.${schema}`;
  if (kind !== 'schema' && !catalogue.objects.schema.has(full)) throw doesNotExist('Schema', full);
}

const CREATE: Readonly<Record<ObjectKind, (creation: Creation) => Promise<void>>> = {
  async database({ cursor, session, warehouse, name }) {
    const base = comment('CREATE DATABASE', cursor, warehouse);
    await warehouse.catalogue.put('database', name, base);
    await createSchema(`${name}.PUBLIC`, { ...base, comment: '' }, session, warehouse);
    // The new database becomes the session's own (Snowflake docs: CREATE DATABASE).
    Object.assign(session, { database: name, schema: 'PUBLIC' });
  },

  async schema({ cursor, session, warehouse, name }) {
    await createSchema(name, comment('CREATE SCHEMA', cursor, warehouse), session, warehouse);
    const [database, schema] = name.split('.');
    Object.assign(session, { database, schema });
  },

  async integration({ cursor, warehouse, name }) {
    const what = 'CREATE STORAGE INTEGRATION';
    const properties = parseProperties(cursor);
    cursor.end();
    checkProperties(what, properties, {
      TYPE: ['EXTERNAL_STAGE'],
      STORAGE_PROVIDER: ['S3'],
      ENABLED: ['TRUE', 'FALSE'],
      STORAGE_AWS_ROLE_ARN: 'any',
      STORAGE_AWS_EXTERNAL_ID: 'any',
      STORAGE_ALLOWED_LOCATIONS: 'any',
      COMMENT: 'any',
    });
    const generated = `${warehouse.account.toUpperCase()}_SFCRole=${warehouse.catalogue.objects.integration.size + 1}`;
    await warehouse.catalogue.put('integration', name, {
      roleArn: requiredText(what, properties, 'STORAGE_AWS_ROLE_ARN'),
      externalId: textProperty(properties, 'STORAGE_AWS_EXTERNAL_ID') ?? generated,
      enabled: textProperty(properties, 'ENABLED') !== 'FALSE',
      allowed: allowedLocations(listProperty(properties, 'STORAGE_ALLOWED_LOCATIONS')),
      comment: textProperty(properties, 'COMMENT') ?? '',
      createdAt: warehouse.clock.now(),
    });
  },

  async fileFormat({ cursor, warehouse, name }) {
    const properties = parseProperties(cursor);
    cursor.end();
    checkProperties('CREATE FILE FORMAT', properties, {
      TYPE: ['JSON'],
      COMPRESSION: ['AUTO'],
      STRIP_OUTER_ARRAY: ['FALSE'],
      MULTI_LINE: ['FALSE'],
      ALLOW_DUPLICATE: ['FALSE'],
      STRIP_NULL_VALUES: ['FALSE'],
      COMMENT: 'any',
    });
    if (textProperty(properties, 'TYPE') !== 'JSON') throw unsupported('file format other than JSON');
    if (textProperty(properties, 'MULTI_LINE') !== 'FALSE')
      throw unsupported(
        'MULTI_LINE = TRUE in CREATE FILE FORMAT',
        'Say MULTI_LINE = FALSE; Snowflake defaults to TRUE.',
      );
    await warehouse.catalogue.put('fileFormat', name, {
      comment: textProperty(properties, 'COMMENT') ?? '',
      createdAt: warehouse.clock.now(),
    });
  },

  async stage({ cursor, warehouse, name }) {
    const properties = parseProperties(cursor);
    cursor.end();
    checkProperties('CREATE STAGE', properties, { URL: 'any', STORAGE_INTEGRATION: 'any', COMMENT: 'any' });
    const url = requiredText('CREATE STAGE', properties, 'URL');
    const integration = requiredText('CREATE STAGE', properties, 'STORAGE_INTEGRATION');
    const [, bucket, prefix] = /^s3:\/\/([^/]+)\/(.*)$/.exec(url) ?? [];
    if (bucket === undefined || prefix === undefined) throw syntaxError(`invalid URL prefix in '${url}'`);
    const owner = warehouse.catalogue.objects.integration.get(integration);
    if (!owner) throw doesNotExist('Integration', integration);
    if (!owner.allowed.some((location) => url.startsWith(location))) throw notAllowed(url, integration);
    await warehouse.catalogue.put('stage', name, {
      bucket,
      prefix,
      url,
      integration,
      comment: textProperty(properties, 'COMMENT') ?? '',
      createdAt: warehouse.clock.now(),
    });
  },

  async table({ cursor, session, warehouse, name }) {
    const columns = parseColumns(cursor);
    const base = comment('CREATE TABLE', cursor, warehouse);
    const sql = columns.map((each) => `${duckName(each.name)} ${each.type.duckdb}${each.notNull ? ' NOT NULL' : ''}`);
    // What the catalogue does not know was left by a process killed before it could tell, and holds nothing.
    await runSql(session.connection, `CREATE OR REPLACE TABLE ${duckTable(name.split('.'))} (${sql.join(', ')})`);
    await warehouse.catalogue.put('table', name, { ...base, columns });
  },

  async view({ cursor, session, warehouse, name, source }) {
    cursor.accept('COPY', 'GRANTS');
    const properties = parseProperties(cursor);
    checkProperties('CREATE VIEW', properties, { COMMENT: 'any' });
    cursor.expect('AS');
    const tokens = cursor.rest();
    const table = duckTable(name.split('.'));
    const query = translateQuery(tokens, queryScope(session, warehouse, {}));
    await runSql(session.connection, `CREATE OR REPLACE VIEW ${table} AS ${query}`);
    await warehouse.catalogue.put('view', name, {
      columns: await viewColumns(table, session),
      definition: source(tokens),
      comment: textProperty(properties, 'COMMENT') ?? '',
      createdAt: warehouse.clock.now(),
    });
  },

  async pipe({ cursor, session, warehouse, name, source }) {
    const pipe = parsePipe(cursor, session, warehouse, source);
    // Files announced before this moment are not the pipe's, however slowly the queue is read.
    await warehouse.drainNotifications();
    await warehouse.catalogue.put('pipe', name, { ...pipe, createdAt: warehouse.clock.now() });
  },
};

/** Reads what may follow the name of a plain object: its comment. */
function comment(what: string, cursor: TokenCursor, { clock }: Warehouse) {
  const properties = parseProperties(cursor);
  cursor.end();
  checkProperties(what, properties, { COMMENT: 'any' });
  return { comment: textProperty(properties, 'COMMENT') ?? '', createdAt: clock.now() };
}

async function createSchema(
  name: string,
  base: { comment: string; createdAt: number },
  session: Session,
  warehouse: Warehouse,
) {
  await runSql(session.connection, `CREATE SCHEMA IF NOT EXISTS ${duckName(name)}`);
  await warehouse.catalogue.put('schema', name, base);
}

/** Checks the list of an integration's locations. */
export function allowedLocations(locations: readonly string[] | undefined): readonly string[] {
  if (!locations?.length) throw syntaxError('STORAGE_ALLOWED_LOCATIONS needs at least one location');
  for (const each of locations) if (!each.startsWith('s3://')) throw syntaxError(`invalid URL prefix in '${each}'`);
  return locations;
}

/** Snowflake's docs name no code for this one. */
function notAllowed(url: string, integration: string): SqlError {
  const cure = 'Use DESC INTEGRATION to see its allowed locations.';
  return new SqlError(
    '001003',
    '42000',
    `SQL compilation error: Location '${url}' is not allowed by integration '${integration}'. ${cure}`,
  );
}
