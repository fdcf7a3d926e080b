import { gunzipSync } from 'node:zlib';
import { spooler } from '../../adapters/spool.ts';
import type { DecodeLimits } from '../../core/decode/format.ts';
import { readWork } from '../../core/normalize/message.ts';
import type { LandingStore, NormalizePorts } from '../../core/normalize/ports.ts';
import { type Normalized, normalize } from '../../core/normalize/run.ts';
import { envelope } from '../../core/origin/candidate.ts';
import type { AnySource } from '../../core/source/source.ts';
import type { Put } from '../../core/table/record-item.ts';
import type { Item, Table, WriteOutcome } from '../../core/table/table.ts';
import { landingMetadata } from '../../core/upload/landing-metadata.ts';
import { memoryTable } from './memory-table.ts';
import { objectOf } from './object-bytes.ts';

export const landingKey = `landing/source=orders/dt=2031-01-06/${'a'.repeat(26)}/orders`;
export const uploadId = 'a'.repeat(26);

/** What a world around normalize has been told to do, and what became of it. */
export interface World {
  readonly table: Table & { readonly items: ReadonlyMap<string, Item> };
  /** Record items by key, as DynamoDB JSON. */
  readonly records: ReadonlyMap<string, string>;
  readonly objects: ReadonlyMap<string, Uint8Array>;
  /** Messages that nobody has taken yet. */
  readonly queue: { readonly body: string; readonly atMs: number }[];
  nowMs: number;
  /** The ports of one invocation. */
  readonly ports: (invocation: Invocation) => NormalizePorts;
}

/** What is special about one invocation: how much time it has, and what happens around each of its calls. */
export interface Invocation
  extends Partial<Pick<NormalizePorts, 'remainingMs' | 'marginMs' | 'registry' | 'partBytes'>> {
  readonly before?: (call: string) => void | Promise<void>;
  readonly after?: (call: string) => void | Promise<void>;
}

export interface WorldOptions {
  readonly bytes: Uint8Array;
  readonly source: AnySource;
  readonly name?: string;
  readonly partBytes?: number;
  readonly chunkBytes?: number;
  readonly limits?: Partial<DecodeLimits>;
}

/** A table in memory that takes records as DynamoDB does. */
function recordTable(): World['table'] & { readonly records: Map<string, string> } {
  const table = memoryTable();
  const versions = new Map<string, Put>();
  const records = new Map<string, string>();
  const write = (put: Put, mode: 'newest' | 'always'): WriteOutcome => {
    const key = `${put.pk}\n${put.sk}`;
    const old = versions.get(key);
    if (mode === 'newest' && old && old.version > put.version) return 'stale';
    if (mode === 'newest' && old?.version === put.version && old.digest !== put.digest) return 'contradiction';
    versions.set(key, put);
    records.set(key, put.item);
    return 'written';
  };
  return Object.assign(table, {
    records,
    writeRecords: async (puts: readonly Put[], mode: 'newest' | 'always') => puts.map((put) => write(put, mode)),
  });
}

