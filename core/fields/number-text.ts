import { ExactNumber } from '../decode/exact-number.ts';

const decimalText = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/**
 * DynamoDB holds 38 significant digits and Snowflake's NUMBER 38 digits in all, so a number that needs more places
 * than that, before and after the point together, fits nowhere downstream exactly.
 */
const maximumDigits = 38;

/**
 * Canonical text of a decimal number: no exponent, no plus, no leading or trailing zeros, `-0` is `0`.
 * `undefined` when the text is no number; `'tooLong'` when it needs more than 38 digits.
 */
export function canonicalDecimal(text: string): string | undefined | 'tooLong' {
  const match = decimalText.exec(text);
  if (!match) return undefined;
  const [, sign, whole = '', fraction = '', exponent] = match;
  if (whole === '' && fraction === '') return undefined;
  const shift = exponent ? Number(exponent) : 0;
  const digits = whole + fraction;
  const first = digits.search(/[1-9]/);
  if (first < 0) return '0';
  const significant = digits.slice(first, endOfDigits(digits));
  const point = whole.length + shift - first;
  const places = point <= 0 ? significant.length - point : Math.max(point, significant.length);
  if (places > maximumDigits) return 'tooLong';
  const minus = sign === '-' ? '-' : '';
  if (point <= 0) return `${minus}0.${'0'.repeat(-point)}${significant}`;
  if (significant.length <= point) return minus + significant.padEnd(point, '0');
  return `${minus}${significant.slice(0, point)}.${significant.slice(point)}`;
}

// Not /0+$/, which starts again at every zero: the square of the length of a long text.
function endOfDigits(digits: string): number {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 0x30) end -= 1;
  return end;
}

/** The digits of a raw JSON or text value that may be a number; undefined for every other kind. */
export function digitsOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  if (typeof value === 'bigint') return value.toString();
  return value instanceof ExactNumber ? value.text : undefined;
}
