import { retryable } from '../../core/failure.ts';
import type { ListedObject, ListedPage } from '../../core/origin/listing.ts';
import type { PollPorts } from '../../core/origin/poll.ts';
import { compileRoutes } from '../../core/source/routing.ts';
import { defineSource, type Origin, type Poll } from '../../core/source/source.ts';
import { memoryTable } from './memory-table.ts';

const naming = { prefix: '', suffix: '' };
export const startMs = Date.UTC(2031, 0, 6);
export const minute = 60_000;

/** Told of each call of a poller, once before it is carried out and once after; what it throws is what the poller gets. */
export type OnCall = (name: string, phase: 'before' | 'after') => void | Promise<void>;

/** Buckets that are only listed, and all that a poller works with, in memory. */
export interface PolledWorld {
  readonly buckets: Map<string, Map<string, ListedObject>>;
  /** Bodies of the copy queue, oldest first. */
  readonly sent: { readonly key: string; readonly etag: string }[];
  readonly table: ReturnType<typeof memoryTable>;
  readonly chunks: Map<string, Uint8Array>;
  /** Names of all calls. */
  readonly calls: string[];
  onCall: OnCall | undefined;
  nowMs: number;
  /** What a run may take; by default more than any does. */
  remainingMs: () => number;
  put(bucket: string, key: string, etag?: string, more?: Partial<ListedObject>): void;
  ports(): PollPorts;
}

export function polledWorld(
  sources: Readonly<Record<string, Omit<Origin, 'poll'> & { readonly poll?: Poll }>>,
  pageSize = 1000,
): PolledWorld {
  const registry = {
    build: '1',
    sources: Object.entries(sources).map(([id, from]) => ({
      id,
      hash: 'h',
      source: defineSource({ from, entity: 'thing', fields: {} }),
    })),
  };
  const table = memoryTable();
  const world: PolledWorld = {
    buckets: new Map(),
    sent: [],
    table,
    chunks: new Map(),
    calls: [],
    onCall: undefined,
    nowMs: startMs,
    remainingMs: () => 10 * minute,
    put(bucket, key, etag = 'e', more = {}) {
      const objects = world.buckets.get(bucket) ?? new Map<string, ListedObject>();
      world.buckets.set(bucket, objects);
      const object = { key, etag: `"${etag}"`, sizeBytes: 1, lastModifiedMs: world.nowMs, archived: false };
      objects.set(key, { ...object, ...more });
    },
    ports: () => ({
      registry,
      naming,
      route: compileRoutes(registry, naming),
      listerFor: () => ({
        list: (bucket, prefix, after) => call('list', () => page(world, pageSize, bucket, prefix, after)),
      }),
      chunks: {
        write: (key, body) => call('chunks.write', () => void world.chunks.set(key, body)),
        read: (key) => call('chunks.read', () => world.chunks.get(key)),
      },
      send: (bodies) => call('send', () => void world.sent.push(...bodies.map((body) => JSON.parse(body)))),
      table: {
        ...table,
        get: (key) => call('table.get', () => table.get(key)),
        getMany: (keys) => call('table.getMany', () => table.getMany(keys)),
        update: (key, update) => call('table.update', () => table.update(key, update)),
      },
      now: () => world.nowMs,
      remainingMs: () => world.remainingMs(),
    }),
  };
  const call = async <T>(name: string, run: () => T | Promise<T>): Promise<T> => {
    await world.onCall?.(name, 'before');
    const result = await run();
    world.calls.push(name);
    await world.onCall?.(name, 'after');
    return result;
  };
  return world;
}

/** As S3 lists: by bytes, behind `after`. The order is taken from the bytes themselves. */
function page(
  { buckets }: PolledWorld,
  pageSize: number,
  bucket: string,
  prefix: string,
  after: string | undefined,
): ListedPage {
  const objects = buckets.get(bucket);
  if (!objects) throw retryable('test.noBucket', `there is no bucket ${bucket}`);
  const behind = Buffer.from(after ?? '');
  const found = [...objects.values()]
    .filter(({ key }) => key.startsWith(prefix))
    .map((object) => ({ object, bytes: Buffer.from(object.key) }))
    .filter(({ bytes }) => after === undefined || Buffer.compare(bytes, behind) > 0)
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ object }) => object);
  return { objects: found.slice(0, pageSize), truncated: found.length > pageSize };
}
