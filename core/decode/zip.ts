import { crc32, createInflateRaw } from 'node:zlib';
import type { Codec } from './codec.ts';
import { DecodeError } from './codes.ts';
import type { RandomAccess } from './random-access.ts';
import { unpack } from './unpack.ts';
import { centralDirectory, damagedZip, LOCAL_HEADER_BYTES, type ZipMember } from './zip-directory.ts';
import { newRanges } from './zip-ranges.ts';

export type { ZipMember } from './zip-directory.ts';

export interface ZipLimits {
  /** Folders count. */
  readonly maxMembers: number;
}

const defaultLimits: ZipLimits = { maxMembers: 10_000 };

/** One request for so many bytes; the next is under way while these are worked on. */
const READ_BYTES = 1024 * 1024;

/** Room for most local headers, so that a small member takes one request; a longer one is passed over. */
const HEADER_ROOM_BYTES = 1024;
const FIRST_READ_BYTES = 64 * 1024;

const STORED = 0;
const DEFLATED = 8;

/** What APPNOTE 6.3.10 §4.4.5 calls the methods that are met in practice. */
const methodNames: Readonly<Record<number, string>> = {
  1: 'shrink',
  6: 'implode',
  9: 'Deflate64',
  12: 'bzip2',
  14: 'LZMA',
  20: 'Zstandard',
  93: 'Zstandard',
  95: 'xz',
  98: 'PPMd',
  99: 'AES encryption',
};

const deflate: Codec = {
  name: 'deflate',
  title: 'deflated',
  code: 'decode.corruptZip',
  claims: () => false,
  open: createInflateRaw,
  trailerBytes: 0,
  follows: 'nothing',
};

/**
 * The members of a zip archive, in the order of its central directory, folders included. The directory is read as it
 * is needed: what stays in memory is two numbers a member.
 *
 * Throws DecodeError `decode.corruptZip` where the directory is damaged or members share bytes (archives that give
 * petabytes are made so), `decode.unsupportedZip` for one volume of several, and `decode.tooManyMembers` in place of
 * the first member beyond the limit; members given before are good. Errors of `file` are thrown on unchanged.
 */
export async function* listZip(
  file: RandomAccess,
  limits: Partial<ZipLimits> = {},
): AsyncGenerator<ZipMember, void, undefined> {
  const { maxMembers } = { ...defaultLimits, ...limits };
  const ranges = newRanges();
  for await (const { member, endOffset } of centralDirectory(file)) {
    if (member.ordinal >= maxMembers) {
      throw new DecodeError('decode.tooManyMembers', `the archive has more than ${maxMembers} members`);
    }
    if (!ranges.add(member.headerOffset, endOffset)) {
      throw damagedZip(`member ${member.ordinal} shares bytes with another member or with the directory`);
    }
    yield member;
  }
}

/**
 * The content of a member that {@link listZip} gave. Never gives more than `sizeBytes`, whatever the data expands to,
 * and ends only once size and CRC-32 are what the directory says. Chunks are at most 256 KiB of deflated members, 1 MiB
 * of stored ones. Stopping early is fine.
 *
 * Throws DecodeError `decode.corruptZip` for damage, after what came before it, and `decode.unsupportedZip` for members
 * that are encrypted or compressed otherwise than by deflate. Errors of `file` are thrown on unchanged.
 */
export async function* openZipMember(
  file: RandomAccess,
  member: ZipMember,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (member.isEncrypted) throw new DecodeError('decode.unsupportedZip', 'the member is encrypted');
  if (member.method !== STORED && member.method !== DEFLATED) {
    const name = methodNames[member.method] ?? 'an unknown method';
    const message = `the member is compressed by ${name} (method ${member.method}); stored and deflated ones can be read`;
    throw new DecodeError('decode.unsupportedZip', message);
  }
  const packed = packedBytes(file, member);
  let given = 0;
  let check = 0;
  for await (const chunk of member.method === STORED ? packed : unpack(packed, deflate)) {
    given += chunk.length;
    if (given > member.sizeBytes) {
      throw damagedZip(`the member holds more than the ${member.sizeBytes} bytes that the directory says`);
    }
    check = crc32(chunk, check);
    yield chunk;
  }
  if (given < member.sizeBytes) {
    throw damagedZip(`the member holds ${given} bytes, not the ${member.sizeBytes} that the directory says`);
  }
  if (check !== member.crc32) throw damagedZip("the member's content does not have the CRC-32 that the directory says");
}

/** The member's data as it is stored, read in ranges, one ahead. */
async function* packedBytes(file: RandomAccess, member: ZipMember): AsyncGenerator<Uint8Array, void, undefined> {
  const { headerOffset, compressedBytes } = member;
  const headEnd = Math.min(
    file.sizeBytes,
    headerOffset + HEADER_ROOM_BYTES + Math.min(compressedBytes, FIRST_READ_BYTES),
  );
  const head = Buffer.from(await file.read(headerOffset, headEnd));
  if (head.length < LOCAL_HEADER_BYTES || head.readUInt32LE(0) !== 0x04034b50) {
    throw damagedZip('there is no header where the directory says that the member begins');
  }
  const dataStart = headerOffset + LOCAL_HEADER_BYTES + head.readUInt16LE(26) + head.readUInt16LE(28);
  const dataEnd = dataStart + compressedBytes;
  if (dataEnd > member.limitOffset) throw damagedZip("the member's data reaches into the directory");
  let at = Math.min(headEnd, dataEnd);
  if (at > dataStart) yield head.subarray(dataStart - headerOffset, at - headerOffset);
  at = Math.max(at, dataStart);
  let ahead = readAhead(file, at, dataEnd);
  while (ahead) {
    const block = await ahead;
    at += block.length;
    ahead = readAhead(file, at, dataEnd);
    yield block;
  }
}

function readAhead(file: RandomAccess, at: number, end: number): Promise<Uint8Array> | undefined {
  if (at >= end) return undefined;
  const block = file.read(at, Math.min(end, at + READ_BYTES));
  // Whoever stops early never waits for it, and a rejection that nobody waits for ends the process.
  block.catch(() => undefined);
  return block;
}
