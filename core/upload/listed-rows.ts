import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { revisionOf } from '../table/version.ts';
import type { FileBooks, PartBooks } from './books.ts';
import type { ListedRows } from './close.ts';
import { rowNumber } from './row-set.ts';
import { sideFileKey } from './side-file.ts';

export interface ListedRowsStore {
  /** A whole object; undefined when it is not there. */
  readLanding(key: string): Promise<Uint8Array | undefined>;
  readExport(key: string): Promise<Uint8Array | undefined>;
}

const inflate = promisify(gunzip);

/** Lists an upload's rows from its keys files, export files and unchanged files. */
export async function listRows(
  upload: {
    readonly uploadId: string;
    readonly revision: number;
    readonly part: PartBooks;
    readonly files: readonly FileBooks[];
    readonly loaded: ReadonlySet<string>;
  },
  store: ListedRowsStore,
): Promise<ListedRows> {
  const accepted = new Map<string, string>();
  for (const { prefix, files } of upload.part.keyFiles) {
    for (let n = 0; n < files; n += 1) {
      for (const line of await lines(store.readLanding(sideFileKey(prefix, n)))) {
        const [position, output, outcome] = line as [number, number, string];
        accepted.set(rowNumber(position, output), outcome);
      }
    }
  }
  const exported = new Map<string, boolean>();
  const unchanged = new Map<string, string>();
  for (const file of upload.files) {
    if (file.exportFile !== '') {
      const loaded = upload.loaded.has(file.exportFile);
      for (const line of await lines(store.readExport(file.exportFile))) {
        const row = line as { UPLOAD_ID: string; VERSION: string; ROW_NO: string };
        if (row.UPLOAD_ID !== upload.uploadId || revisionOf(row.VERSION) !== upload.revision) continue;
        exported.set(row.ROW_NO, loaded || exported.get(row.ROW_NO) === true);
      }
    }
    if (file.unchangedFile !== '') {
      for (const line of await lines(store.readExport(file.unchangedFile))) {
        const [uploadId, revision, row, since] = line as [string, number, string, string];
        if (uploadId === upload.uploadId && revision === upload.revision) unchanged.set(row, since);
      }
    }
  }
  return { accepted, exported, unchanged };
}

async function lines(reading: Promise<Uint8Array | undefined>): Promise<readonly unknown[]> {
  const body = await reading;
  if (!body) return [];
  const text = (await inflate(body)).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}
