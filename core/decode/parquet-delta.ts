import { corrupt } from './parquet-footer.ts';
import { bitsAt, type Span, varint32 } from './parquet-levels.ts';

/**
 * Fills `out` from differences packed in blocks (DELTA_BINARY_PACKED), and leaves `span` behind them. Sums wrap around
 * as the format asks.
 */
export function readDelta(span: Span, out: Int32Array | BigInt64Array): void {
  if (out.length === 0) return;
  const blockValues = varint32(span);
  const miniblocks = varint32(span);
  const total = varint32(span);
  const perMiniblock = blockValues / miniblocks;
  if (!(perMiniblock > 0) || perMiniblock % 8 !== 0 || miniblocks > 1024) throw corrupt('a delta block has no shape');
  if (total < out.length) throw corrupt('a page holds fewer values than it says');
  const put = out instanceof Int32Array ? adder32(out) : adder64(out);
  put.first(zigzag64(span));
  for (let filled = 1; filled < out.length; ) {
    put.base(zigzag64(span));
    const widths = span.at;
    if (widths + miniblocks > span.end) throw corrupt('a page ends inside a delta block');
    span.at += miniblocks;
    for (let index = 0; index < miniblocks && filled < out.length; index++) {
      const width = span.bytes[widths + index] as number;
      const count = Math.min(perMiniblock, out.length - filled);
      if (width > 64) throw corrupt(`differences of ${width} bits`);
      if (Math.ceil((count * width) / 8) > span.end - span.at) throw corrupt('a page ends inside differences');
      put.next(span, width, filled, count);
      span.at = Math.min(span.end, span.at + (perMiniblock * width) / 8);
      filled += count;
    }
  }
}

interface Adder {
  first(value: bigint): void;
  base(value: bigint): void;
  next(span: Span, width: number, from: number, count: number): void;
}

function adder32(out: Int32Array): Adder {
  let value = 0;
  let base = 0;
  return {
    first: (from) => {
      value = Number(BigInt.asIntN(32, from));
      out[0] = value;
    },
    base: (from) => {
      base = Number(BigInt.asIntN(32, from));
    },
    next: ({ bytes, at }, width, from, count) => {
      // Bits above the 32nd vanish from a sum that wraps around at 32.
      const low = Math.min(width, 32);
      for (let index = 0; index < count; index++) {
        const difference = low === 0 ? 0 : bitsAt(bytes, at * 8 + index * width, low);
        value = (value + base + difference) | 0;
        out[from + index] = value;
      }
    },
  };
}

function adder64(out: BigInt64Array): Adder {
  let value = 0n;
  let base = 0n;
  return {
    first: (from) => {
      value = BigInt.asIntN(64, from);
      out[0] = value;
    },
    base: (from) => {
      base = from;
    },
    next: ({ bytes, at }, width, from, count) => {
      for (let index = 0; index < count; index++) {
        const bit = at * 8 + index * width;
        const low = width === 0 ? 0 : bitsAt(bytes, bit, Math.min(width, 32)) >>> 0;
        const high = width > 32 ? bitsAt(bytes, bit + 32, width - 32) >>> 0 : 0;
        const difference = high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
        value = BigInt.asIntN(64, value + base + difference);
        out[from + index] = value;
      }
    },
  };
}

function zigzag64(span: Span): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = span.at < span.end ? span.bytes[span.at++] : undefined;
    if (byte === undefined) throw corrupt('a page ends in the middle');
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return value % 2n === 0n ? value / 2n : -(value + 1n) / 2n;
  }
  throw corrupt('a number is longer than it can be');
}
