import { tooLong } from './batches.ts';
import type { RowFault } from './codes.ts';
import { ExactNumber } from './exact-number.ts';
import type { BadRow, DecodeLimits, RowBatch } from './format.ts';
import { rowJson } from './row-json.ts';

/** No JSON text of a value is longer than this many bytes for each unit of its weight: a double takes up to 24. */
const BYTES_PER_WEIGHT = 25;

/**
 * Batches of rows that have no bytes of their own in the object, because their format is binary: what stands for the
 * bytes of a row is its JSON text.
 */
export interface ValueBatch {
  /**
   * Adds a row, or a bad row when its JSON text is too long. `weight` is at most the length of that text, and at least
   * a 25th of it: one for a scalar, the length of a text, the length of a name.
   */
  add(row: unknown, position: number, weight: number): void;
  /** Adds a bad row; `row` is what could be made of it, if anything. */
  reject(code: RowFault, message: string, position: number, row?: unknown): void;
  isFull(): boolean;
  /** What has gathered, and an empty batch in its place; undefined when nothing has. */
  take(): RowBatch | undefined;
}

/** What a value weighs in a row, whole when it is a scalar: see {@link ValueBatch.add}. */
export function weightOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 1;
  if (value instanceof ExactNumber) return value.text.length;
  return typeof value === 'bigint' ? value.toString().length : 1;
}

export function newValueBatch(limits: DecodeLimits): ValueBatch {
  let rows: unknown[] = [];
  let positions: number[] = [];
  let bad: BadRow[] = [];
  let bytes = 0;

  const reject: ValueBatch['reject'] = (code, message, position, row) => {
    const text = row === undefined ? new Uint8Array() : new TextEncoder().encode(rowJson(row));
    const raw = text.slice(0, Math.min(limits.rawLimitBytes, limits.maxRowBytes));
    bad.push({ position, code, message, length: text.length, raw });
    bytes += raw.length;
  };

  return {
    add(row, position, weight) {
      if (weight * BYTES_PER_WEIGHT > limits.maxRowBytes && Buffer.byteLength(rowJson(row)) > limits.maxRowBytes) {
        const { code, message } = tooLong(limits);
        reject(code, message, position, row);
        return;
      }
      rows.push(row);
      positions.push(position);
      bytes += weight;
    },
    reject,
    isFull: () => rows.length + bad.length >= limits.batchRows || bytes >= limits.batchBytes,
    take() {
      if (rows.length + bad.length === 0) return undefined;
      const batch = rowBatch(rows, positions, bad);
      rows = [];
      positions = [];
      bad = [];
      bytes = 0;
      return batch;
    },
  };
}

function rowBatch(rows: readonly unknown[], positions: readonly number[], bad: readonly BadRow[]): RowBatch {
  return {
    rows,
    positions,
    bad,
    raw(index) {
      if (!(index in rows)) throw new RangeError(`the batch has no row ${index}`);
      return new TextEncoder().encode(rowJson(rows[index]));
    },
  };
}
