import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../core/decode/codes.ts';
import { decodeFile } from '../../core/decode/decode-file.ts';
import { parquet } from '../../core/decode/parquet.ts';
import { bytesFile } from '../support/bytes-file.ts';
import { joined } from '../support/decoded-batches.ts';

const names = [
  ...['nested', 'texts', 'numbers', 'v2-plain-dictionaries-off', 'uncompressed', 'fastparquet', 'pyarrow-types'],
  ...[
    'pyarrow-none-v1',
    'pyarrow-none-v2',
    'pyarrow-lz4-v1',
    'pyarrow-snappy-v1',
    'pyarrow-brotli-v2',
    'pyarrow-gzip-v1',
  ],
];
const files = await Promise.all(
  names.map(async (name) => ({
    name,
    bytes: await readFile(new URL(`../fixtures/parquet/${name}.parquet`, import.meta.url)),
  })),
);
const read = (bytes: Uint8Array, limits = {}, from = 0) =>
  joined(decodeFile(bytesFile(bytes), parquet(), limits, from));

describe('parquet', () => {
  it.each(files)('gives the rows of $name whatever the limits and the first row', async ({ bytes }) => {
    const all = await read(bytes);
    const longest = Math.max(...all.raws.map((raw) => Buffer.byteLength(raw)));
    const limits = fc.record({
      batchRows: fc.integer({ min: 1, max: 300 }),
      batchBytes: fc.integer({ min: 1, max: 100_000 }),
      // No row is too long for a limit that it just keeps.
      maxRowBytes: fc.integer({ min: longest, max: longest + 10 }),
    });

    await fc.assert(
      fc.asyncProperty(limits, fc.nat(all.rows.length + 1), async (limits, from) => {
        const { positions, raws, bad, error } = await read(bytes, limits, from);
        expect(error).toBeUndefined();
        expect(bad).toEqual([]);
        expect(raws.join('\n')).toBe(all.raws.slice(from).join('\n'));
        expect(positions).toEqual(all.positions.slice(from));
      }),
      { numRuns: 8 },
    );
  });

  it.each(files)('ends with a DecodeError wherever $name is cut off', async ({ bytes }) => {
    for (let end = 0; end < bytes.length; end += 97) {
      const { rows, error } = await read(bytes.subarray(0, end));
      expect(error).toBeInstanceOf(DecodeError);
      expect(rows).toEqual([]);
    }
  });

  it.each(files)('survives any bytes of $name that are changed', async ({ bytes }) => {
    const changes = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    // Most of what steers a decoder stands at the end.
    const atEnd = fc.array(
      fc.tuple(fc.integer({ min: Math.max(0, bytes.length - 1500), max: bytes.length - 9 }), fc.nat(255)),
      {
        minLength: 1,
        maxLength: 3,
      },
    );

    await fc.assert(
      fc.asyncProperty(fc.oneof(changes, atEnd), async (changes) => {
        const damaged = Buffer.from(bytes);
        for (const [at, byte] of changes) damaged[at] = byte;
        const { error } = await read(damaged);
        if (error !== undefined) expect(error).toBeInstanceOf(DecodeError);
      }),
      { numRuns: 60 },
    );
  });
});
