import { hash } from 'node:crypto';
import type { Item, Table } from '../../core/table/table.ts';
import { archiveKey } from '../../core/upload/archive-key.ts';
import { uploadId } from '../../core/upload/identity.ts';
import { dayOf } from '../../core/upload/landing-key.ts';
import { landingMetadata, parseLandingMetadata } from '../../core/upload/landing-metadata.ts';
import type { Manifest } from '../../core/upload/manifest.ts';
import type { UnpackPorts } from '../../core/upload/unpack-archive.ts';
import type { UnpackLimits } from '../../core/upload/unpack-passes.ts';
import { type MemoryTable, memoryTable } from './memory-table.ts';

interface Stored {
  readonly body: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Asked after each call to a port; whatever it throws is what the worker sees. */
export type AfterCall = (name: string) => void;

/** A landing bucket with one archive in it, a table, and a queue, in memory. */
export interface UnpackWorld {
  readonly archiveKey: string;
  readonly parentId: string;
  readonly table: Table & MemoryTable;
  readonly objects: Map<string, Stored>;
  /** Bodies sent to the unpack queue. */
  readonly sent: string[];
  ports(limits?: Partial<UnpackLimits>, more?: Partial<UnpackPorts>): UnpackPorts;
}

/** When the object was last modified, and what the clock says. */
export const modifiedMs = Date.UTC(2026, 2, 1, 12);
const landingBucket = 'landing';

export function unpackWorld(archive: Uint8Array, key = 'in/pack.zip', afterCall: AfterCall = () => {}): UnpackWorld {
  const etag = Buffer.from(archive.subarray(0, 8)).toString('hex');
  const object = { bucket: 'theirs', key, etag, sizeBytes: archive.length, lastModifiedMs: modifiedMs };
  const parentId = uploadId('orders', object);
  const place = archiveKey({ sourceId: 'orders', uploadId: parentId, day: dayOf(modifiedMs), baseName: 'pack' });
  const metadata = landingMetadata({ sourceId: 'orders', object });
  const objects = new Map<string, Stored>([[place, { body: Buffer.from(archive), metadata }]]);
  const memory = memoryTable();
  const sent: string[] = [];
  const called = async <T>(name: string, made: T | Promise<T>): Promise<T> => {
    const value = await made;
    afterCall(name);
    return value;
  };
  const put = (at: string, body: Uint8Array, described: Readonly<Record<string, string>>) => {
    if (!objects.has(at)) objects.set(at, { body: Buffer.from(body), metadata: described });
  };
  const table = {
    ...memory,
    get: (...args: Parameters<typeof memory.get>) => called('get', memory.get(...args)),
    put: (...args: Parameters<typeof memory.put>) => called('put', memory.put(...args)),
    update: (...args: Parameters<typeof memory.update>) => called('update', memory.update(...args)),
  };
  const store: UnpackPorts['store'] = {
    async open(at) {
      const found = objects.get(at);
      if (!found) return undefined;
      const { body } = found;
      const read = (start: number, end: number) => called('read', body.subarray(start, end));
      return { metadata: found.metadata, sizeBytes: body.length, read };
    },
    has: (at) => called('has', objects.has(at)),
    putOnce: (at, body, described) => called('putOnce', put(at, body, described)),
    async putStreamOnce(at, body, described) {
      const chunks: Buffer[] = [];
      for await (const chunk of body) chunks.push(Buffer.from(chunk));
      await called('putStreamOnce', put(at, Buffer.concat(chunks), described));
    },
  };
  return {
    ...{ archiveKey: place, parentId, table: memory, objects, sent },
    ports: (limits = {}, more = {}) => ({
      ...{ table, store, landingBucket, limits },
      sendToUnpack: (body) => called('send', void sent.push(body)),
      now: () => modifiedMs,
      remainingMs: () => 900_000,
      ...more,
    }),
  };
}

export interface LandedMember {
  readonly uploadId: string;
  readonly key: string;
  readonly content: string;
  readonly etag: string;
}

/** Members that landed, by the path below the archive's key that their rows know. */
export function landedMembers({ objects, archiveKey: parent }: UnpackWorld): ReadonlyMap<string, LandedMember> {
  return new Map(
    [...objects]
      .filter(([key]) => key !== parent)
      .map(([key, { body, metadata }]) => {
        const object = parseLandingMetadata(metadata)?.object;
        const member = { uploadId: key.split('/')[3] ?? '', key, content: body.toString(), etag: object?.etag ?? '' };
        return [object?.key ?? '', member] as const;
      })
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

export function manifests({ table }: UnpackWorld): readonly Manifest[] {
  return [...table.items.values()].filter((item): item is Manifest => item.sk === 'META');
}

export function manifestOfParent(world: UnpackWorld): Manifest | undefined {
  return manifests(world).find((each) => each.pk === `U#${world.parentId}`);
}

/** All that is left when a worker is done: objects and items. */
export function endOf(world: UnpackWorld): { readonly objects: unknown; readonly items: readonly Item[] } {
  const items = [...world.table.items.values()].map(
    ({ archiveRead: _read, archiveFault: _fault, standstills: _turns, ...item }) => ({
      ...item,
      redrives: undefined,
    }),
  );
  return {
    objects: [...world.objects]
      .map(([key, { body, metadata }]) => ({ key, metadata, content: hash('sha256', body) }))
      .sort((a, b) => (a.key < b.key ? -1 : 1)),
    items: (items as unknown as Item[]).sort((a, b) => (`${a.pk}${a.sk}` < `${b.pk}${b.sk}` ? -1 : 1)),
  };
}
