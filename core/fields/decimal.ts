import { type Common, type Compiled, describe, type Field, type From, type Maybe, Problem } from './field.ts';
import { canonicalDecimal, digitsOf } from './number-text.ts';

/** Digits of a decimal number as text, such as `19.9`: JavaScript's numbers would lose some of them. */
export type Decimal = string & { readonly decimal?: never };

export interface DecimalOptions {
  /** The text has a decimal comma, and dots or spaces only between thousands: `1.234,50`. */
  readonly comma?: boolean;
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

function compile({ comma }: DecimalOptions): Compiled {
  const parse = (value: unknown): string | Problem => {
    const digits = digitsOf(value);
    if (digits === undefined) return new Problem('field.type', `expected a decimal number, found ${describe(value)}`);
    let text: string | undefined = digits;
    if (comma && typeof value === 'string') {
      text = withComma.test(digits) ? digits.replaceAll(/[. ]/g, '').replace(',', '.') : undefined;
    }
    if (text !== undefined && (!plain.test(text) || text === '-0')) text = canonicalDecimal(text);
    if (text === undefined) {
      const how = comma ? ' with a decimal comma' : '';
      return new Problem('field.type', `expected a decimal number${how}, found ${describe(value)} that is not one`);
    }
    if (text === 'tooLong') return new Problem('field.range', 'expected a decimal number of at most 38 digits');
    return text;
  };
  return { attribute: 'N', parse };
}
