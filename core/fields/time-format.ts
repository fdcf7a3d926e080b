import { checked, offsetMinutes, type Parts } from './calendar.ts';

/**
 * How local dates and times are written, in letters that stand for what is in the text; everything else is itself:
 *
 * - `yyyy`, `MM`, `dd`, `HH`, `mm`, `ss`: digits; `S…`: a fraction; `yy`: 69 to 99 are 1969 to 1999, 00 to 68 are 20xx
 * - `hh` with `a`: hours from 1 to 12 with AM or PM
 * - `MMM`, `MMMM`: an English month, `Mar` or `March`; `EEE`, `EEEE`: an English day of the week, which is not checked
 * - `Z`: an offset: `+0100`, `+01:00`, `Z`, `UTC` or `GMT`
 */
type Token = keyof typeof tokens;

const months = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];
const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const shortened = (names: readonly string[]) => names.map((name) => name.slice(0, 3)).join('|');

const tokens = {
  yyyy: { part: 'year', digits: 4 },
  yy: { part: 'shortYear', digits: 2 },
  MMMM: { part: 'monthName', pattern: () => `(${months.join('|')})` },
  MMM: { part: 'monthName', pattern: () => `(${shortened(months)}|sept)` },
  MM: { part: 'month' },
  dd: { part: 'day' },
  HH: { part: 'hour' },
  hh: { part: 'halfHour' },
  mm: { part: 'minute' },
  ss: { part: 'second' },
  EEEE: { part: 'weekday', pattern: () => `(${weekdays.join('|')})` },
  EEE: { part: 'weekday', pattern: () => `(${shortened(weekdays)})` },
  a: { part: 'half', pattern: () => '([ap]\\.?m\\.?)' },
  Z: { part: 'offset', pattern: () => '(Z|UTC|GMT|[+-]\\d\\d(?::?\\d\\d)?)' },
} as const satisfies Record<string, { part: string; digits?: number; pattern?: () => string }>;

const tokenPattern = /yyyy|yy|MMMM|MMM|MM|dd|HH|hh|mm|ss|S+|EEEE|EEE|a|Z|[\s\S]/g;

/** A reader of texts in one of several formats: the first that fits counts. Throws a RangeError as {@link compileFormat}. */
export function compileFormats(formats: string | readonly string[]): (text: string) => Parts | undefined {
  const readers = (typeof formats === 'string' ? [formats] : formats).map(compileFormat);
  const [only] = readers;
  if (!only) throw new RangeError('the list of formats is empty: name one, such as dd.MM.yyyy');
  if (readers.length === 1) return only;
  return (text) => {
    for (const read of readers) {
      const parts = read(text);
      if (parts) return parts;
    }
    return undefined;
  };
}

/**
 * A reader of one format such as `dd.MM.yyyy HH:mm`. Throws a RangeError for a format that leaves the day open, or has
 * only one of `hh` and `a`.
 */
export function compileFormat(format: string): (text: string) => Parts | undefined {
  const names: string[] = [];
  const isHalfDay = format.includes('hh');
  const pattern = format.replaceAll(tokenPattern, (token, at: number) => {
    if (token.startsWith('S')) {
      names.push('fraction');
      return '(\\d{1,9})';
    }
    if (!(token in tokens) || (token === 'a' && !isHalfDay)) return token.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
    const entry: { part: string; digits?: number; pattern?: () => string } = tokens[token as Token];
    names.push(entry.part);
    if (entry.pattern) return entry.pattern();
    if (entry.digits !== undefined) return `(\\d{${entry.digits}})`;
    // Beside other digits a single one would be a guess: is 2026111 the 11th of January or the 1st of November?
    const beside = (format[at - 1] ?? '') + (format[at + 2] ?? '');
    return /[yMdHhmsS\d]/.test(beside) ? '(\\d{2})' : '(\\d{1,2})';
  });
  refuseGaps(format, names);
  const matcher = new RegExp(`^${pattern}$`, 'i');
  return (text) => {
    const match = matcher.exec(text);
    return match ? partsOf((name) => (names.includes(name) ? match[names.indexOf(name) + 1] : undefined)) : undefined;
  };
}

function refuseGaps(format: string, names: readonly string[]): void {
  const has = (...any: readonly string[]) => any.some((each) => names.includes(each));
  const missing = [
    ...(has('year', 'shortYear') ? [] : ['year']),
    ...(has('month', 'monthName') ? [] : ['month']),
    ...(has('day') ? [] : ['day']),
  ];
  if (missing[0]) throw new RangeError(`the format '${format}' lacks the ${missing[0]}: use yyyy, MM and dd`);
  if (has('halfHour') && !has('half'))
    throw new RangeError(`the format '${format}' has hours up to 12 without AM and PM: use hh with a, or HH`);
}

function partsOf(textOf: (name: string) => string | undefined): Parts | undefined {
  const number = (name: string) => Number(textOf(name) ?? 0);
  const short = textOf('shortYear');
  const monthName = textOf('monthName')?.slice(0, 3).toLowerCase();
  const half = textOf('half');
  const hour = number('halfHour');
  if (half !== undefined && (hour < 1 || hour > 12)) return undefined;
  const offset = textOf('offset');
  return checked({
    year: short === undefined ? number('year') : Number(short) + (Number(short) < 69 ? 2000 : 1900),
    month: monthName === undefined ? number('month') : months.findIndex((each) => each.startsWith(monthName)) + 1,
    day: number('day'),
    hour: half === undefined ? number('hour') : (hour % 12) + (/^p/i.test(half) ? 12 : 0),
    minute: number('minute'),
    second: number('second'),
    fraction: (textOf('fraction') ?? '').replace(/0+$/, ''),
    offset: offset === undefined ? undefined : offsetMinutes(/^[a-z]/i.test(offset) ? 'Z' : offset),
  });
}
