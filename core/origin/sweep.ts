import { misconfigured } from '../failure.ts';
import type { RegisteredSource } from '../source/registry.ts';
import type { Route } from '../source/routing.ts';
import { compareKeys } from './byte-order.ts';
import { type Candidate, envelope } from './candidate.ts';
import { isFolder, type ListedObject, type ListedPage, type Lister } from './listing.ts';
import { type ChunkStore, chunkKey, keepChunk, openSnapshot, printOf } from './snapshot.ts';

export interface SweepPorts {
  readonly route: Route;
  readonly listerFor: (source: RegisteredSource) => Lister;
  readonly chunks: ChunkStore;
  /** Puts messages into the copy queue; resolves when all of them are there. */
  readonly send: (bodies: readonly string[]) => Promise<void>;
}

/** How far a sweep of one source has come. All of it lies in the source's state item. */
export interface SweepState {
  /** Milliseconds of its start; names its chunks. */
  readonly sweep: number;
  /** Chunks kept so far. */
  readonly chunks: number;
  /** The key behind which the next page begins; empty at the start. */
  readonly cursor: string;
  /** The finished sweep to compare with, and the number of the chunk to read next. `chunks` 0: there is none. */
  readonly earlier: { readonly sweep: number; readonly chunks: number; readonly at: number };
}

export interface SweepStep {
  readonly state: SweepState;
  readonly keysSeen: number;
  readonly sent: number;
  readonly finished: boolean;
}

/** What is swept: the source, its bucket, and the time before which objects are not wanted (0: all are). */
export interface Swept {
  readonly source: RegisteredSource;
  readonly bucket: string;
  readonly sinceMs: number;
}

/**
 * Steps of one sweep, a LIST call each: every object of the page that the earlier sweep does not know as it is now is
 * sent to copy, then the page is kept as a chunk. Sent first: whoever dies in between has sent it twice and never not.
 * A key that sorts before the cursor when it arrives is found by the next sweep, which begins at the first key again.
 */
export async function* sweep({ source, bucket, sinceMs }: Swept, from: SweepState, ports: SweepPorts) {
  const lister = ports.listerFor(source);
  const prefix = source.source.config.from.prefix ?? '';
  const { earlier } = from;
  const snapshot = openSnapshot(ports.chunks, { sourceId: source.id, ...earlier, from: earlier.at });
  let state = from;
  for (let finished = false; !finished; ) {
    const page = await lister.list(bucket, prefix, state.cursor === '' ? undefined : state.cursor);
    refuseDisorder(page, bucket, state.cursor);
    const fresh: Candidate[] = [];
    const entries: (readonly [string, string])[] = [];
    for (const object of page.objects) {
      const routed = ports.route(bucket, object.key);
      if (isFolder(object) || typeof routed !== 'object' || routed.id !== source.id) continue;
      const held = object.lastModifiedMs < sinceMs;
      const print = printOf(bucket, object, held);
      if ((await snapshot.print(object.key)) !== print && !held) fresh.push(candidateOf(bucket, object));
      entries.push([object.key, print]);
    }
    await ports.send(fresh.map(envelope));
    await keepChunk(ports.chunks, chunkKey(source.id, state.sweep, state.chunks), entries);
    const cursor = page.objects.at(-1)?.key ?? state.cursor;
    state = { ...state, chunks: state.chunks + 1, cursor, earlier: { ...earlier, at: snapshot.at() } };
    finished = !page.truncated || page.objects.length === 0;
    yield { state, keysSeen: entries.length, sent: fresh.length, finished } satisfies SweepStep;
  }
}

/** The listed object as a candidate. A listing knows no version: copy asks for the newest. */
export function candidateOf(bucket: string, { key, etag, sizeBytes, lastModifiedMs }: ListedObject): Candidate {
  return { bucket, key, etag, sizeBytes, lastModifiedMs };
}

// Out of order, a comparison side by side would send everything again with every sweep, and a cursor would skip keys.
function refuseDisorder({ objects }: ListedPage, bucket: string, cursor: string): void {
  let before = cursor;
  for (const { key } of objects) {
    if (before !== '' && compareKeys(before, key) >= 0) {
      throw misconfigured(
        'poll.unsorted',
        `Polling s3://${bucket} failed: it does not list its keys in byte order, as a directory bucket. Use its events instead.`,
      );
    }
    before = key;
  }
}
