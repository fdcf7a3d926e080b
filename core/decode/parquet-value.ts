import {
  bigEndian,
  dateText,
  decimal,
  durationText,
  type FractionDigits,
  finite,
  float32,
  int64,
  timestampText,
  timeText,
  uuidText,
} from './binary-values.ts';
import { physical, type RawValues } from './parquet-encoding.ts';
import { corrupt, type SchemaElement } from './parquet-footer.ts';
import { textOf } from './utf8.ts';

/** How bytes stand in a row that no logical type says to be text. */
export type BinaryAs = 'base64' | 'text';

/** The value at an index of a page's raw values. */
export type ValueAt = (index: number) => unknown;

/** Legacy names of logical types, by their numbers in parquet.thrift. */
const converted = {
  decimal: 5,
  date: 6,
  timeMillis: 7,
  timeMicros: 8,
  timestampMillis: 9,
  timestampMicros: 10,
  unsigned32: 13,
  unsigned64: 14,
  interval: 21,
};
const convertedTexts: ReadonlySet<number | undefined> = new Set([0, 4, 19]);
const MAX_SCALE = 1000;
/** Days from the Julian epoch to 1970-01-01, which INT96 counts from. */
const JULIAN_EPOCH = 2_440_588;

/**
 * How values of a column become values of a row. A function of the column, so that its type is looked at once; the
 * returned one is called for each page.
 */
export function valueReader(element: SchemaElement, binary: BinaryAs): (raw: RawValues) => ValueAt {
  const number = numberReader(element);
  const bytes = bytesReader(element, binary);
  return (raw) => {
    switch (raw.kind) {
      case 'flags':
        return (index) => raw.flags[index] === 1;
      case 'float':
        return (index) => float32(raw.float[index] as number);
      case 'double':
        return (index) => finite(raw.double[index] as number);
      case 'int32':
        return number ? (index) => number(raw.int32[index] as number) : (index) => raw.int32[index];
      case 'int64': {
        const isSigned = !isUnsigned(element);
        const { halves } = raw;
        const at: (index: number) => number | bigint = (index) =>
          int64(halves[index * 2] as number, halves[index * 2 + 1] as number, isSigned);
        return number ? (index) => number(at(index)) : at;
      }
      case 'bytes':
        return (index) => bytes(raw.bytes.subarray(raw.starts[index], raw.ends[index]));
    }
  };
}

function isUnsigned({ logical, converted: code }: SchemaElement): boolean {
  return logical?.integer?.isSigned === false || code === converted.unsigned32 || code === converted.unsigned64;
}

/** For columns of 32 and 64-bit integers; undefined when they are just that. */
function numberReader(element: SchemaElement): ((value: number | bigint) => unknown) | undefined {
  const { logical, converted: code, type } = element;
  if (logical?.decimal || code === converted.decimal) {
    const scale = scaleOf(element);
    return (value) => decimal(value, scale);
  }
  if (logical?.date || code === converted.date) return (value) => dateText(Number(value));
  const time = logical?.time ?? (code === converted.timeMillis || code === converted.timeMicros ? {} : undefined);
  if (time) {
    const digits = digitsOf(time.unit, code === converted.timeMillis);
    return (value) => timeText(value, digits);
  }
  const isInstant = code === converted.timestampMillis || code === converted.timestampMicros;
  if (logical?.timestamp || isInstant) {
    const digits = digitsOf(logical?.timestamp?.unit, code === converted.timestampMillis);
    // The legacy names know instants only.
    const zone = (logical?.timestamp?.isUtc ?? true) ? 'Z' : '';
    return (value) => timestampText(value, digits, zone);
  }
  return isUnsigned(element) && type === physical.int32 ? (value) => Number(value) >>> 0 : undefined;
}

function digitsOf(
  unit: { readonly milliseconds?: true; readonly microseconds?: true; readonly nanoseconds?: true } | undefined,
  isMillis: boolean,
): FractionDigits {
  if (unit?.nanoseconds) return 9;
  if (unit?.microseconds) return 6;
  return unit?.milliseconds || isMillis ? 3 : 6;
}

function scaleOf(element: SchemaElement): number {
  const scale = element.logical?.decimal?.scale ?? element.scale ?? 0;
  if (scale < 0 || scale > MAX_SCALE) throw corrupt(`the scale of ${element.name} is ${scale}`);
  return scale;
}

function bytesReader(element: SchemaElement, binary: BinaryAs): (bytes: Buffer) => unknown {
  const { logical, converted: code, type, length } = element;
  if (logical?.decimal || code === converted.decimal) {
    const scale = scaleOf(element);
    return (bytes) =>
      decimal(bytes.length <= 6 && bytes.length > 0 ? bytes.readIntBE(0, bytes.length) : bigEndian(bytes), scale);
  }
  if (type === physical.int96) return int96Text;
  if (logical?.float16 && length === 2) return (bytes) => finite(float16(bytes.readUInt16LE(0)));
  if (logical?.uuid && length === 16) return uuidText;
  if (code === converted.interval && length === 12) return durationText;
  const isText = logical?.text || logical?.enumeration || logical?.json || convertedTexts.has(code);
  if (isText || (binary === 'text' && type === physical.bytes)) return textOf;
  return (bytes) => bytes.toString('base64');
}

/** Nanoseconds of the day and a Julian day, in no zone that the file would name. */
function int96Text(bytes: Buffer): string {
  const nanoseconds = bytes.readBigUInt64LE(0);
  const days = BigInt(bytes.readInt32LE(8) - JULIAN_EPOCH);
  return timestampText(days * 86_400_000_000_000n + nanoseconds, 9, '');
}

function float16(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
