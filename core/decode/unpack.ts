import type { Codec } from './codec.ts';
import { DecodeError } from './codes.ts';
import { drive, type Step } from './engine.ts';

/** Input is unpacked in slices of this size: so much is lost before damage. */
const SLICE_BYTES = 16 * 1024;

const none: Uint8Array = new Uint8Array();

/** The next slice, `undefined` at the end, or what reading it threw. */
interface Fetched {
  readonly slice?: Uint8Array | undefined;
  readonly failure?: { readonly error: unknown };
}

/**
 * Unpacks one layer of compression; see `decompress`. While the consumer works on the output of one step, the next is
 * made on another thread. An engine that has stopped before the input's end makes room for a new one where pieces of
 * data may follow one another.
 */
export async function* unpack(
  input: AsyncIterable<Uint8Array>,
  codec: Codec,
): AsyncGenerator<Uint8Array, void, undefined> {
  const slices = slicesOf(input, codec.trailerBytes);
  let engine = drive(codec.open);
  let step: Promise<Step> = Promise.resolve({ output: [], more: false });
  let last = none;
  let ended = false;
  let waiting: Fetched | undefined;
  try {
    for (;;) {
      const fetched: Fetched = waiting ?? (await fetch(slices));
      waiting = fetched;
      let made = await step;
      while (made.more) {
        step = engine.more();
        yield* made.output;
        made = await step;
      }
      const { output, error } = made;
      const rest = error ? none : last.subarray(last.length - engine.unread());
      const restarts = rest.length > 0 && codec.follows === 'more';
      const feeds = !error && !ended && rest.length === 0 && !fetched.failure;
      if (restarts) {
        engine.close();
        engine = drive(codec.open);
        last = rest;
        step = engine.write(rest);
      } else if (feeds) {
        const { slice } = fetched;
        last = slice ?? none;
        ended = slice === undefined;
        step = slice ? engine.write(slice) : engine.end();
        waiting = undefined;
      }
      yield* output;
      if (error) throw corrupt(codec, error);
      if (restarts || feeds) continue;
      if (ended) return;
      if (fetched.failure) throw fetched.failure.error;
      await expectPadding(codec, [rest, fetched.slice ?? none], slices);
      return;
    }
  } finally {
    engine.close();
    await slices.return(undefined);
  }
}

async function fetch(slices: AsyncIterator<Uint8Array, void>): Promise<Fetched> {
  try {
    const next = await slices.next();
    return { slice: next.done ? undefined : next.value };
  } catch (error) {
    return { failure: { error } };
  }
}

/**
 * Cuts the input into slices of one size, however it comes: what is read of damaged data must not depend on it. The end
 * comes apart, so that a wrong checksum does not take the last rows with it.
 */
async function* slicesOf(
  input: AsyncIterable<Uint8Array>,
  trailerBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let slice = new Uint8Array(SLICE_BYTES);
  let filled = 0;
  let failure: { readonly error: unknown } | undefined;
  try {
    for await (const chunk of input) {
      for (let at = 0; at < chunk.length; ) {
        if (filled === SLICE_BYTES) {
          yield slice;
          slice = new Uint8Array(SLICE_BYTES);
          filled = 0;
        }
        const part = chunk.subarray(at, at + SLICE_BYTES - filled);
        slice.set(part, filled);
        filled += part.length;
        at += part.length;
      }
    }
  } catch (error) {
    failure = { error };
  }
  const end = Math.max(0, filled - trailerBytes);
  if (end > 0) yield slice.subarray(0, end);
  if (end < filled) yield slice.subarray(end, filled);
  if (failure) throw failure.error;
}

/** An engine that met padding takes it for the end, and would pass over data behind it. */
async function expectPadding(
  codec: Codec,
  known: readonly Uint8Array[],
  slices: AsyncIterable<Uint8Array>,
): Promise<void> {
  const isPadding = (bytes: Uint8Array) => codec.follows === 'zeros' && bytes.every((byte) => byte === 0);
  let clean = known.every((bytes) => bytes.length === 0 || isPadding(bytes));
  for await (const slice of slices) clean = clean && isPadding(slice);
  if (!clean) throw corrupt(codec, new Error(`bytes that are no ${codec.title} follow the end of the data`));
}

function corrupt({ code, title, name }: Codec, cause: unknown): DecodeError {
  const doubt = name === 'brotli' ? '. Only its name says that this is Brotli: name it otherwise if it is not' : '';
  return new DecodeError(code, `the ${title} data ${whatIsWrong(cause)}${doubt}`, { cause });
}

function whatIsWrong(cause: unknown): string {
  const { code } = cause as { readonly code?: unknown };
  if (code === 'Z_BUF_ERROR') return 'ends before its end mark: it was not written completely';
  if (code === 'ZSTD_error_frameParameter_windowTooLarge') {
    return 'refers back over more than 128 MiB, the most that is allowed: compress it without --long';
  }
  return cause instanceof Error ? `is damaged (${cause.message})` : 'is damaged';
}
