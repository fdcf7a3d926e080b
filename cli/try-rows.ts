import type { RowBatch } from '../core/decode/format.ts';
import { compileRun, positionAfter, unreadRest } from '../core/normalize/write-rows.ts';
import type { RegisteredSource } from '../core/source/registry.ts';
import type { Put } from '../core/table/record-item.ts';
import { uploadId } from '../core/upload/identity.ts';

export interface QuarantinedRow {
  readonly kind: 'quarantined';
  readonly position: number;
  readonly output: number;
  readonly code: string;
  readonly message: string;
}

/** What became of a row: a record, a row as it was decoded (without a source), or a row in quarantine. */
export type TriedRow =
  | { readonly kind: 'record'; readonly position: number; readonly output: number; readonly put: Put }
  | {
      readonly kind: 'row';
      readonly position: number;
      readonly output: number;
      readonly row: unknown;
      readonly columns: readonly string[] | undefined;
    }
  | QuarantinedRow;

export interface TriedBatch {
  readonly read: number;
  readonly dropped: number;
  /** As they stand in the file. */
  readonly rows: readonly TriedRow[];
}

/** A file to be tried. */
export interface TriedFile {
  /** Of an object on S3. */
  readonly bucket?: string;
  /** Its name, or its path below a folder; the whole key on S3. */
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** A file as if it were an object that arrived at a source. */
export interface FileObject {
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly lastModifiedMs: number;
}

/**
 * The object that a file would be at a source: under its prefix and its own name, or its path in a folder, modified in
 * whole seconds as on S3. What lies on S3 is what it is.
 */
export function fileObject({ source: { config } }: RegisteredSource, file: TriedFile): FileObject {
  const { bucket, prefix = '' } = config.from;
  const own = typeof bucket === 'string' ? bucket : bucket.ours;
  return {
    bucket: file.bucket ?? own,
    key: file.bucket === undefined ? `${prefix}${file.key}` : file.key,
    etag: '',
    sizeBytes: file.sizeBytes,
    lastModifiedMs: Math.floor(file.modifiedMs / 1000) * 1000,
  };
}

/** The mapping of a source for this object, as the first revision of the pipeline would apply it. */
export function sourceMapping(registered: RegisteredSource, object: FileObject): (batch: RowBatch) => TriedBatch {
  const name = { sourceId: registered.id, uploadId: uploadId(registered.id, object) };
  const facts = { sourceId: registered.id, object };
  const normalize = compileRun({ registered, facts, revision: 1, name });
  return (batch) => {
    const { read, dropped, puts, rejected } = normalize(batch);
    const records = puts.map((put) => ({ kind: 'record', position: put.position, output: put.output, put }) as const);
    return { read, dropped, rows: inOrder([...records, ...rejected.map(quarantined)]) };
  };
}

/** No mapping at all: rows as they are decoded. */
export function decodedRows({ rows, positions, columns, bad }: RowBatch): TriedBatch {
  const good = rows.map(
    (row, index) => ({ kind: 'row', position: positions[index] ?? 0, output: 0, row, columns }) as const,
  );
  const worse = bad.map((each) => quarantined({ ...each, output: 0 }));
  return { read: rows.length + bad.length, dropped: 0, rows: inOrder([...good, ...worse]) };
}

/** Takes batches through a mapping, one at a time. What cannot be read to its end gets one row in quarantine for the rest. */
export async function* tryBatches(
  batches: AsyncIterable<RowBatch>,
  mapping: (batch: RowBatch) => TriedBatch,
): AsyncGenerator<TriedBatch> {
  let after = 0;
  try {
    for await (const batch of batches) {
      after = Math.max(after, positionAfter(batch));
      yield mapping(batch);
    }
  } catch (error) {
    const unread = unreadRest(error, after);
    if (!unread) throw error;
    yield { read: 1, dropped: 0, rows: [quarantined(unread)] };
  }
}

function quarantined({ position, output, code, message }: Omit<QuarantinedRow, 'kind'>): QuarantinedRow {
  return { kind: 'quarantined', position, output, code, message };
}

function inOrder(rows: TriedRow[]): readonly TriedRow[] {
  return rows.sort((a, b) => a.position - b.position || a.output - b.output);
}
