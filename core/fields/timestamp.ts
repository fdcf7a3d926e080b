import { canonicalInstant, compileFormat, epochSeconds, instantText, parseIso } from './calendar.ts';
import { type Common, type Compiled, describe, type Field, type From, type Maybe, Problem } from './field.ts';
import { canonicalDecimal, digitsOf } from './number-text.ts';

/** An instant in UTC, `2026-03-01T23:10:00.5Z`. */
export type Instant = string & { readonly instant?: never };

export interface TimestampOptions {
  /** The value is a number of these since 1970 (UTC), fractions allowed. */
  readonly unit?: 's' | 'ms' | 'us' | 'ns';
  /** How the text is written, such as `dd.MM.yyyy HH:mm:ss`. Default: ISO. A text without an offset is UTC. */
  readonly format?: string;
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
    compile: () => ({ attribute: 'S', parse: options.unit ? fromEpoch(options.unit) : fromText(options.format) }),
    snowflakeType: 'TIMESTAMP_TZ(9)',
  };
}

function fromText(format: string | undefined): Compiled['parse'] {
  const read = format === undefined ? parseIso : compileFormat(format);
  const expected = format === undefined ? 'a time such as 2026-03-01T10:00:00Z' : `a time written as ${format}`;
  const canonical = format === undefined ? canonicalInstant : () => undefined;
  return (value) => {
    const ready = typeof value === 'string' ? canonical(value) : undefined;
    if (ready !== undefined) return ready;
    const parts = typeof value === 'string' ? read(value.trim()) : undefined;
    const text = parts && instantText(epochSeconds(parts), parts.fraction);
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
