import type { DuckDBConnection } from '@duckdb/node-api';
import type { Clock } from '../clock.ts';
import type { CatalogueStore } from './catalogue.ts';
import { SqlError } from './sql-error.ts';
import { significant, tokenize } from './sql-tokens.ts';
import { tokenCursor } from './token-cursor.ts';

/** What all sessions share. */
export interface Warehouse {
  readonly clock: Clock;
  readonly account: string;
  readonly catalogue: CatalogueStore;
  /** ARN of the queue that every pipe is told of new files by. */
  readonly notificationChannel: string;
  /** Takes what the queue holds, so that a pipe made next does not see it. */
  drainNotifications(): Promise<void>;
  /** The loader's part of SYSTEM$PIPE_STATUS. */
  pipeProgress(pipe: string): Promise<Readonly<Record<string, unknown>>>;
}

export interface Session {
  readonly user: string;
  readonly connection: DuckDBConnection;
  role: string;
  warehouse: string | undefined;
  database: string | undefined;
  schema: string | undefined;
}

/** The full dotted name, what is missing taken from the session. */
export function fullName(parts: readonly string[], session: Session): string {
  if (parts.length === 3) return parts.join('.');
  const database = session.database;
  if (database === undefined) throw noCurrent('database');
  if (parts.length === 2) return [database, ...parts].join('.');
  if (session.schema === undefined) throw noCurrent('schema');
  return [database, session.schema, ...parts].join('.');
}

/** The same for the name of a schema. */
export function fullSchemaName(parts: readonly string[], session: Session): string {
  if (parts.length === 2) return parts.join('.');
  if (session.database === undefined) throw noCurrent('database');
  return [session.database, ...parts].join('.');
}

/** Reads a name that stands in a string, as arguments of functions do. */
export function nameInText(text: string): readonly string[] {
  const cursor = tokenCursor(significant(tokenize(text)));
  const name = cursor.name();
  cursor.end();
  return name;
}

function noCurrent(what: 'database' | 'schema'): SqlError {
  return new SqlError(
    '090105',
    '22000',
    `Cannot perform operation. This session does not have a current ${what}. Call 'USE ${what.toUpperCase()}', or use a qualified name.`,
  );
}
