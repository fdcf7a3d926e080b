import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DecodeError } from '../core/decode/codes.ts';
import type { RandomAccess } from '../core/decode/random-access.ts';
import type { Spool } from '../core/normalize/open.ts';

/** A file that can be read anywhere while it is open. */
export function fileAccess(file: FileHandle, sizeBytes: number): RandomAccess {
  return {
    sizeBytes,
    async read(start, end) {
      const bytes = new Uint8Array(end - start);
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
        if (bytesRead === 0) throw new RangeError(`the file ends at ${start + filled}, before byte ${end}`);
        filled += bytesRead;
      }
      return bytes;
    },
  };
}

/** Puts streams of at most `limitBytes` into temporary files. */
export function spooler(limitBytes: number): Spool {
  return async (bytes) => {
    const path = join(tmpdir(), `firn-spool-${randomUUID()}`);
    const file = await open(path, 'wx+', 0o600);
    try {
      // Without a name the file goes when it is closed, however this process ends: an execution environment keeps its
      // temporary folder when an invocation times out.
      await unlink(path);
      const sizeBytes = await writeAll(file, bytes, limitBytes);
      return { ...fileAccess(file, sizeBytes), discard: () => file.close() };
    } catch (error) {
      await file.close();
      throw error;
    }
  };
}

async function writeAll(file: FileHandle, bytes: AsyncIterable<Uint8Array>, limitBytes: number): Promise<number> {
  let written = 0;
  for await (const chunk of bytes) {
    if (written + chunk.length > limitBytes) {
      const message = `decompressed it is larger than ${limitBytes} bytes, the most that fits on the disk of a worker. Deliver it uncompressed: this format is read by range`;
      throw new DecodeError('decode.tooLarge', message);
    }
    let from = 0;
    while (from < chunk.length) {
      const { bytesWritten } = await file.write(chunk, from, chunk.length - from, written + from);
      from += bytesWritten;
    }
    written += chunk.length;
  }
  return written;
}
