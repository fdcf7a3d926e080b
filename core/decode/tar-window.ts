/** A stream that is taken off in pieces of known length. */
export interface ByteWindow {
  /** The next `length` bytes, or all that are left. Valid until the next call. */
  take(length: number): Promise<Uint8Array>;
  /** The next `length` bytes as a stream of their own; `ended` makes the error for a stream that has fewer. */
  limited(length: number, ended: () => Error): Limited;
  close(): Promise<void>;
}

export interface Limited {
  /** To be read once. */
  readonly bytes: () => AsyncIterable<Uint8Array>;
  /** Passes over what is left. */
  skip(): Promise<void>;
}

const none: Uint8Array = new Uint8Array();

/** Opens a window on a stream. An error of the stream is thrown by every call that gets to where it is. */
export function byteWindow(input: AsyncIterable<Uint8Array>): ByteWindow {
  const rest = input[Symbol.asyncIterator]();
  let held = none;
  let failure: { readonly error: unknown } | undefined;

  /** Makes `held` hold something; false at the end. */
  const fill = async (): Promise<boolean> => {
    while (held.length === 0) {
      if (failure) throw failure.error;
      try {
        const next = await rest.next();
        if (next.done) return false;
        held = next.value;
      } catch (error) {
        failure = { error };
      }
    }
    return true;
  };
  const cut = (length: number): Uint8Array => {
    const piece = held.subarray(0, length);
    held = held.subarray(length);
    return piece;
  };
  return {
    async take(length) {
      if (held.length >= length) return cut(length);
      const pieces: Uint8Array[] = [];
      let missing = length;
      while (missing > 0 && (await fill())) {
        // Copied, because the stream may use its memory again for the next.
        const piece = new Uint8Array(cut(missing));
        pieces.push(piece);
        missing -= piece.length;
      }
      return Buffer.concat(pieces);
    },
    limited(length, ended) {
      let left = length;
      const next = async (): Promise<Uint8Array | undefined> => {
        if (left === 0) return undefined;
        if (!(await fill())) throw ended();
        const piece = cut(left);
        left -= piece.length;
        return piece;
      };
      async function* bytes() {
        for (let piece = await next(); piece; piece = await next()) yield piece;
      }
      return {
        bytes,
        async skip() {
          while (await next());
        },
      };
    },
    close: async () => void (await rest.return?.()),
  };
}
