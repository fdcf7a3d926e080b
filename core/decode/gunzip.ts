import { createGunzip, type Gunzip } from 'node:zlib';
import { DecodeError } from './codes.ts';
import type { DecompressLimits } from './decompress.ts';

/** With zlib's default of 16 KiB it takes more than twice as long (Node 24.21, 2026-11). */
const OUTPUT_BYTES = 256 * 1024;

/** Input is inflated in pieces of this size: so much is lost before damage, and 1,032 times as much comes out at most. */
const SLICE_BYTES = 16 * 1024;

/** CRC and length at the end of a member (RFC 1952). */
const TRAILER_BYTES = 8;

/** What one step of inflating gave: output, and what went wrong after it. */
interface Inflated {
  readonly output: readonly Uint8Array[];
  readonly error?: unknown;
}

/**
 * Inflates gzip members; see `decompress`. While the consumer works on one slice, the next is inflated on another
 * thread. The stream is driven by hand because a stream that fails throws away what it has not yet delivered.
 */
export async function* gunzip(
  input: AsyncIterable<Uint8Array>,
  limits: DecompressLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  const engine = createGunzip({ chunkSize: OUTPUT_BYTES });
  const inflate = inflateWith(engine);
  const slices = slicesOf(input);
  let inflating: Promise<Inflated> = Promise.resolve({ output: [] });
  let last: Uint8Array = new Uint8Array();
  let fed = 0;
  let given = 0;
  const count = (bytes: Uint8Array): Uint8Array => {
    given += bytes.length;
    checkLimits(given, fed, limits);
    return bytes;
  };
  try {
    for (let ended = false; !ended; ) {
      const slice = await slices.next().catch((error: unknown) => ({ error }));
      const { output, error } = await inflating;
      const unread = error ? 0 : fed - engine.bytesWritten;
      const next = 'error' in slice || slice.done ? undefined : slice.value;
      if (!error && unread === 0 && !('error' in slice)) inflating = inflate(next);
      for (const bytes of output) yield count(bytes);
      if (error) throw corrupt(error);
      if ('error' in slice) throw slice.error;
      if (unread > 0) {
        await expectPadding(last.subarray(last.length - unread), next, slices);
        return;
      }
      last = next ?? last;
      fed += next?.length ?? 0;
      ended = next === undefined;
    }
    const { output, error } = await inflating;
    for (const bytes of output) yield count(bytes);
    if (error) throw corrupt(error);
  } finally {
    engine.destroy();
    await slices.return(undefined);
  }
}

/** One step: inflates a slice, or finishes when there is none. Resolves in any case. */
function inflateWith(engine: Gunzip): (slice: Uint8Array | undefined) => Promise<Inflated> {
  let output: Uint8Array[] = [];
  let settle = (_error: unknown): void => {};
  engine.on('data', (bytes: Uint8Array) => output.push(bytes));
  engine.on('error', (error) => settle(error));
  engine.on('end', () => settle(undefined));
  return (slice) =>
    new Promise((resolve) => {
      settle = (error) => {
        settle = () => {};
        resolve(error ? { output, error } : { output });
        output = [];
      };
      if (slice) engine.write(slice, (error) => settle(error));
      else engine.end();
    });
}

/** Cuts the input up. The end comes apart, so that a wrong checksum does not take the last rows with it. */
async function* slicesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let held = new Uint8Array();
  for await (const chunk of input) {
    for (let at = 0; at < chunk.length; at += SLICE_BYTES) {
      if (held.length > 0) yield held;
      held = new Uint8Array(chunk.subarray(at, at + SLICE_BYTES));
    }
  }
  const end = Math.max(0, held.length - TRAILER_BYTES);
  if (end > 0) yield held.subarray(0, end);
  if (held.length > 0) yield held.subarray(end);
}

/** Zeros may fill a file up behind its last member. zlib takes a zero for the end and would pass over a member there. */
async function expectPadding(
  rest: Uint8Array,
  next: Uint8Array | undefined,
  slices: AsyncIterable<Uint8Array>,
): Promise<void> {
  const isPadding = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);
  let clean = isPadding(rest) && isPadding(next ?? new Uint8Array());
  for await (const slice of slices) clean = clean && isPadding(slice);
  if (!clean) throw corrupt(new Error('bytes that are no gzip member follow the end of one'));
}

function checkLimits(given: number, fed: number, { maxOutputBytes, maxRatio, ratioFromBytes }: DecompressLimits): void {
  if (given > maxOutputBytes) {
    throw new DecodeError(
      'decode.bomb',
      `decompressing gives more than ${maxOutputBytes} bytes, the most that is allowed`,
    );
  }
  if (given > ratioFromBytes && given > fed * maxRatio) {
    throw new DecodeError('decode.bomb', `decompressing gives more than ${maxRatio} bytes for each byte of the object`);
  }
}

function corrupt(cause: unknown): DecodeError {
  const isCut = (cause as { readonly code?: unknown }).code === 'Z_BUF_ERROR';
  const what = isCut
    ? 'the gzip data ends before its end mark: it was not written completely'
    : 'the gzip data is damaged';
  const detail = isCut || !(cause instanceof Error) ? '' : ` (${cause.message})`;
  return new DecodeError('decode.corruptGzip', `${what}${detail}`, { cause });
}
