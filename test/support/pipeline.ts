import { mkdirSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { root } from '../../deploy/folders.ts';
import type { Call, Fault } from '../../local/faults.ts';
import { bootPipeline, type Pipeline, type PipelineOptions } from '../../local/pipeline.ts';
import { type EndState, readEndState } from './end-state.ts';
import { createSteppedClock } from './stepped-clock.ts';

/** A call as a test speaks of it: by the function that made it. */
export interface SeenCall extends Call {
  /** `copy`, `unpack`, `normalize`, `export`, `reconcile`; other principals keep their name. */
  readonly by: string;
}

/** What goes wrong: asked before and after each call of anyone, like a fault hook. */
export type Trouble = (call: SeenCall, phase: 'before' | 'after') => Fault | undefined | Promise<Fault | undefined>;

export type QueueName = 'copy' | 'unpack' | 'normalize';

/** A booted pipeline of the fixture sources, on a clock that stands still, with something to go wrong. */
export interface Bench {
  readonly faulted: boolean;
  readonly pipeline: Pipeline;
  /** Calls that were committed, oldest first. A test may empty it. */
  readonly calls: SeenCall[];
  /** S3 events that each queue has delivered, each once. A test may empty them. */
  readonly delivered: Readonly<Record<QueueName, string[]>>;
  trouble: Trouble | undefined;
  /** Queues whose messages get lost from now on, as if they had outlived their retention. */
  readonly losing: Set<QueueName>;
  /** Moves the clock to this time; refuses one that has passed, for LastModified would differ from the other run's. */
  at(ms: number): void;
  /** Puts an object below the source's prefix, as its owner would. */
  put(sourceId: string, name: string, body: string | Uint8Array): Promise<void>;
  remove(sourceId: string, name: string): Promise<void>;
  send(queue: QueueName, bodies: readonly string[]): void;
  /** Messages that a queue still holds, those that are being worked on included. */
  waiting(queue: QueueName): number;
  /** Those of them that nobody receives before some time has passed. */
  postponed(queue: QueueName): number;
  /** Ends the instance that made this call. */
  kill(call: SeenCall): Promise<void>;
  /** Waits until all books are closed that will close; a reconcile that dies is run again, as its schedule would. */
  drain(): Promise<void>;
  endState(): Promise<EndState>;
  close(): Promise<void>;
}

export interface BenchOptions extends Pick<PipelineOptions, 'loading' | 'overrides' | 'retryEdge' | 'onLog'> {
  /** The folder of test/fixtures that holds the sources; `fault-sources` unless given. */
  readonly sources?: string;
}

const folder = join(root, '.firn', 'test', 'faults');
/** When every run begins; the day is arbitrary. */
export const startMs = Date.UTC(2031, 0, 6);
export const minute = 60_000;
export const day = 24 * 60 * minute;
const queueIds = { copy: 'CopyQueue', unpack: 'UnpackQueue', normalize: 'NormalizeQueue' } as const;

/** Boots one bench; `name` keeps the data of benches that live side by side apart. */
export async function bootBench(
  name: string,
  faulted: boolean,
  { sources = 'fault-sources', ...options }: BenchOptions = {},
): Promise<Bench> {
  const clock = createSteppedClock(startMs);
  const calls: SeenCall[] = [];
  let latestReconcile = '';
  let bench: Bench | undefined;
  const seen = (call: Call): SeenCall => {
    const by = call.service === 'snowflake' ? 'reconcile' : call.principal.replace(/-\d+$/, '');
    if (by === 'reconcile' && call.service !== 'snowflake') latestReconcile = call.principal;
    // Snowflake knows users only; of functions, reconcile alone is one.
    return { ...call, by, principal: call.service === 'snowflake' ? latestReconcile : call.principal };
  };
  const pipeline = await exclusively(() =>
    bootPipeline({
      ...options,
      dataDir: join(folder, `${name}-${faulted ? 'faulted' : 'clean'}`),
      packageDir: join(folder, sources === 'fault-sources' ? 'package' : `package-${sources}`),
      sourcesDir: join(root, 'test', 'fixtures', sources),
      clock,
      faults: (call, phase) => {
        const known = seen(call);
        if (phase === 'after') calls.push(known);
        return bench?.trouble?.(known, phase);
      },
    }),
  );
  bench = createBench(pipeline, calls, faulted);
  await pipeline.settle();
  calls.length = 0;
  return bench;
}

function createBench(pipeline: Pipeline, calls: SeenCall[], faulted: boolean): Bench {
  const { cloud, s3 } = pipeline;
  const { clock, sqs } = cloud;
  const arnOf = (queue: QueueName) => cloud.attribute(queueIds[queue], 'Arn');
  const place = (sourceId: string, name: string) => {
    const prefix = pipeline.registry.sources.find((each) => each.id === sourceId)?.source.config.from.prefix ?? '';
    return { Bucket: pipeline.bucketOf(sourceId), Key: `${prefix}${name}` };
  };
  const delivered: Bench['delivered'] = { copy: [], unpack: [], normalize: [] };
  const losing: Bench['losing'] = new Set();
  watchQueues(pipeline, delivered, losing);
  let reading: ReturnType<typeof readEndState> | undefined;
  return {
    faulted,
    pipeline,
    calls,
    delivered,
    trouble: undefined,
    losing,
    at(ms) {
      if (ms < clock.now()) throw new Error(`it is ${new Date(clock.now()).toISOString()} already`);
      clock.skipTo(ms);
    },
    async put(sourceId, name, body) {
      const object = { ...place(sourceId, name), Body: body, ContentLength: Buffer.byteLength(body) };
      await s3.send(new PutObjectCommand(object));
    },
    async remove(sourceId, name) {
      await s3.send(new DeleteObjectCommand(place(sourceId, name)));
    },
    send(queue, bodies) {
      for (const body of bodies) sqs.send(arnOf(queue), body);
    },
    waiting(queue) {
      const { visible, inFlight, delayed } = sqs.depth(arnOf(queue));
      return visible + inFlight + delayed;
    },
    postponed: (queue) => sqs.depth(arnOf(queue)).delayed,
    kill: (call) => cloud.kill(call.principal),
    async drain() {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await pipeline.drain();
        } catch (error) {
          if (attempt === mostDrains) throw error;
        }
      }
    },
    endState() {
      reading ??= readEndState(pipeline);
      return reading.then((read) => read());
    },
    close: () => pipeline.close(),
  };
}

