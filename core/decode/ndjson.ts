import { type Batch, isFull, type Scanner, tooLong } from './batches.ts';
import type { DecodeLimits } from './format.ts';
import { isJsonSpace } from './json-machine.ts';
import { rejectRow, takeJsonRow } from './json-row.ts';
import { addLongRow, type LongRow, longRow } from './long-row.ts';
import type { Window } from './window.ts';

export interface NdjsonFormat {
  readonly name: 'ndjson';
}

/** One JSON object a line: LF or CRLF, blank lines skipped, a final line end not needed. */
export function ndjson(): NdjsonFormat {
  return { name: 'ndjson' };
}

const LF = 0x0a;
const CR = 0x0d;
const OPEN_OBJECT = 0x7b;

/** Lines as rows, by position: the byte offset of the line. */
export function scanNdjson(limits: DecodeLimits): Scanner {
  let long: (LongRow & { endsInCr: boolean }) | undefined;

  /** Reads on in a long line. False when its end is not in the window. */
  const passLong = (row: LongRow & { endsInCr: boolean }, window: Window, batch: Batch): boolean => {
    const { view, at } = window;
    const newline = view.indexOf(LF, at);
    const end = newline < 0 ? view.length : newline;
    if (end > at) row.endsInCr = view[end - 1] === CR;
    window.at = newline < 0 ? end : newline + 1;
    if (newline < 0 && !window.done) return false;
    addLongRow(batch, row, window.base + end - (row.endsInCr ? 1 : 0), limits);
    long = undefined;
    return true;
  };

  return {
    next: (window) => long?.offset ?? window.base + window.at,
    scan(window, batch) {
      const { view } = window;
      const stop = window.until - window.base;
      if (long && !passLong(long, window, batch)) return 'more';
      while (window.at < view.length) {
        if (isFull(batch, limits)) return 'full';
        const start = window.at;
        if (start >= stop) return 'end';
        const newline = view.indexOf(LF, start);
        if (newline < 0 && !window.done) {
          // Two bytes more than allowed: one of them may be the CR of the line's end.
          if (view.length - start < limits.maxRowBytes + 2) return 'more';
          long = { ...longRow(window, window.base + start, limits), endsInCr: false };
          passLong(long, window, batch);
          return 'more';
        }
        let end = newline < 0 ? view.length : newline;
        window.at = newline < 0 ? end : newline + 1;
        if (end > start && view[end - 1] === CR) end--;
        const line = { start, end, position: window.base + start };
        if (end - start > limits.maxRowBytes) rejectRow(batch, view, line, tooLong(limits), limits);
        else if (view[start] === OPEN_OBJECT || !isBlank(view, start, end)) takeJsonRow(batch, view, line, limits);
      }
      return window.done || window.at >= stop ? 'end' : 'more';
    },
  };
}

function isBlank(view: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (!isJsonSpace(view[at])) return false;
  return true;
}
