import { DecodeError } from './codes.ts';
import type { RandomAccess } from './random-access.ts';
import { zipName } from './zip-name.ts';

/** One entry of an archive's central directory. */
export interface ZipMember {
  /** As it stands in the archive, not judged: it may be absolute, hold `..` or backslashes, or occur twice. */
  readonly path: string;
  /** Place in the central directory, from 0. */
  readonly ordinal: number;
  readonly compressedBytes: number;
  /** What the directory says comes out. */
  readonly sizeBytes: number;
  readonly isFolder: boolean;
  /** A symbolic link, device, pipe or socket, by its Unix mode. */
  readonly isSpecial: boolean;
  readonly isEncrypted: boolean;
  /** Compression, by the numbers of APPNOTE §4.4.5: 0 stored, 8 deflated. */
  readonly method: number;
  readonly crc32: number;
  /** Offset in the archive of the member's local header. */
  readonly headerOffset: number;
  /** Offset in the archive before which the member's data must end. */
  readonly limitOffset: number;
}

/** Fixed part of what stands in front of a member's data (APPNOTE §4.3.7). */
export const LOCAL_HEADER_BYTES = 30;

const ENTRY_BYTES = 46;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const LOCATOR_BYTES = 20;
const END64_BYTES = 56;

/** More than the longest entry, so that one request holds many. */
const BLOCK_BYTES = 512 * 1024;

/** Where the directory lies, and by how much everything in the archive lies later than it says. */
interface Directory {
  readonly start: number;
  readonly end: number;
  readonly members: number;
  readonly shift: number;
}

export function damagedZip(reason: string): DecodeError {
  return new DecodeError('decode.corruptZip', `the zip archive is damaged: ${reason}`);
}

/** Entries of the central directory, with the least offset at which each member can end. */
export async function* centralDirectory(
  file: RandomAccess,
): AsyncGenerator<{ readonly member: ZipMember; readonly endOffset: number }, void, undefined> {
  const directory = await findDirectory(file);
  let block = Buffer.alloc(0);
  let at = 0;
  let offset = directory.start;
  let ordinal = 0;
  const fill = async (bytes: number) => {
    if (block.length - at >= bytes) return;
    const end = Math.min(directory.end, offset + BLOCK_BYTES);
    const more = end > offset ? await file.read(offset, end) : new Uint8Array();
    block = Buffer.concat([block.subarray(at), more]);
    at = 0;
    offset = end;
    if (block.length < bytes) throw damagedZip('its directory ends inside an entry');
  };
  while (offset < directory.end || at < block.length) {
    await fill(4);
    // A signature of the directory may end it (APPNOTE §4.3.13).
    if (block.readUInt32LE(at) === 0x05054b50) break;
    await fill(ENTRY_BYTES);
    const length =
      ENTRY_BYTES + block.readUInt16LE(at + 28) + block.readUInt16LE(at + 30) + block.readUInt16LE(at + 32);
    await fill(length);
    yield readEntry(block.subarray(at, at + length), ordinal++, directory);
    at += length;
  }
  // Writers without zip64 count modulo 65,536.
  if ((ordinal - directory.members) % 0x10000 !== 0) {
    throw damagedZip(`its directory has ${ordinal} entries, not the ${directory.members} it says`);
  }
}

function readEntry(entry: Buffer, ordinal: number, { start, shift }: Directory) {
  if (entry.readUInt32LE(0) !== 0x02014b50)
    throw damagedZip(`its directory has no entry where number ${ordinal} should be`);
  const flags = entry.readUInt16LE(8);
  const nameEnd = ENTRY_BYTES + entry.readUInt16LE(28);
  const name = entry.subarray(ENTRY_BYTES, nameEnd);
  const extras = readExtras(entry.subarray(nameEnd, nameEnd + entry.readUInt16LE(30)));
  const sizes = readSizes(entry, extras.get(0x0001), ordinal);
  const path = zipName(name, (flags & 0x800) !== 0, extras.get(0x7075));
  const host = entry.readUInt8(5);
  // Unix and macOS keep the file's mode in the upper half; 0x4000 is a folder, 0x8000 a file, 0 says nothing.
  const mode = host === 3 || host === 19 ? entry.readUInt16LE(40) & 0xf000 : 0;
  const headerOffset = sizes.headerOffset + shift;
  const member: ZipMember = {
    path,
    ordinal,
    compressedBytes: sizes.compressedBytes,
    sizeBytes: sizes.sizeBytes,
    isFolder: path.endsWith('/') || mode === 0x4000,
    isSpecial: mode !== 0 && mode !== 0x4000 && mode !== 0x8000,
    // Bit 0 the data, bit 6 strong encryption, bit 13 masked headers.
    isEncrypted: (flags & 0x2041) !== 0,
    method: entry.readUInt16LE(10),
    crc32: entry.readUInt32LE(16),
    headerOffset,
    limitOffset: start,
  };
  const endOffset = headerOffset + LOCAL_HEADER_BYTES + name.length + member.compressedBytes;
  if (endOffset > start) throw damagedZip(`member ${ordinal} would reach into the directory`);
  return { member, endOffset };
}

