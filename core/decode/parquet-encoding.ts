import { readDelta } from './parquet-delta.ts';
import { corrupt, unsupported } from './parquet-footer.ts';
import { readHybrid, type Span } from './parquet-levels.ts';

/** Physical types and encodings by their numbers in parquet.thrift. */
export const physical = {
  boolean: 0,
  int32: 1,
  int64: 2,
  int96: 3,
  float: 4,
  double: 5,
  bytes: 6,
  fixed: 7,
} as const;
const PLAIN = 0;
const RLE = 3;
const DELTA = 5;
const DELTA_LENGTHS = 6;
const DELTA_BYTES = 7;
const BYTE_STREAM_SPLIT = 9;
/** Indexes into the chunk's dictionary: PLAIN_DICTIONARY and RLE_DICTIONARY. */
export const dictionaryEncodings: ReadonlySet<number | undefined> = new Set([2, 8]);

/** Values as they lie in a page: numbers of one width, or stretches of bytes (`ends` left out: `starts` are edges). */
export type RawValues =
  | { readonly kind: 'flags'; readonly flags: Uint8Array }
  | { readonly kind: 'int32'; readonly int32: Int32Array }
  /** Halves of 64-bit integers, the low one first. */
  | { readonly kind: 'int64'; readonly halves: Int32Array }
  | { readonly kind: 'float'; readonly float: Float32Array }
  | { readonly kind: 'double'; readonly double: Float64Array }
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly starts: Int32Array; readonly ends: Int32Array };

/** What a column's physical type is, and how many bytes a value of FIXED_LEN_BYTE_ARRAY has. */
export interface Physical {
  readonly type: number;
  readonly length: number;
}

/**
 * The `count` values of a page, encoded as number `encoding`. `maxBytes` bounds what prefixes that values share may
 * unfold to.
 */
export function readValues(
  span: Span,
  encoding: number | undefined,
  of: Physical,
  count: number,
  maxBytes: number,
): RawValues {
  if (encoding === PLAIN) return plain(span, of, count);
  if (encoding === RLE && of.type === physical.boolean) {
    // Its length stands before it, which the end of the page tells as well.
    span.at += 4;
    const flags = new Uint8Array(count);
    readHybrid(span, 1, flags);
    return { kind: 'flags', flags };
  }
  if (encoding === DELTA && of.type === physical.int32) {
    const int32 = new Int32Array(count);
    readDelta(span, int32);
    return { kind: 'int32', int32 };
  }
  if (encoding === DELTA && of.type === physical.int64) {
    const int64 = new BigInt64Array(count);
    readDelta(span, int64);
    return { kind: 'int64', halves: new Int32Array(int64.buffer) };
  }
  if (encoding === DELTA_LENGTHS && of.type === physical.bytes) return deltaLengths(span, count);
  if (encoding === DELTA_BYTES && (of.type === physical.bytes || of.type === physical.fixed)) {
    return deltaBytes(span, count, maxBytes);
  }
  if (encoding === BYTE_STREAM_SPLIT) return split(span, of, count);
  throw unsupported(`encoding ${encoding} for a column of type ${of.type}`);
}

function plain(span: Span, of: Physical, count: number): RawValues {
  if (of.type === physical.bytes) return plainBytes(span, count);
  const width = widthOf(of);
  if (of.type === physical.boolean) {
    need(span, Math.ceil(count / 8));
    const flags = new Uint8Array(count);
    for (let index = 0; index < count; index++) {
      flags[index] = ((span.bytes[span.at + (index >> 3)] as number) >> (index & 7)) & 1;
    }
    return { kind: 'flags', flags };
  }
  need(span, count * width);
  const bytes = span.bytes.subarray(span.at, span.at + count * width);
  return fixedWidth(bytes, of, width, count);
}

