import type { Parts } from './calendar.ts';
import type { Samples } from './inferred.ts';
import { namesTime } from './name-words.ts';
import { compileFormat } from './time-format.ts';

interface Candidate {
  readonly format: string;
  readonly read: (text: string) => Parts | undefined;
}

/** A format that all sampled texts are written in. */
export interface FoundFormat {
  readonly format: string;
  /** What is to be looked at, if anything. */
  readonly doubt?: string;
}

// The day comes first where both can be: most of the world writes it so.
const days = [
  'dd.MM.yyyy',
  'dd/MM/yyyy',
  'MM/dd/yyyy',
  'dd-MM-yyyy',
  'MM-dd-yyyy',
  'yyyy/MM/dd',
  'yyyy.MM.dd',
  'yyyyMMdd',
  'dd MMM yyyy',
  'dd-MMM-yyyy',
  'dd/MMM/yyyy',
  'ddMMMyyyy',
  'MMM dd, yyyy',
  'MMM dd yyyy',
  'dd MMMM yyyy',
  'MMMM dd, yyyy',
  'dd.MM.yy',
  'dd/MM/yy',
  'MM/dd/yy',
  'dd-MM-yy',
  'MM-dd-yy',
  'dd-MMM-yy',
];
const times = ['HH:mm', 'HH:mm:ss', 'HH:mm:ss.S', 'HH:mm:ss,S', 'hh:mm a', 'hh:mm:ss a', 'hh:mma'];
const others = [
  'yyyy-MM-dd hh:mm a',
  'yyyy-MM-dd hh:mm:ss a',
  'yyyy-MM-dd-HH.mm.ss.S',
  'yyyyMMddHHmm',
  'yyyyMMddHHmmss',
  'yyyyMMddTHHmmss',
  'yyyyMMddTHHmmssZ',
  'EEE MMM dd HH:mm:ss yyyy',
  'EEE MMM dd HH:mm:ss Z yyyy',
];

function dayFormats(): readonly string[] {
  const spelt = days.filter((day) => day.includes('MMM'));
  return [...days, ...['EEE, ', 'EEEE, ', 'EEE '].flatMap((weekday) => spelt.map((day) => weekday + day))];
}

function timeFormats(): readonly string[] {
  const joined = [' ', 'T', ', ', ':'].flatMap((between) => times.map((time) => between + time));
  const whole = joined.filter((time) => /HH:mm:ss/.test(time));
  const zoned = [...joined, ...whole.map((time) => `${time} Z`), ...whole.map((time) => `${time}Z`)];
  return [...others, ...dayFormats().flatMap((day) => zoned.map((time) => day + time))];
}

let dayCandidates: readonly Candidate[] | undefined;
let timeCandidates: readonly Candidate[] | undefined;

const compiled = (formats: readonly string[]) => formats.map((format) => ({ format, read: compileFormat(format) }));

/** The format of texts that are days without a time. */
export function findDayFormat(samples: Samples): FoundFormat | undefined {
  dayCandidates ??= compiled(dayFormats());
  return findFormat(samples, dayCandidates);
}

/** The format of texts that are days with a time. */
export function findTimeFormat(samples: Samples): FoundFormat | undefined {
  timeCandidates ??= compiled(timeFormats());
  return findFormat(samples, timeCandidates);
}

function findFormat({ name, values, monthFirst }: Samples, candidates: readonly Candidate[]): FoundFormat | undefined {
  const texts = values.map((value) => (typeof value === 'string' ? value.trim() : ''));
  if (!texts.every((text) => text.length >= 6 && text.length <= 50 && /\d/.test(text))) return undefined;
  const fits = candidates.filter(({ read }) => texts.every((text) => plausible(read(text))));
  const other = fits.find(({ format }) => isMonthFirst(format));
  const [first] = fits;
  const isOpen = first && other && !isMonthFirst(first.format);
  const chosen = isOpen && monthFirst === true ? other : first;
  if (!chosen) return undefined;
  const { format } = chosen;
  // Digits alone may be anything.
  if (/^[yMdHms]+$/.test(format) && !namesTime(name)) return undefined;
  if (isOpen && monthFirst === undefined)
    return { format, doubt: `read as ${format}, but every value could be ${other.format} too` };
  return /(?<!y)yy(?!y)/.test(format)
    ? { format, doubt: `two-digit years, read as ${format}: 69 to 99 are 19xx` }
    : { format };
}

function plausible(parts: Parts | undefined): boolean {
  return parts !== undefined && parts.year >= 1800 && parts.year <= 2999;
}

function isMonthFirst(format: string): boolean {
  return /MM(?!M).*dd/.test(format) && !/y.*MM.*dd/.test(format) && !format.includes('MMM');
}

/**
 * Whether a column of local days or times says which of day and month comes first: a number above 12 does. Undefined
 * for every other column, and for one that leaves it open.
 */
export function monthBeforeDay(samples: Samples): boolean | undefined {
  const open = { ...samples, monthFirst: undefined };
  const found = findDayFormat(open) ?? findTimeFormat(open);
  if (!found || !/^(EEEE?,? )?(MM|dd)[-/](MM|dd)/.test(found.format)) return undefined;
  return found.doubt?.startsWith('read as') ? undefined : isMonthFirst(found.format);
}

const secondsPerUnit = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 } as const;

/** The unit in which numbers count since 1970, when all of them lie in the years 2001 to 2100. */
export function findEpochUnit(digits: readonly string[]): keyof typeof secondsPerUnit | undefined {
  const units = Object.keys(secondsPerUnit) as (keyof typeof secondsPerUnit)[];
  return units.find((unit) =>
    digits.every((text) => {
      const seconds = Number(text) / secondsPerUnit[unit];
      return seconds >= 1e9 && seconds < 4.1e9;
    }),
  );
}
