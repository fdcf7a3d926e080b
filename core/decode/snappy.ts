/**
 * Unpacks one block of Snappy (https://github.com/google/snappy/blob/main/format_description.txt). Throws an Error for
 * damage, and when the block says that more than `maxBytes` come out.
 */
export function snappy(input: Uint8Array, maxBytes: number): Uint8Array {
  let at = 0;
  let length = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = input[at++];
    if (byte === undefined || at > 5) throw new Error('its length is cut off');
    length += (byte & 0x7f) * factor;
    if (byte < 0x80) break;
  }
  if (length > maxBytes) throw new RangeError(`${length} bytes come out`);
  const output = new Uint8Array(length);
  let out = 0;
  while (at < input.length) {
    const tag = input[at++] as number;
    const kind = tag & 3;
    if (kind === 0) {
      let count = (tag >> 2) + 1;
      if (count > 60) {
        const extra = count - 60;
        count = littleEndian(input, at, extra) + 1;
        at += extra;
      }
      if (at + count > input.length || out + count > length) throw new Error('a literal is cut off');
      // Bytes one by one are faster than a view for the short literals that are most.
      if (count <= 16) for (let index = 0; index < count; index++) output[out + index] = input[at + index] as number;
      else output.set(input.subarray(at, at + count), out);
      at += count;
      out += count;
      continue;
    }
    let count = (tag >> 2) + 1;
    let offset: number;
    if (kind === 1) {
      count = ((tag >> 2) & 7) + 4;
      offset = (tag >> 5) * 256 + littleEndian(input, at, 1);
      at += 1;
    } else {
      const width = kind === 2 ? 2 : 4;
      offset = littleEndian(input, at, width);
      at += width;
    }
    if (offset === 0 || offset > out || out + count > length) throw new Error('a copy points outside');
    const from = out - offset;
    if (count > 32 && offset >= count) output.copyWithin(out, from, from + count);
    else for (let index = 0; index < count; index++) output[out + index] = output[from + index] as number;
    out += count;
  }
  if (out !== length) throw new Error('it ends early');
  return output;
}

function littleEndian(bytes: Uint8Array, at: number, width: number): number {
  if (at + width > bytes.length) throw new Error('it is cut off');
  if (width === 1) return bytes[at] as number;
  if (width === 2) return (bytes[at] as number) + (bytes[at + 1] as number) * 256;
  let value = 0;
  for (let index = width - 1; index >= 0; index--) value = value * 256 + (bytes[at + index] as number);
  return value;
}