/** Sizes and offset; what does not fit 32 bits stands in the zip64 field, in this order (APPNOTE §4.5.3). */
function readSizes(entry: Buffer, zip64: Buffer | undefined, ordinal: number) {
  let at = 0;
  const wide = (offset: number): number => {
    const value = entry.readUInt32LE(offset);
    if (value !== 0xffffffff || !zip64) return value;
    if (at + 8 > zip64.length) throw damagedZip(`the zip64 sizes of member ${ordinal} are cut off`);
    at += 8;
    return readWide(zip64, at - 8);
  };
  const sizeBytes = wide(24);
  const compressedBytes = wide(20);
  return { sizeBytes, compressedBytes, headerOffset: wide(42) };
}

/** Extra fields by number, the first of each. Trailing bytes that are no field are common, and passed over. */
function readExtras(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const fields = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const id = bytes.readUInt16LE(at);
    const end = at + 4 + bytes.readUInt16LE(at + 2);
    if (end > bytes.length) break;
    if (!fields.has(id)) fields.set(id, bytes.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

async function findDirectory(file: RandomAccess): Promise<Directory> {
  const tailStart = Math.max(0, file.sizeBytes - END_BYTES - MAX_COMMENT_BYTES - LOCATOR_BYTES - END64_BYTES);
  const tail = file.sizeBytes > 0 ? Buffer.from(await file.read(tailStart, file.sizeBytes)) : Buffer.alloc(0);
  const at = findEnd(tail);
  if (at < 0) throw damagedZip('it has no end record, so it was cut off or never finished');
  const wide = await readEnd64(file, tail, at, tailStart);
  const disk = wide?.disk ?? tail.readUInt16LE(at + 4);
  if (disk !== 0 && disk !== 0xffff) {
    throw new DecodeError('decode.unsupportedZip', 'this is one volume of a zip archive in several: join them first');
  }
  const size = wide?.size ?? tail.readUInt32LE(at + 12);
  const declared = wide?.start ?? tail.readUInt32LE(at + 16);
  const members = wide?.members ?? tail.readUInt16LE(at + 10);
  const end = wide?.at ?? tailStart + at;
  // Bytes put in front of an archive, such as a program that unpacks it, move it without changing what it says.
  const shift = end - size - declared;
  if (shift < 0) throw damagedZip('its directory does not lie where its end record says');
  return { start: declared + shift, end, members, shift };
}

/** Where the end record begins; a comment may follow it, and may hold the same mark. */
function findEnd(tail: Buffer): number {
  const mark = Buffer.of(0x50, 0x4b, 0x05, 0x06);
  let loose = -1;
  for (let at = tail.lastIndexOf(mark); at >= 0; at = at === 0 ? -1 : tail.lastIndexOf(mark, at - 1)) {
    if (at + END_BYTES > tail.length) continue;
    const end = at + END_BYTES + tail.readUInt16LE(at + 20);
    if (end === tail.length) return at;
    if (end < tail.length && loose < 0) loose = at;
  }
  return loose;
}

/** The zip64 end record, when there is one: it counts instead of the other (APPNOTE §4.3.14). */
async function readEnd64(file: RandomAccess, tail: Buffer, at: number, tailStart: number) {
  const locator = at - LOCATOR_BYTES;
  if (locator < 0 || tail.readUInt32LE(locator) !== 0x07064b50) return undefined;
  const behind = tailStart + locator - END64_BYTES;
  for (const start of [readWide(tail, locator + 8), behind]) {
    if (start < 0 || start > behind) continue;
    const record = Buffer.from(await file.read(start, start + END64_BYTES));
    if (record.readUInt32LE(0) !== 0x06064b50) continue;
    return {
      at: start,
      disk: record.readUInt32LE(16),
      members: readWide(record, 32),
      size: readWide(record, 40),
      start: readWide(record, 48),
    };
  }
  throw damagedZip('its zip64 end record is missing');
}

/** What is beyond 2^53 is beyond every archive too: it loses digits, and then fails against the archive's size. */
function readWide(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}
