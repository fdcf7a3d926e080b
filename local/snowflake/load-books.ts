import type { DuckDBConnection } from '@duckdb/node-api';
import type { CatalogueStore } from './catalogue.ts';
import { duckString, runSql } from './engine.ts';
import type { LoadError } from './file-rows.ts';
import type { StagedObject } from './pipe-events.ts';

/** A file keeps its name in the pipe's history this long (Snowflake docs: Snowpipe, load metadata). */
const NAME_KEPT_MS = 14 * 86_400_000;

/** One file on its way through one pipe. */
export interface PendingLoad {
  readonly id: number;
  readonly pipe: string;
  readonly bucket: string;
  readonly key: string;
  /** The key without the stage's prefix, which is what a pipe knows a file by. */
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly receivedAtMs: number;
}

export interface LoadOutcome {
  readonly status: 'Loaded' | 'Load failed';
  readonly rowCount: number;
  readonly rowParsed: number;
  readonly errorCount: number;
  readonly firstError: LoadError | undefined;
}

/** The loader's books, in the table that COPY_HISTORY shows. */
export interface LoadBooks {
  /** Enters an announced object for every pipe it belongs to, unless the pipe knows its name. */
  enter(object: StagedObject, nowMs: number): Promise<PendingLoad[]>;
  /** What an earlier run announced and never finished. */
  unfinished(): Promise<PendingLoad[]>;
  begin(load: PendingLoad): Promise<void>;
  /** SQL that closes a load; run it in the transaction of its last rows. */
  finishSql(load: PendingLoad, outcome: LoadOutcome, nowMs: number): string;
}

export async function openLoadBooks(connection: DuckDBConnection, catalogue: CatalogueStore): Promise<LoadBooks> {
  const { rows } = await runSql(connection, 'SELECT id, pipe, file_name, epoch_ms(received_at) FROM standin.loads');
  const seen = new Map<string, number>(rows.map(([, pipe, file, at]) => [`${pipe}\n${file}`, Number(at)]));
  let lastId = rows.reduce((highest, [id]) => Math.max(highest, Number(id)), 0);

  /** Only the name counts: not the ETag, not whether the first load failed (Snowflake docs: Snowpipe, duplicates). */
  const isNew = (pipe: string, fileName: string, nowMs: number) => {
    const before = seen.get(`${pipe}\n${fileName}`);
    return before === undefined || nowMs - before >= NAME_KEPT_MS;
  };
  /** All pipes whose stage covers the key; where several do, each loads the file (Snowflake docs: Automating Snowpipe). */
  const pipesOf = ({ bucket, key }: StagedObject) =>
    [...catalogue.objects.pipe].flatMap(([name, pipe]) => {
      const stage = catalogue.objects.stage.get(pipe.stage);
      const covered = stage?.bucket === bucket && key.startsWith(stage.prefix);
      return covered ? [{ name, pipe, stage }] : [];
    });

  return {
    async enter(object, nowMs) {
      const loads: PendingLoad[] = [];
      for (const { name, pipe, stage } of pipesOf(object)) {
        const fileName = object.key.slice(stage.prefix.length);
        if (!isNew(name, fileName, nowMs)) continue;
        const load = {
          id: ++lastId,
          pipe: name,
          bucket: object.bucket,
          key: object.key,
          fileName,
          sizeBytes: object.sizeBytes,
        };
        const texts = [name, pipe.table, object.bucket, stage.url, fileName].map(duckString).join(', ');
        seen.set(`${name}\n${fileName}`, nowMs);
        await runSql(
          connection,
          `INSERT INTO standin.loads (id, pipe, table_name, bucket, stage_location, file_name, file_size, received_at)
           VALUES (${load.id}, ${texts}, ${object.sizeBytes}, ${timestamp(nowMs)})`,
        );
        loads.push({ ...load, receivedAtMs: nowMs });
      }
      return loads;
    },

    async unfinished() {
      const open = await runSql(
        connection,
        `SELECT id, pipe, bucket, stage_location, file_name, file_size, epoch_ms(received_at) FROM standin.loads
         WHERE status IS NULL OR status = 'Load in progress' ORDER BY id`,
      );
      return open.rows.map(([id, pipe, bucket, location, fileName, size, at]) => ({
        id: Number(id),
        pipe: String(pipe),
        bucket: String(bucket),
        key: String(location).slice(`s3://${bucket}/`.length) + String(fileName),
        fileName: String(fileName),
        sizeBytes: Number(size),
        receivedAtMs: Number(at),
      }));
    },

    async begin({ id }) {
      await runSql(connection, `UPDATE standin.loads SET status = 'Load in progress' WHERE id = ${id}`);
    },

    finishSql({ id }, { status, rowCount, rowParsed, errorCount, firstError }, nowMs) {
      const text = (value: string | null | undefined) => (value == null ? 'NULL' : duckString(value));
      return `UPDATE standin.loads SET status = ${duckString(status)}, last_load_time = ${timestamp(nowMs)},
        row_count = ${rowCount}, row_parsed = ${rowParsed}, error_count = ${errorCount},
        first_error = ${text(firstError?.message)}, error_line = ${firstError?.line ?? 'NULL'},
        error_character = ${firstError?.character ?? 'NULL'}, error_column = ${text(firstError?.column)} WHERE id = ${id}`;
    },
  };
}

/** Milliseconds since the epoch as a DuckDB instant. */
function timestamp(ms: number): string {
  return `to_timestamp(${Math.trunc(ms)} / 1000.0)`;
}
