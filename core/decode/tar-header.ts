/** Header and data of a tar come in blocks of this size (POSIX.1-2024, pax, "ustar Interchange Format"). */
export const BLOCK_BYTES = 512;

/** What one header block says. */
export interface TarHeader {
  readonly path: string;
  readonly sizeBytes: number;
  /** `0` a file, `5` a folder, `1` a hard link, `2` a symbolic link; `x` `g` `L` `K` tell of the entry that follows. */
  readonly type: string;
}

const CHECKSUM_AT = 148;
const CHECKSUM_END = 156;

/** Whether a block is a header, of any tar since the seventh edition of Unix: its checksum is right. */
export function isTarHeader(block: Uint8Array): boolean {
  if (block.length < BLOCK_BYTES || block[0] === 0) return false;
  const told = octal(block, CHECKSUM_AT, CHECKSUM_END);
  if (told === undefined) return false;
  let sum = 0;
  let signed = 0;
  for (let at = 0; at < BLOCK_BYTES; at += 1) {
    const byte = at >= CHECKSUM_AT && at < CHECKSUM_END ? 0x20 : (block[at] as number);
    sum += byte;
    // Some old writers added signed bytes.
    signed += byte > 127 ? byte - 256 : byte;
  }
  return told === sum || told === signed;
}

/** Reads a header block whose checksum is right; undefined when its size makes no sense. */
export function readTarHeader(block: Uint8Array): TarHeader | undefined {
  const sizeBytes = size(block);
  if (sizeBytes === undefined) return undefined;
  const name = text(block, 0, 100);
  // GNU writes other things where ustar has the front part of a long path.
  const isUstar = text(block, 257, 263) === 'ustar' && block[262] === 0;
  const prefix = isUstar ? text(block, 345, 500) : '';
  const type = block[156] === 0 ? '0' : String.fromCharCode(block[156] as number);
  return { path: prefix === '' ? name : `${prefix}/${name}`, sizeBytes, type };
}

/** The records of a pax header: `<length> <keyword>=<value>\n`, the length that of the record. Undefined when damaged. */
export function readPax(bytes: Uint8Array): ReadonlyMap<string, string> | undefined {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] === 0) break;
    const space = bytes.indexOf(0x20, at);
    const length = Number(ascii(bytes, at, space));
    if (space < 0 || space - at > 10 || !Number.isSafeInteger(length) || length <= space - at) return undefined;
    const record = Buffer.from(bytes.subarray(space + 1, at + length)).toString();
    const equals = record.indexOf('=');
    if (at + length > bytes.length || equals < 1 || !record.endsWith('\n')) return undefined;
    records.set(record.slice(0, equals), record.slice(equals + 1, -1));
    at += length;
  }
  return records;
}

/** Text up to the first zero. */
export function text(bytes: Uint8Array, start: number, end: number): string {
  const field = Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.min(end, bytes.length) - start);
  const zero = field.indexOf(0);
  return field.toString('utf8', 0, zero < 0 ? field.length : zero);
}

/** Octal digits, or what GNU writes for large files: a byte 0x80 and a binary number. */
function size(block: Uint8Array): number | undefined {
  if (((block[124] as number) & 0x80) === 0) return octal(block, 124, 136);
  let value = (block[124] as number) & 0x7f;
  for (let at = 125; at < 136; at += 1) value = value * 256 + (block[at] as number);
  return Number.isSafeInteger(value) ? value : undefined;
}

function octal(block: Uint8Array, start: number, end: number): number | undefined {
  const digits = ascii(block, start, end).replaceAll('\0', ' ').trim();
  return /^[0-7]{1,12}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return end < start ? '' : Buffer.from(bytes.subarray(start, end)).toString('latin1');
}
