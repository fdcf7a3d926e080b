import { quarantineKey } from '../table/key.ts';
import type { Item, Table } from '../table/table.ts';
import type { PartBooks } from '../upload/books.ts';
import { RowCounter, rowNumber } from '../upload/row-set.ts';
import type { SideFile } from '../upload/side-file.ts';

/** A row that will never work as it is. */
export interface Rejected {
  readonly position: number;
  readonly output: number;
  /** Dotted, stable: `field.type`, `decode.invalidJson`. */
  readonly code: string;
  /** For a person: which field, what was expected, what kind of thing was found. Never the value. */
  readonly message: string;
  /** Length in bytes of the row in the decompressed object. */
  readonly lengthBytes: number;
  /** The row as it stands in the object, cut to `rawLimitBytes`. */
  readonly raw: Uint8Array;
}

export interface QuarantinedUpload {
  readonly sourceId: string;
  readonly uploadId: string;
  readonly landingKey: string;
  readonly revision: number;
}

/** Rows of one upload that are listed in the table, one more for each part at most; the files on S3 have all of them. */
const listedRows = 100;
/** So much of a row is kept. */
export const rawLimitBytes = 64 * 1024;
const listedRawBytes = 1024;

type QuarantineBooks = Pick<PartBooks, 'quarantined' | 'quarantineFiles' | 'quarantineCodes' | 'rowsListed'>;

/** Takes the rejected rows of one part: all into the quarantine file, the first of a part into the table too. */
export class Quarantine {
  readonly #upload: QuarantinedUpload;
  readonly #file: SideFile;
  readonly #before: QuarantineBooks;
  readonly #rows: RowCounter;
  readonly #codes: Map<string, number>;
  readonly #mostListed: number;
  #rowsListed: number;
  #unwritten: Item[] = [];

  /** `before`: what the part had come to when this turn began. `parts`: that share what the table lists. */
  constructor(upload: QuarantinedUpload, file: SideFile, before: QuarantineBooks, parts: number) {
    this.#upload = upload;
    this.#file = file;
    this.#before = before;
    this.#rows = new RowCounter(before.quarantined);
    this.#codes = new Map(Object.entries(before.quarantineCodes));
    this.#mostListed = Math.ceil(listedRows / parts);
    this.#rowsListed = before.rowsListed;
  }

  async add(row: Rejected): Promise<void> {
    await this.#file.ready();
    const { sourceId, uploadId, landingKey, revision } = this.#upload;
    this.#rows.add(row.position, row.output);
    this.#codes.set(row.code, (this.#codes.get(row.code) ?? 0) + 1);
    const reason = { reasonCode: row.code, reasonMessage: row.message };
    const place = {
      sourceId,
      uploadId,
      landingKey,
      rowNumber: rowNumber(row.position, row.output),
      rowPosition: row.position,
    };
    const entry = { ...place, lengthBytes: row.lengthBytes, ...reason, revision };
    this.#file.add(JSON.stringify({ ...entry, ...rawText(row.raw.subarray(0, rawLimitBytes)) }));
    if (this.#rowsListed >= this.#mostListed) return;
    this.#rowsListed += 1;
    const key = quarantineKey(uploadId, revision, row.position, row.output);
    this.#unwritten.push({ ...key, ...entry, ...rawText(row.raw.subarray(0, listedRawBytes)) });
  }

  /** Writes what is not written yet, and answers with the books, what was before included. More may be added then. */
  async flush(table: Table): Promise<QuarantineBooks> {
    await table.putMany(this.#unwritten);
    this.#unwritten = [];
    return {
      quarantined: this.#rows.value(),
      quarantineFiles: [...this.#before.quarantineFiles, ...(await this.#file.flush())],
      quarantineCodes: Object.fromEntries([...this.#codes].sort(([a], [b]) => (a < b ? -1 : 1))),
      rowsListed: this.#rowsListed,
    };
  }
}

// Text where the bytes are text, base64 where they are not, so that nothing is lost in either.
function rawText(raw: Uint8Array): { readonly rawText: string } | { readonly rawBase64: string } {
  const text = Buffer.from(raw).toString('utf8');
  return Buffer.from(text).equals(raw) ? { rawText: text } : { rawBase64: Buffer.from(raw).toString('base64') };
}
