/** A canonical prefix code of one table, ready for decoding. */
export interface PrefixCode {
  /** By the next {@link FAST_BITS} bits: the symbol times 32 plus its length, 0 for longer codes. */
  readonly fast: Uint16Array;
  /** By length: the first code that is longer, aligned to 20 bits. */
  readonly ends: Int32Array;
  /** By length: what turns a code of this length into its place in `symbols`. */
  readonly offsets: Int32Array;
  readonly symbols: Uint16Array;
}

/** Symbols rarely have longer codes, and tables of this size stay in the cache. */
export const FAST_BITS = 10;
/** bzip2 writes 17 at most, and earlier versions 20. */
export const MAX_CODE_BITS = 20;

/** The canonical code in which symbol `s` has `lengths[s]` bits, each 1 to 20. */
export function prefixCode(lengths: Uint8Array): PrefixCode {
  const fast = new Uint16Array(1 << FAST_BITS);
  const ends = new Int32Array(MAX_CODE_BITS + 1);
  const offsets = new Int32Array(MAX_CODE_BITS + 1);
  const symbols = new Uint16Array(lengths.length);
  let code = 0;
  let count = 0;
  for (let length = 1; length <= MAX_CODE_BITS; length += 1) {
    code <<= 1;
    offsets[length] = count - code;
    for (let symbol = 0; symbol < lengths.length; symbol += 1) {
      if (lengths[symbol] !== length) continue;
      symbols[count++] = symbol;
      if (length <= FAST_BITS) {
        const from = code << (FAST_BITS - length);
        fast.fill((symbol << 5) | length, from, from + (1 << (FAST_BITS - length)));
      }
      code += 1;
    }
    ends[length] = code << (MAX_CODE_BITS - length);
  }
  return { fast, ends, offsets, symbols };
}
