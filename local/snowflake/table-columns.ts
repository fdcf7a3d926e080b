import type { Column } from './catalogue.ts';
import type { Session } from './context.ts';
import { parseType } from './data-types.ts';
import { runSql } from './engine.ts';
import { syntaxError, unsupported } from './sql-error.ts';
import { identifierName } from './sql-tokens.ts';
import type { TokenCursor } from './token-cursor.ts';

/** Reads `(NAME TYPE [NOT NULL], …)`; defaults, keys and the like are refused. */
export function parseColumns(cursor: TokenCursor): Column[] {
  const columns: Column[] = [];
  cursor.expect('(');
  do {
    const token = cursor.next();
    if (token.kind !== 'word' && token.kind !== 'quoted')
      throw syntaxError(`unexpected '${token.text}' for a column name`);
    const name = identifierName(token);
    const type = parseType(cursor.rest(), 0);
    for (let taken = 0; taken < type.length; taken++) cursor.next();
    const notNull = cursor.accept('NOT', 'NULL');
    if (!cursor.looksAt(',') && !cursor.looksAt(')')) throw unsupported(`${cursor.peek()?.text} for column ${name}`);
    columns.push({ name, type: { name: type.name, duckdb: type.duckdb }, notNull });
  } while (cursor.accept(','));
  cursor.expect(')');
  return columns;
}

/** The columns that DuckDB found for a view. */
export async function viewColumns(table: string, session: Session): Promise<Column[]> {
  const { rows } = await runSql(session.connection, `DESCRIBE ${table}`);
  return rows.map(([name, type]) => ({
    name: String(name),
    type: { name: String(type) === 'JSON' ? 'VARIANT' : String(type), duckdb: String(type) },
    notNull: false,
  }));
}