/** One landing object, and all that normalize stands on, in memory. Nothing here depends on real time. */
export function worldOf(options: WorldOptions): World {
  const { bytes, source, name = 'orders' } = options;
  const inner = recordTable();
  const objects = new Map<string, Uint8Array>();
  const queue: World['queue'] = [];
  const object = { bucket: 'b', key: name, etag: 'e', sizeBytes: bytes.length, lastModifiedMs: Date.UTC(2031, 0, 6) };
  const metadata = landingMetadata({ sourceId: 'orders', object });
  const open = async (key: string, from = 0) =>
    key === landingKey ? { ...objectOf(bytes, from, options.chunkBytes), metadata } : undefined;
  const send = async (bodies: readonly string[], seconds = 0) => {
    for (const body of bodies) queue.push({ body, atMs: world.nowMs + seconds * 1000 });
  };
  const world: World = {
    table: inner,
    records: inner.records,
    objects,
    queue,
    nowMs: Date.UTC(2031, 0, 6, 1),
    ports: ({ before = () => {}, after = () => {}, ...time }) => {
      const told =
        <A extends unknown[], R>(call: string, work: (...given: A) => Promise<R>) =>
        async (...given: A): Promise<R> => {
          await before(call);
          const result = await work(...given);
          await after(call);
          return result;
        };
      const store: LandingStore = {
        open: told('open', open),
        putObject: told('putObject', async (key: string, body: Uint8Array) => void objects.set(key, body)),
      };
      return {
        registry: { build: '1', sources: [{ id: 'orders', hash: 'h', source }] },
        table: {
          ...inner,
          get: told('get', inner.get),
          put: told('put', inner.put),
          putMany: told('putMany', inner.putMany),
          update: told('update', inner.update),
          writeRecords: told('writeRecords', inner.writeRecords),
        },
        store,
        spool: spooler(100_000_000),
        ...(options.limits && { limits: options.limits }),
        send: told('send', send),
        sendLater: told('sendLater', (body, seconds) => send([body], seconds)),
        partBytes: options.partBytes ?? Number.POSITIVE_INFINITY,
        now: () => world.nowMs,
        remainingMs: () => 900_000,
        marginMs: 0,
        ...time,
      };
    },
  };
  return world;
}

/** How long a message stays out of sight when its worker dies, and when it throws. */
const visibilityMs = 5_400_000;
const retryMs = 60_000;

/** An invocation that dies: from then on none of its calls is carried out. */
export class Killed extends Error {}

/**
 * Delivers messages, each in its time, until there are none left. `invocations` says what is special about the next
 * one. Returns how many there were.
 */
export async function work(
  world: World,
  invocations: (n: number) => Invocation = () => ({}),
  most = 2_000,
): Promise<number> {
  for (let n = 0; ; n += 1) {
    const message = take(world);
    if (!message) return n;
    if (n === most) throw new Error(`${most} invocations were not enough`);
    await deliver(world, message.body, invocations(n));
  }
}

/** Takes the message that is due first. */
export function take(world: World): { readonly body: string } | undefined {
  const due = [...world.queue.keys()].sort((a, b) => (world.queue[a]?.atMs ?? 0) - (world.queue[b]?.atMs ?? 0))[0];
  if (due === undefined) return undefined;
  const [message] = world.queue.splice(due, 1);
  world.nowMs = Math.max(world.nowMs, message?.atMs ?? 0);
  return message;
}

/** One invocation for one message, which comes again if that fails. */
export async function deliver(world: World, body: string, invocation: Invocation): Promise<Normalized | undefined> {
  const works = readWork(body);
  if ('unreadable' in works) throw new Error(works.unreadable);
  try {
    let done: Normalized | undefined;
    for (const each of works) done = await normalize(each, world.ports(invocation));
    return done;
  } catch (error) {
    const isFault = error instanceof Killed || (error as Error).message.startsWith('fault');
    if (!isFault) throw error;
    world.queue.push({ body, atMs: world.nowMs + (error instanceof Killed ? visibilityMs : retryMs) });
    return undefined;
  }
}

/** The event of the object's arrival. */
export function announce(world: World): void {
  world.queue.push({ body: envelope({ bucket: 'landing', key: landingKey }), atMs: world.nowMs });
}

/** Dies after its n-th call (from 1), or after any that fits. */
export function dyingAfter(n: number): Invocation {
  let calls = 0;
  let dead = false;
  return {
    before: () => {
      if (dead) throw new Killed('dead');
    },
    after: () => {
      calls += 1;
      dead ||= calls === n;
      if (dead) throw new Killed('killed');
    },
  };
}

/** All lines of the side files that items name, whoever wrote what else. */
export function linesOf(world: World, files: readonly { readonly prefix: string; readonly files: number }[]): string[] {
  return files.flatMap(({ prefix, files: count }) =>
    Array.from({ length: count }, (_, n) => {
      const body = world.objects.get(`${prefix}-${String(n).padStart(4, '0')}.ndjson.gz`);
      if (!body) throw new Error(`${prefix} has no object ${n}`);
      return gunzipSync(body).toString().trim().split('\n');
    }).flat(),
  );
}
