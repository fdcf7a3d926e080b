import { createGate } from '../bounded.ts';
import type { RandomAccess } from './random-access.ts';

/** Where a column's pages lie in the file; `end` is not part of it. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The bytes of one column, front to back. */
export interface ColumnBytes {
  /** At least `count` bytes from the place on, or all that are left. A view, valid until the next call. */
  peek(count: number): Promise<Buffer>;
  /** Moves the place on, by no more than there is. */
  pass(count: number): void;
  left(): number;
}

/** Row groups up to this size are read as a whole, the next one while this one is being decoded. */
const WHOLE_GROUP_BYTES = 32 * 1024 * 1024;
/** Columns that lie side by side are read together up to this size, and across gaps up to the next. */
const RUN_BYTES = 8 * 1024 * 1024;
const GAP_BYTES = 64 * 1024;
/** What the columns of a larger row group read ahead, all together; and the bounds of each one's share. */
const AHEAD_BYTES = 64 * 1024 * 1024;
const LEAST_WINDOW_BYTES = 64 * 1024;
const MOST_WINDOW_BYTES = 4 * 1024 * 1024;
const PARALLEL_READS = 8;

/** Opens columns of one row group after another, with a bounded number of reads under way. */
export function columnOpener(file: RandomAccess): (ranges: readonly Range[]) => readonly ColumnBytes[] {
  const gate = createGate(PARALLEL_READS);
  const read = (start: number, end: number): Promise<Buffer> => {
    const reading = gate(async () => {
      const bytes = start < end ? await file.read(start, end) : new Uint8Array();
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    });
    // Whoever waits for it sees the failure; read ahead, perhaps nobody ever does.
    reading.catch(() => {});
    return reading;
  };
  return (ranges) => {
    const total = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
    if (total <= WHOLE_GROUP_BYTES) return together(ranges, read);
    const share = Math.floor(AHEAD_BYTES / (2 * ranges.length));
    const windowBytes = Math.min(MOST_WINDOW_BYTES, Math.max(LEAST_WINDOW_BYTES, share));
    return ranges.map((range) => windowed(range, windowBytes, read));
  };
}

type ReadRange = (start: number, end: number) => Promise<Buffer>;

/** Columns read at once, neighbours together. */
function together(ranges: readonly Range[], read: ReadRange): readonly ColumnBytes[] {
  const order = ranges.map((range, index) => ({ range, index })).sort((a, b) => a.range.start - b.range.start);
  const opened = new Array<ColumnBytes>(ranges.length);
  for (let first = 0; first < order.length; ) {
    const start = order[first]?.range.start ?? 0;
    let end = order[first]?.range.end ?? start;
    let after = first + 1;
    for (; after < order.length; after++) {
      const next = order[after]?.range;
      if (!next || next.start > end + GAP_BYTES || next.end - start > RUN_BYTES) break;
      end = Math.max(end, next.end);
    }
    const bytes = read(start, end);
    for (const { range, index } of order.slice(first, after)) opened[index] = inside(range, start, bytes);
    first = after;
  }
  return opened;
}

function inside(range: Range, start: number, bytes: Promise<Buffer>): ColumnBytes {
  let at = range.start;
  return {
    peek: async () => (await bytes).subarray(at - start, range.end - start),
    pass: (count) => {
      at += count;
    },
    left: () => range.end - at,
  };
}

/** A column read a window at a time, the next one while this one is used. */
function windowed(range: Range, windowBytes: number, read: ReadRange): ColumnBytes {
  let at = range.start;
  let held: Buffer = Buffer.alloc(0);
  let heldAt = range.start;
  let ahead: { readonly start: number; readonly end: number; readonly bytes: Promise<Buffer> } | undefined;

  const startAhead = (start: number) => {
    const end = Math.min(range.end, start + windowBytes);
    ahead = start < end ? { start, end, bytes: read(start, end) } : undefined;
  };
  startAhead(range.start);

  return {
    async peek(count) {
      const wanted = Math.min(range.end, at + count);
      while (heldAt + held.length < wanted) {
        const end = heldAt + held.length;
        const kept = at < end ? held.subarray(at - heldAt) : Buffer.alloc(0);
        const from = Math.max(at, end);
        if (ahead?.start !== from) startAhead(from);
        const rest: Buffer[] = [kept];
        const upTo = ahead?.end ?? from;
        if (ahead) rest.push(await ahead.bytes);
        // A page longer than a window is read in one piece.
        if (upTo < wanted) rest.push(await read(upTo, wanted));
        held = Buffer.concat(rest);
        heldAt = at;
        startAhead(heldAt + held.length);
      }
      return held.subarray(at - heldAt);
    },
    pass(count) {
      at += count;
    },
    left: () => range.end - at,
  };
}
