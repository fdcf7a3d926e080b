import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { eventOf, type Mapping, type MappingState } from './mapping.ts';
import type { Pool } from './pool.ts';
import type { Positions } from './positions.ts';
import {
  compileFilters,
  emptyGathering,
  fillBatch,
  type StreamBatch,
  type StreamSource,
  splitBatch,
} from './stream-batch.ts';
import { type FailureCondition, type PutFailure, putDiscarded } from './stream-failure.ts';
import { afterInvocation, type RetryRules } from './stream-verdict.ts';

export interface StreamMappingOptions extends RetryRules {
  readonly id: string;
  readonly stream: StreamSource;
  readonly pool: Pick<Pool, 'invoke' | 'spec'>;
  readonly clock: Clock;
  /** 1 to 10,000 records; 100 unless given. */
  readonly batchSize?: number | undefined;
  /** 0 to 300. */
  readonly windowSeconds?: number | undefined;
  /** FilterCriteria patterns as JSON text. */
  readonly filters?: readonly string[] | undefined;
  /** -1 (the default) knows no age; otherwise 60 to 604,800. */
  readonly maximumRecordAgeSeconds?: number | undefined;
  /** Where discarded batches go; without it they are dropped, as on the service. */
  readonly putFailure?: PutFailure | undefined;
  /**
   * For tests: how many records the first retry of a failed batch of `size` carries, fewer or more, so that its edges
   * differ from the first try. What it leaves out is read again later, in batches of its own.
   */
  readonly retryEdge?: ((size: number) => number) | undefined;
  /** Where an earlier run stopped, and where this one notes how far it is. */
  readonly positions?: Pick<Positions, 'read' | 'note'> | undefined;
}

interface Shard {
  readonly stopped: Promise<void>;
  state(): MappingState;
}

const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 60_000;

/**
 * Starts reading a table's stream for a function: every shard from its oldest record on, one batch at a time in a
 * shard, shards side by side. A failed batch holds its shard until it succeeds, is split, or is discarded.
 */
export function startStreamMapping(options: StreamMappingOptions): Mapping {
  checkLimits(options);
  const stop = new AbortController();
  const shards = options.stream.shards.map((shardId) => startShard(options, shardId, stop.signal));
  return {
    source: options.stream.arn,
    functionName: options.pool.spec.name,
    state() {
      const states = shards.map((shard) => shard.state());
      return states.find((state) => state === 'busy') ?? states.find((state) => state === 'waiting') ?? 'idle';
    },
    async close() {
      stop.abort();
      await Promise.all(shards.map((shard) => shard.stopped));
    },
  };
}

