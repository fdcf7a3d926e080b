import { describe, expect, test } from 'vitest';
import { createClock } from '../../local/clock.ts';
import { parseSchedule, runSchedule } from '../../local/lambda/schedule.ts';

const at = (text: string) => Date.parse(`${text}Z`);
const nextOf = (expression: string, after: string) => {
  const next = parseSchedule(expression, at('2026-01-01T00:00:30'))(at(after));
  return next === undefined ? undefined : new Date(next).toISOString().slice(0, 16);
};

describe('schedule expressions', () => {
  test.each([
    ['rate(10 minutes)', '2026-01-01T00:00:30', '2026-01-01T00:10'],
    ['rate(10 minutes)', '2026-01-01T00:10:29', '2026-01-01T00:10'],
    ['rate(1 day)', '2026-01-03T05:00:00', '2026-01-04T00:00'],
    ['cron(0 3 * * ? *)', '2026-01-01T03:00:00', '2026-01-02T03:00'],
    ['cron(0/15 * * * ? *)', '2026-01-01T03:16:00', '2026-01-01T03:30'],
    ['cron(30 6 ? * MON-FRI *)', '2026-01-02T07:00:00', '2026-01-05T06:30'],
    ['cron(0 0 29 FEB ? *)', '2026-01-01T00:00:00', '2028-02-29T00:00'],
    ['cron(0 12 1 1,7 ? *)', '2026-01-02T00:00:00', '2026-07-01T12:00'],
    ['at(2026-05-01T10:00:00)', '2026-01-01T00:00:00', '2026-05-01T10:00'],
    ['at(2026-05-01T10:00:00)', '2026-05-01T10:00:00', undefined],
    ['cron(0 0 1 1 ? 2025)', '2026-01-01T00:00:00', undefined],
  ])('%s after %s', (expression, after, expected) => {
    expect(nextOf(expression, after)).toBe(expected);
  });

  test.each([
    'rate(0 minutes)',
    'rate(5 weeks)',
    'cron(0 3 * * *)',
    'cron(0 0 L * ? *)',
    'cron(61 0 * * ? *)',
    'daily',
  ])('%s is refused', (expression) => {
    expect(() => parseSchedule(expression, 0)(0)).toThrow(`schedule "${expression}"`);
  });

  test('a schedule runs once for each skip of the clock, and holds up nobody who asks for the next timer', async () => {
    const clock = createClock();
    const stop = new AbortController();
    let runs = 0;
    let woken = Promise.withResolvers<void>();
    const running = runSchedule(parseSchedule('rate(1 hour)', clock.now()), clock, stop.signal, () => {
      runs += 1;
      woken.resolve();
    });
    expect(clock.nextTimer()).toBeUndefined();
    for (const hours of [1, 30]) {
      woken = Promise.withResolvers();
      clock.skipTo(clock.now() + hours * 3_600_000);
      await woken.promise;
    }
    stop.abort();
    await running;
    expect(runs).toBe(2);
  });
});