/** Values of one width, one behind the other. */
function fixedWidth(bytes: Buffer, of: Physical, width: number, count: number): RawValues {
  if (of.type === physical.int96 || of.type === physical.fixed) {
    const starts = Int32Array.from({ length: count }, (_, index) => index * width);
    return { kind: 'bytes', bytes, starts, ends: starts.map((start) => start + width) };
  }
  // A copy, because typed arrays begin at multiples of their width.
  const { buffer } = new Uint8Array(bytes);
  if (of.type === physical.int32) return { kind: 'int32', int32: new Int32Array(buffer) };
  if (of.type === physical.int64) return { kind: 'int64', halves: new Int32Array(buffer) };
  if (of.type === physical.float) return { kind: 'float', float: new Float32Array(buffer) };
  return { kind: 'double', double: new Float64Array(buffer) };
}

function widthOf(of: Physical): number {
  if (of.type === physical.int32 || of.type === physical.float) return 4;
  if (of.type === physical.int64 || of.type === physical.double) return 8;
  if (of.type === physical.int96) return 12;
  return of.type === physical.fixed ? of.length : 0;
}

function plainBytes(span: Span, count: number): RawValues {
  need(span, count * 4);
  const starts = new Int32Array(count);
  const ends = new Int32Array(count);
  for (let index = 0; index < count; index++) {
    need(span, 4);
    const length = span.bytes.readUInt32LE(span.at);
    span.at += 4;
    need(span, length);
    starts[index] = span.at;
    span.at += length;
    ends[index] = span.at;
  }
  return { kind: 'bytes', bytes: span.bytes, starts, ends };
}

function deltaLengths(span: Span, count: number): RawValues {
  const ends = new Int32Array(count);
  readDelta(span, ends);
  const starts = new Int32Array(count);
  for (let index = 0; index < count; index++) {
    const length = ends[index] as number;
    need(span, length);
    starts[index] = span.at;
    span.at += length;
    ends[index] = span.at;
  }
  return { kind: 'bytes', bytes: span.bytes, starts, ends };
}

/** Each value begins with bytes of the one before. */
function deltaBytes(span: Span, count: number, maxBytes: number): RawValues {
  const prefixes = new Int32Array(count);
  readDelta(span, prefixes);
  const suffixes = new Int32Array(count);
  readDelta(span, suffixes);
  let total = 0;
  for (let index = 0; index < count; index++) {
    const shared = prefixes[index] as number;
    const before = index === 0 ? 0 : (prefixes[index - 1] as number) + (suffixes[index - 1] as number);
    if (shared < 0 || shared > before) throw corrupt('a value shares more bytes than the one before has');
    total += shared + (suffixes[index] as number);
    if (!(total <= maxBytes)) throw unsupported(`the values of a page unfold to more than ${maxBytes} bytes`);
  }
  const bytes = Buffer.alloc(total);
  const starts = new Int32Array(count);
  const ends = new Int32Array(count);
  let at = 0;
  for (let index = 0; index < count; index++) {
    const shared = prefixes[index] as number;
    const own = suffixes[index] as number;
    need(span, own);
    if (shared > 0) bytes.copyWithin(at, starts[index - 1] as number, (starts[index - 1] as number) + shared);
    span.bytes.copy(bytes, at + shared, span.at, span.at + own);
    span.at += own;
    starts[index] = at;
    at += shared + own;
    ends[index] = at;
  }
  return { kind: 'bytes', bytes, starts, ends };
}

/** The first bytes of all values, then their second ones, … */
function split(span: Span, of: Physical, count: number): RawValues {
  const width = widthOf(of);
  if (width === 0) throw unsupported(`byte stream split for a column of type ${of.type}`);
  need(span, count * width);
  const bytes = Buffer.alloc(count * width);
  for (let lane = 0; lane < width; lane++) {
    const from = span.at + lane * count;
    for (let index = 0; index < count; index++) bytes[index * width + lane] = span.bytes[from + index] as number;
  }
  return fixedWidth(bytes, of, width, count);
}

function need(span: Span, count: number): void {
  if (count < 0 || count > span.end - span.at) throw corrupt('a page ends inside its values');
}
