import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** A byte range of one file on disk. A body is a list of them, so copies and assembled uploads move no bytes. */
export interface Segment {
  readonly blob: string;
  readonly start: number;
  readonly bytes: number;
}

/**
 * The bodies on disk. Bytes never change once written, and files are named at random: a key never meets the file system.
 * A file lives as long as somebody holds it: a version, a part, or a reader that started before an overwrite.
 */
export interface Blobs {
  writer(): BlobWriter;
  hold(segments: readonly Segment[]): void;
  release(segments: readonly Segment[]): void;
  /** Bytes `start` to `end` (exclusive) of a body, a bounded buffer at a time. The caller must hold the segments. */
  read(segments: readonly Segment[], start: number, end: number): AsyncGenerator<Buffer>;
  /** The whole range at once; for ranges of `SMALL_BYTES` at most. */
  readSmall(segments: readonly Segment[], start: number, end: number): Buffer;
  /** From now on a file that nobody holds is deleted; those that nobody holds yet go at once. */
  sweep(): Promise<void>;
  /** Closes the file that small bodies go to. */
  close(): void;
}

export interface BlobWriter {
  append(bytes: Buffer): Promise<void> | undefined;
  /** The segments written, held once for the caller, who must release them. */
  finish(): Promise<readonly Segment[]>;
  discard(): Promise<void>;
}

/**
 * Bodies up to here share a file, one after another, and are written and read in one synchronous call. Measured on
 * ext4: 0.3 ms to make a file for 500 bytes, 2 µs to append them.
 */
export const SMALL_BYTES = 64 * 1024;
/** A shared file is closed at this size. It is deleted when the last of its bodies is. */
const PACK_BYTES = 8 * 1024 * 1024;
const READ_BYTES = 1024 * 1024;

/** Opens the folder of bodies, making it when absent. */
export function openBlobs(dir: string): Blobs {
  mkdirSync(dir, { recursive: true });
  const holds = new Map<string, number>();
  let sweeping = false;
  const hold = (segments: readonly Segment[]) => {
    for (const { blob } of segments) holds.set(blob, (holds.get(blob) ?? 0) + 1);
  };
  const release = (segments: readonly Segment[]) => {
    for (const { blob } of segments) {
      const left = (holds.get(blob) ?? 0) - 1;
      if (left > 0) holds.set(blob, left);
      else holds.delete(blob);
      // A file left behind by a failed unlink is taken by the sweep of the next start.
      if (left <= 0 && sweeping) unlink(join(dir, blob)).catch(() => undefined);
    }
  };
  const pack = createPack(dir, hold, release);
  return {
    hold,
    release,
    writer: () => createWriter(dir, hold, pack),
    read: (segments, start, end) => readSegments(dir, segments, start, end),
    readSmall(segments, start, end) {
      const pieces = cut(segments, start, end).map(({ blob, start: from, bytes }) => {
        const file = openSync(join(dir, blob), 'r');
        try {
          const buffer = Buffer.allocUnsafe(bytes);
          if (readSync(file, buffer, 0, bytes, from) !== bytes) throw new Error(`${join(dir, blob)} is too short`);
          return buffer;
        } finally {
          closeSync(file);
        }
      });
      return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
    },
    async sweep() {
      sweeping = true;
      for (const name of readdirSync(dir)) if (!holds.has(name)) await unlink(join(dir, name)).catch(() => undefined);
    },
    close: pack.close,
  };
}

interface Pack {
  /** Appends a small body and returns where it lies, not held yet. */
  append(bytes: Buffer): Segment;
  close(): void;
}

/** The file that small bodies go to at the moment; it is held as long as it may grow. */
function createPack(
  dir: string,
  hold: (segments: readonly Segment[]) => void,
  release: (segments: readonly Segment[]) => void,
): Pack {
  let open: { readonly file: number; readonly segment: Segment } | undefined;
  let filled = 0;
  const close = () => {
    if (open === undefined) return;
    closeSync(open.file);
    release([open.segment]);
    open = undefined;
  };
  return {
    close,
    append(bytes) {
      if (open === undefined || filled >= PACK_BYTES) {
        close();
        const segment = { blob: randomUUID(), start: 0, bytes: 0 };
        open = { file: openSync(join(dir, segment.blob), 'wx'), segment };
        hold([segment]);
        filled = 0;
      }
      const start = filled;
      for (let at = 0; at < bytes.length; ) at += writeSync(open.file, bytes, at, bytes.length - at, start + at);
      filled += bytes.length;
      return { blob: open.segment.blob, start, bytes: bytes.length };
    },
  };
}

function createWriter(dir: string, hold: (segments: readonly Segment[]) => void, pack: Pack): BlobWriter {
  const blob = randomUUID();
  const path = join(dir, blob);
  let waiting: Buffer[] = [];
  let bytes = 0;
  let file: FileHandle | undefined;

  const appendToFile = async (piece: Buffer) => {
    if (file === undefined) {
      file = await open(path, 'wx');
      const first = waiting;
      waiting = [];
      for (const each of first) await writeAll(file, each);
    }
    await writeAll(file, piece);
  };
  return {
    append(piece) {
      bytes += piece.length;
      if (file !== undefined || bytes > SMALL_BYTES) return appendToFile(piece);
      waiting.push(piece);
      return undefined;
    },
    async finish() {
      if (bytes === 0) return [];
      await file?.close();
      const segments = [file === undefined ? pack.append(Buffer.concat(waiting)) : { blob, start: 0, bytes }];
      hold(segments);
      return segments;
    },
    async discard() {
      if (file === undefined) return;
      await file.close().catch(() => undefined);
      await unlink(path).catch(() => undefined);
    },
  };
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}

async function* readSegments(
  dir: string,
  segments: readonly Segment[],
  start: number,
  end: number,
): AsyncGenerator<Buffer> {
  for (const segment of cut(segments, start, end)) {
    const file = await open(join(dir, segment.blob), 'r');
    try {
      for (let at = 0; at < segment.bytes; ) {
        const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, segment.bytes - at));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, segment.start + at);
        if (bytesRead === 0) throw new Error(`${join(dir, segment.blob)} is too short`);
        yield buffer.subarray(0, bytesRead);
        at += bytesRead;
      }
    } finally {
      await file.close();
    }
  }
}

/** The segments of bytes `start` to `end` (exclusive) of a body. */
export function cut(segments: readonly Segment[], start: number, end: number): Segment[] {
  const found: Segment[] = [];
  let at = 0;
  for (const { blob, start: first, bytes } of segments) {
    const from = Math.max(start, at);
    const to = Math.min(end, at + bytes);
    if (from < to) found.push({ blob, start: first + from - at, bytes: to - from });
    at += bytes;
  }
  return found;
}
