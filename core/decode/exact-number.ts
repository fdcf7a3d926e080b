/**
 * A JSON number that a JavaScript number would change, kept as it was written: `0.1000000000000000055`, `1e400`.
 * Integers beyond 2^53 are bigints instead, unless they are longer than 1,000 characters.
 */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** Longer numbers stay text: no store behind this keeps more than 38 digits, and comparing them is not linear. */
const MAX_DIGITS = 1000;

/** The value of one JSON number without loss: a number if its digits survive, else a bigint or an {@link ExactNumber}. */
export function exactNumber(text: string): number | bigint | ExactNumber {
  if (survives(text)) return Number(text);
  return text.length <= MAX_DIGITS && /^-?\d+$/.test(text) ? BigInt(text) : new ExactNumber(text);
}

/**
 * Whether a JavaScript number holds this JSON number: printed again it has the same digits. For integers without
 * fraction or exponent the bound is 2^53, where neighbours start to fall together.
 * A number of more than 1,000 characters never does.
 */
export function survives(text: string): boolean {
  if (text.length > MAX_DIGITS) return false;
  const value = Number(text);
  if (/^-?\d+$/.test(text)) return Number.isSafeInteger(value);
  if (!Number.isFinite(value)) return false;
  const printed = String(value);
  return printed === text || digitsOf(printed) === digitsOf(text);
}

/** Significant digits and decimal exponent, the same for every spelling of one value: `1.50` and `15e-1` are `15e-1`. */
function digitsOf(text: string): string {
  const [, whole = '', fraction = '', exponent = '0'] = /^-?(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}
