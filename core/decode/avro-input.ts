import { corrupt } from './avro-fault.ts';

/** The unpacked bytes of one block, and what is known of the record that is being read. */
export interface AvroInput {
  readonly bytes: Buffer;
  at: number;
  /** Elements that may still come: more than there are bytes only in damaged files, whose counts would never end. */
  elements: number;
  /** As `ValueBatch.add` wants it. */
  weight: number;
  depth: number;
  readonly maxWeight: number;
  readonly maxDepth: number;
  /** What is wrong with the record. Reading goes on to its end, because the next one begins there. */
  isTooDeep: boolean;
  isTooLong: boolean;
  isNotUtf8: boolean;
}

/** Elements that take no bytes, such as nulls, which a block may hold besides those that take some. */
const EMPTY_ELEMENTS = 100_000;
/** Recursion goes no deeper, whatever `maxDepth` is. */
const MAX_NESTING = 1000;

export function avroInput(
  bytes: Buffer,
  limits: { readonly maxRowBytes: number; readonly maxDepth: number },
): AvroInput {
  return {
    bytes,
    at: 0,
    elements: bytes.length + EMPTY_ELEMENTS,
    weight: 0,
    depth: 0,
    maxWeight: limits.maxRowBytes,
    maxDepth: limits.maxDepth,
    isTooDeep: false,
    isTooLong: false,
    isNotUtf8: false,
  };
}

export function beginRecord(input: AvroInput): void {
  input.weight = 0;
  input.depth = 0;
  input.isTooDeep = false;
  input.isTooLong = false;
  input.isNotUtf8 = false;
}

export function addWeight(input: AvroInput, weight: number): void {
  input.weight += weight;
  if (input.weight > input.maxWeight) input.isTooLong = true;
}

export function enter(input: AvroInput): void {
  input.depth++;
  if (input.depth > input.maxDepth) input.isTooDeep = true;
  if (input.depth > MAX_NESTING) throw corrupt(`a record is nested deeper than ${MAX_NESTING} levels`);
}

/** Counts elements in before they are read. */
export function takeElements(input: AvroInput, count: number): void {
  input.elements -= count;
  if (input.elements < 0) throw corrupt('it says that there are more values than it has bytes');
}

/** A view of the next bytes. */
export function takeBytes(input: AvroInput, count: number): Buffer {
  const start = input.at;
  if (!(count >= 0 && count <= input.bytes.length - start)) throw corrupt('a value ends behind its block');
  input.at += count;
  return input.bytes.subarray(start, input.at);
}

/** A long: a number if it is exact, else a bigint. Zigzag, seven bits a byte, ten bytes at most. */
export function takeLong(input: AvroInput): number | bigint {
  const { bytes } = input;
  let value = 0;
  for (let factor = 1; factor < 2 ** 49; factor *= 128) {
    const byte = bytes[input.at++];
    if (byte === undefined) throw corrupt('a number ends behind its block');
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  let big = BigInt(value);
  for (let shift = 49n; shift < 70n; shift += 7n) {
    const byte = bytes[input.at++];
    if (byte === undefined) throw corrupt('a number ends behind its block');
    big |= BigInt(byte & 0x7f) << shift;
    if (byte >= 0x80) continue;
    if (big >= 1n << 64n) break;
    const long = big % 2n === 0n ? big / 2n : -(big + 1n) / 2n;
    return long >= Number.MIN_SAFE_INTEGER && long <= Number.MAX_SAFE_INTEGER ? Number(long) : long;
  }
  throw corrupt('a number is longer than 64 bits');
}

/** A size or an index: what is no safe integer is damage. */
export function takeCount(input: AvroInput): number {
  const count = takeLong(input);
  if (typeof count === 'bigint') throw corrupt('a size is out of bounds');
  return count;
}
