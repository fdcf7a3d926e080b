/** How a number is shown, as far as it tells dates and times from numbers. */
export type NumberKind = 'number' | 'date' | 'time' | 'dateTime';

/** Kinds of the formats that a workbook does not spell out (ECMA-376 part 1 §18.8.30), those of East Asia included. */
const builtIn: Readonly<Record<NumberKind, readonly number[]>> = {
  number: [],
  date: [14, 15, 16, 17, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58],
  time: [18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56],
  dateTime: [22],
};

export function builtInKind(id: number): NumberKind {
  if (builtIn.date.includes(id)) return 'date';
  if (builtIn.time.includes(id)) return 'time';
  return builtIn.dateTime.includes(id) ? 'dateTime' : 'number';
}

/** Text in quotes, escaped and padding characters, and what stands in brackets: colours, conditions, languages. */
const literals = /"[^"]*"?|\\.|[_*].|\[[^\]]*\]?/g;

/** Kind of a format by its code, such as `dd/mm/yyyy hh:mm`. Elapsed time (`[h]:mm`) is a number of days. */
export function kindOfFormat(code: string): NumberKind {
  if (/\[(?:h+|m+|s+)\]/i.test(code)) return 'number';
  const [first = ''] = code.replace(literals, '').split(';');
  const letters = first.replace(/general|am\/pm|a\/p|e[+-]/gi, (found) => (/^a/i.test(found) ? 'h' : ''));
  const hasTime = /[hs]/i.test(letters);
  const hasDate = /[yd]/i.test(letters) || /[eg]/.test(letters) || (/m/i.test(letters) && !hasTime);
  if (hasDate) return hasTime ? 'dateTime' : 'date';
  return hasTime ? 'time' : 'number';
}

const DAY_MS = 86_400_000;
/** Serial number of 1 January 1970, by the year in which days are counted from. */
const EPOCH_1900 = 25_569;
const EPOCH_1904 = 24_107;
/** The 29 February 1900 that Lotus 1-2-3 thought there was: days before it are one off. */
const LEAP_BUG = 60;

/**
 * Text of a day and time by its serial number: `2026-11-21`, `2026-11-21T13:45:30`, `13:45:30`, with milliseconds only
 * when there are some, to which it is rounded. A date that has a time is given with it, whatever its format shows.
 * Undefined for what no spreadsheet shows as a date: negative ones and those beyond the year 9999.
 */
export function dateText(serial: number, kind: NumberKind, is1904: boolean): string | undefined {
  let days = Math.floor(serial);
  let ms = Math.round((serial - days) * DAY_MS);
  if (ms === DAY_MS) {
    days++;
    ms = 0;
  }
  const time = timeText(ms);
  if (days < 0 || Number.isNaN(days)) return undefined;
  if (days === 0 && kind === 'time') return time;
  const day = dayText(days, is1904);
  if (day === undefined) return undefined;
  return ms === 0 && kind === 'date' ? day : `${day}T${time}`;
}

function dayText(days: number, is1904: boolean): string | undefined {
  if (!is1904 && days === LEAP_BUG) return '1900-02-29';
  const shift = is1904 ? EPOCH_1904 : EPOCH_1900 - (days < LEAP_BUG ? 1 : 0);
  const date = new Date((days - shift) * DAY_MS);
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999 ? undefined : date.toISOString().slice(0, 10);
}

function timeText(ms: number): string {
  const text = new Date(ms).toISOString().slice(11, 23);
  return text.endsWith('.000') ? text.slice(0, 8) : text;
}
