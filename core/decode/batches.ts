import type { RowFault } from './codes.ts';
import type { BadRow, DecodeLimits, RowBatch } from './format.ts';
import { openWindow, type Stretch, type Window, wholeObject } from './window.ts';

/** A batch in the making. `starts` and `ends` are indexes into the window's view, of each row in `rows`. */
export interface Batch {
  readonly rows: unknown[];
  readonly positions: number[];
  readonly starts: number[];
  readonly ends: number[];
  readonly bad: BadRow[];
  bytes: number;
}

/**
 * Cuts rows out of a window. `scan` takes as many whole rows from `window.at` on as it can and says why it stopped:
 * `more` bytes are needed, the batch is `full`, or nothing follows (`end`, only answer besides `full` once the window
 * is done). It may leave a row it has not finished and start it again next time.
 */
export interface Scanner {
  scan(window: Window, batch: Batch): 'more' | 'full' | 'end';
  /** Where positions are offsets: offset of the first byte that no row of the batch holds, never inside a row. */
  next?(window: Window): number;
  /** CSV: names of the cells, known when there is a row. */
  columns?(): readonly string[];
  /** How a row's bytes stand in the object, when that is not how they stand in the window. */
  original?(bytes: Uint8Array): Uint8Array;
}

/** Runs a scanner over an object. Nothing moves in the window while a batch is being filled or used. */
export async function* batches(
  bytes: AsyncIterable<Uint8Array>,
  limits: DecodeLimits,
  scanner: Scanner,
  blockBytes: number,
  stretch: Stretch = wholeObject,
): AsyncGenerator<RowBatch, void, undefined> {
  const source = openWindow(bytes, limits.batchBytes, blockBytes, stretch);
  const { window } = source;
  try {
    while (window.view.length < 3 && !window.done && source.canAppend()) await source.more();
    const [first, second, third] = window.view;
    if (stretch.from === 0 && first === 0xef && second === 0xbb && third === 0xbf) window.at = 3;
    let batch = newBatch();
    for (;;) {
      const stopped = scanner.scan(window, batch);
      if (stopped === 'more' && source.canAppend()) {
        await source.more();
        continue;
      }
      if (batch.rows.length + batch.bad.length > 0) {
        yield finishBatch(batch, window, scanner);
        batch = newBatch();
      }
      if (stopped === 'end') return;
      if (stopped === 'more') {
        source.makeRoom();
        await source.more();
      }
    }
  } finally {
    await source.close();
  }
}

function newBatch(): Batch {
  return { rows: [], positions: [], starts: [], ends: [], bad: [], bytes: 0 };
}

function finishBatch(batch: Batch, window: Window, scanner: Scanner): RowBatch {
  const { rows, positions, starts, ends, bad } = batch;
  const { view } = window;
  const columns = scanner.columns?.();
  const next = scanner.next?.(window);
  return {
    rows,
    positions,
    bad,
    ...(columns && { columns }),
    ...(next !== undefined && { next }),
    raw(index) {
      const start = starts[index];
      const end = ends[index];
      if (start === undefined || end === undefined) throw new RangeError(`the batch has no row ${index}`);
      // A plain Uint8Array, because slice() of a Buffer would share its memory instead of copying it.
      const bytes = new Uint8Array(view.buffer, view.byteOffset + start, end - start);
      return scanner.original ? scanner.original(bytes) : bytes;
    },
  };
}

export function addRow(batch: Batch, row: unknown, position: number, start: number, end: number): void {
  batch.rows.push(row);
  batch.positions.push(position);
  batch.starts.push(start);
  batch.ends.push(end);
  batch.bytes += end - start;
}

/** Adds a bad row; `raw` is what {@link headOf} kept of it. */
export function addBad(
  batch: Batch,
  fault: { readonly code: RowFault; readonly message: string },
  row: { readonly position: number; readonly length: number; readonly raw: Uint8Array },
): void {
  const { code, message } = fault;
  batch.bad.push({ position: row.position, code, message, length: row.length, raw: row.raw });
  batch.bytes += row.raw.length;
}

/** A copy of the first bytes of a bad row: the same ones whether or not the whole row was ever in memory. */
export function headOf(bytes: Uint8Array, limits: DecodeLimits): Uint8Array {
  return new Uint8Array(bytes.subarray(0, Math.min(limits.rawLimitBytes, limits.maxRowBytes)));
}

export function isFull(batch: Batch, limits: DecodeLimits): boolean {
  return batch.rows.length + batch.bad.length >= limits.batchRows || batch.bytes >= limits.batchBytes;
}

export function tooLong(limits: DecodeLimits): { readonly code: RowFault; readonly message: string } {
  return { code: 'decode.rowTooLong', message: `the row is longer than ${limits.maxRowBytes} bytes` };
}
