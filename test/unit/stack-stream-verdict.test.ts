import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../local/lambda/outcome.ts';
import type { StreamBatch } from '../../local/lambda/stream-batch.ts';
import { afterInvocation, type RetryRules } from '../../local/lambda/stream-verdict.ts';

const batchOf = (from: number, to: number): StreamBatch => ({
  changes: Array.from({ length: to - from }, (_, index) => ({
    sequence: String(from + index),
    createdAt: 0,
    json: '{}',
    bytes: 3,
  })),
  through: String(to - 1),
  retries: 0,
  invocations: 0,
});
const sequences = (batch: StreamBatch | undefined) => batch?.changes.map((change) => Number(change.sequence));
const success = (reply: unknown = null): Outcome => ({
  kind: 'success',
  requestId: 'r',
  payload: JSON.stringify(reply),
});
const failure: Outcome = { kind: 'failure', requestId: 'r', reason: 'error', name: 'E', message: '', stack: '' };
const failing = (...identifiers: unknown[]) =>
  success({ batchItemFailures: identifiers.map((itemIdentifier) => ({ itemIdentifier })) });

describe('what follows a stream invocation', () => {
  test('success moves the checkpoint past the filtered records at the end as well', () => {
    expect(afterInvocation({ ...batchOf(1, 4), through: '9' }, success(), {})).toEqual({ position: '9', retry: [] });
  });

  test('the lowest number that a reply names is where the retry starts', () => {
    const next = afterInvocation(batchOf(1, 6), failing('4', '2'), { reportBatchItemFailures: true });
    expect(next.position).toBe('1');
    expect(next.retry.map(sequences)).toEqual([[2, 3, 4, 5]]);
  });

  test.each([
    ['an unknown number', failing('77')],
    ['an empty identifier', failing('2', '')],
    ['a null identifier', failing(null)],
    ['a list that is none', success({ batchItemFailures: 'x' })],
    ['a wrong key name', success({ batchItemFailures: [{ id: '2' }] })],
  ])('%s fails the whole batch', (_, outcome) => {
    const next = afterInvocation(batchOf(1, 4), outcome, { reportBatchItemFailures: true });
    expect(next.position).toBeUndefined();
    expect(next.retry.map(sequences)).toEqual([[1, 2, 3]]);
  });

  test('the reply means nothing where partial replies are not switched on', () => {
    expect(afterInvocation(batchOf(1, 4), failing('2'), {}).retry).toEqual([]);
  });

  test('a batch is given up after the allowed retries, not before', () => {
    const rules: RetryRules = { maximumRetryAttempts: 2 };
    let batch = batchOf(1, 3);
    for (const expected of [1, 2]) {
      const next = afterInvocation(batch, failure, rules);
      expect(next.discarded).toBeUndefined();
      batch = next.retry[0] as StreamBatch;
      expect(batch.retries).toBe(expected);
    }
    const last = afterInvocation(batch, failure, rules);
    expect(sequences(last.discarded)).toEqual([1, 2]);
    expect(last).toMatchObject({ position: '2', retry: [] });
  });

  test('bisecting isolates exactly the poison records, whatever they are, and tries the rest in order', () => {
    const poisons = fc.uniqueArray(fc.integer({ min: 0, max: 39 }), { maxLength: 5 });
    fc.assert(
      fc.property(
        poisons,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 3 }),
        (poison, size, attempts) => {
          const work = [batchOf(0, size)];
          const passed: number[] = [];
          const discarded: number[] = [];
          for (let batch = work.shift(); batch !== undefined; batch = work.shift()) {
            const hit = (sequences(batch) ?? []).some((sequence) => poison.includes(sequence));
            const next = afterInvocation(batch, hit ? failure : success(), {
              bisectOnError: true,
              maximumRetryAttempts: attempts,
            });
            if (!hit) passed.push(...(sequences(batch) ?? []));
            discarded.push(...(sequences(next.discarded) ?? []));
            work.unshift(...next.retry);
          }
          const all = Array.from({ length: size }, (_, index) => index);
          expect(passed).toEqual(all.filter((each) => !poison.includes(each)));
          expect(discarded).toEqual(all.filter((each) => poison.includes(each)));
        },
      ),
    );
  });
});