/** Reconcile runs that may fail in one drain. */
const mostDrains = 8;

/** Stands between both queues and their mappings: keeps what they deliver, and loses what is to get lost. */
function watchQueues({ cloud }: Pipeline, delivered: Bench['delivered'], losing: Bench['losing']): void {
  const { sqs } = cloud;
  const queues = ['copy', 'unpack', 'normalize'] as const;
  const byArn = new Map(queues.map((queue) => [cloud.attribute(queueIds[queue], 'Arn'), queue]));
  const receive = sqs.receive.bind(sqs);
  sqs.receive = (arn, max, visibility) => {
    const messages = receive(arn, max, visibility);
    const queue = byArn.get(arn);
    if (!queue) return messages;
    const kept = delivered[queue];
    for (const { body } of messages) if (body.includes('aws') && !kept.includes(body)) kept.push(body);
    if (!losing.has(queue)) return messages;
    for (const { receiptHandle } of messages) sqs.remove(arn, receiptHandle);
    return [];
  };
}

/** Rows as NDJSON. */
export function lines(...rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** Boots a bench to play a story on, and one to play it on while things go wrong. */
export async function bootPair(name: string): Promise<{ clean: Bench; faulted: Bench }> {
  const clean = await bootBench(name, false);
  return { clean, faulted: await bootBench(name, true) };
}

/**
 * Runs `work` while no other process does: test files run side by side, and the first packages for all of them.
 * A lock whose owner is gone is taken over.
 */
async function exclusively<T>(work: () => Promise<T>): Promise<T> {
  const lock = join(folder, 'lock');
  mkdirSync(dirname(lock), { recursive: true });
  for (;;) {
    const file = await open(lock, 'wx').catch(() => undefined);
    if (file) {
      await file.writeFile(String(process.pid));
      await file.close();
      try {
        return await work();
      } finally {
        await rm(lock, { force: true });
      }
    }
    if (!(await ownerLives(lock))) await rm(lock, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function ownerLives(lock: string): Promise<boolean> {
  const owner = Number(await readFile(lock, 'utf8').catch(() => ''));
  // Empty for a moment, between being made and being written.
  if (owner === 0) return true;
  try {
    process.kill(owner, 0);
    return true;
  } catch {
    return false;
  }
}
