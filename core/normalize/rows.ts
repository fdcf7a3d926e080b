import type { RowBatch } from '../decode/format.ts';
import { fieldsByColumnName } from '../fields/columns.ts';
import type { Fields } from '../fields/field.ts';
import type { FileFacts } from '../fields/read.ts';
import { keepsAll, type Row, type SourceConfig } from '../source/source.ts';
import { itemBytes, maximumItemBytes, type Put, putWriter, type RecordContext } from '../table/record-item.ts';
import { maximumOutputs, versionWriter } from '../table/version.ts';
import { compileMap, latestVersion, type Map as RowMap } from './mapper.ts';
import { type Rejected, rawLimitBytes } from './quarantine.ts';

export interface RowsContext {
  readonly record: RecordContext;
  readonly lastModifiedMs: number;
  readonly revision: number;
  readonly file: FileFacts;
}

/** What a batch of decoded rows came to. `read` counts rows as decoded; outputs of transform count one each. */
export interface NormalizedBatch {
  readonly read: number;
  readonly dropped: number;
  readonly puts: readonly Put[];
  readonly rejected: readonly Rejected[];
}

/** Compiles a source for one upload: a function from decoded batches to puts and rejected rows. */
export function compileRows(
  config: SourceConfig<string, Fields>,
  context: RowsContext,
): (batch: RowBatch) => NormalizedBatch {
  const { record, lastModifiedMs, revision, file } = context;
  const version = versionWriter({ lastModifiedMs, uploadId: record.uploadId, revision });
  const put = putWriter(record);
  const latest = latestVersion(lastModifiedMs);
  const { transform } = config;
  let map: RowMap | undefined;
  let mapped: readonly string[] | undefined;

  const one = (
    row: unknown,
    position: number,
    output: number,
    map: RowMap,
  ): Put | { code: string; message: string } => {
    const fit = map(row, file, latest);
    if ('problems' in fit) return { code: fit.problems[0]?.code ?? 'field.type', message: explain(fit.problems) };
    const made = put(fit.key, version(fit.business, position, output), fit.payload, position, output);
    // DynamoDB JSON is longer than the item it stands for, and UTF-8 takes at most three bytes a UTF-16 unit.
    if (made.item.length * 3 > maximumItemBytes && itemBytes(made.item) > maximumItemBytes) {
      return {
        code: 'record.tooLarge',
        message: 'the record is larger than 400 KB, the most DynamoDB holds in one item',
      };
    }
    return made;
  };

  return (batch) => {
    if (!map || batch.columns !== mapped) {
      // Rows that come out of transform are objects by name, whatever the format.
      map = transform && batch.columns ? compileMap(named(config, batch.columns)) : compileMap(config, batch.columns);
      mapped = batch.columns;
    }
    const puts: Put[] = [];
    const rejected: Rejected[] = batch.bad.map((bad) => ({ ...bad, output: 0, lengthBytes: bad.length }));
    let dropped = 0;
    const rawOf = rawReader(batch);
    const take = (row: unknown, index: number, output: number, map: RowMap) => {
      const position = batch.positions[index] ?? 0;
      const made = one(row, position, output, map);
      if ('item' in made) puts.push(made);
      else rejected.push({ ...made, position, output, ...rawOf(index) });
    };
    for (let index = 0; index < batch.rows.length; index += 1) {
      if (!transform) {
        take(batch.rows[index], index, 0, map);
        continue;
      }
      const outputs = apply(transform, batch, index);
      if ('code' in outputs) {
        rejected.push({ ...outputs, position: batch.positions[index] ?? 0, output: 0, ...rawOf(index) });
      } else if (outputs.rows.length === 0) dropped += 1;
      else for (const [output, row] of outputs.rows.entries()) take(row, index, output, map);
    }
    return { read: batch.rows.length + batch.bad.length, dropped, puts, rejected };
  };
}

/** A function that copies as much of a row as quarantine keeps, once: transform may make a million bad ones of it. */
function rawReader(batch: RowBatch): (index: number) => Pick<Rejected, 'raw' | 'lengthBytes'> {
  let last: (Pick<Rejected, 'raw' | 'lengthBytes'> & { readonly index: number }) | undefined;
  return (index) => {
    if (last?.index !== index) {
      const raw = batch.raw(index);
      last = { index, raw: raw.slice(0, rawLimitBytes), lengthBytes: raw.length };
    }
    const { raw, lengthBytes } = last;
    return { raw, lengthBytes };
  };
}

type Outputs = { readonly rows: readonly Row[] } | { readonly code: string; readonly message: string };

function apply(transform: (row: Row) => Row | readonly Row[] | null, batch: RowBatch, index: number): Outputs {
  const row = batch.columns
    ? objectOf(batch.columns, batch.rows[index] as readonly unknown[])
    : (batch.rows[index] as Row);
  let made: Row | readonly Row[] | null;
  try {
    made = transform(row);
  } catch (error) {
    // The error's text may hold the row's values, so only its kind is told.
    const kind = error instanceof Error ? error.name : 'an error';
    return { code: 'transform.failed', message: `the source's transform threw ${kind} on this row` };
  }
  const rows =
    made === null || made === undefined ? [] : Array.isArray(made) ? (made as readonly Row[]) : [made as Row];
  if (rows.length > maximumOutputs) {
    return {
      code: 'transform.tooMany',
      message: `the source's transform made more than ${maximumOutputs} rows of this one`,
    };
  }
  return { rows };
}

function named(config: SourceConfig<string, Fields>, columns: readonly string[]): SourceConfig<string, Fields> {
  return { ...config, fields: fieldsByColumnName(config.fields, columns) };
}

function objectOf(columns: readonly string[], cells: readonly unknown[]): Row {
  return Object.fromEntries(columns.map((column, index) => [column, cells[index]]));
}

function explain(problems: readonly { readonly field: string; readonly message: string }[]): string {
  return problems.map(({ field, message }) => `${field} ${message}`).join('; ');
}

/** Puts of one batch with only the newest version of each key left, and the puts that gave way to it. */
export function collapse(
  puts: readonly Put[],
  config: SourceConfig<string, Fields>,
): { readonly kept: readonly Put[]; readonly collapsed: readonly Put[] } {
  if (keepsAll(config)) return { kept: puts, collapsed: [] };
  const newest = new Map<string, Put>();
  const collapsed: Put[] = [];
  for (const put of puts) {
    const other = newest.get(put.pk);
    if (!other) newest.set(put.pk, put);
    else if (other.version < put.version) {
      collapsed.push(other);
      newest.set(put.pk, put);
    } else collapsed.push(put);
  }
  return collapsed.length === 0 ? { kept: puts, collapsed } : { kept: [...newest.values()], collapsed };
}
