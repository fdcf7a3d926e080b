import { spooler } from '../adapters/spool.ts';
import type { Format } from '../core/decode/format.ts';
import { openRows } from '../core/normalize/open.ts';
import { unreadRest } from '../core/normalize/write-rows.ts';
import type { SampledFile } from '../core/source/infer-key.ts';
import type { Input } from './inputs.ts';

/** How much is looked at: enough to see what a feed is like, and quickly. */
const most = { files: 5, rows: 10_000, bytes: 16 * 1024 * 1024 };

/** The first rows of one file. */
export interface Sample extends SampledFile {
  readonly input: Input;
  /** Undefined for a file without a byte. */
  readonly format: Format | undefined;
  readonly compression: string;
  /** Of each row, as its decoder tells it. */
  readonly positions: readonly number[];
  /** Rows that could not be decoded. */
  readonly bad: number;
  /** There is more in the file. */
  readonly isCut: boolean;
}

export interface UnreadFile {
  readonly input: Input;
  readonly reason: string;
}

/** Some of the files, the first and the last among them, so that a change over time shows. */
export function pickInputs(inputs: readonly Input[]): readonly Input[] {
  if (inputs.length <= most.files) return inputs;
  const step = (inputs.length - 1) / (most.files - 1);
  return Array.from({ length: most.files }, (_, index) => inputs[Math.round(index * step)]).filter(
    (input) => input !== undefined,
  );
}

/** Reads the first rows of a file as the pipeline would; `files`: how many share what is looked at. */
export async function readSample(
  input: Input,
  declared: Format | undefined,
  files: number,
): Promise<Sample | UnreadFile> {
  const room = { rows: Math.ceil(most.rows / files), bytes: most.bytes / files };
  const bytes = await input.open();
  try {
    const opened = await openRows(bytes, declared, input.key, spooler(Number.POSITIVE_INFINITY));
    if ('reason' in opened) return { input, reason: opened.reason };
    const { format, compression, batches } = opened;
    const rows: unknown[] = [];
    const positions: number[] = [];
    let columns: readonly string[] | undefined;
    let read = 0;
    let bad = 0;
    let isCut = false;
    try {
      for await (const batch of batches) {
        columns ??= batch.columns;
        bad += batch.bad.length;
        for (const [index, row] of batch.rows.entries()) {
          isCut ||= rows.length >= room.rows || read >= room.bytes;
          if (isCut) break;
          rows.push(row);
          positions.push(batch.positions[index] ?? 0);
          read += batch.raw(index).length;
        }
        if (isCut) break;
      }
    } catch (error) {
      // What is damaged further on is told, and what came before it is a sample all the same.
      if (!unreadRest(error, 0)) throw error;
      bad += 1;
    }
    const lastModifiedMs = Math.floor(input.modifiedMs / 1000) * 1000;
    return { input, format, compression, rows, positions, bad, isCut, lastModifiedMs, ...(columns && { columns }) };
  } finally {
    await bytes.close();
  }
}
