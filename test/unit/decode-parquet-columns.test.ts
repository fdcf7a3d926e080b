import { describe, expect, it } from 'vitest';
import { type ColumnBytes, columnOpener } from '../../core/decode/parquet-bytes.ts';
import { openColumn } from '../../core/decode/parquet-column.ts';
import { MAX_OPEN_BYTES } from '../../core/decode/parquet-pages.ts';
import type { Leaf } from '../../core/decode/parquet-schema.ts';

const MiB = 1024 * 1024;

/** A file of any size whose bytes follow from their places, and what is read of it at a time. */
function endlessFile(sizeBytes: number) {
  const seen = { reads: 0, open: 0, most: 0 };
  return {
    sizeBytes,
    seen,
    async read(start: number, end: number) {
      seen.reads++;
      seen.open++;
      seen.most = Math.max(seen.most, seen.open);
      await null;
      const bytes = new Uint8Array(end - start);
      for (let index = 0; index < bytes.length; index += 1009) bytes[index] = byteAt(start + index);
      seen.open--;
      return bytes;
    },
  };
}

const byteAt = (place: number) => (place * 31) % 251;

/** Reads a column to its end in pieces, and checks the first byte of each where it is known. */
async function readThrough(column: ColumnBytes, piece: number): Promise<number> {
  let length = 0;
  while (column.left() > 0) {
    const bytes = await column.peek(piece);
    expect(bytes.length).toBeGreaterThanOrEqual(Math.min(piece, column.left()));
    const step = Math.min(piece, column.left());
    column.pass(step);
    length += step;
  }
  return length;
}

describe('columns of a row group', () => {
  it('are read in pieces when the group is large, each piece once', async () => {
    const file = endlessFile(60 * MiB);
    const [one, two] = columnOpener(file)([
      { start: 4, end: 25 * MiB },
      { start: 25 * MiB, end: 60 * MiB },
    ]) as [ColumnBytes, ColumnBytes];

    const lengths = await Promise.all([readThrough(one, 300_000), readThrough(two, 1000)]);

    expect(lengths).toEqual([25 * MiB - 4, 35 * MiB]);
    expect(file.seen.reads).toBeLessThan(20);
    expect(file.seen.most).toBeLessThanOrEqual(8);
  });

  it('deliver a page longer than a piece, and pass over bytes without reading them', async () => {
    const file = endlessFile(200 * MiB);
    const [column] = columnOpener(file)([{ start: 1009, end: 200 * MiB }]) as [ColumnBytes];

    const long = await column.peek(10 * MiB);
    expect(long.length).toBeGreaterThanOrEqual(10 * MiB);
    expect(long[0]).toBe(byteAt(1009));
    column.pass(150 * MiB);
    const late = await column.peek(10);

    expect(late.length).toBeGreaterThanOrEqual(10);
    expect(late[0]).toBe(byteAt(1009 + 150 * MiB));
    expect(file.seen.reads).toBeLessThan(8);
  });

  it('open no more reads than eight at a time', async () => {
    const file = endlessFile(400 * MiB);
    const ranges = Array.from({ length: 400 }, (_, index) => ({ start: index * MiB + 4, end: (index + 1) * MiB }));
    const columns = columnOpener(file)(ranges);

    await Promise.all(columns.map((column) => column.peek(100)));

    expect(file.seen.most).toBe(8);
  });

  it('refuse a page that says it unpacks to more than may be open', async () => {
    const header = [0x15, 0x00, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0x15, 0x14];
    const dataPage = [0x2c, 0x15, 0x14, 0x15, 0x00, 0x15, 0x06, 0x15, 0x06, 0x00, 0x00];
    const bytes = Buffer.from([...header, ...dataPage, ...Array(10).fill(0)]);
    const element = { type: 1, name: 'id' } as Leaf['element'];
    const open = { bytes: 0 };
    let at = 0;

    const column = openColumn({
      leaf: { kind: 'leaf', element, index: 0, path: ['id'], definition: 0, repetition: 0 },
      codec: 0,
      entries: 10,
      open,
      values: () => () => 0,
      bytes: {
        peek: async () => bytes.subarray(at),
        pass: (count) => {
          at += count;
        },
        left: () => bytes.length - at,
      },
    });

    await expect(column.load()).rejects.toMatchObject({ code: 'decode.tooLarge' });
    expect(open.bytes).toBeLessThanOrEqual(MAX_OPEN_BYTES);
  });
});
