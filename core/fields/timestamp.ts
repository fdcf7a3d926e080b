import { canonicalInstant, epochSeconds, instantText, parseIso } from './calendar.ts';
import { type Common, type Compiled, describe, type Field, type From, type Maybe, Problem } from './field.ts';
import { findEpochUnit, findTimeFormat } from './infer-times.ts';
import type { Inferred, Samples } from './inferred.ts';
import { namesIdentity, namesTime } from './name-words.ts';
import { canonicalDecimal, digitsOf } from './number-text.ts';
import { compileFormats } from './time-format.ts';
import { compileZone } from './time-zone.ts';

/** An instant in UTC, `2026-03-01T23:10:00.5Z`. */
export type Instant = string & { readonly instant?: never };

export interface TimestampOptions {
  /** The value is a number of these since 1970 (UTC), fractions allowed. */
  readonly unit?: 's' | 'ms' | 'us' | 'ns';
  /** How the text is written, such as `dd.MM.yyyy HH:mm:ss`; of several the first that fits. Default: ISO. */
  readonly format?: string | readonly string[];
  /** Where the clocks are that wrote a text without an offset: `Europe/Lisbon`. Default: UTC. */
  readonly zone?: string;
}

/** An instant with up to nine fraction digits. */
export function timestamp<O extends boolean = false, D extends Instant | undefined = undefined>(
  from?: From,
  options: Common<O, D> & TimestampOptions = {},
): Field<Maybe<Instant, O, D>, 'timestamp'> {
  return {
    kind: 'timestamp',
    from,
    optional: options.optional === true,
    default: options.default,
    compile: () => ({ attribute: 'S', parse: compile(options) }),
    snowflakeType: 'TIMESTAMP_TZ(9)',
  };
}

function compile({ unit, format, zone }: TimestampOptions): Compiled['parse'] {
  if (unit === undefined) return fromText(format, zone);
  if (format !== undefined || zone !== undefined)
    throw new RangeError('unit is for numbers, format and zone are for texts: leave one or the other out');
  return fromEpoch(unit);
}

function fromText(format: TimestampOptions['format'], zone: string | undefined): Compiled['parse'] {
  const read = format === undefined ? parseIso : compileFormats(format);
  const offsetOf = zone === undefined ? undefined : compileZone(zone);
  const written = format === undefined ? '' : [format].flat().join(' or ');
  const expected = format === undefined ? 'a time such as 2026-03-01T10:00:00Z' : `a time written as ${written}`;
  const canonical = format === undefined ? canonicalInstant : () => undefined;
  return (value) => {
    const ready = typeof value === 'string' ? canonical(value) : undefined;
    if (ready !== undefined) return ready;
    const parts = typeof value === 'string' ? read(value.trim()) : undefined;
    const seconds = parts && epochSeconds(parts);
    const ahead = seconds !== undefined && parts?.offset === undefined && offsetOf ? offsetOf(seconds) : 0;
    const text = parts && instantText((seconds ?? Number.NaN) - ahead, parts.fraction);
    return text ?? new Problem('field.type', `expected ${expected}, found ${describe(value)}`);
  };
}

const exponents = { s: 0, ms: 3, us: 6, ns: 9 } as const;

function fromEpoch(unit: keyof typeof exponents): Compiled['parse'] {
  return (value) => {
    const digits = digitsOf(value);
    const number = digits === undefined ? undefined : canonicalDecimal(digits);
    const problem = () =>
      new Problem('field.type', `expected a number of ${unit} since 1970, found ${describe(value)}`);
    if (number === undefined || number === 'tooLong') return problem();
    const seconds = canonicalDecimal(`${number}e-${exponents[unit]}`);
    if (seconds === undefined || seconds === 'tooLong') return problem();
    const negative = seconds.startsWith('-');
    const [whole = '0', fraction = ''] = seconds.replace('-', '').split('.');
    if (fraction.length > 9) return new Problem('field.range', 'expected at most nine digits after the second');
    if (!negative) return instantText(Number(whole), fraction) ?? problem();
    // Before 1970 the fraction counts up from the second below: -0.25 s is 0.75 s after second -1.
    const rest = fraction === '' ? '' : String(10 ** fraction.length - Number(fraction)).padStart(fraction.length, '0');
    return instantText(fraction === '' ? -Number(whole) : -Number(whole) - 1, rest) ?? problem();
  };
}

/** What is said of times without an offset. */
const withoutOffset = "no offset, so read as UTC: add zone: 'Europe/Lisbon', say, if it is local time";

/** Texts that are days with a time, and numbers that count since 1970 if their name or their size says so. */
export function inferTimestamp(samples: Samples): Inferred | undefined {
  const { values } = samples;
  const iso = values.map((value) => (typeof value === 'string' ? parseIso(value.trim()) : undefined));
  const hasTime = values.some((value) => typeof value === 'string' && value.trim().length > 10);
  const read = fromText(undefined, undefined);
  if (hasTime && iso.every((parts) => parts) && values.every((value) => typeof read(value) === 'string')) {
    return inferredText(undefined, iso.every((parts) => parts?.offset !== undefined) ? [] : [withoutOffset]);
  }
  const found = findTimeFormat(samples);
  if (found) {
    const doubts = [...(found.doubt === undefined ? [] : [found.doubt])];
    return inferredText(found.format, /Z/.test(found.format) ? doubts : [...doubts, withoutOffset]);
  }
  return inferEpoch(samples);
}

function inferredText(format: string | undefined, messages: readonly string[]): Inferred {
  const doubts = messages.map((message) => ({ field: '', message }));
  return {
    kind: 'timestamp',
    ...(format !== undefined && { options: { format } }),
    ...(doubts.length > 0 && { doubts }),
  };
}

function inferEpoch({ name, values, typed }: Samples): Inferred | undefined {
  if (typed && values.some((value) => typeof value === 'string')) return undefined;
  const digits = values.map((value) => digitsOf(value) ?? '');
  if (!digits.every((text) => /^[1-9]\d{9,18}(\.\d{1,9})?$/.test(text))) return undefined;
  const unit = findEpochUnit(digits);
  // Other numbers have ten digits, or nineteen, too: only milliseconds are told by their size alone.
  const named = namesTime(name);
  if (unit === undefined || (!named && (unit !== 'ms' || namesIdentity(name)))) return undefined;
  const read = fromEpoch(unit);
  if (!values.every((value) => typeof read(value) === 'string')) return undefined;
  const message = `read as ${unit} since 1970 because of its size`;
  return { kind: 'timestamp', options: { unit }, ...(!named && { doubts: [{ field: '', message }] }) };
}
