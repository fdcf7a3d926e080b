/**
 * Unpacks one block of LZ4 (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md) of which `length` bytes come
 * out. Throws an Error for damage and for any other length.
 */
export function lz4Block(input: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length);
  let at = 0;
  let out = 0;
  const extended = (start: number): number => {
    let count = start;
    if (start < 15) return count;
    for (;;) {
      const byte = input[at++];
      if (byte === undefined) throw new Error('a length is cut off');
      count += byte;
      if (byte < 255) return count;
    }
  };
  while (at < input.length) {
    const token = input[at++] as number;
    const literals = extended(token >> 4);
    if (at + literals > input.length || out + literals > length) throw new Error('a literal is cut off');
    output.set(input.subarray(at, at + literals), out);
    at += literals;
    out += literals;
    if (at === input.length) break;
    const offset = (input[at] as number) | ((input[at + 1] ?? 0) << 8);
    at += 2;
    const count = extended(token & 15) + 4;
    if (offset === 0 || offset > out || out + count > length) throw new Error('a copy points outside');
    for (let index = 0; index < count; index++) output[out + index] = output[out + index - offset] as number;
    out += count;
  }
  if (out !== length) throw new Error('it ends early');
  return output;
}

/**
 * LZ4 as Hadoop frames it: blocks with the sizes of what comes out and what goes in, big endian. Parquet's codec `LZ4`
 * is this or, from older writers, a bare block.
 */
export function lz4Hadoop(input: Uint8Array, length: number): Uint8Array {
  try {
    return framed(input, length);
  } catch {
    return lz4Block(input, length);
  }
}

function framed(input: Uint8Array, length: number): Uint8Array {
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  const parts: Uint8Array[] = [];
  let at = 0;
  let out = 0;
  while (at < input.length) {
    const unpacked = view.getUint32(at);
    const packed = view.getUint32(at + 4);
    at += 8;
    if (at + packed > input.length || out + unpacked > length) throw new Error('a block is cut off');
    parts.push(lz4Block(input.subarray(at, at + packed), unpacked));
    at += packed;
    out += unpacked;
  }
  if (out !== length) throw new Error('it ends early');
  return Buffer.concat(parts);
}
