import { addBad, type Batch, headOf, tooLong } from './batches.ts';
import type { DecodeLimits } from './format.ts';
import type { Window } from './window.ts';

/** A row longer than `maxRowBytes` whose end has not been seen: only its first bytes are kept. */
export interface LongRow {
  readonly position: number;
  /** Offset of its first byte in the object. */
  readonly offset: number;
  readonly raw: Uint8Array;
}

/** Begins a long row at the window's first unconsumed byte. */
export function longRow(window: Window, position: number, limits: DecodeLimits): LongRow {
  const raw = headOf(window.view.subarray(window.at), limits);
  return { position, offset: window.base + window.at, raw };
}

/** Ends it at `end`, an offset in the object. */
export function addLongRow(batch: Batch, row: LongRow, end: number, limits: DecodeLimits): void {
  addBad(batch, tooLong(limits), { position: row.position, length: end - row.offset, raw: row.raw });
}
