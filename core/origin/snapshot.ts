import { hash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { etagText } from '../upload/identity.ts';
import { compareKeys } from './byte-order.ts';
import type { ListedObject } from './listing.ts';

/**
 * What one LIST call of a sweep saw: key and print of each object that the source claims, in byte order. A sweep leaves
 * its chunks as numbered objects, and the next sweep compares with them. All objects in a chunk have been sent, and no
 * more than that is asked of it: where chunks overlap, have gaps or are gone, some objects are sent once more.
 */
export type Chunk = readonly (readonly [key: string, print: string])[];

/** Where chunks are kept. */
export interface ChunkStore {
  write(key: string, body: Uint8Array): Promise<void>;
  /** Undefined when there is no such object. */
  read(key: string): Promise<Uint8Array | undefined>;
}

/** `poll/source=<id>/<sweep>/<nnnnnn>`; a sweep is named by the milliseconds of its start. */
export function chunkKey(sourceId: string, sweep: number, chunk: number): string {
  return `poll/source=${sourceId}/${sweep}/${String(chunk).padStart(6, '0')}`;
}

/**
 * A short name for an object's state: another when it was put again, or restored. `held` marks one that was not sent
 * because it is older than the source wants, so that it is sent when the source wants more.
 */
export function printOf(bucket: string, object: ListedObject, held: boolean): string {
  const { etag, sizeBytes, lastModifiedMs, archived } = object;
  const facts = [bucket, etagText(etag), sizeBytes, Math.floor(lastModifiedMs / 1000), archived];
  // 96 bits: two states of one key would have to meet.
  return `${held ? '-' : ''}${hash('sha256', facts.join('\n'), 'base64url').slice(0, 16)}`;
}

export async function keepChunk(store: ChunkStore, key: string, chunk: Chunk): Promise<void> {
  await store.write(key, gzipSync(JSON.stringify(chunk)));
}

async function readChunk(store: ChunkStore, key: string): Promise<Chunk | undefined> {
  const body = await store.read(key);
  return body && (JSON.parse(gunzipSync(body).toString()) as Chunk);
}

/** An earlier sweep, read along with a listing. */
export interface Snapshot {
  /** The key's print in that sweep. Keys are asked for in byte order. */
  print(key: string): Promise<string | undefined>;
  /** Number of the chunk that the reader stands in: it can be opened there again. */
  at(): number;
}

export interface SnapshotPlace {
  readonly sourceId: string;
  readonly sweep: number;
  readonly chunks: number;
  /** Number of the first chunk to read. */
  readonly from: number;
}

/** Opens a finished sweep. Holds one chunk at a time; a chunk that is gone counts as empty, and its objects as new. */
export function openSnapshot(store: ChunkStore, { sourceId, sweep, chunks, from }: SnapshotPlace): Snapshot {
  let at = from;
  let index = 0;
  let entries: Chunk | undefined;
  const load = async () => {
    entries = (await readChunk(store, chunkKey(sourceId, sweep, at))) ?? [];
    index = 0;
  };
  return {
    at: () => at,
    async print(key) {
      while (at < chunks) {
        if (!entries) await load();
        for (; entries && index < entries.length; index += 1) {
          const [found = '', print] = entries[index] ?? [];
          const order = compareKeys(found, key);
          if (order > 0) return undefined;
          if (order === 0) return print;
        }
        at += 1;
        entries = undefined;
      }
      return undefined;
    },
  };
}
