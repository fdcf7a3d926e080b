import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csv } from '../../core/decode/csv.ts';
import { decodeInBlocks } from '../../core/decode/decode.ts';
import { decodeRange, isLineFormat, isSplittable, type LineFormat } from '../../core/decode/decode-range.ts';
import { fixedWidth } from '../../core/decode/fixed-width.ts';
import type { RowBatch } from '../../core/decode/format.ts';
import { ndjson } from '../../core/decode/ndjson.ts';
import { chunked, cutAt } from '../support/decoded.ts';

/** A row, good or bad, with all that is known of it. */
type Seen = readonly [position: number, what: string];

const limits = { maxRowBytes: 12, batchRows: 3, batchBytes: 32, rawLimitBytes: 8 };

async function rowsOf(batches: AsyncIterable<RowBatch>): Promise<{ rows: Seen[]; next: number[]; columns: string[] }> {
  const rows: Seen[] = [];
  const next: number[] = [];
  let columns: string[] = [];
  for await (const batch of batches) {
    columns = [...(batch.columns ?? [])];
    next.push(batch.next ?? -1);
    const good = batch.rows.map(
      (row, index): Seen => [
        batch.positions[index] ?? -1,
        `${JSON.stringify(row)} ${Buffer.from(batch.raw(index)).toString('latin1')}`,
      ],
    );
    const bad = batch.bad.map(({ position, code, length, raw }): Seen => [position, `${code} ${length} ${raw}`]);
    rows.push(...[...good, ...bad].sort(([a], [b]) => a - b));
  }
  return { rows, next, columns };
}

/** What each part finds by itself, as its worker would read it: from the byte before it. */
async function inParts(bytes: Uint8Array, format: LineFormat, partBytes: number, columns: string[], cuts: number[]) {
  const all: Seen[] = [];
  for (let start = 0; start < bytes.length; start += partBytes) {
    const from = Math.max(0, start - 1);
    const range = { from, seeking: start > 0, until: start + partBytes, columns };
    const { rows } = await rowsOf(decodeRange(chunked(cutAt(bytes.subarray(from), cuts)), format, range, limits, 4));
    for (const [position] of rows) {
      expect(position).toBeGreaterThanOrEqual(start);
      expect(position).toBeLessThan(start + partBytes);
    }
    all.push(...rows);
  }
  return all;
}

const line = fc.oneof(
  fc.constantFrom('', '{"a":1}', '{"b":"2"}', ' ', '"', 'a,b', '"x,y",1', '"open,1', '#note', '\r', 'ü,é', '{'),
  fc.string({ unit: fc.constantFrom('a', '"', ',', '#', ' ', '1', 'ü'), maxLength: 30 }),
);
const ends = fc.constantFrom('\n', '\r\n', '\n', '\r');
const text = fc
  .array(fc.tuple(line, ends), { maxLength: 12 })
  .chain((lines) => fc.tuple(fc.constant(lines.map((each) => each.join('')).join('')), line))
  .map(([all, last]) => Buffer.from(all + last));
const cuts = fc.array(fc.nat(200), { maxLength: 6 });
const formats: readonly (readonly [string, LineFormat])[] = [
  ['NDJSON', ndjson()],
  ['CSV without line ends in cells', csv({ multiline: false, header: false, columns: ['a', 'b'], comment: '#' })],
  ['CSV without quotes', csv({ quote: null, header: false, columns: ['a', 'b'], encoding: 'latin1' })],
  ['fixed width', fixedWidth({ columns: [{ name: 'a', width: 2 }], ragged: 'pad' })],
];

