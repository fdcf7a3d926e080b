import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../core/decode/codes.ts';
import { csv } from '../../core/decode/csv.ts';
import { decode } from '../../core/decode/decode.ts';
import { fixedWidth } from '../../core/decode/fixed-width.ts';
import type { DecodeLimits, Format } from '../../core/decode/format.ts';
import { json } from '../../core/decode/json.ts';
import { ndjson } from '../../core/decode/ndjson.ts';
import { sniffFormat } from '../../core/decode/sniff.ts';
import { chunked, cutAt, decoded } from '../support/decoded.ts';

const formats: readonly Format[] = [
  ndjson(),
  json(),
  json({ rows: 'a.b' }),
  csv(),
  csv({ header: false, delimiter: '||', quote: "'", escape: '\\', comment: '#|', skipRows: 1 }),
  csv({ header: false, trim: true, nulls: ['', 'a'], ragged: 'pad', encoding: 'windows-1252' }),
  csv({ header: false, encoding: 'utf-16le' }),
  csv({ header: false, encoding: 'utf-16be' }),
  csv({ columns: ['x', 'y'], quote: null }),
  fixedWidth({
    columns: [
      { name: 'x', width: 2 },
      { name: 'y', width: 3 },
    ],
  }),
  fixedWidth({ columns: [{ name: 'x', start: 2, length: 40 }], ragged: 'pad', trim: false, skipRows: 1 }),
  fixedWidth({ columns: [{ name: 'x', width: 6 }], nulls: [''], ragged: 'pad', encoding: 'utf-16le' }),
];

/** Bytes out of which every branch of a decoder can be reached: marks, pieces of rows, and anything. */
const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\n',
      '\r\n',
      '\r',
      "'",
      '\\',
      '|',
      '||',
      '#',
      ' ',
      '\t',
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '{"a":1}',
      '{"a":{"b":[',
      '"b"',
      'null',
      '1e400',
      '12345678901234567',
      'x',
      '""',
      'a,b',
      '\ufeff',
      'ü',
      '\u{1f600}',
    ),
  },
);
const pieces = fc.array(piece, { maxLength: 60 }).map((parts) => Buffer.from(parts.join('')));
const bytes = fc.oneof(
  { weight: 5, arbitrary: pieces },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((raw) => Buffer.from(raw)) },
  { weight: 1, arbitrary: pieces.map((text) => Buffer.from(text.toString(), 'utf16le')) },
  { weight: 1, arbitrary: fc.tuple(pieces, fc.uint8Array({ maxLength: 3 }), pieces).map((all) => Buffer.concat(all)) },
);
const cuts = fc.array(fc.nat(400), { maxLength: 12 });
/** From one byte at a time up to more than an object has. */
const blocks = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(1000));
const limits = fc.record({
  batchRows: fc.integer({ min: 1, max: 5 }),
  batchBytes: fc.integer({ min: 1, max: 50 }),
});
const content = fc.record({
  maxRowBytes: fc.constantFrom(3, 8, 20, 1_000_000),
  rawLimitBytes: fc.constantFrom(0, 4, 1_000_000),
  maxDepth: fc.constantFrom(1, 2, 64),
});

/** Everything but where batches end; the error instead, if there is one. */
async function outcome(
  chunks: Iterable<Uint8Array>,
  format: Format,
  limits: Partial<DecodeLimits>,
  blockBytes?: number,
): Promise<unknown> {
  try {
    const { batches: _, ...rest } = await decoded(chunks, format, limits, blockBytes);
    return rest;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { code: error.code, message: error.message };
  }
}

describe('decode', () => {
  for (const format of formats) {
    it(`gives the same wherever the bytes are cut and batches end: ${JSON.stringify(format)}`, async () => {
      await fc.assert(
        fc.asyncProperty(bytes, cuts, blocks, limits, content, async (object, places, block, batching, content) => {
          const whole = await outcome([object], format, content);
          expect(await outcome(cutAt(object, places), format, { ...content, ...batching }, block)).toEqual(whole);
        }),
        { numRuns: 300 },
      );
    });

    it(`gives rows and bad rows in order, within the limits: ${JSON.stringify(format)}`, async () => {
      await fc.assert(
        fc.asyncProperty(bytes, limits, content, async (object, batching, content) => {
          let last = -1;
          try {
            for await (const batch of decode(chunked([object]), format, { ...content, ...batching })) {
              expect(batch.positions).toHaveLength(batch.rows.length);
              expect(batch.rows.length + batch.bad.length).toBeGreaterThan(0);
              expect(batch.rows.length + batch.bad.length).toBeLessThanOrEqual(batching.batchRows);
              const places = [...batch.positions, ...batch.bad.map(({ position }) => position)].sort((a, b) => a - b);
              for (const place of places) {
                expect(place).toBeGreaterThan(last);
                last = place;
              }
              for (const { raw, length } of batch.bad) {
                expect(raw.length).toBeLessThanOrEqual(content.rawLimitBytes);
                expect(length).toBeGreaterThanOrEqual('encoding' in format ? 0 : raw.length);
              }
            }
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
        }),
        { numRuns: 100 },
      );
    });
  }

  it('counts every byte of a line format: rows lie at their positions', async () => {
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.constantFrom<Format>(
          ndjson(),
          csv({ header: false, ragged: 'pad' }),
          fixedWidth({ columns: [{ name: 'x', width: 9 }], ragged: 'pad' }),
        ),
        async (object, format) => {
          const { positions, raws, bad } = await decoded([object], format);
          const text = object.toString('latin1');
          positions.forEach((position, index) => {
            const raw = raws[index] ?? '';
            expect(text.slice(position, position + raw.length)).toBe(raw);
          });
          for (const { position, length, raw } of bad) expect(text.slice(position, position + length)).toBe(raw);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives rows beyond a block the same as rows within one', async () => {
    const row = fc.tuple(fc.integer({ min: 0, max: 40_000 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 12 }), cuts, async (lengths, places) => {
        const objects = lengths.map(([length, quoted]) => ({ a: (quoted ? '"\n' : 'é,').repeat(length / 2) }));
        const lines = Buffer.from(objects.map((object) => `${JSON.stringify(object)}\n`).join(''));
        const array = Buffer.from(JSON.stringify(objects));
        const table = Buffer.from(`a,b\n${objects.map(({ a }) => `1,"${a.replaceAll('"', '""')}"\n`).join('')}`);
        const scattered = places.map((place) => place * 1000);
        expect((await decoded(cutAt(lines, scattered), ndjson())).rows).toEqual(objects);
        expect((await decoded(cutAt(array, scattered), json())).rows).toEqual(objects);
        expect((await decoded(cutAt(table, scattered), csv())).rows).toEqual(objects.map(({ a }) => ['1', a]));
      }),
      { numRuns: 15 },
    );
  });
});

describe('sniffFormat', () => {
  it('finds a format or says that it knows none, whatever the bytes', () => {
    fc.assert(
      fc.property(bytes, fc.constantFrom('x', 'x.csv', 'x.json', 'x.jsonl.gz'), (object, name) => {
        try {
          expect(['csv', 'json', 'ndjson']).toContain(sniffFormat(object, name).name);
        } catch (error) {
          expect(error).toMatchObject({ code: 'decode.unknownFormat' });
        }
      }),
      { numRuns: 300 },
    );
  });
});
