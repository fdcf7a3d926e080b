import { type DuckDBConnection, DuckDBDataChunk, type DuckDBType } from '@duckdb/node-api';
import type { Clock } from '../clock.ts';
import type { CatalogueStore, Column, Pipe } from './catalogue.ts';
import { runSql } from './engine.ts';
import { engineError } from './engine-error.ts';
import { type FileRows, type LoadError, readRows } from './file-rows.ts';
import type { LoadBooks, LoadOutcome, PendingLoad } from './load-books.ts';
import { decodeFile, type StageFiles, UnreadableFile } from './stage-files.ts';

/** What a test may do to loads, all of it within what Snowpipe allows itself. */
export interface LoadQuirks {
  /** Milliseconds before a file loads, and between its transactions. */
  readonly delayMs?: () => number;
  /** From 0 to below 1: which of the waiting files comes next. Snowpipe promises no order. */
  readonly shuffle?: () => number;
  /** Rows a transaction; a file loads in one without it. */
  readonly splitRows?: number;
}

export interface LoadPorts {
  readonly clock: Clock;
  readonly files: StageFiles;
  readonly catalogue: CatalogueStore;
  readonly quirks: LoadQuirks;
}

/** DuckDB's own vector size. */
const CHUNK_ROWS = 2048;

/** Loads one file. Throws, with nothing committed, when the file cannot be read now. */
export async function loadFile(
  load: PendingLoad,
  connection: DuckDBConnection,
  books: LoadBooks,
  { clock, files, catalogue, quirks }: LoadPorts,
  signal: AbortSignal,
): Promise<void> {
  const pipe = catalogue.objects.pipe.get(load.pipe) as Pipe;
  await books.begin(load);
  const rows = await readFile(load, pipe, catalogue.objects.table.get(pipe.table)?.columns ?? [], files, clock.now());
  const { rowCount, errorCount, firstError } = rows;
  const close = (outcome: LoadOutcome) => books.finishSql(load, outcome, clock.now());
  const failed = (error: LoadError | undefined): LoadOutcome => ({
    status: 'Load failed',
    rowCount: 0,
    rowParsed: rowCount,
    errorCount: Math.max(1, errorCount),
    firstError: error,
  });
  if (errorCount > 0) return commit(connection, pipe.table, rows, 0, 0, close(failed(firstError)));
  const size = quirks.splitRows ?? Math.max(1, rowCount);
  for (let from = 0; from === 0 || from < rowCount; from += size) {
    if (from > 0) await clock.sleep(quirks.delayMs?.() ?? 0, { signal });
    const to = Math.min(from + size, rowCount);
    const loaded: LoadOutcome = { status: 'Loaded', rowCount, rowParsed: rowCount, errorCount, firstError };
    try {
      await commit(connection, pipe.table, rows, from, to, to >= rowCount ? close(loaded) : undefined);
    } catch (error) {
      return commit(connection, pipe.table, rows, 0, 0, close(failed(wholeFile(engineError(error).message))));
    }
  }
}

/** Its rows, or what is wrong with the file as a whole. */
async function readFile(
  load: PendingLoad,
  pipe: Pipe,
  columns: readonly Column[],
  files: StageFiles,
  nowMs: number,
): Promise<FileRows> {
  try {
    return readRows(decodeFile(await files.read(load.bucket, load.key)), columns, pipe, load.key, nowMs);
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    return { columns: [], rowCount: 0, errorCount: 1, firstError: wholeFile(error.message) };
  }
}

function wholeFile(message: string): LoadError {
  return { message, line: 1, character: null, column: null };
}

/** Writes rows `from` (inclusive) to `to` (exclusive), and closes the load, in one transaction. */
async function commit(
  connection: DuckDBConnection,
  table: string,
  rows: FileRows,
  from: number,
  to: number,
  closing?: string,
) {
  await connection.run('BEGIN');
  try {
    if (to > from) await append(connection, table, rows, from, to);
    if (closing) await runSql(connection, closing);
    await connection.run('COMMIT');
  } catch (error) {
    await connection.run('ROLLBACK');
    throw error;
  }
}

async function append(
  connection: DuckDBConnection,
  table: string,
  rows: FileRows,
  from: number,
  to: number,
): Promise<void> {
  const [database = '', schema = '', name = ''] = table.split('.');
  const appender = await connection.createAppender(name, `${database}.${schema}`);
  const types: DuckDBType[] = [];
  for (let index = 0; index < appender.columnCount; index++) types.push(appender.columnType(index));
  try {
    for (let start = from; start < to; start += CHUNK_ROWS) {
      const end = Math.min(start + CHUNK_ROWS, to);
      const chunk = DuckDBDataChunk.create(types, end - start);
      chunk.setColumns(rows.columns.map((values) => values.slice(start, end)));
      appender.appendDataChunk(chunk);
    }
    appender.flushSync();
  } finally {
    appender.closeSync();
  }
}
