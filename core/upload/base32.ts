const digits = 'abcdefghijklmnopqrstuvwxyz234567';
const sortedDigits = '0123456789abcdefghijklmnopqrstuv';

/** The first `length` characters of RFC 4648 base32, lower case, without padding. */
export function base32(bytes: Uint8Array, length: number): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      text += digits[(held >> (bits - 5)) & 31];
      bits -= 5;
      if (text.length === length) return text;
    }
    held &= (1 << bits) - 1;
  }
  return text;
}

/**
 * A whole number ≥ 0 as base32 digits of fixed width whose bytes sort as the number does (base32hex, lower case).
 * Throws a RangeError when it does not fit.
 */
export function sortable(value: number | bigint, width: number): string {
  if (Number.isSafeInteger(value) && value >= 0) return padded(value.toString(32), width, value);
  const number = BigInt(value);
  if (number < 0n) throw new RangeError(`a sortable number must not be negative, got ${value}`);
  return padded(number.toString(32), width, value);
}

function padded(text: string, width: number, value: number | bigint): string {
  if (text.length > width) throw new RangeError(`${value} does not fit ${width} base32 digits`);
  return text.padStart(width, '0');
}

/** The number that `sortable` wrote. */
export function unsorted(text: string): bigint {
  let value = 0n;
  for (const digit of text) {
    const number = sortedDigits.indexOf(digit);
    if (number < 0) throw new RangeError('not a base32 number');
    value = value * 32n + BigInt(number);
  }
  return value;
}
