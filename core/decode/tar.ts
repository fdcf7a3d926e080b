import type { ArchiveEntry } from './archive.ts';
import { DecodeError } from './codes.ts';
import { BLOCK_BYTES, isTarHeader, readPax, readTarHeader, text } from './tar-header.ts';
import { type ByteWindow, byteWindow } from './tar-window.ts';

/** What stands in front of an entry and tells of it: long paths, sizes. */
interface Ahead {
  path?: string;
  sizeBytes?: number;
  isSparse?: boolean;
}

/** Longer ones hold no paths. */
const MAX_EXTRA_BYTES = 1024 * 1024;

const kinds: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a device',
  '4': 'a device',
  '6': 'a pipe',
  S: 'a sparse file',
  M: 'the rest of a file that another volume begins',
};
const fileTypes = new Set(['0', '7']);
const folderTypes = new Set(['5', 'D']);

/**
 * The entries of a tar archive in their order: seventh edition, ustar, pax and GNU. An entry's content can be read until
 * the next entry is asked for; what is not read is passed over. Archives one behind the other are read as one.
 *
 * Throws DecodeError `decode.corruptTar` for damage, or without the zeros at the end: it was cut off; and
 * `decode.tooManyMembers` in place of the first entry beyond `maxMembers`. Errors of the input are thrown on unchanged.
 */
export async function* readTar(
  input: AsyncIterable<Uint8Array>,
  maxMembers: number,
): AsyncGenerator<ArchiveEntry, void, undefined> {
  const window = byteWindow(input);
  let ordinal = 0;
  let ahead: Ahead = {};
  let isAtEnd = false;
  try {
    for (;;) {
      const block = await window.take(BLOCK_BYTES);
      if (block.length === 0 && isAtEnd) return;
      if (block.length < BLOCK_BYTES) throw cutOff();
      if (block.every((byte) => byte === 0)) {
        isAtEnd = true;
        continue;
      }
      const header = isTarHeader(block) ? readTarHeader(block) : undefined;
      if (!header) throw damaged(`there is no header behind entry ${ordinal}`);
      isAtEnd = false;
      if ('xgLKV'.includes(header.type)) {
        ahead = { ...ahead, ...(await readAhead(header.type, header.sizeBytes, window)) };
        continue;
      }
      if (ordinal >= maxMembers) {
        throw new DecodeError('decode.tooManyMembers', `the archive has more than ${maxMembers} members`);
      }
      const path = ahead.path ?? header.path;
      const sizeBytes = hasData(header.type) ? (ahead.sizeBytes ?? header.sizeBytes) : 0;
      const content = window.limited(sizeBytes, cutOff);
      yield entryOf(ordinal, path, ahead.isSparse ? 'S' : header.type, sizeBytes, content.bytes);
      await content.skip();
      await skipPadding(window, sizeBytes);
      ahead = {};
      ordinal += 1;
    }
  } finally {
    await window.close();
  }
}

function entryOf(
  ordinal: number,
  path: string,
  type: string,
  sizeBytes: number,
  bytes: () => AsyncIterable<Uint8Array>,
): ArchiveEntry {
  // The seventh edition had no type for folders.
  const isFolder = folderTypes.has(type) || (fileTypes.has(type) && path.endsWith('/') && sizeBytes === 0);
  const what =
    kinds[type] ?? (fileTypes.has(type) || isFolder ? undefined : `an entry of type ${JSON.stringify(type)}`);
  const refusal = what === undefined ? {} : { refusal: `it is ${what}` };
  return { ordinal, path, sizeBytes, isFolder, ...refusal, open: bytes };
}

/** Links, devices and folders may carry a size, but no data. */
function hasData(type: string): boolean {
  return !/^[1-6]$/.test(type);
}

async function readAhead(type: string, sizeBytes: number, window: ByteWindow): Promise<Ahead> {
  if (type === 'V' || type === 'K' || type === 'g' || sizeBytes > MAX_EXTRA_BYTES) {
    await window.limited(sizeBytes, cutOff).skip();
    await skipPadding(window, sizeBytes);
    return {};
  }
  const bytes = new Uint8Array(await window.take(sizeBytes));
  if (bytes.length < sizeBytes) throw cutOff();
  await skipPadding(window, sizeBytes);
  if (type === 'L') return { path: text(bytes, 0, bytes.length) };
  const records = readPax(bytes);
  if (!records) throw damaged('a pax header cannot be read');
  const size = Number(records.get('size') ?? Number.NaN);
  const path = records.get('GNU.sparse.name') ?? records.get('path');
  return {
    ...(path === undefined ? {} : { path }),
    ...(Number.isSafeInteger(size) && size >= 0 ? { sizeBytes: size } : {}),
    ...([...records.keys()].some((key) => key.startsWith('GNU.sparse.')) ? { isSparse: true } : {}),
  };
}

async function skipPadding(window: ByteWindow, sizeBytes: number): Promise<void> {
  const padding = (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
  if ((await window.take(padding)).length < padding) throw cutOff();
}

function damaged(reason: string): DecodeError {
  return new DecodeError('decode.corruptTar', `the tar archive is damaged: ${reason}`);
}

function cutOff(): DecodeError {
  return new DecodeError(
    'decode.corruptTar',
    'the tar archive ends before its end mark: it was not written completely',
  );
}
