/** Bytes read front to back in pieces of any size. Chunks are copied, so that their producer may use them again. */
export interface ByteStream {
  /** The next `count` bytes; undefined when fewer are left, which are gone then. */
  take(count: number): Promise<Buffer | undefined>;
  /** Passes over `count` bytes; false when fewer are left. */
  pass(count: number): Promise<boolean>;
  isAtEnd(): Promise<boolean>;
  /** Closes what the bytes come from. */
  close(): Promise<void>;
}

export function openByteStream(bytes: AsyncIterable<Uint8Array>): ByteStream {
  const chunks = bytes[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);

  /** Whether there are bytes held, after reading on if need be. */
  const fill = async (): Promise<boolean> => {
    while (held.length === 0) {
      const next = await chunks.next();
      if (next.done) return false;
      held = Buffer.from(next.value);
    }
    return true;
  };

  const shift = (count: number): Buffer => {
    const taken = held.subarray(0, count);
    held = held.subarray(count);
    return taken;
  };

  return {
    async take(count) {
      if (held.length >= count) return shift(count);
      const parts: Buffer[] = [];
      // Room is made as bytes come: a size that is not true costs nothing.
      for (let left = count; left > 0; ) {
        if (!(await fill())) return undefined;
        const part = shift(left);
        parts.push(part);
        left -= part.length;
      }
      return Buffer.concat(parts, count);
    },
    async pass(count) {
      for (let left = count; left > 0; ) {
        if (!(await fill())) return false;
        left -= shift(left).length;
      }
      return true;
    },
    isAtEnd: async () => !(await fill()),
    async close() {
      await chunks.return?.();
    },
  };
}
