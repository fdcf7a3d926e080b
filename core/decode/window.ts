/**
 * The stretch of the object that is in memory. Bytes are only ever appended, at the end, until `makeRoom` drops what
 * was consumed: up to then, views into `view` stay valid. One buffer is used over and over, so memory stays flat.
 */
export interface Window {
  /** What was read and not yet dropped. */
  view: Buffer;
  /** Index in `view` of the first byte that is not consumed. */
  at: number;
  /** Offset in the object of `view[0]`. */
  base: number;
  /** Nothing follows the view's last byte. */
  done: boolean;
  /** Offset in the object from which on rows are not wanted: one that begins before it is read to its end. */
  readonly until: number;
}

export interface WindowSource {
  readonly window: Window;
  /** Whether `more` can append without `makeRoom`, and without having to throw. */
  canAppend(): boolean;
  /** Drops the consumed bytes and grows the buffer if the rest fills it. Ends all views. */
  makeRoom(): void;
  /** Appends, or sets `done`. Throws what the source threw, but only once everything before it has been scanned. */
  more(): Promise<void>;
  close(): Promise<void>;
}

/** A byte order mark must fit in before anything is consumed. */
const BOM_BYTES = 3;

/** The stretch of an object that is decoded: offsets of its first byte, and of the first where no row may begin. */
export interface Stretch {
  readonly from: number;
  readonly until: number;
}

export const wholeObject: Stretch = { from: 0, until: Number.POSITIVE_INFINITY };

/**
 * Opens a window over an object. Every `more` appends a block, or as much as is unconsumed if that is more, so a scanner
 * may start again at the row it could not finish and still looks at each byte twice at most, however small the chunks.
 */
export function openWindow(
  bytes: AsyncIterable<Uint8Array>,
  capacityBytes: number,
  blockBytes: number,
  { from, until }: Stretch = wholeObject,
): WindowSource {
  const chunks = bytes[Symbol.asyncIterator]();
  let buffer = Buffer.allocUnsafe(Math.max(capacityBytes, 2 * blockBytes, BOM_BYTES + blockBytes));
  let pending: Uint8Array = buffer.subarray(0, 0);
  let failure: { readonly error: unknown } | undefined;
  const window: Window = { view: buffer.subarray(0, 0), at: 0, base: from, done: false, until };

  const wanted = () => Math.max(blockBytes, window.view.length - window.at);

  const next = async (): Promise<boolean> => {
    try {
      const chunk = await chunks.next();
      if (chunk.done) window.done = true;
      else pending = chunk.value;
    } catch (error) {
      failure = { error };
    }
    return !window.done && !failure;
  };

  return {
    window,
    canAppend: () => !failure && buffer.length - window.view.length >= wanted(),
    makeRoom() {
      const rest = window.view.subarray(window.at);
      const needed = rest.length + wanted();
      const target = needed <= buffer.length ? buffer : Buffer.allocUnsafe(Math.max(needed, 2 * buffer.length));
      rest.copy(target);
      buffer = target;
      window.base += window.at;
      window.at = 0;
      window.view = buffer.subarray(0, rest.length);
    },
    async more() {
      if (failure) throw failure.error;
      const from = window.view.length;
      const until = Math.min(buffer.length, from + wanted());
      let end = from;
      while (end < until && (pending.length > 0 || (await next()))) {
        const part = pending.subarray(0, until - end);
        buffer.set(part, end);
        end += part.length;
        pending = pending.subarray(part.length);
      }
      window.view = buffer.subarray(0, end);
    },
    async close() {
      if (!window.done && !failure) await chunks.return?.();
    },
  };
}
