import { type Common, type Compiled, describe, type Field, type From, type Maybe, Problem } from './field.ts';
import type { Inferred, Samples } from './inferred.ts';
import { namesCode, namesIdentity } from './name-words.ts';
import { canonicalDecimal, digitsOf } from './number-text.ts';

/** Digits of a decimal number as text, such as `19.9`: JavaScript's numbers would lose some of them. */
export type Decimal = string & { readonly decimal?: never };

export interface DecimalOptions {
  /** The text has a decimal comma, and dots or spaces only between thousands: `1.234,50`. */
  readonly comma?: boolean;
  /** The text has commas between thousands, and a decimal point: `1,234.50`. */
  readonly grouped?: boolean;
}

/** A decimal number of up to 38 digits, from a number or its text. Kept exactly, trailing zeros dropped. */
export function decimal<O extends boolean = false, D extends Decimal | undefined = undefined>(
  from?: From,
  options: Common<O, D> & DecimalOptions = {},
): Field<Maybe<Decimal, O, D>, 'decimal'> {
  return {
    kind: 'decimal',
    from,
    optional: options.optional === true,
    default: options.default,
    compile: () => compile(options),
    snowflakeType: 'NUMBER(38,9)',
  };
}

const plain = /^-?(?:0|[1-9]\d{0,8})(?:\.\d{0,8}[1-9])?$/;
const withComma = /^[+-]?\d{1,3}(?:[. ]\d{3})+(?:,\d+)?$|^[+-]?\d+(?:,\d+)?$/;
const withGroups = /^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$|^[+-]?\d+(?:\.\d+)?$/;

function compile({ comma, grouped }: DecimalOptions): Compiled {
  if (comma && grouped)
    throw new RangeError('comma and grouped contradict each other: a comma parts thousands, or the fraction');
  const parse = (value: unknown): string | Problem => {
    const digits = digitsOf(value);
    if (digits === undefined) return new Problem('field.type', `expected a decimal number, found ${describe(value)}`);
    let text: string | undefined = digits;
    if (comma && typeof value === 'string') {
      text = withComma.test(digits) ? digits.replaceAll(/[. ]/g, '').replace(',', '.') : undefined;
    }
    if (grouped && typeof value === 'string') text = withGroups.test(digits) ? digits.replaceAll(',', '') : undefined;
    if (text !== undefined && (!plain.test(text) || text === '-0')) text = canonicalDecimal(text);
    if (text === undefined) {
      const how = comma ? ' with a decimal comma' : grouped ? ' with commas between thousands' : '';
      return new Problem('field.type', `expected a decimal number${how}, found ${describe(value)} that is not one`);
    }
    if (text === 'tooLong') return new Problem('field.range', 'expected a decimal number of at most 38 digits');
    return text;
  };
  return { attribute: 'N', parse };
}

const withPoint = /^-?(?:0|[1-9]\d*)?(?:\.\d+)?$/;
/** As programs write numbers that are very small or large, `1e-05`; `12e5` may be a code. */
const withExponent = /^-?\d(?:\.\d+e[+-]?|e[+-])\d{1,3}$/i;

/**
 * Numbers with a fraction, in text with a point or a comma before it. A comma that could part thousands in every value
 * is left as text: reading it wrongly would make each number a thousand times too small.
 */
export function inferDecimal({ name, values, typed }: Samples): Inferred | undefined {
  const texts = values.filter((value) => typeof value === 'string').map((value) => value.trim());
  if (texts.length > 0 && (namesCode(name) || namesIdentity(name))) return undefined;
  // In a typed file a number in text is money, if it always has a fraction.
  if (typed && !texts.every((text) => /[.,]\d+$/.test(text))) return undefined;
  const options = spellingOf(texts);
  if (!options) return undefined;
  const { parse } = compile(options);
  if (!values.every((value) => typeof parse(value) === 'string')) return undefined;
  const read = values.map((value) => String(parse(value)));
  const places = Math.max(...read.map((text) => text.split('.')[1]?.length ?? 0));
  const long = `${places} digits after the point, of which Snowflake's column keeps nine`;
  return {
    kind: 'decimal',
    ...(Object.keys(options).length > 0 && { options }),
    ...(places > 9 && { doubts: [{ field: '', message: long }] }),
  };
}

/** How the texts part thousands and the fraction; undefined when that is open, or they are no numbers. */
function spellingOf(texts: readonly string[]): { readonly comma?: true; readonly grouped?: true } | undefined {
  if (texts.every((text) => withPoint.test(text) || withExponent.test(text))) return {};
  const isComma = texts.every((text) => withComma.test(text));
  const isGrouped = texts.every((text) => withGroups.test(text));
  // Without a comma in any of them, digits in groups are more likely a phone number or the like.
  if (isComma === isGrouped || !texts.some((text) => text.includes(','))) return undefined;
  return isComma ? { comma: true } : { grouped: true };
}
