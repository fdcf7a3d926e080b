import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { replayJournal, rewriteJournal } from '../journal.ts';
import { type Blobs, openBlobs } from './blobs.ts';
import { applyChange, type Change, changesOf, createState, type State } from './state.ts';

/** The index of the embedded S3: in memory, and as a journal in `journal.ndjson`, one line a commit. */
export interface Store {
  readonly state: State;
  readonly blobs: Blobs;
  /** Writes the changes to the journal in one piece, then applies them. Synchronous, so nothing comes between. */
  commit(...changes: readonly Change[]): void;
  close(): void;
}

/** Opens (or makes) the data of one S3 below `dir`. */
export async function openStore(dir: string): Promise<Store> {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, 'journal.ndjson');
  const blobs = openBlobs(join(dir, 'blobs'));
  const state = createState();
  replayJournal<readonly Change[]>(path, 'S3', (changes) => {
    for (const change of changes) applyChange(state, blobs, change);
  });
  await blobs.sweep();
  const journal = rewriteJournal<readonly Change[]>(path, commitsOf(state));
  return {
    state,
    blobs,
    commit(...changes) {
      journal.append(changes);
      for (const change of changes) applyChange(state, blobs, change);
    },
    close() {
      blobs.close();
      journal.close();
    },
  };
}

function* commitsOf(state: State): Generator<readonly Change[]> {
  for (const change of changesOf(state)) yield [change];
}
