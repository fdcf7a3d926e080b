import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { mapBounded } from '../core/bounded.ts';
import { log } from './telemetry.ts';

/** The one middy stack: every handler fails loudly, with what failed and on what, and never with a payload. */
function stack<E, R>(layer: string, handler: (event: E, context: Context) => Promise<R>) {
  return middy<E, R, Error, Context>()
    .onError(({ error }) => {
      logFailure(layer, error);
    })
    .handler(handler);
}

function logFailure(layer: string, error: unknown, facts: Readonly<Record<string, string>> = {}): void {
  const { message, kind, code } = error as { message?: string; kind?: string; code?: string };
  log('error', 'failed', {
    layer,
    kind: kind ?? 'retryable',
    code: code ?? 'unknown',
    message: message ?? String(error),
    ...facts,
  });
}

/** Messages of one batch under way at once. */
const atOnce = 10;

/**
 * Seconds until a message that failed comes back: 1, 6, 36 minutes, 3.6 hours, so that five receives outlast an outage
 * of some hours. Without it, each pause would be the visibility timeout.
 */
const delaySeconds = (received: number) => Math.min(60 * 6 ** (received - 1), 4 * 3600);

export interface QueueWork {
  readonly layer: string;
  /** Makes a message come back after so many seconds. */
  readonly delay: (receiptHandle: string, seconds: number) => Promise<void>;
  readonly work: (body: string, context: Context) => Promise<void>;
}

/**
 * A handler of an SQS queue. A message whose work throws is reported as failed and comes back; when all of them fail
 * the batch throws, so that the function's error metric moves. Never reports success for what it did not finish.
 */
export function queueHandler({ layer, delay, work }: QueueWork) {
  return stack<SQSEvent, SQSBatchResponse>(layer, async (event, context) => {
    const failures = await mapBounded(event.Records, atOnce, async ({ body, messageId, receiptHandle, attributes }) => {
      try {
        await work(body, context);
        return undefined;
      } catch (error) {
        logFailure(layer, error, { messageId });
        // If this fails too, the message comes back after the visibility timeout all the same.
        await delay(receiptHandle, delaySeconds(Number(attributes.ApproximateReceiveCount))).catch(() => {});
        return messageId;
      }
    });
    const batchItemFailures = failures.filter((id) => id !== undefined).map((itemIdentifier) => ({ itemIdentifier }));
    if (batchItemFailures.length === event.Records.length && event.Records.length > 0) {
      throw new Error(`All ${event.Records.length} messages of this batch failed; each is logged with its reason.`);
    }
    return { batchItemFailures };
  });
}

/** A handler whose event is all or nothing. */
export function wholeHandler<E>(layer: string, work: (event: E, context: Context) => Promise<void>) {
  return stack<E, void>(layer, work);
}
