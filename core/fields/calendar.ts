/**
 * Dates and times as texts and numbers, without the local time zone and without JavaScript's Date parsing (which
 * guesses). A format is letters that stand for digits: yyyy MM dd HH mm ss, S… for a fraction, everything else is
 * itself.
 */
export interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** Up to nine digits, without trailing zeros. */
  readonly fraction: string;
  /** Minutes east of UTC; undefined when the text names none. */
  readonly offset: number | undefined;
}

const iso =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})0*)?)?\s?(Z|z|[+-]\d\d(?::?\d\d)?)?)?$/;

/** ISO 8601: a date, or a date and time of at least minutes, with or without an offset. */
export function parseIso(text: string): Parts | undefined {
  const match = iso.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  return checked({
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour ?? 0),
    minute: Number(minute ?? 0),
    second: Number(second ?? 0),
    fraction: (fraction ?? '').replace(/0+$/, ''),
    offset: zone === undefined ? undefined : offsetMinutes(zone),
  });
}

function offsetMinutes(zone: string): number {
  if (zone === 'Z' || zone === 'z') return 0;
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  const past = Number(digits.slice(2));
  // More than 59 minutes is no offset: as far away as makes the parts be refused.
  const minutes = past > 59 ? Number.POSITIVE_INFINITY : Number(digits.slice(0, 2)) * 60 + past;
  return zone.startsWith('-') ? -minutes : minutes;
}

const letters = { yyyy: 'year', MM: 'month', dd: 'day', HH: 'hour', mm: 'minute', ss: 'second' } as const;

/** A parser for one format such as `dd.MM.yyyy HH:mm`; throws a RangeError for a format without year, month and day. */
export function compileFormat(format: string): (text: string) => Parts | undefined {
  const names: string[] = [];
  const pattern = format.replaceAll(/yyyy|MM|dd|HH|mm|ss|S+|[\s\S]/g, (token, at: number) => {
    if (token in letters) {
      names.push(letters[token as keyof typeof letters]);
      if (token === 'yyyy') return '(\\d{4})';
      // Beside other digits a single one would be a guess: is 2026111 the 11th of January or the 1st of November?
      const beside = (format[at - 1] ?? '') + (format[at + 2] ?? '');
      return /[yMdHmsS\d]/.test(beside) ? '(\\d{2})' : '(\\d{1,2})';
    }
    if (token.startsWith('S')) {
      names.push('fraction');
      return '(\\d{1,9})';
    }
    return token.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  });
  for (const needed of ['year', 'month', 'day']) {
    if (!names.includes(needed))
      throw new RangeError(`the format '${format}' lacks the ${needed}: use yyyy, MM and dd`);
  }
  const matcher = new RegExp(`^${pattern}$`);
  return (text) => {
    const match = matcher.exec(text);
    if (!match) return undefined;
    const value = (name: string) => match[names.indexOf(name) + 1] ?? '0';
    const number = (name: string) => (names.includes(name) ? Number(value(name)) : 0);
    return checked({
      year: number('year'),
      month: number('month'),
      day: number('day'),
      hour: number('hour'),
      minute: number('minute'),
      second: number('second'),
      fraction: names.includes('fraction') ? value('fraction').replace(/0+$/, '') : '',
      offset: undefined,
    });
  };
}

function checked(parts: Parts): Parts | undefined {
  const { year, month, day, hour, minute, second, offset } = parts;
  const fits =
    year >= 1 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysIn(year, month) &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59;
  return fits && (offset === undefined || Math.abs(offset) <= 18 * 60) ? parts : undefined;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Whole seconds since 1970 of parts read as UTC (their offset applied when they have one). */
export function epochSeconds(parts: Parts): number {
  const date = new Date(0);
  date.setUTCFullYear(parts.year, parts.month - 1, parts.day);
  return date.getTime() / 1000 + parts.hour * 3600 + (parts.minute - (parts.offset ?? 0)) * 60 + parts.second;
}

const firstSecond = -62_135_596_800; // 0001-01-01T00:00:00Z
const lastSecond = 253_402_300_799; // 9999-12-31T23:59:59Z

/** Canonical text of an instant: UTC, `Z`, the fraction only when there is one. Undefined outside the years 1 to 9999. */
export function instantText(seconds: number, fraction: string): string | undefined {
  if (!(seconds >= firstSecond && seconds <= lastSecond)) return undefined;
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  return fraction === '' ? `${text}Z` : `${text}.${fraction}Z`;
}