describe('rows of a part', () => {
  it.each(formats)('of %s are those that begin in it, however large parts and pieces are', async (_name, format) => {
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 40 }), cuts, async (bytes, partBytes, places) => {
        const whole = await rowsOf(decodeInBlocks(chunked(bytes), format, limits, 4));
        expect(await inParts(bytes, format, partBytes, whole.columns, places)).toEqual(whole.rows);
      }),
      { numRuns: 400 },
    );
  });

  it('begin behind a byte order mark, a header, comments and lines to skip', async () => {
    const bytes = Buffer.from('\ufeffskip "me\r\n#c\nid,town\n\n1,Porto\n#d\n2,"Faro\n3,Beja\r4,Évora');
    const format = csv({ multiline: false, skipRows: 1, comment: '#' });
    const whole = await rowsOf(decodeInBlocks(chunked(bytes), format, {}, 64));
    expect(whole.rows.map(([position]) => position)).toEqual([25, 36, 44, 51]);
    for (let partBytes = 25; partBytes <= bytes.length; partBytes += 1) {
      expect(await inParts(bytes, format, partBytes, whole.columns, [30])).toEqual(whole.rows);
    }
  });
});

describe('decoding that begins at the place where a batch ended', () => {
  const resumable: typeof formats = [...formats, ['CSV with line ends in cells', csv({ comment: '#', header: false })]];

  it.each(resumable)('goes on with the next row of %s', async (_name, format) => {
    await fc.assert(
      fc.asyncProperty(text, cuts, fc.boolean(), async (bytes, places, tiny) => {
        const some = { ...limits, ...(tiny ? { batchRows: 1 } : {}) };
        const whole = await rowsOf(decodeInBlocks(chunked(cutAt(bytes, places)), format, some, 4));
        for (const from of whole.next) {
          const range = { from, seeking: false, until: Number.POSITIVE_INFINITY, columns: whole.columns };
          const rest = await rowsOf(decodeRange(chunked(bytes.subarray(from)), format, range, some, 4));
          expect(rest.rows).toEqual(whole.rows.filter(([position]) => position >= from));
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a line that is longer than allowed', () => {
  it('leaves no rows to parts that lie inside it, and is read on in without being held', async () => {
    const bytes = Buffer.from(`{"a":1}\n{"long":"${'x'.repeat(200)}"}\n{"b":2}\n`);
    const whole = await rowsOf(decodeInBlocks(chunked(bytes), ndjson(), limits, 16));
    expect(whole.rows.map(([, what]) => what.split(' ')[0])).toEqual(['{"a":1}', 'decode.rowTooLong', '{"b":2}']);
    for (const partBytes of [7, 20, 64]) expect(await inParts(bytes, ndjson(), partBytes, [], [])).toEqual(whole.rows);
  });

  it('of 200 MB costs no memory, neither in the part that it begins in nor in those it fills', async () => {
    const block = Buffer.alloc(1024 * 1024, 'x');
    const size = 200 * block.length;
    async function* body(from: number) {
      if (from === 0) yield Buffer.from('{"a":"');
      for (let at = Math.max(0, from - 6); at < size; at += block.length) yield block.subarray(0, size - at);
      yield Buffer.from('"}\n{"b":2}\n');
    }
    const before = process.memoryUsage().arrayBuffers;
    const first = { from: 0, seeking: false, until: 1_000_000, columns: [] };
    const begun = await rowsOf(decodeRange(body(0), ndjson(), first));
    const inside = { from: 99_999_999, seeking: true, until: 100_000_000 + 1_000_000, columns: [] };
    const filled = await rowsOf(decodeRange(body(99_999_999), ndjson(), inside));
    const last = { from: 199_999_999, seeking: true, until: 300_000_000, columns: [] };
    const behind = await rowsOf(decodeRange(body(199_999_999), ndjson(), last));

    expect(begun.rows.map(([position, what]) => [position, what.split(' ', 2)])).toEqual([
      [0, ['decode.rowTooLong', String(size + 8)]],
    ]);
    expect(filled.rows).toEqual([]);
    expect(behind.rows).toEqual([[size + 9, '{"b":2} {"b":2}']]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(80 * 1024 * 1024);
  });
});

describe('which formats', () => {
  it('stand at offsets, and which of them can be cut', () => {
    expect(isLineFormat(csv({ encoding: 'utf-16le' }))).toBe(false);
    expect(isLineFormat(csv({ encoding: 'utf-16be' }))).toBe(false);
    expect(isLineFormat({ name: 'json' })).toBe(false);
    expect([ndjson(), csv(), csv({ multiline: false }), csv({ quote: null })].map(isSplittable)).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });
});
