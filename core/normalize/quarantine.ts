import { quarantineKey } from '../table/key.ts';
import type { Item, Table } from '../table/table.ts';
import { type RowCounter, rowNumber } from '../upload/row-set.ts';
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

/** Rows of one upload that are listed in the table; the file on S3 has all of them. */
export const listedRows = 100;
const rawLimitBytes = 64 * 1024;
const listedRawBytes = 1024;

/** Takes the rejected rows of one part: all into the quarantine file, the first of an upload into the table too. */
export class Quarantine {
  readonly #upload: QuarantinedUpload;
  readonly #file: SideFile;
  readonly #rows: RowCounter;
  readonly #codes = new Map<string, number>();
  readonly #listed: Item[] = [];

  constructor(upload: QuarantinedUpload, file: SideFile, rows: RowCounter) {
    this.#upload = upload;
    this.#file = file;
    this.#rows = rows;
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
    if (this.#listed.length >= listedRows) return;
    const key = quarantineKey(uploadId, revision, row.position, row.output);
    this.#listed.push({ ...key, ...entry, ...rawText(row.raw.subarray(0, listedRawBytes)) });
  }

  /** Writes what the table lists. The file is closed by its owner. */
  async list(table: Table): Promise<Readonly<Record<string, number>>> {
    await table.putMany(this.#listed);
    return Object.fromEntries([...this.#codes].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

// Text where the bytes are text, base64 where they are not, so that nothing is lost in either.
function rawText(raw: Uint8Array): { readonly rawText: string } | { readonly rawBase64: string } {
  const text = Buffer.from(raw).toString('utf8');
  return Buffer.from(text).equals(raw) ? { rawText: text } : { rawBase64: Buffer.from(raw).toString('base64') };
}
