import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { readBatchReply } from './batch-reply.ts';
import { ENVELOPE_BYTES, eventOf, type Mapping, type MappingState } from './mapping.ts';
import { type Outcome, PAYLOAD_LIMIT } from './outcome.ts';
import type { Pool } from './pool.ts';
import { type QueueMessage, sqsRecord } from './sqs-event.ts';

/** What a mapping needs of the local SQS. */
export interface QueueSource {
  receive(arn: string, max: number): readonly QueueMessage[];
  remove(arn: string, receiptHandle: string): void;
  whenAvailable(arn: string, signal: AbortSignal): Promise<void>;
  depth(arn: string): { readonly visible: number; readonly inFlight: number; readonly delayed: number };
}

export interface SqsMappingOptions {
  readonly queues: QueueSource;
  readonly queueArn: string;
  readonly pool: Pick<Pool, 'invoke' | 'concurrency' | 'spec'>;
  readonly clock: Clock;
  /** 1 to 10,000 messages; 10 unless given. */
  readonly batchSize?: number | undefined;
  /** 0 to 300; at least 1 for batches of more than 10. */
  readonly windowSeconds?: number | undefined;
  /** Batches at once; 5 unless given, never more than the pool takes. */
  readonly maximumConcurrency?: number | undefined;
  readonly reportBatchItemFailures?: boolean | undefined;
}

interface Held {
  readonly message: QueueMessage;
  readonly record: string;
  readonly bytes: number;
}

const DEFAULT_MAXIMUM_CONCURRENCY = 5;

/**
 * Starts polling a queue for a function. Messages of a batch that succeeded are deleted; the others stay in flight
 * until their visibility timeout ends, which is what makes the queue deliver them again or redrive them.
 */
export function startSqsMapping(options: SqsMappingOptions): Mapping {
  const { queues, queueArn, pool, clock, batchSize = 10, windowSeconds = 0 } = options;
  checkLimits(batchSize, windowSeconds, queueArn);
  const limit = Math.min(options.maximumConcurrency ?? DEFAULT_MAXIMUM_CONCURRENCY, pool.concurrency);
  const stop = new AbortController();
  let running = 0;
  let phase: 'parked' | 'gathering' | 'window' = 'parked';
  let slotFreed: (() => void) | undefined;
  let carried: Held | undefined;

  const gather = async (): Promise<Held[]> => {
    const batch: Held[] = [];
    let bytes = ENVELOPE_BYTES;
    let windowEnd: Promise<unknown> | undefined;
    let windowOver = windowSeconds === 0;
    const closing = new AbortController();
    const signal = AbortSignal.any([stop.signal, closing.signal]);
    while (!stop.signal.aborted) {
      const full = fill(batch, bytes);
      bytes = full.bytes;
      if (full.full || windowOver || batch.length === 0) break;
      windowEnd ??= clock.sleep(windowSeconds * 1000, { signal }).then(() => {
        windowOver = true;
      });
      phase = 'window';
      await Promise.race([windowEnd, queues.whenAvailable(queueArn, signal)]);
      phase = 'gathering';
    }
    closing.abort();
    return batch;
  };
  const fill = (batch: Held[], start: number): { bytes: number; full: boolean } => {
    let bytes = start;
    while (batch.length < batchSize) {
      const next = carried ?? receiveOne();
      carried = undefined;
      if (next === undefined) return { bytes, full: false };
      if (batch.length > 0 && bytes + next.bytes > PAYLOAD_LIMIT) {
        carried = next;
        return { bytes, full: true };
      }
      batch.push(next);
      bytes += next.bytes;
    }
    return { bytes, full: true };
  };
  const receiveOne = (): Held | undefined => {
    const message = queues.receive(queueArn, 1)[0];
    if (message === undefined) return undefined;
    const record = sqsRecord(message, queueArn);
    return { message, record, bytes: Buffer.byteLength(record) + 1 };
  };
  const deliver = async (batch: readonly Held[]) => {
    running += 1;
    const outcome = await pool.invoke(eventOf(batch.map((held) => held.record)));
    for (const message of finished(batch, outcome, options.reportBatchItemFailures ?? false)) {
      queues.remove(queueArn, message.receiptHandle);
    }
    running -= 1;
    slotFreed?.();
  };
  const poll = async () => {
    while (!stop.signal.aborted) {
      if (running >= limit) {
        await new Promise<void>((resolve) => {
          slotFreed = resolve;
        });
        continue;
      }
      if (carried === undefined) await queues.whenAvailable(queueArn, stop.signal);
      if (stop.signal.aborted) return;
      phase = 'gathering';
      const batch = await gather();
      phase = 'parked';
      if (batch.length > 0 && !stop.signal.aborted) void deliver(batch);
      // A message that was due may have gone to another consumer or to the dead letters: let others run meanwhile.
      else await setImmediate();
    }
  };
  const polling = poll();

  const state = (): MappingState => {
    const { visible, inFlight, delayed } = queues.depth(queueArn);
    if (running > 0 || phase === 'gathering' || visible > 0 || (carried !== undefined && phase === 'parked'))
      return 'busy';
    return inFlight > 0 || delayed > 0 || phase === 'window' ? 'waiting' : 'idle';
  };
  return {
    source: queueArn,
    functionName: pool.spec.name,
    state,
    async close() {
      stop.abort();
      slotFreed?.();
      await polling;
    },
  };
}

function finished(batch: readonly Held[], outcome: Outcome, partial: boolean): QueueMessage[] {
  if (outcome.kind === 'failure') return [];
  const messages = batch.map((held) => held.message);
  if (!partial) return messages;
  const reply = readBatchReply(outcome.payload, new Set(messages.map((message) => message.messageId)));
  if (reply.kind === 'whole') return [];
  return reply.kind === 'done' ? messages : messages.filter((message) => !reply.failed.has(message.messageId));
}

function checkLimits(batchSize: number, windowSeconds: number, queueArn: string): void {
  const refuse = (why: string) => {
    throw new Error(`event source mapping of ${queueArn}: ${why}`);
  };
  if (!(batchSize >= 1 && batchSize <= 10_000)) refuse(`BatchSize ${batchSize} is outside 1 to 10,000`);
  if (!(windowSeconds >= 0 && windowSeconds <= 300)) {
    refuse(`MaximumBatchingWindowInSeconds ${windowSeconds} is outside 0 to 300`);
  }
  if (batchSize > 10 && windowSeconds < 1) {
    refuse(`BatchSize ${batchSize} needs MaximumBatchingWindowInSeconds of at least 1`);
  }
}
