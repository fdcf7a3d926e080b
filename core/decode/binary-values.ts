import { type ExactNumber, exactNumber } from './exact-number.ts';

/** The values of typed formats (Parquet, Avro) as a row holds them: numbers without loss, everything else as text. */
export type Exact = number | bigint | ExactNumber;

/** A number that JSON has not, as the text that names it: `NaN`, `Infinity`, `-Infinity`. */
export function finite(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** A 32-bit float by the fewest digits that name it: 0.1, not 0.10000000149011612. */
export function float32(value: number): number | string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 24) return value;
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

/** A 64-bit integer from its halves; a bigint where a number would be inexact. */
export function int64(low: number, high: number, signed: boolean): number | bigint {
  const top = signed ? high : high >>> 0;
  if (top >= -0x200000 && top < 0x200000) {
    const value = top * 0x100000000 + (low >>> 0);
    if (Number.isSafeInteger(value)) return value;
  }
  return (BigInt(top) << 32n) | BigInt(low >>> 0);
}

/** A big-endian two's complement integer of any length; 0 for no bytes. */
export function bigEndian(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${text}`));
}

/** `unscaled` × 10^-scale, all digits kept. `scale` from 0. */
export function decimal(unscaled: number | bigint, scale: number): Exact {
  // Both numbers are exact here, so that the quotient is the nearest one there is, and prints at most 15 digits.
  if (typeof unscaled === 'number' && Math.abs(unscaled) < 1e15 && scale <= 22) return unscaled / 10 ** scale;
  const whole = unscaled.toString();
  if (scale === 0) return exactNumber(whole);
  const minus = whole.startsWith('-') ? '-' : '';
  const digits = whole.slice(minus.length).padStart(scale + 1, '0');
  const point = digits.length - scale;
  return exactNumber(`${minus}${digits.slice(0, point)}.${digits.slice(point)}`);
}

/** Days since 1970-01-01 as `YYYY-MM-DD`; years outside 0000 to 9999 with a sign and six digits or more (ISO 8601). */
export function dateText(days: number): string {
  // Counted from 0000-03-01, a leap day ends the year: https://howardhinnant.github.io/date_algorithms.html.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${yearText(year)}-${two(month)}-${two(day)}`;
}

function yearText(year: number): string {
  if (year >= 0 && year <= 9999) return String(year).padStart(4, '0');
  return `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}`;
}

/** Fraction digits of a unit of time: 3 for milliseconds, 6, 9. */
export type FractionDigits = 3 | 6 | 9;

/** A count of units since midnight as `HH:mm:ss.f`, with as many fraction digits as the unit has. */
export function timeText(units: number | bigint, digits: FractionDigits): string {
  const perSecond = 10 ** digits;
  const count = Number(units);
  const seconds = Math.floor(count / perSecond);
  const fraction = String(count - seconds * perSecond).padStart(digits, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${fraction}`;
}

/** A count of units since 1970-01-01T00:00:00 as ISO 8601 text, with as many fraction digits as the unit has. */
export function timestampText(units: number | bigint, digits: FractionDigits, zone: 'Z' | ''): string {
  const perDay = 86_400 * 10 ** digits;
  let days: number;
  let rest: number;
  if (typeof units === 'number') {
    days = Math.floor(units / perDay);
    rest = units - days * perDay;
  } else {
    const whole = units / BigInt(perDay);
    const left = units % BigInt(perDay);
    days = Number(whole) - (left < 0n ? 1 : 0);
    rest = Number(left) + (left < 0n ? perDay : 0);
  }
  return `${dateText(days)}T${timeText(rest, digits)}${zone}`;
}

/** 16 bytes as a UUID in lower case. */
export function uuidText(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Twelve bytes: months, days and milliseconds, little endian, as an ISO 8601 duration such as `P1M2DT3.004S`. */
export function durationText(bytes: Buffer): string {
  const milliseconds = bytes.readUInt32LE(8);
  const fraction = String(milliseconds % 1000).padStart(3, '0');
  const seconds = `${Math.floor(milliseconds / 1000)}.${fraction}`;
  return `P${bytes.readUInt32LE(0)}M${bytes.readUInt32LE(4)}DT${seconds}S`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
