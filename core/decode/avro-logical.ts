import { bigEndian, dateText, decimal, durationText, timestampText, timeText, uuidText } from './binary-values.ts';

/** Turns a value as it lies in the file into that of a row. */
export type Convert = (value: never) => unknown;

/** A scale that no decimal in earnest has: digits would be made of nothing. */
const MAX_SCALE = 1000;

const ofInt: Readonly<Record<string, (value: number) => unknown>> = {
  date: dateText,
  'time-millis': (value) => timeText(value, 3),
};

const ofLong: Readonly<Record<string, (value: number | bigint) => unknown>> = {
  'time-micros': (value) => timeText(value, 6),
  'timestamp-millis': (value) => timestampText(value, 3, 'Z'),
  'timestamp-micros': (value) => timestampText(value, 6, 'Z'),
  'timestamp-nanos': (value) => timestampText(value, 9, 'Z'),
  'local-timestamp-millis': (value) => timestampText(value, 3, ''),
  'local-timestamp-micros': (value) => timestampText(value, 6, ''),
  'local-timestamp-nanos': (value) => timestampText(value, 9, ''),
};

const base64 = (bytes: Buffer) => bytes.toString('base64');

/**
 * What becomes of values of a type with this logical type. An unknown one, or one that does not fit the type, is passed
 * over, as the specification asks; undefined: the value stays as it is.
 */
export function convertOf(type: string, schema: Readonly<Record<string, unknown>>): Convert | undefined {
  const { logicalType, scale = 0, size } = schema;
  const name = typeof logicalType === 'string' ? logicalType : '';
  if (type === 'int') return Object.hasOwn(ofInt, name) ? ofInt[name] : undefined;
  if (type === 'long') return Object.hasOwn(ofLong, name) ? ofLong[name] : undefined;
  if (type !== 'bytes' && type !== 'fixed') return undefined;
  if (name === 'decimal' && Number.isInteger(scale) && (scale as number) >= 0 && (scale as number) <= MAX_SCALE) {
    return (bytes: Buffer) => {
      const isShort = bytes.length > 0 && bytes.length <= 6;
      return decimal(isShort ? bytes.readIntBE(0, bytes.length) : bigEndian(bytes), scale as number);
    };
  }
  if (type === 'fixed' && name === 'uuid' && size === 16) return uuidText;
  if (type === 'fixed' && name === 'duration' && size === 12) return durationText;
  return base64;
}