function startShard(options: StreamMappingOptions, shardId: string, stop: AbortSignal): Shard {
  const { stream, pool, clock, batchSize = 100, windowSeconds = 0 } = options;
  const passes = compileFilters(options.filters ?? []);
  let phase: 'parked' | 'working' | 'window' | 'backoff' = 'parked';
  /** Everything up to here is settled; the next batch starts after it. */
  let checkpoint = options.positions?.read(options.id, shardId);
  /** Where the reader is, ahead of the checkpoint while a batch is gathered. */
  let reading = checkpoint;

  const settleThrough = (sequence: string | undefined) => {
    if (sequence === undefined || sequence === checkpoint) return;
    options.positions?.note(options.id, shardId, sequence);
    checkpoint = sequence;
  };

  const gather = async (limit: number, seconds: number): Promise<StreamBatch> => {
    const gathering = emptyGathering(checkpoint);
    const closing = new AbortController();
    const signal = AbortSignal.any([stop, closing.signal]);
    let windowOver = seconds === 0;
    let windowEnd: Promise<unknown> | undefined;
    for (;;) {
      const full = fillBatch(stream, shardId, gathering, limit, passes);
      reading = gathering.through;
      if (full || windowOver || gathering.changes.length === 0 || stop.aborted) break;
      windowEnd ??= clock.sleep(seconds * 1000, { signal }).then(() => {
        windowOver = true;
      });
      phase = 'window';
      await Promise.race([windowEnd, stream.whenAvailable(shardId, reading, signal)]);
      phase = 'working';
    }
    closing.abort();
    return { changes: gathering.changes, through: gathering.through, retries: 0, invocations: 0 };
  };

  /** The batch that a poller with other edges would retry. */
  const regather = async (failed: StreamBatch, size: number): Promise<StreamBatch> => {
    const wanted = Math.trunc(options.retryEdge?.(size) ?? size);
    const again = await gather(Math.min(batchSize, Math.max(1, wanted)), 0);
    return { ...again, retries: failed.retries, invocations: failed.invocations };
  };

  const discard = async (batch: StreamBatch, condition: FailureCondition, requestId: string) => {
    if (options.putFailure === undefined) return;
    const place = { mappingId: options.id, functionArn: pool.spec.arn, streamArn: stream.arn, shardId, requestId };
    await putDiscarded({ batch, condition, ...place }, clock, options.putFailure);
  };

  const discardExpired = async (batch: StreamBatch): Promise<StreamBatch> => {
    const expired = countExpired(batch, clock, options.maximumRecordAgeSeconds);
    if (expired === 0) return batch;
    const [old, young] = splitBatch(batch, expired);
    await discard(old, 'RecordAgeExceeded', '');
    settleThrough(young.changes.length === 0 ? batch.through : old.through);
    return young;
  };

  /** Sees a batch through: returns when every record of it is settled, or when the mapping stops. */
  const deliver = async (first: StreamBatch) => {
    let work: readonly StreamBatch[] = [first];
    while (work[0] !== undefined && !stop.aborted) {
      const [batch, ...behind] = [await discardExpired(work[0]), ...work.slice(1)];
      work = behind;
      if (batch.changes.length === 0) {
        settleThrough(batch.through);
        continue;
      }
      const outcome = await pool.invoke(eventOf(batch.changes.map((change) => change.json)));
      // An environment that was stopped has failed nothing; what succeeded before is settled all the same.
      if (stop.aborted && outcome.kind === 'failure') return;
      const next = afterInvocation(batch, outcome, options);
      if (next.discarded) await discard(next.discarded, 'RetryAttemptsExhausted', outcome.requestId);
      settleThrough(next.position);
      work = [...next.retry, ...behind];
      const failed = next.retry[0];
      if (failed === undefined) continue;
      phase = 'backoff';
      await clock.sleep(backoffMs(failed.invocations), { signal: stop });
      phase = 'working';
      const otherEdges = options.retryEdge !== undefined && failed.invocations === 1;
      if (otherEdges && !stop.aborted) work = [await regather(failed, batch.changes.length)];
    }
  };

  const run = async () => {
    while (!stop.aborted) {
      await stream.whenAvailable(shardId, checkpoint, stop);
      if (stop.aborted) return;
      phase = 'working';
      const before = checkpoint;
      await deliver(await gather(batchSize, windowSeconds));
      // Nothing came although something was announced: let others run before asking again.
      if (checkpoint === before) await setImmediate();
      reading = checkpoint;
      phase = 'parked';
    }
  };

  const state = (): MappingState => {
    if (phase === 'working') return 'busy';
    if (phase === 'backoff') return 'waiting';
    if (stream.read(shardId, reading, 1).length > 0) return 'busy';
    return phase === 'window' ? 'waiting' : 'idle';
  };
  return { stopped: run(), state };
}

function countExpired(batch: StreamBatch, clock: Clock, maximumAgeSeconds = -1): number {
  if (maximumAgeSeconds < 0) return 0;
  const oldest = clock.now() / 1000 - maximumAgeSeconds;
  const young = batch.changes.findIndex((change) => change.createdAt >= oldest);
  return young === -1 ? batch.changes.length : young;
}

const backoffMs = (invocations: number): number =>
  Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (invocations - 1));

function checkLimits({
  stream,
  batchSize = 100,
  windowSeconds = 0,
  maximumRecordAgeSeconds = -1,
}: StreamMappingOptions) {
  const refuse = (why: string) => {
    throw new Error(`event source mapping of ${stream.arn}: ${why}`);
  };
  if (!(batchSize >= 1 && batchSize <= 10_000)) refuse(`BatchSize ${batchSize} is outside 1 to 10,000`);
  if (!(windowSeconds >= 0 && windowSeconds <= 300)) {
    refuse(`MaximumBatchingWindowInSeconds ${windowSeconds} is outside 0 to 300`);
  }
  const age = maximumRecordAgeSeconds;
  if (age !== -1 && !(age >= 60 && age <= 604_800)) refuse(`MaximumRecordAgeInSeconds ${age} is outside 60 to 604,800`);
}
