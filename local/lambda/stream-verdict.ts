import { readBatchReply } from './batch-reply.ts';
import type { Outcome } from './outcome.ts';
import { type StreamBatch, splitBatch } from './stream-batch.ts';

/** How a mapping treats failures. */
export interface RetryRules {
  /** -1 (the default) retries until the records leave the stream. */
  readonly maximumRetryAttempts?: number | undefined;
  readonly bisectOnError?: boolean | undefined;
  readonly reportBatchItemFailures?: boolean | undefined;
}

/** What follows an invocation, in shard order: the front is checkpointed, a batch is given up, the rest is retried. */
export interface NextSteps {
  /** The new checkpoint; absent when nothing at the front of the batch is settled. */
  readonly position?: string | undefined;
  readonly discarded?: StreamBatch;
  readonly retry: readonly StreamBatch[];
}

/**
 * Decides what follows an invocation of a batch. A thrown error or an unusable reply fails the whole batch, which is
 * halved if the mapping bisects (that costs no retry, so a batch always gets down to the one record that fails).
 * A reply that names records moves the checkpoint to just before the lowest of them; all from there on is retried.
 */
export function afterInvocation(tried: StreamBatch, outcome: Outcome, rules: RetryRules): NextSteps {
  const batch = { ...tried, invocations: tried.invocations + 1 };
  const lowest = lowestFailure(batch, outcome, rules.reportBatchItemFailures ?? false);
  if (lowest === 'none') return { position: batch.through, retry: [] };
  if (lowest === 'all') {
    if (rules.bisectOnError && batch.changes.length > 1) {
      return { retry: splitBatch(batch, Math.ceil(batch.changes.length / 2)) };
    }
    return retryOrDiscard(batch, batch.retries + 1, rules);
  }
  if (lowest === 0) return retryOrDiscard(batch, batch.retries + 1, rules);
  const [good, rest] = splitBatch(batch, lowest);
  const retries = rules.bisectOnError ? batch.retries : batch.retries + 1;
  return { position: good.through, ...retryOrDiscard(rest, retries, rules) };
}

function retryOrDiscard(batch: StreamBatch, retries: number, { maximumRetryAttempts = -1 }: RetryRules): NextSteps {
  const exhausted = maximumRetryAttempts >= 0 && retries > maximumRetryAttempts;
  if (!exhausted) return { retry: [{ ...batch, retries }] };
  return { position: batch.through, discarded: batch, retry: [] };
}

/** Index of the lowest failed record; `all` when the reply names none that can be honoured. */
function lowestFailure(batch: StreamBatch, outcome: Outcome, partial: boolean): number | 'none' | 'all' {
  if (outcome.kind === 'failure') return 'all';
  if (!partial) return 'none';
  const sequences = batch.changes.map((change) => change.sequence);
  const reply = readBatchReply(outcome.payload, new Set(sequences));
  if (reply.kind === 'done') return 'none';
  return reply.kind === 'whole' ? 'all' : sequences.findIndex((sequence) => reply.failed.has(sequence));
}
