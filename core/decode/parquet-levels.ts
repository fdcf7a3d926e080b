import { corrupt } from './parquet-footer.ts';

/** Where reading goes on, and where the data ends. */
export interface Span {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;
}

/** An unsigned integer of up to 32 bits, seven of them a byte. */
export function varint32(span: Span): number {
  let value = 0;
  for (let factor = 1; factor < 2 ** 35; factor *= 128) {
    const byte = span.at < span.end ? span.bytes[span.at++] : undefined;
    if (byte === undefined) throw corrupt('a page ends in the middle');
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
  }
  throw corrupt('a number is longer than it can be');
}

/** `width` bits (up to 32) from a bit's place on, the low ones first. */
export function bitsAt(bytes: Buffer, bit: number, width: number): number {
  const at = bit >>> 3;
  const shift = bit & 7;
  const word =
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24);
  let value = word >>> shift;
  if (shift + width > 32) value |= (bytes[at + 4] as number) << (32 - shift);
  return width === 32 ? value : value & ((1 << width) - 1);
}

/**
 * Fills `out` from runs and bit-packed groups (Parquet's RLE encoding) of `width` bits a value. What lies behind the
 * last value is passed over. Never writes more than `out` holds, whatever a run says.
 */
export function readHybrid(span: Span, width: number, out: Uint8Array | Int32Array): void {
  if (width > 32) throw corrupt(`values of ${width} bits`);
  const { bytes } = span;
  let filled = 0;
  while (filled < out.length) {
    const header = varint32(span);
    const rest = out.length - filled;
    if (header % 2 === 0) {
      const count = Math.min(header / 2, rest);
      const size = (width + 7) >> 3;
      if (span.at + size > span.end) throw corrupt('a page ends inside a run');
      out.fill(size === 0 ? 0 : bytes.readUIntLE(span.at, size), filled, filled + count);
      span.at += size;
      filled += count;
      continue;
    }
    const packed = ((header - 1) / 2) * 8;
    const count = Math.min(packed, rest);
    // Some writers leave out the last bytes of a group that no value needs.
    if (Math.ceil((count * width) / 8) > span.end - span.at) throw corrupt('a page ends inside packed values');
    const first = span.at * 8;
    for (let index = 0; index < count; index++) out[filled + index] = bitsAt(bytes, first + index * width, width);
    span.at = Math.min(span.end, span.at + (packed * width) / 8);
    filled += count;
  }
}

/** Bits that hold levels up to this one. */
export function levelWidth(maximum: number): number {
  return 32 - Math.clz32(maximum);
}
