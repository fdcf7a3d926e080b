import { codecOf } from './codec.ts';
import { decompress } from './decompress.ts';
import type { RandomAccess } from './random-access.ts';
import { readTar } from './tar.ts';
import { BLOCK_BYTES, isTarHeader } from './tar-header.ts';
import { looksLikeXlsx } from './xlsx-head.ts';
import { listZip, openZipMember, type ZipMember } from './zip.ts';

/** One entry of an archive, as it stands there: its path is not judged. */
export interface ArchiveEntry {
  /** Place in the archive, from 0; folders and links count. */
  readonly ordinal: number;
  readonly path: string;
  readonly sizeBytes: number;
  readonly isFolder: boolean;
  /** Why its content cannot be read: a clause that begins with "it". */
  readonly refusal?: string;
  /** Names the content, where the archive knows it before it is read. */
  readonly contentMark?: string;
  /**
   * The content, to be read once; of a tar, until the next entry is asked for. Chunks are valid until the next. Throws
   * DecodeError where it is damaged.
   */
  readonly open: () => AsyncIterable<Uint8Array>;
}

export type ArchiveKind = 'zip' | 'tar';

export interface ArchiveLimits {
  /** Folders count. */
  readonly maxMembers: number;
}

/** What is looked at first, and where that gives too little of a compressed object: bzip2 needs a block to begin. */
const HEAD_BYTES = 64 * 1024;
const LONG_HEAD_BYTES = 1024 * 1024;
/** One request; the next is under way while it is worked on. */
const READ_BYTES = 8 * 1024 * 1024;

/**
 * Finds out whether an object is an archive, from its first bytes: `readHead` gives so many of them, or all there are.
 * A zip that is a spreadsheet is none. Of a name only `.br` means anything.
 */
export async function archiveKind(
  readHead: (bytes: number) => Promise<Uint8Array>,
  name: string,
): Promise<ArchiveKind | undefined> {
  const head = await readHead(HEAD_BYTES);
  if (isZip(head)) return looksLikeXlsx(head) ? undefined : 'zip';
  if (isTarHeader(head)) return 'tar';
  if (!codecOf(head, name)) return undefined;
  let start = await unpackedHead(head, name);
  if (start.length < BLOCK_BYTES && head.length === HEAD_BYTES) {
    start = await unpackedHead(await readHead(LONG_HEAD_BYTES), name);
  }
  return isTarHeader(start) ? 'tar' : undefined;
}

/** The entries of an archive in order; see {@link listZip} and {@link readTar} for what they throw. */
export function readArchive(
  kind: ArchiveKind,
  file: RandomAccess,
  name: string,
  { maxMembers }: ArchiveLimits,
): AsyncIterable<ArchiveEntry> {
  return kind === 'zip' ? zipEntries(file, maxMembers) : tarEntries(file, name, maxMembers);
}

async function* tarEntries(file: RandomAccess, name: string, maxMembers: number): AsyncGenerator<ArchiveEntry> {
  const { bytes } = await decompress(streamOf(file), { name });
  yield* readTar(bytes, maxMembers);
}

async function* zipEntries(file: RandomAccess, maxMembers: number): AsyncGenerator<ArchiveEntry> {
  for await (const member of listZip(file, { maxMembers })) {
    const { ordinal, path, sizeBytes } = member;
    // What calls itself a folder and holds data is a member like others: it must not vanish.
    const isFolder = member.isFolder && sizeBytes === 0;
    const refusal = refusalOf(member);
    const contentMark = `crc32-${member.crc32.toString(16).padStart(8, '0')}`;
    const open = () => openZipMember(file, member);
    yield { ordinal, path, sizeBytes, isFolder, contentMark, open, ...(refusal === undefined ? {} : { refusal }) };
  }
}

function refusalOf({ isEncrypted, isSpecial }: ZipMember): string | undefined {
  if (isEncrypted) return 'it is encrypted';
  return isSpecial ? 'it is a symbolic link or a device' : undefined;
}

/** The whole of a file, by requests that end: a body that waits for an hour would be cut by the service. */
async function* streamOf(file: RandomAccess): AsyncGenerator<Uint8Array, void, undefined> {
  const request = (at: number) => {
    if (at >= file.sizeBytes) return undefined;
    const bytes = file.read(at, Math.min(file.sizeBytes, at + READ_BYTES));
    // Whoever stops early never waits for it, and a rejection that nobody waits for ends the process.
    bytes.catch(() => undefined);
    return bytes;
  };
  let at = 0;
  let ahead = request(at);
  while (ahead) {
    const bytes = await ahead;
    at += bytes.length;
    ahead = request(at);
    yield bytes;
  }
}

/** Local header of a first member, or the end of the directory of an archive without members. */
function isZip(head: Uint8Array): boolean {
  return /^504b(0304|0506)/.test(Buffer.from(head.subarray(0, 4)).toString('hex'));
}

async function unpackedHead(head: Uint8Array, name: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  async function* input() {
    yield head;
  }
  try {
    const { bytes } = await decompress(input(), { name });
    for await (const piece of bytes) {
      pieces.push(new Uint8Array(piece.subarray(0, BLOCK_BYTES)));
      length += piece.length;
      if (length >= BLOCK_BYTES) break;
    }
  } catch {
    // A head is cut off by nature, and whether it is damaged will be told by whoever reads the object.
  }
  return Buffer.concat(pieces).subarray(0, BLOCK_BYTES);
}
