import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Blobs, openBlobs } from './blobs.ts';
import { applyChange, type Change, changesOf, createState, type State } from './state.ts';

/**
 * The index of the embedded S3: in memory, and as a journal of changes, one JSON line each, in `journal.ndjson`.
 *
 * A change counts once its line is written whole. A process killed while writing leaves half a line, which the next
 * start drops: that request was never answered. Every start rewrites the journal to just what is there.
 */
export interface Store {
  readonly state: State;
  readonly blobs: Blobs;
  /** Writes the changes to the journal in one piece, then applies them. Synchronous, so nothing comes between. */
  commit(...changes: readonly Change[]): void;
  close(): void;
}

const REWRITE_LINES = 500;

/** Opens (or makes) the data of one S3 below `dir`. */
export async function openStore(dir: string): Promise<Store> {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, 'journal.ndjson');
  const blobs = openBlobs(join(dir, 'blobs'));
  const state = createState();
  replay(path, state, blobs);
  await blobs.sweep();
  const file = rewrite(path, state);
  return {
    state,
    blobs,
    commit(...changes) {
      writeWhole(file, linesOf(changes));
      for (const change of changes) applyChange(state, blobs, change);
    },
    close() {
      blobs.close();
      closeSync(file);
    },
  };
}

function replay(path: string, state: State, blobs: Blobs): void {
  const lines = readIfThere(path).split('\n');
  // What follows the last newline is empty, or the line that a killed process did not finish.
  for (const [at, line] of lines.slice(0, -1).entries()) {
    try {
      applyChange(state, blobs, JSON.parse(line));
    } catch (cause) {
      throw new Error(
        `Reading the local S3: line ${at + 1} of ${path} is damaged; delete that folder to start afresh.`,
        {
          cause,
        },
      );
    }
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

/** Writes the state to a new file, puts it in the journal's place, and returns it open for appending. */
function rewrite(path: string, state: State): number {
  const file = openSync(`${path}.new`, 'w');
  let lines: Change[] = [];
  for (const change of changesOf(state)) {
    lines.push(change);
    if (lines.length < REWRITE_LINES) continue;
    writeWhole(file, linesOf(lines));
    lines = [];
  }
  writeWhole(file, linesOf(lines));
  renameSync(`${path}.new`, path);
  return file;
}

function linesOf(changes: readonly Change[]): Buffer {
  return Buffer.from(changes.map((change) => `${JSON.stringify(change)}\n`).join(''));
}

function writeWhole(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}
