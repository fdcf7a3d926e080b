import { resume } from '../decode/resume.ts';

/** The first bytes of a stream (at most `wanted`, fewer when it ends) and the whole stream, these bytes included. */
export async function peek(
  bytes: AsyncIterable<Uint8Array>,
  wanted: number,
): Promise<{ readonly head: Uint8Array; readonly bytes: AsyncIterable<Uint8Array> }> {
  const rest = bytes[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let length = 0;
  let failed: { error: unknown } | undefined;
  while (length < wanted) {
    try {
      const next = await rest.next();
      if (next.done) break;
      chunks.push(next.value);
      length += next.value.length;
    } catch (error) {
      // Told again where the reader gets there: the bytes before it are good.
      failed = { error };
      break;
    }
  }
  return { head: Buffer.concat(chunks).subarray(0, wanted), bytes: resume(chunks, rest, failed) };
}
