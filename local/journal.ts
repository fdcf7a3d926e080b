/**
 * What a stand-in keeps on disk: changes in the order in which they happened, one JSON line each.
 *
 * A change counts once its line is written whole. A process killed while writing leaves half a line, which the next
 * start drops: that request was never answered. Every start rewrites the journal to just what is there. Lines reach the
 * operating system before the call returns; that outlives the process, not the machine.
 */
import { closeSync, mkdirSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Journal<Change> {
  /** Writes the changes in one piece. Synchronous, so nothing comes between. After `close` it writes nothing. */
  append(...changes: readonly Change[]): void;
  close(): void;
}

const READ_BYTES = 1024 * 1024;
const REWRITE_LINES = 500;
const NEWLINE = 10;

/**
 * Hands every change of a journal to `apply`, oldest first; a journal that is not there has none. Throws, naming the
 * line, when one cannot be read or applied; `owner` says whose journal it is.
 */
export function replayJournal<Change>(path: string, owner: string, apply: (change: Change) => void): void {
  let at = 0;
  for (const line of wholeLines(path)) {
    at += 1;
    try {
      apply(JSON.parse(line) as Change);
    } catch (cause) {
      throw new Error(
        `Reading the local ${owner}: line ${at} of ${path} is damaged; delete that folder to start afresh.`,
        {
          cause,
        },
      );
    }
  }
}

/** Writes these changes to a new file, puts it in the journal's place, and returns it open for appending. */
export function rewriteJournal<Change>(path: string, changes: Iterable<Change>): Journal<Change> {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(`${path}.new`, 'w');
  let open = true;
  const append = (...some: readonly Change[]) => {
    if (open) writeWhole(file, Buffer.from(some.map((change) => `${JSON.stringify(change)}\n`).join('')));
  };
  let batch: Change[] = [];
  for (const change of changes) {
    batch.push(change);
    if (batch.length < REWRITE_LINES) continue;
    append(...batch);
    batch = [];
  }
  append(...batch);
  renameSync(`${path}.new`, path);
  return {
    append,
    close() {
      if (open) closeSync(file);
      open = false;
    },
  };
}

/** The lines of a file that end in a newline: what follows the last one is half a line, or nothing. */
function* wholeLines(path: string): Generator<string> {
  const file = openIfThere(path);
  if (file === undefined) return;
  try {
    const buffer = Buffer.alloc(READ_BYTES);
    let rest: Buffer[] = [];
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      let from = 0;
      for (let end = newlineIn(buffer, from, read); end >= 0; end = newlineIn(buffer, from, read)) {
        yield Buffer.concat([...rest, buffer.subarray(from, end)]).toString('utf8');
        rest = [];
        from = end + 1;
      }
      if (from < read) rest.push(Buffer.from(buffer.subarray(from, read)));
    }
  } finally {
    closeSync(file);
  }
}

function newlineIn(buffer: Buffer, from: number, to: number): number {
  const end = buffer.indexOf(NEWLINE, from);
  return end < to ? end : -1;
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function writeWhole(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}
