import { flippedPlaces } from './bzip2-mask.ts';

/** What a block came with, apart from its symbols. */
export interface BlockFacts {
  readonly crc: number;
  readonly isRandomised: boolean;
  /** Where the sorted block has its first byte. */
  readonly origin: number;
}

const RUN = 4;

/** CRC-32 with the highest bit first, which no platform function offers. */
const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});

/** Gives the bytes of a block from its sorted form, piece by piece. */
export interface BlockBytes {
  /** The next bytes, as many as there are up to `most`; fewer only at the end of the block. */
  next(most: number): Uint8Array;
  readonly isDone: () => boolean;
  /** Of all bytes given so far. */
  readonly crc: () => number;
}

/**
 * Undoes the sorting (Burrows-Wheeler) and the first run lengths of a block. `sorted` holds its bytes, `counts` how
 * often each occurs; `sorted` is worked on, and its upper 24 bits must be zero.
 */
export function blockBytes(sorted: Uint32Array, length: number, counts: Uint32Array, facts: BlockFacts): BlockBytes {
  link(sorted, length, counts);
  const flips = facts.isRandomised ? flippedPlaces() : undefined;
  let flipped = flips ? flips.next().value : -1;
  let place = 0;
  let pointer = (sorted[facts.origin] as number) >>> 8;
  let crc = -1;
  let previous = -1;
  let run = 0;
  let repeats = 0;
  return {
    isDone: () => place === length && repeats === 0,
    crc: () => ~crc,
    next(most) {
      const out = Buffer.allocUnsafeSlow(most);
      let at = 0;
      while (at < most) {
        if (repeats > 0) {
          const times = Math.min(repeats, most - at);
          for (let n = 0; n < times; n += 1) {
            out[at++] = previous;
            crc = (crc << 8) ^ (crcTable[(crc >>> 24) ^ previous] as number);
          }
          repeats -= times;
          continue;
        }
        if (place === length) break;
        const entry = sorted[pointer] as number;
        pointer = entry >>> 8;
        let byte = entry & 0xff;
        if (place === flipped) {
          byte ^= 1;
          flipped = (flips as Generator<number, never>).next().value;
        }
        place += 1;
        if (run === RUN) {
          // After four equal bytes stands how many more there are.
          repeats = byte;
          run = 0;
          continue;
        }
        run = byte === previous ? run + 1 : 1;
        previous = byte;
        out[at++] = byte;
        crc = (crc << 8) ^ (crcTable[(crc >>> 24) ^ byte] as number);
      }
      return out.subarray(0, at);
    },
  };
}

/** Writes to each place, above its byte, the place of the byte that follows it. */
function link(sorted: Uint32Array, length: number, counts: Uint32Array): void {
  const starts = new Uint32Array(256);
  let sum = 0;
  for (let byte = 0; byte < 256; byte += 1) {
    starts[byte] = sum;
    sum += counts[byte] as number;
  }
  for (let place = 0; place < length; place += 1) {
    const byte = (sorted[place] as number) & 0xff;
    const to = starts[byte] as number;
    starts[byte] = to + 1;
    sorted[to] = (sorted[to] as number) | (place << 8);
  }
}
