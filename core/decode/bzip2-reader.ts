import { type BlockBytes, blockBytes } from './bzip2-block.ts';
import { FAST_BITS, MAX_CODE_BITS, type PrefixCode } from './bzip2-code.ts';
import { type Block, readBlockHeader } from './bzip2-header.ts';

/** Reads bzip2 piece by piece: give it bytes, then ask for what they hold. */
export interface Bzip2Reader {
  feed(bytes: Uint8Array): void;
  /**
   * The next bytes, at most {@link PIECE_BYTES}, or `more`: it has read all it was given. Throws an Error that says what
   * is wrong with the data; what it gave before is good, as far as blocks of ordinary length go.
   */
  next(): Uint8Array | 'more';
  /** Whether the data may end where it has read to. */
  isComplete(): boolean;
}

/** A block is 900,000 bytes at most, and more only where runs shrank: most blocks are checked before they are given. */
const PIECE_BYTES = 1024 * 1024;

const BLOCK_STEP = 100_000;
/** Symbols for which one code is used. */
const GROUP = 50;
/** What stands before a block's symbols; the longest that a writer has reason to write is 22 KB. */
const MAX_HEADER_BYTES = 64 * 1024;
/** Zeros behind the input, so that the reader may look beyond its end. */
const PADDING = 4;

/** Thrown inside, where the input ends in the middle of something. */
const hungry = Symbol('more input is needed');

