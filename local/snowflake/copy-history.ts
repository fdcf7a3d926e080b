import { fullName, nameInText, type Session, type Warehouse } from './context.ts';
import { duckString } from './engine.ts';
import { type QueryScope, translateQuery } from './select-query.ts';
import { doesNotExist, SqlError, syntaxError, unsupported } from './sql-error.ts';
import { identifierName, stringValue, type Token } from './sql-tokens.ts';

/** INFORMATION_SCHEMA forgets a load after this many days (Snowflake docs: COPY_HISTORY). */
const DAYS = 14;

/**
 * Reads `TABLE(db.INFORMATION_SCHEMA.COPY_HISTORY(TABLE_NAME => …, START_TIME => …))` at a token, the one table
 * function there is: DuckDB SQL over the loader's books, with Snowflake's columns, and how many tokens it takes.
 */
export function copyHistoryTable(
  tokens: readonly Token[],
  at: number,
  session: Session,
  warehouse: Warehouse,
  scope: QueryScope,
): { sql: string; length: number } {
  const { database, next } = functionName(tokens, at + 2, session);
  const { values, end } = namedArguments(tokens, next);
  if (tokens[end]?.text !== ')') throw syntaxError('TABLE( is not closed');
  const table = tableArgument(values.get('TABLE_NAME'), { ...session, database });
  if (!warehouse.catalogue.objects.table.has(table)) throw doesNotExist('Table', table);
  const start = values.get('START_TIME');
  if (!start) throw syntaxError('COPY_HISTORY needs START_TIME');
  for (const name of values.keys())
    if (!['TABLE_NAME', 'START_TIME', 'END_TIME', 'PIPE_NAME'].includes(name))
      throw syntaxError(`COPY_HISTORY has no argument ${name}`);
  const time = (argument: readonly Token[]) => `CAST(${translateQuery(argument, scope)} AS TIMESTAMPTZ)`;
  const oldest = new Date(warehouse.clock.now() - DAYS * 86_400_000).toISOString();
  const when = 'coalesce(last_load_time, received_at)';
  const conditions = [
    `table_name = ${duckString(table)}`,
    'status IS NOT NULL',
    `${when} >= greatest(${time(start)}, CAST(${duckString(oldest)} AS TIMESTAMPTZ))`,
  ];
  const until = values.get('END_TIME');
  if (until) conditions.push(`${when} <= ${time(until)}`);
  const pipe = values.get('PIPE_NAME');
  if (pipe) conditions.push(`pipe = ${duckString(tableArgument(pipe, { ...session, database }))}`);
  return {
    sql: `(SELECT ${COLUMNS.join(', ')} FROM standin.loads WHERE ${conditions.join(' AND ')})`,
    length: end + 1 - at,
  };
}

const part = (column: string, index: number) => `split_part(${column}, '.', ${index})`;

/** All columns of the documented result, in its order. */
const COLUMNS = [
  'file_name AS FILE_NAME',
  'stage_location AS STAGE_LOCATION',
  'last_load_time AS LAST_LOAD_TIME',
  'row_count AS ROW_COUNT',
  'row_parsed AS ROW_PARSED',
  'file_size AS FILE_SIZE',
  'first_error AS FIRST_ERROR_MESSAGE',
  'error_line AS FIRST_ERROR_LINE_NUMBER',
  'error_character AS FIRST_ERROR_CHARACTER_POS',
  'error_column AS FIRST_ERROR_COLUMN_NAME',
  'error_count AS ERROR_COUNT',
  // SKIP_FILE gives up at the first error.
  'CAST(1 AS BIGINT) AS ERROR_LIMIT',
  'status AS STATUS',
  `${part('table_name', 1)} AS TABLE_CATALOG_NAME`,
  `${part('table_name', 2)} AS TABLE_SCHEMA_NAME`,
  `${part('table_name', 3)} AS TABLE_NAME`,
  `${part('pipe', 1)} AS PIPE_CATALOG_NAME`,
  `${part('pipe', 2)} AS PIPE_SCHEMA_NAME`,
  `${part('pipe', 3)} AS PIPE_NAME`,
  'received_at AS PIPE_RECEIVED_TIME',
  'CAST(NULL AS BIGINT) AS BYTES_BILLED',
];

function functionName(tokens: readonly Token[], at: number, session: Session): { database: string; next: number } {
  const parts: string[] = [];
  let index = at;
  for (; tokens[index]?.kind === 'word' || tokens[index]?.kind === 'quoted'; index += 2) {
    parts.push(identifierName(tokens[index] as Token));
    if (tokens[index + 1]?.text !== '.') break;
  }
  const [name, schema, database = session.database] = [...parts].reverse();
  if (name !== 'COPY_HISTORY' || schema !== 'INFORMATION_SCHEMA')
    throw unsupported(`table function ${parts.join('.')}`);
  if (database === undefined || tokens[index + 1]?.text !== '(')
    throw syntaxError('COPY_HISTORY needs a database and arguments');
  return { database, next: index + 2 };
}

/** The tokens of each `NAME => value` up to the closing parenthesis; `end` is behind it. */
function namedArguments(tokens: readonly Token[], at: number): { values: Map<string, Token[]>; end: number } {
  const values = new Map<string, Token[]>();
  let index = at;
  while (index < tokens.length) {
    const name = tokens[index]?.text.toUpperCase() ?? '';
    if (tokens[index + 1]?.text !== '=>')
      throw unsupported('COPY_HISTORY with arguments by position', 'Name them: TABLE_NAME => …');
    const from = index + 2;
    let depth = 0;
    for (index = from; index < tokens.length; index++) {
      const text = tokens[index]?.text;
      if (depth === 0 && (text === ',' || text === ')')) break;
      if (text === '(') depth++;
      else if (text === ')') depth--;
    }
    values.set(name, tokens.slice(from, index));
    if (tokens[index++]?.text === ')') return { values, end: index };
  }
  throw syntaxError('COPY_HISTORY( is not closed');
}

function tableArgument(argument: readonly Token[] | undefined, session: Session): string {
  const [token] = argument ?? [];
  if (token?.kind !== 'string' || argument?.length !== 1)
    throw new SqlError(
      '001044',
      '42P13',
      "SQL compilation error: COPY_HISTORY takes names as strings, such as TABLE_NAME => 'DB.SCHEMA.T'.",
    );
  return fullName(nameInText(stringValue(token)), session);
}
