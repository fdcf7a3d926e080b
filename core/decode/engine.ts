import type { Engine, EngineOptions } from './codec.ts';

/** With zlib's default of 16 KiB it takes more than twice as long (Node 24.21, 2026-11). */
const OUTPUT_BYTES = 256 * 1024;

/** So much comes out in one step, and at most two chunks more: a few bytes of input may stand for gigabytes. */
const STEP_BYTES = 1024 * 1024;

/** What one step gave: output, and what went wrong after it. */
export interface Step {
  readonly output: readonly Uint8Array[];
  /** The engine waits with more output of the same input. */
  readonly more: boolean;
  readonly error?: unknown;
}

/** An engine driven by hand, one step at a time, because a stream that fails throws away what it has not delivered. */
export interface Driven {
  /** Feeds it, once the step before had no more. Resolves in any case, as do the others. */
  write(bytes: Uint8Array): Promise<Step>;
  /** Says that nothing follows. */
  end(): Promise<Step>;
  more(): Promise<Step>;
  /** Bytes it was fed and did not take, because the data has ended before them. */
  unread(): number;
  close(): void;
}

/** Opens an engine and holds it up whenever {@link STEP_BYTES} have come out of it. */
export function drive(open: (options: EngineOptions) => Engine): Driven {
  // Any output that waits holds the engine up, so that none is lost when what comes next is damaged.
  const engine = open({ chunkSize: OUTPUT_BYTES, readableHighWaterMark: 1 });
  let output: Uint8Array[] = [];
  let length = 0;
  let fed = 0;
  let isDone = true;
  let failure: { readonly error: unknown } | undefined;
  let resolve: ((step: Step) => void) | undefined;

  const settle = (): void => {
    const isLast = failure !== undefined || (isDone && engine.readableLength === 0);
    if (!resolve || (!isLast && length < STEP_BYTES)) return;
    const step = { output, more: !isLast, ...failure };
    output = [];
    length = 0;
    const told = resolve;
    resolve = undefined;
    told(step);
  };
  const finish = (): void => {
    isDone = true;
    settle();
  };
  engine.on('data', (bytes: Uint8Array) => {
    output.push(bytes);
    length += bytes.length;
    if (length >= STEP_BYTES) engine.pause();
    settle();
  });
  engine.on('error', (error) => {
    failure ??= { error };
    settle();
  });

  const step = (begin: () => void): Promise<Step> =>
    new Promise((settled) => {
      resolve = settled;
      // A stream that has failed would not answer.
      if (failure) settle();
      else begin();
    });
  return {
    write: (bytes) =>
      step(() => {
        isDone = false;
        fed += bytes.length;
        engine.resume();
        engine.write(bytes, finish);
      }),
    end: () =>
      step(() => {
        isDone = false;
        engine.on('end', finish);
        engine.resume();
        engine.end();
      }),
    more: () =>
      step(() => {
        engine.resume();
        settle();
      }),
    unread: () => fed - engine.bytesWritten,
    close: () => void engine.destroy(),
  };
}
