import { type Common, type Compiled, describe, type Field, type From, type Maybe, Problem } from './field.ts';
import type { Inferred, Samples } from './inferred.ts';
import { namesCode } from './name-words.ts';
import { canonicalDecimal, digitsOf } from './number-text.ts';

export interface IntegerOptions {
  /** Smallest value accepted, inclusive. */
  readonly min?: bigint;
  /** Largest value accepted, inclusive. */
  readonly max?: bigint;
}

/** A whole number of up to 38 digits, from a number or its text. */
export function integer<O extends boolean = false, D extends bigint | undefined = undefined>(
  from?: From,
  options: Common<O, D> & IntegerOptions = {},
): Field<Maybe<bigint, O, D>, 'integer'> {
  return {
    kind: 'integer',
    from,
    optional: options.optional === true,
    default: options.default?.toString(),
    compile: () => compile(options),
    snowflakeType: 'NUMBER(38,0)',
  };
}

const plain = /^-?[1-9]\d{0,14}$|^0$/;

function compile({ min, max }: IntegerOptions): Compiled {
  const bounded = min !== undefined || max !== undefined;
  const parse = (value: unknown): string | Problem => {
    const digits = digitsOf(value);
    if (digits === undefined) return new Problem('field.type', `expected a whole number, found ${describe(value)}`);
    const text = plain.test(digits) ? digits : canonicalDecimal(digits);
    if (text === undefined) {
      return new Problem('field.type', `expected a whole number, found ${describe(value)} that is not a number`);
    }
    if (text === 'tooLong') return new Problem('field.range', 'expected a whole number of at most 38 digits');
    if (text.includes('.')) return new Problem('field.type', 'expected a whole number, found a fraction');
    if (bounded && ((min !== undefined && BigInt(text) < min) || (max !== undefined && BigInt(text) > max))) {
      return new Problem('field.range', `expected a whole number ${range(min, max)}`);
    }
    return text;
  };
  return { attribute: 'N', parse };
}

function range(min: bigint | undefined, max: bigint | undefined): string {
  if (min === undefined) return `of at most ${max}`;
  return max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
}

const written = /^-?(?:0|[1-9]\d*)$/;

/**
 * Whole numbers. Digits in text count only where the file has nothing but text, and not when one has leading zeros, or
 * the name says that they are a code: a postal code is no quantity.
 */
export function inferInteger({ name, values, typed }: Samples): Inferred | undefined {
  const { parse } = compile({});
  const fits = (value: unknown) => {
    if (typeof value === 'string' && (typed || !written.test(value.trim()))) return false;
    return typeof parse(value) === 'string';
  };
  if (!values.every(fits) || (namesCode(name) && values.some((value) => typeof value === 'string'))) return undefined;
  return { kind: 'integer' };
}
