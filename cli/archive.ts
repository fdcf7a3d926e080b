import { spooler } from '../adapters/spool.ts';
import { archiveKind, readArchive } from '../core/decode/archive.ts';
import { decodeCode, type SpooledFile } from '../core/normalize/open.ts';
import { isPassedOver, pathRefusal } from '../core/upload/archive-member.ts';
import type { Input, OpenInput } from './inputs.ts';
import type { UnreadFile } from './sample.ts';

const maxMembers = 10_000;

/**
 * The members of an archive one after another, each to be read before the next is asked for; undefined for what is no
 * archive. A member is put into a temporary file first, as it lands in a bucket first.
 */
export async function archiveMembers(input: Input): Promise<AsyncGenerator<Input | UnreadFile> | undefined> {
  const bytes = await input.open();
  const readHead = (most: number) => bytes.read(0, Math.min(bytes.sizeBytes, most));
  const kind = await archiveKind(readHead, input.name);
  if (kind) return members(input, bytes, kind);
  await bytes.close();
  return undefined;
}

async function* members(
  input: Input,
  bytes: OpenInput,
  kind: 'zip' | 'tar',
): AsyncGenerator<Input | UnreadFile, void, undefined> {
  const spool = spooler(Number.POSITIVE_INFINITY);
  let last: Input = input;
  try {
    for await (const entry of readArchive(kind, bytes, input.name, { maxMembers })) {
      if (isPassedOver(entry)) continue;
      const below = (name: string) => `${name}/${entry.path}`;
      const { sizeBytes } = entry;
      const names = { shown: below(input.shown), name: below(input.name), key: below(input.key), archive: input.shown };
      last = { ...input, ...names, sizeBytes };
      const refusal = entry.refusal ?? pathRefusal(entry.path);
      if (refusal !== undefined) {
        yield { input: last, reason: refusal };
        continue;
      }
      const file = await spool(entry.open());
      yield { ...last, sizeBytes: file.sizeBytes, open: async () => opened(file) };
    }
  } catch (error) {
    const code = decodeCode(error);
    if (!code) throw error;
    yield { input: last, reason: `${code}: ${(error as Error).message}` };
  } finally {
    await bytes.close();
  }
}

const chunkBytes = 256 * 1024;

/** The temporary file has no name: it is gone when the process is. */
function opened(file: SpooledFile): OpenInput {
  async function* body() {
    for (let at = 0; at < file.sizeBytes; at += chunkBytes)
      yield await file.read(at, Math.min(file.sizeBytes, at + chunkBytes));
  }
  return { ...file, body: body(), discard: () => {}, close: async () => {} };
}
