import { describeColumn, encodeCell, type Result, statusResult, textResult } from './cells.ts';
import { fullName, nameInText, type Session, type Warehouse } from './context.ts';
import { allowedLocations, createObject } from './create-objects.ts';
import { describe, show } from './describe-objects.ts';
import { runSql } from './engine.ts';
import { engineError } from './engine-error.ts';
import { listProperty, parseProperties, textProperty } from './properties.ts';
import { type Bindings, queryScope } from './query-scope.ts';
import { translateQuery } from './select-query.ts';
import { doesNotExist, SqlError, syntaxError, unsupported } from './sql-error.ts';
import { identifierName, significant, stringValue, type Token, tokenize } from './sql-tokens.ts';
import { type TokenCursor, tokenCursor } from './token-cursor.ts';

/** Snowflake's numbers for what a statement was; the driver tells rows from commands by them. */
const SELECT = 0x1000;
const DDL = 0x6000;
const OTHER = 0x4000;

export interface Answer extends Result {
  readonly statementTypeId: number;
}

/** Runs one statement of the catalogue. Throws SqlError, whatever went wrong. */
export async function runStatement(
  sql: string,
  bindings: Bindings,
  session: Session,
  warehouse: Warehouse,
): Promise<Answer> {
  try {
    return await dispatch(sql, bindings, session, warehouse);
  } catch (error) {
    throw error instanceof SqlError ? error : engineError(error);
  }
}

async function dispatch(sql: string, bindings: Bindings, session: Session, warehouse: Warehouse): Promise<Answer> {
  const all = tokenize(sql);
  const tokens = single(significant(all));
  const cursor = tokenCursor(tokens);
  const ddl = (result: Result) => ({ ...result, statementTypeId: DDL });
  if (cursor.looksAt('SELECT') || cursor.looksAt('WITH') || cursor.looksAt('('))
    return { ...(await select(tokens, bindings, session, warehouse)), statementTypeId: SELECT };
  if (cursor.accept('CREATE'))
    return ddl(await createObject(cursor, session, warehouse, (rest) => sourceOf(all, rest.length)));
  if (cursor.accept('ALTER', 'STORAGE', 'INTEGRATION')) return ddl(await alterIntegration(cursor, warehouse));
  if (cursor.accept('ALTER', 'SESSION', 'SET')) return { ...alterSession(cursor), statementTypeId: OTHER };
  if (cursor.accept('DESC') || cursor.accept('DESCRIBE'))
    return { ...describe(cursor, session, warehouse), statementTypeId: SELECT };
  if (cursor.accept('SHOW')) return { ...show(cursor, session, warehouse), statementTypeId: SELECT };
  if (cursor.accept('USE')) return { ...use(cursor, session, warehouse), statementTypeId: OTHER };
  if (cursor.looksAt('COPY')) throw unsupported('COPY INTO outside a pipe');
  throw unsupported(statementKind(tokens));
}

/** Refuses several statements in one request, and none. */
function single(tokens: Token[]): Token[] {
  const statement = tokens.at(-1)?.text === ';' ? tokens.slice(0, -1) : tokens;
  if (statement.length === 0) throw new SqlError('000900', '42601', 'SQL compilation error: Empty SQL statement.');
  if (statement.some(({ kind, text }) => kind === 'operator' && text === ';'))
    throw new SqlError(
      '000008',
      '0A000',
      'Actual statement count did not match the desired statement count 1. Send one statement a request.',
    );
  return statement;
}

/** The statement's first words, without anything that could be data. */
function statementKind(tokens: readonly Token[]): string {
  const other = tokens.slice(0, 2).findIndex(({ kind }) => kind !== 'word');
  const words = tokens.slice(0, other < 0 ? 2 : other).map(({ text }) => text.toUpperCase());
  return words.join(' ') || 'a statement that begins with no word';
}

/** The last `count` tokens that mean something, as they were written. */
function sourceOf(all: readonly Token[], count: number): string {
  let at = all.length;
  for (let left = count; left > 0 && at > 0; ) {
    at--;
    const { kind, text } = all[at] as Token;
    if (kind !== 'space' && kind !== 'comment' && !(text === ';' && left === count)) left--;
  }
  return all
    .slice(at)
    .map(({ text }) => text)
    .join('')
    .trim();
}

