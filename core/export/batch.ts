import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { exportFileKey, uploadInFileKey } from '../table/key.ts';
import type { Item, Table } from '../table/table.ts';
import type { FileBooks } from '../upload/books.ts';
import { RowCounter } from '../upload/row-set.ts';
import { exportKey, exportLine, type FileName, nameOf, strayKey, unchangedKey, unchangedLine } from './file.ts';
import { type Change, readStreamRecord, type StreamRecord } from './stream-record.ts';

export interface ExportStore {
  /** Writes an object once. An object that is there already under this key holds the same rows: fine. */
  putOnce(key: string, body: Uint8Array, contentType: string): Promise<void>;
}

export interface ExportPorts {
  readonly store: ExportStore;
  readonly table: Table;
  /** Number of an entity's current load: the pipe that reads its files. */
  readonly loadOf: (entity: string) => number;
}

export interface Exported {
  readonly rows: number;
  readonly unchanged: number;
  readonly stray: number;
  readonly retention: number;
  readonly own: number;
  readonly files: readonly string[];
}

const compress = promisify(gzip);

/**
 * Exports one stream batch, all or nothing: throws as soon as a write fails, and a repeat of the batch, with the same
 * edges or others, writes the same rows again under names made from them. Files come before the books that name them.
 */
export async function exportBatch(records: readonly StreamRecord[], ports: ExportPorts): Promise<Exported> {
  const read = records.map(readStreamRecord);
  const changes = read.filter((each) => each.kind === 'change');
  const strays = read.filter((each) => each.kind === 'stray').map((each) => each.record);
  const files: string[] = [];
  for (const [entity, ofEntity] of Map.groupBy(changes, (each) => each.entity)) {
    files.push(...(await exportEntity(entity, ofEntity, ports)));
  }
  if (strays.length > 0) {
    const key = strayKey(nameOf(strays));
    await putLines(
      ports.store,
      key,
      strays.map((each) => JSON.stringify(each)),
    );
    files.push(key);
  }
  const unchanged = changes.filter((each) => each.unchangedSince !== undefined).length;
  const count = (kind: string) => read.filter((each) => each.kind === kind).length;
  const rows = changes.length - unchanged;
  return { rows, unchanged, stray: strays.length, retention: count('retention'), own: count('own'), files };
}

async function exportEntity(
  entity: string,
  changes: readonly Change[],
  ports: ExportPorts,
): Promise<readonly string[]> {
  const fresh = changes.filter((each) => each.unchangedSince === undefined);
  const unchanged = changes.filter((each) => each.unchangedSince !== undefined);
  const written: string[] = [];
  const named = (of: readonly Change[]): FileName => ({ entity, ...nameOf(of.map((each) => each.record)) });
  if (fresh.length > 0) {
    const file = named(fresh);
    const load = ports.loadOf(entity);
    const key = exportKey(file, load);
    const bytes = await putLines(ports.store, key, fresh.map(exportLine));
    // The file's own item first: an upload must not wait for a file that nobody ever asks the warehouse about.
    await noteFile(ports.table, file, load, fresh, bytes);
    await ports.table.putMany(uploadsIn(fresh, `${load}#${file.name}`, { exportFile: key, unchangedFile: '' }));
    written.push(key);
  }
  if (unchanged.length > 0) {
    const file = named(unchanged);
    const key = unchangedKey(file);
    await putLines(ports.store, key, unchanged.map(unchangedLine));
    await ports.table.putMany(uploadsIn(unchanged, `${file.name}~`, { exportFile: '', unchangedFile: key }));
    written.push(key);
  }
  return written;
}

async function putLines(store: ExportStore, key: string, lines: readonly string[]): Promise<number> {
  // Text is billed by Snowpipe as it was before compression, so a quick level is enough.
  const body = await compress(`${lines.join('\n')}\n`, { level: 2 });
  await store.putOnce(key, body, 'application/gzip');
  return body.length;
}

/** One item an upload: which of its rows are in this file. A pure function of the file's rows, so a repeat is equal. */
function uploadsIn(
  changes: readonly Change[],
  file: string,
  keys: Pick<FileBooks, 'exportFile' | 'unchangedFile'>,
): readonly Item[] {
  const runs = Map.groupBy(changes, (each) => `${each.uploadId}#${each.revision}`);
  return [...runs.values()].map((rows) => {
    const counter = new RowCounter();
    const leansOn: Record<string, number> = {};
    let contradictions = 0;
    for (const { position, output, unchangedSince, contradicts } of rows) {
      counter.add(position, output);
      if (contradicts) contradictions += 1;
      if (unchangedSince !== undefined) leansOn[unchangedSince] = (leansOn[unchangedSince] ?? 0) + 1;
    }
    const { uploadId = '', revision = 0 } = rows[0] ?? {};
    const set = keys.exportFile === '' ? { unchanged: counter.value(), leansOn } : { exported: counter.value() };
    return { ...uploadInFileKey(uploadId, revision, file), ...keys, ...set, contradictions };
  });
}

async function noteFile(
  table: Table,
  file: FileName,
  load: number,
  changes: readonly Change[],
  sizeBytes: number,
): Promise<void> {
  const seconds = changes[0]?.record.dynamodb.ApproximateCreationDateTime ?? 0;
  const item = {
    ...exportFileKey(file.entity, file.day, load, file.name),
    exportFile: exportKey(file, load),
    entity: file.entity,
    rowCount: changes.length,
    sizeBytes,
    createdAtMs: Math.floor(seconds * 1000),
    loadState: 'exported',
  };
  // A repeat must not take back what reconcile has noted since.
  await table.put(item, { expression: 'attribute_not_exists(pk)' });
}
