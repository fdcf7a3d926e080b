import type { Clock } from '../clock.ts';
import type { Pool } from './pool.ts';

/** Waits before the retries of an asynchronous invocation (Lambda: one minute, then two). */
const RETRY_WAITS_MS = [60_000, 120_000];

/** Largest event of an asynchronous invocation, in bytes (Lambda quota: 1 MB). */
const ASYNC_PAYLOAD_LIMIT = 1024 * 1024;

export interface AsyncOptions {
  /** 0 to 2; 2 unless given. */
  readonly maximumRetryAttempts?: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Hands an event (JSON text) to a function as rules and schedules do: nobody waits for the result, and a failure is
 * retried up to `maximumRetryAttempts` times. Resolves to false when the event was given up: its dead letter is due.
 */
export async function invokeAsync(
  pool: Pool,
  event: string,
  clock: Clock,
  { maximumRetryAttempts = RETRY_WAITS_MS.length, signal }: AsyncOptions,
): Promise<boolean> {
  if (Buffer.byteLength(event) > ASYNC_PAYLOAD_LIMIT) {
    throw new Error(`${pool.spec.name}: an asynchronous event is limited to ${ASYNC_PAYLOAD_LIMIT} bytes`);
  }
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await pool.invoke(event);
    const wait = RETRY_WAITS_MS[attempt];
    if (outcome.kind === 'success' || signal.aborted) return true;
    if (wait === undefined || attempt >= maximumRetryAttempts) return false;
    await clock.sleep(wait, { signal });
    if (signal.aborted) return true;
  }
}