async function select(
  tokens: readonly Token[],
  bindings: Bindings,
  session: Session,
  warehouse: Warehouse,
): Promise<Result> {
  const status = await systemFunction(tokens, session, warehouse);
  if (status) return status;
  const query = translateQuery(tokens, queryScope(session, warehouse, bindings));
  const { columns, rows } = await runSql(session.connection, query);
  const rowtype = columns.map(({ name, type }) => describeColumn(name, type));
  return {
    rowtype,
    rowset: rows.map((row) => columns.map(({ type }, index) => encodeCell(row[index] ?? null, type))),
  };
}

/** `SELECT SYSTEM$PIPE_STATUS('name') [AS alias]`, which is not a query over tables. */
async function systemFunction(
  tokens: readonly Token[],
  session: Session,
  warehouse: Warehouse,
): Promise<Result | undefined> {
  const [, fn, open, argument, close, as, alias, ...more] = tokens;
  const name = fn?.text.toUpperCase() ?? '';
  if (fn?.kind !== 'word' || !name.startsWith('SYSTEM$')) return undefined;
  const shape = open?.text === '(' && argument?.kind === 'string' && close?.text === ')' && more.length === 0;
  const named = as === undefined || (as.text.toUpperCase() === 'AS' && alias !== undefined);
  if (name !== 'SYSTEM$PIPE_STATUS' || !shape || !named)
    throw unsupported(name, "Say SELECT SYSTEM$PIPE_STATUS('DB.SCHEMA.PIPE').");
  const pipe = fullName(nameInText(stringValue(argument as Token)), session);
  if (!warehouse.catalogue.objects.pipe.has(pipe)) throw doesNotExist('Pipe', pipe);
  const status = {
    executionState: 'RUNNING',
    ...(await warehouse.pipeProgress(pipe)),
    notificationChannelName: warehouse.notificationChannel,
  };
  const column = alias ? identifierName(alias) : `SYSTEM$PIPE_STATUS(${argument?.text})`;
  return textResult([column], [[JSON.stringify(status)]]);
}

async function alterIntegration(cursor: TokenCursor, { catalogue }: Warehouse): Promise<Result> {
  const ifExists = cursor.accept('IF', 'EXISTS');
  const name = cursor.name().join('.');
  const integration = catalogue.objects.integration.get(name);
  if (!integration) {
    if (ifExists) return statusResult('Statement executed successfully.');
    throw doesNotExist('Integration', name);
  }
  cursor.expect('SET');
  const properties = parseProperties(cursor);
  cursor.end();
  if (properties.size !== 1 || !properties.has('STORAGE_ALLOWED_LOCATIONS'))
    throw unsupported(`ALTER STORAGE INTEGRATION SET ${[...properties.keys()].join(', ')}`);
  const allowed = allowedLocations(listProperty(properties, 'STORAGE_ALLOWED_LOCATIONS'));
  await catalogue.put('integration', name, { ...integration, allowed });
  return statusResult('Statement executed successfully.');
}

/** Results are in UTC, whatever the account's default; a session may say so. */
function alterSession(cursor: TokenCursor): Result {
  const properties = parseProperties(cursor);
  cursor.end();
  const zone = textProperty(properties, 'TIMEZONE');
  if (properties.size !== 1 || zone === undefined)
    throw unsupported(`ALTER SESSION SET ${[...properties.keys()].join(', ')}`);
  if (!['UTC', 'ETC/UTC'].includes(zone.toUpperCase())) throw unsupported(`TIMEZONE ${zone}`, 'Use UTC.');
  return statusResult('Statement executed successfully.');
}

function use(cursor: TokenCursor, session: Session, { catalogue }: Warehouse): Result {
  if (cursor.accept('ROLE')) session.role = cursor.name().join('.');
  else if (cursor.accept('WAREHOUSE')) session.warehouse = cursor.name().join('.');
  else if (cursor.accept('SCHEMA')) {
    const name = cursor.name();
    const [schema = '', database = session.database ?? ''] = [...name].reverse();
    if (!catalogue.objects.schema.has(`${database}.${schema}`)) throw doesNotExist('Schema', `${database}.${schema}`);
    Object.assign(session, { database, schema });
  } else {
    cursor.accept('DATABASE');
    const [database = '', schema = 'PUBLIC', ...more] = cursor.name();
    if (more.length > 0) throw syntaxError('USE takes a database or a schema');
    if (!catalogue.objects.database.has(database)) throw doesNotExist('Database', database);
    if (!catalogue.objects.schema.has(`${database}.${schema}`)) throw doesNotExist('Schema', `${database}.${schema}`);
    Object.assign(session, { database, schema });
  }
  cursor.end();
  return statusResult('Statement executed successfully.');
}
