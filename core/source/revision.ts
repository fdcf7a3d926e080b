import { misconfigured, retryable } from '../failure.ts';
import { sourceStateKey } from '../table/key.ts';
import type { Table } from '../table/table.ts';
import type { RegisteredSource } from './registry.ts';

/** Two builds may register at once; each loses a race at most once per newer revision. */
const tries = 10;

/**
 * The number of a source's config, registered in the table: grows by one when a newer build brings another hash.
 * Throws retryable `revision.olderBuild` in a worker of an older build, so that no upload is normalized by a config
 * that has been replaced.
 */
export async function registerRevision(table: Table, { id, hash }: RegisteredSource, build: string): Promise<number> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const item = await table.get(sourceStateKey(id));
    // The item may be there before the first revision is: a pause or a lease lies in it, too.
    const state = item?.['newestRevision'] === undefined ? undefined : item;
    const newest = Number(state?.['newestRevision'] ?? 0);
    if (state && state['configHash'] === hash) return newest;
    if (state && String(state['buildStamp']) >= build) {
      const message = `Normalizing source ${id} is left to a newer build: this one (${build}) is older than ${state['buildStamp']}.`;
      throw retryable('revision.olderBuild', message);
    }
    const registered = await table.update(sourceStateKey(id), {
      set: { newestRevision: newest + 1, configHash: hash, buildStamp: build, sourceId: id },
      condition: state
        ? { expression: 'newestRevision = :newest', values: { ':newest': newest } }
        : { expression: 'attribute_not_exists(newestRevision)' },
    });
    if (registered.done) return newest + 1;
  }
  throw misconfigured(
    'revision.contended',
    `Registering a revision of source ${id} failed ${tries} times: other builds keep registering theirs.`,
  );
}
