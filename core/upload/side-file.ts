import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** Where a side file goes: small objects written whole. */
export interface SideFileStore {
  putObject(key: string, body: Uint8Array, contentType: string): Promise<void>;
}

const compress = promisify(gzip);
/** Characters of one object before compression. */
const fullLength = 1024 * 1024;

/**
 * Writes lines into numbered gzip objects `<prefix>-<nnnn>.ndjson.gz`. An object ends by the amount of text in
 * it, so that the same lines always give the same objects under one prefix. Memory: the text of two objects and of one batch.
 */
export class SideFile {
  readonly #store: SideFileStore;
  readonly #prefix: string;
  #lines: string[] = [];
  #length = 0;
  #full: string[] = [];
  #files = 0;
  #pending: Promise<void> = Promise.resolve();

  constructor(store: SideFileStore, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
  }

  /** Adds one line (without its newline). Await `ready` after each batch of them. */
  add(line: string): void {
    this.#lines.push(line);
    this.#length += line.length + 1;
    if (this.#length >= fullLength) this.#cut();
  }

  /** Sends full objects on their way; waits while the one before is still being written. */
  async ready(): Promise<void> {
    for (const text of this.#full.splice(0)) {
      const before = this.#pending;
      const n = this.#files;
      this.#files += 1;
      // A chain, so that no write is lost from sight when two callers wait here at once.
      this.#pending = before.then(() => this.#write(text, n));
      // Written beside the next lines; its error is thrown by the next await of it.
      this.#pending.catch(() => {});
      await before;
    }
  }

  /** Writes what is left. Answers what there is so far: nothing when there were no lines. More may be added then. */
  async flush(): Promise<readonly SideFiles[]> {
    if (this.#lines.length > 0) this.#cut();
    await this.ready();
    await this.#pending;
    return this.#files === 0 ? [] : [{ prefix: this.#prefix, files: this.#files }];
  }

  #cut(): void {
    this.#full.push(`${this.#lines.join('\n')}\n`);
    this.#lines = [];
    this.#length = 0;
  }

  async #write(text: string, n: number): Promise<void> {
    await this.#store.putObject(sideFileKey(this.#prefix, n), await compress(text, { level: 1 }), 'application/gzip');
  }
}

/** Key of the n-th object (from 0) of a side file. */
export function sideFileKey(prefix: string, n: number): string {
  return `${prefix}-${String(n).padStart(4, '0')}.ndjson.gz`;
}

/** The objects that one worker made of one side file: `files` of them, from number 0. */
export interface SideFiles {
  readonly prefix: string;
  readonly files: number;
}

/** One worker's turn at a part. Its epoch is in the names of its side files, so that nobody writes over another's. */
export interface Turn {
  readonly revision: number;
  readonly part: number;
  readonly epoch: number;
}

/** The keys that an upload wrote, with what became of each row. */
export function keysPrefix(uploadId: string, { revision, part, epoch }: Turn): string {
  return `keys/${uploadId}/${revision}/${partName(part)}-${epoch}`;
}

/** The rows of an upload that were quarantined, all of them. */
export function quarantinePrefix(
  upload: { sourceId: string; day: string; uploadId: string },
  { revision, part, epoch }: Turn,
): string {
  return `quarantine/source=${upload.sourceId}/dt=${upload.day}/${upload.uploadId}/${revision}-${partName(part)}-${epoch}`;
}

function partName(part: number): string {
  return String(part).padStart(4, '0');
}
