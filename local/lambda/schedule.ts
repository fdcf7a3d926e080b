import type { Clock } from '../clock.ts';

/** When a schedule fires next, in milliseconds since the epoch; undefined when never again. */
export type NextRun = (after: number) => number | undefined;

const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const LAST_YEAR = 2199;

/**
 * Reads `rate(10 minutes)`, `cron(0 3 * * ? *)` (six fields, UTC) or `at(2030-01-31T12:00:00)`.
 * A rate is counted from `createdAt`. `L`, `W` and `#` in cron fields are refused.
 */
export function parseSchedule(expression: string, createdAt: number): NextRun {
  const [, kind, body = ''] = /^(rate|cron|at)\((.*)\)$/.exec(expression.trim()) ?? [];
  if (kind === 'rate') return rateSchedule(body, createdAt, expression);
  if (kind === 'cron') return cronSchedule(body, expression);
  const at = kind === 'at' ? Date.parse(`${body}Z`) : Number.NaN;
  if (Number.isNaN(at)) throw new Error(`schedule "${expression}": expected rate(…), cron(…) or at(…)`);
  return (after) => (at > after ? at : undefined);
}

/** Calls `run` at every time of the schedule until `signal`. Times that were skipped over count as one. */
export async function runSchedule(next: NextRun, clock: Clock, signal: AbortSignal, run: () => void): Promise<void> {
  for (let at = next(clock.now()); at !== undefined; at = next(clock.now())) {
    while (clock.now() < at && !signal.aborted) await clock.sleep(at - clock.now(), { signal, background: true });
    if (signal.aborted) return;
    run();
  }
}

function rateSchedule(body: string, createdAt: number, expression: string): NextRun {
  const [, count, unit] = /^(\d+) (minute|hour|day)s?$/.exec(body.trim()) ?? [];
  const every = Number(count) * (UNIT_MS[unit as keyof typeof UNIT_MS] ?? 0);
  if (!(every > 0)) throw new Error(`schedule "${expression}": expected rate(<number> minutes, hours or days)`);
  return (after) => createdAt + (Math.floor((after - createdAt) / every) + 1) * every;
}

function cronSchedule(body: string, expression: string): NextRun {
  const fields = body.trim().split(/\s+/);
  if (fields.length !== 6) throw new Error(`schedule "${expression}": cron has six fields, not ${fields.length}`);
  const field = (index: number, from: number, to: number, names: readonly string[] = [], base = 0) =>
    cronField(fields[index] ?? '', from, to, names, base, expression);
  const minutes = field(0, 0, 59);
  const hours = field(1, 0, 23);
  const days = field(2, 1, 31);
  const months = field(3, 1, 12, MONTHS, 1);
  const weekdays = field(4, 1, 7, WEEKDAYS, 1);
  const years = field(5, 1970, LAST_YEAR);

  return (after) => {
    const day = new Date(after);
    day.setUTCHours(0, 0, 0, 0);
    for (; day.getUTCFullYear() <= LAST_YEAR; day.setUTCDate(day.getUTCDate() + 1)) {
      if (!years.has(day.getUTCFullYear()) || !months.has(day.getUTCMonth() + 1)) continue;
      if (!days.has(day.getUTCDate()) || !weekdays.has(day.getUTCDay() + 1)) continue;
      for (const hour of hours) {
        for (const minute of minutes) {
          const at = day.getTime() + hour * UNIT_MS.hour + minute * UNIT_MS.minute;
          if (at > after) return at;
        }
      }
    }
    return undefined;
  };
}

/** The values of a cron field, ascending: `*`, `?`, `5`, `1-5`, `MON-FRI`, `0/15`, and lists of them. */
function cronField(
  text: string,
  from: number,
  to: number,
  names: readonly string[],
  base: number,
  expression: string,
): ReadonlySet<number> {
  const refuse = (): never => {
    throw new Error(`schedule "${expression}": the cron field "${text}" is not supported in the embedded cloud`);
  };
  const value = (word: string): number => {
    const named = names.indexOf(word.toUpperCase());
    const number = named >= 0 ? named + base : /^\d+$/.test(word) ? Number(word) : Number.NaN;
    return number >= from && number <= to ? number : refuse();
  };
  const found = new Set<number>();
  for (const item of text.split(',')) {
    const [range = '', step] = item.split('/');
    const [low = '', high] = range === '*' || range === '?' ? [String(from), String(to)] : range.split('-');
    const last = high !== undefined ? value(high) : step !== undefined ? to : value(low);
    const stride = step === undefined ? 1 : /^[1-9]\d*$/.test(step) ? Number(step) : refuse();
    for (let each = value(low); each <= last; each += stride) found.add(each);
  }
  return new Set([...found].sort((a, b) => a - b));
}