/** Opens a reader of one stream or several, one after another. Memory: 4 bytes for each byte of a block, and a piece. */
export function bzip2Reader(): Bzip2Reader {
  let input = new Uint8Array(PADDING);
  let bit = 0;
  let limit = 0;
  let state: 'stream' | 'block' | 'symbols' | 'bytes' = 'stream';
  let isFresh = true;
  let maxLength = 0;
  let sorted = new Uint32Array();
  const counts = new Uint32Array(256);
  const group = new Uint16Array(GROUP);
  let block: Block | undefined;
  let bytes: BlockBytes | undefined;
  let streamCrc = 0;

  const word = (): number => {
    const at = bit >>> 3;
    const four =
      ((input[at] as number) << 24) |
      ((input[at + 1] as number) << 16) |
      ((input[at + 2] as number) << 8) |
      (input[at + 3] as number);
    return four << (bit & 7);
  };
  /** Up to 24 bits. */
  const bits = (count: number): number => {
    if (bit + count > limit) throw hungry;
    const value = word() >>> (32 - count);
    bit += count;
    return value;
  };
  const long = (): number => bits(16) * 65_536 + bits(16);

  const readStream = (): void => {
    const [mark, level] = [bits(24), bits(8) - 0x30];
    if (mark !== 0x425a68 || level < 1 || level > 9)
      throw new Error('bytes that are no bzip2 follow the end of the data');
    maxLength = level * BLOCK_STEP;
    if (sorted.length < maxLength) sorted = new Uint32Array(maxLength);
    streamCrc = 0;
    state = 'block';
  };

  const readBlock = (): void => {
    const [high, low, crc] = [bits(24), bits(24), long()];
    if (high === 0x177245 && low === 0x385090) {
      if (crc !== streamCrc >>> 0) throw new Error('wrong checksum of the data');
      bit = (bit + 7) & ~7;
      isFresh = false;
      state = 'stream';
      return;
    }
    if (high !== 0x314159 || low !== 0x265359) throw new Error('no block where one begins');
    block = readBlockHeader(bits, crc);
    counts.fill(0);
    state = 'symbols';
  };

  /** Reads the symbols of one group into `group`; how many, the end's included. */
  const readGroup = (code: PrefixCode, end: number): number => {
    for (let count = 0; count < GROUP; count += 1) {
      const next = word();
      const entry = code.fast[next >>> (32 - FAST_BITS)] as number;
      let symbol = entry >>> 5;
      let length = entry & 31;
      if (length === 0) {
        const code20 = next >>> (32 - MAX_CODE_BITS);
        length = FAST_BITS + 1;
        while (length <= MAX_CODE_BITS && code20 >= (code.ends[length] as number)) length += 1;
        if (length > MAX_CODE_BITS) {
          if (bit + MAX_CODE_BITS > limit) throw hungry;
          throw new Error('a code that stands for nothing');
        }
        symbol = code.symbols[(code.offsets[length] as number) + (code20 >>> (MAX_CODE_BITS - length))] as number;
      }
      bit += length;
      if (bit > limit) throw hungry;
      group[count] = symbol;
      if (symbol === end) return count + 1;
    }
    return GROUP;
  };

  const endRun = (current: Block): void => {
    const byte = current.recent[0] as number;
    const to = current.length + current.run;
    if (to > maxLength) throw new Error('a block longer than it may be');
    sorted.fill(byte, current.length, to);
    counts[byte] = (counts[byte] as number) + current.run;
    current.length = to;
    current.run = 0;
    current.weight = 1;
  };

  /** Works on symbols until the block or the input ends; true at the end of the block. */
  const readSymbols = (current: Block): boolean => {
    const { recent, end } = current;
    for (;;) {
      if (current.group === current.selectors.length) throw new Error('a block without an end');
      const before = bit;
      let count: number;
      try {
        count = readGroup(current.codes[current.selectors[current.group] as number] as PrefixCode, end);
      } catch (error) {
        bit = before;
        throw error;
      }
      current.group += 1;
      for (let index = 0; index < count; index += 1) {
        const symbol = group[index] as number;
        if (symbol <= 1) {
          current.run += current.weight << symbol;
          current.weight *= 2;
          // Before the weight could outgrow 31 bits.
          if (current.run > maxLength) throw new Error('a run longer than its block');
          continue;
        }
        if (current.run > 0) endRun(current);
        if (symbol === end) return true;
        const place = symbol - 1;
        const byte = recent[place] as number;
        if (place < 16) for (let n = place; n > 0; n -= 1) recent[n] = recent[n - 1] as number;
        else recent.copyWithin(1, 0, place);
        recent[0] = byte;
        if (current.length === maxLength) throw new Error('a block longer than it may be');
        sorted[current.length++] = byte;
        counts[byte] = (counts[byte] as number) + 1;
      }
    }
  };

  const readPiece = (current: Block, from: BlockBytes): Uint8Array => {
    const piece = from.next(PIECE_BYTES);
    if (!from.isDone()) return piece;
    if (from.crc() >>> 0 !== current.crc) throw new Error('wrong checksum of a block');
    streamCrc = ((streamCrc << 1) | (streamCrc >>> 31)) ^ current.crc;
    block = undefined;
    bytes = undefined;
    state = 'block';
    return piece;
  };

  const step = (): Uint8Array | undefined => {
    if (block && bytes) return readPiece(block, bytes);
    if (block) {
      if (!readSymbols(block)) return undefined;
      if (block.origin >= block.length) throw new Error('a block without a beginning');
      bytes = blockBytes(sorted, block.length, counts, block);
      state = 'bytes';
      return undefined;
    }
    const before = bit;
    try {
      if (state === 'stream') readStream();
      else readBlock();
    } catch (error) {
      bit = before;
      if (error === hungry && limit - before > MAX_HEADER_BYTES * 8)
        throw new Error('a block without an end of its header');
      throw error;
    }
    return undefined;
  };

  return {
    feed(more) {
      const done = bit >>> 3;
      const left = (limit >>> 3) - done;
      const joined = new Uint8Array(left + more.length + PADDING);
      joined.set(input.subarray(done, done + left));
      joined.set(more, left);
      input = joined;
      bit -= done * 8;
      limit = (left + more.length) * 8;
    },
    next() {
      try {
        for (;;) {
          const piece = step();
          if (piece) return piece;
        }
      } catch (error) {
        if (error !== hungry) throw error;
        return 'more';
      }
    },
    isComplete: () => state === 'stream' && !isFresh && bit === limit,
  };
}
