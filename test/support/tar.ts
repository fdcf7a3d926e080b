/** One entry of a tar that a test writes. */
export interface TarEntry {
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly type?: string;
  /** What the header says, when it is not the truth. */
  readonly sizeBytes?: number;
}

/** A ustar archive, as plain as can be; `end: false` leaves out the zeros at its end. */
export function tarOf(entries: readonly TarEntry[], { end = true } = {}): Buffer {
  const blocks = entries.flatMap(({ path, body = '', type = '0', sizeBytes }) => {
    const bytes = Buffer.from(body);
    const padding = Buffer.alloc((512 - (bytes.length % 512)) % 512);
    return [headerOf(path, type, sizeBytes ?? bytes.length), bytes, padding];
  });
  return Buffer.concat([...blocks, Buffer.alloc(end ? 1024 : 0)]);
}

function headerOf(path: string, type: string, sizeBytes: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(path, 0, 100);
  header.write('0000644\0', 100);
  header.write(`${sizeBytes.toString(8).padStart(11, '0')}\0`, 124);
  header.write('        ', 148);
  header.write(type, 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** One record of a pax header. */
export function paxRecord(keyword: string, value: string): string {
  const rest = ` ${keyword}=${value}\n`;
  let length = Buffer.byteLength(rest) + 1;
  while (String(length).length + Buffer.byteLength(rest) !== length) length += 1;
  return `${length}${rest}`;
}
