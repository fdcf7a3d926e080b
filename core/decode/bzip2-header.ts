import { MAX_CODE_BITS, type PrefixCode, prefixCode } from './bzip2-code.ts';

/** Takes up to 24 bits off the input. */
export type Bits = (count: number) => number;

/** A block whose symbols are being read. */
export interface Block {
  readonly crc: number;
  readonly isRandomised: boolean;
  readonly origin: number;
  /** The bytes that occur, the latest in front; changes with each symbol. */
  readonly recent: Uint8Array;
  /** The symbol that ends the block. */
  readonly end: number;
  readonly selectors: Uint8Array;
  readonly codes: readonly PrefixCode[];
  group: number;
  length: number;
  /** Of a run that is being counted. */
  run: number;
  weight: number;
}

/** bzip2 takes this many groups and passes over the numbers of others. */
const MAX_GROUPS = 18_002;

/** Reads what stands between a block's checksum and its symbols. */
export function readBlockHeader(bits: Bits, crc: number): Block {
  const isRandomised = bits(1) === 1;
  const origin = bits(24);
  const recent = readAlphabet(bits);
  const tables = bits(3);
  const selectors = readSelectors(bits, tables);
  const codes = Array.from({ length: tables }, () => prefixCode(readLengths(bits, recent.length + 2)));
  return {
    ...{ crc, isRandomised, origin, recent, end: recent.length + 1, selectors, codes },
    ...{ group: 0, length: 0, run: 0, weight: 1 },
  };
}

/** The bytes that occur in a block, in order. */
function readAlphabet(bits: Bits): Uint8Array {
  const sixteens = bits(16);
  const bytes: number[] = [];
  for (let high = 0; high < 16; high += 1) {
    if (((sixteens >>> (15 - high)) & 1) === 0) continue;
    const used = bits(16);
    for (let low = 0; low < 16; low += 1) if ((used >>> (15 - low)) & 1) bytes.push(high * 16 + low);
  }
  if (bytes.length === 0) throw new Error('a block without bytes');
  return Uint8Array.from(bytes);
}

/** Which code each group of symbols has. */
function readSelectors(bits: Bits, tables: number): Uint8Array {
  const count = bits(15);
  if (tables < 2 || tables > 6 || count === 0) throw new Error('a block without codes');
  const recent = Array.from({ length: tables }, (_, index) => index);
  const selectors = new Uint8Array(Math.min(count, MAX_GROUPS));
  for (let index = 0; index < count; index += 1) {
    let place = 0;
    while (bits(1) === 1) place += 1;
    if (place >= tables) throw new Error('a code that is not there');
    const [selector = 0] = recent.splice(place, 1);
    recent.unshift(selector);
    if (index < MAX_GROUPS) selectors[index] = selector;
  }
  return selectors;
}

/** The length of each symbol's code. */
function readLengths(bits: Bits, count: number): Uint8Array {
  const lengths = new Uint8Array(count);
  let length = bits(5);
  for (let symbol = 0; symbol < count; symbol += 1) {
    for (;;) {
      if (length < 1 || length > MAX_CODE_BITS) throw new Error('a code of no possible length');
      if (bits(1) === 0) break;
      length += bits(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return lengths;
}
