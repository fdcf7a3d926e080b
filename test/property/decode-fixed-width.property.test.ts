import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixedWidth } from '../../core/decode/fixed-width.ts';
import { cutAt, decoded } from '../support/decoded.ts';

const character = fc.constantFrom('a', '7', ' ', '"', ',', 'ü', 'ÿ', '€', '日', '\u{1f600}');
const widths = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 });
const tableOf = (character: fc.Arbitrary<string>) =>
  widths.chain((widths) => {
    const row = fc.tuple(...widths.map((width) => fc.array(character, { minLength: width, maxLength: width })));
    return fc.record({
      widths: fc.constant(widths),
      rows: fc.array(
        row.map((cells) => cells.map((cell) => cell.join(''))),
        { maxLength: 6 },
      ),
    });
  });
const columnsOf = (widths: readonly number[]) => widths.map((width, index) => ({ name: `c${index}`, width }));
const end = fc.constantFrom('\n', '\r\n', '\r');

describe('fixedWidth', () => {
  it('reads back what a writer wrote, wherever the bytes are cut', async () => {
    const places = fc.array(fc.nat(), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        tableOf(character),
        end,
        fc.boolean(),
        places,
        fc.integer({ min: 1, max: 30 }),
        async (table, end, ends, places, block) => {
          const lines = table.rows.map((row) => row.join(''));
          const bytes = Buffer.from(lines.join(end) + (ends ? end : ''));
          const columns = columnsOf(table.widths);
          const kept = await decoded(cutAt(bytes, places), fixedWidth({ columns, trim: false }), {}, block);
          expect(kept).toMatchObject({ rows: table.rows, bad: [] });
          expect(kept.raws).toEqual(lines.map((line) => Buffer.from(line).toString('latin1')));
          kept.positions.forEach((position, index) => {
            const raw = Buffer.from(kept.raws[index] ?? '', 'latin1');
            expect(bytes.subarray(position, position + raw.length).equals(raw)).toBe(true);
          });
          const trimmed = await decoded([bytes], fixedWidth({ columns }));
          expect(trimmed.rows).toEqual(table.rows.map((row) => row.map((cell) => cell.trim())));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('finds the same in columns by width and by place', async () => {
    await fc.assert(
      fc.asyncProperty(tableOf(character), async ({ widths, rows }) => {
        const text = rows.map((row) => row.join('')).join('\n');
        const placed = columnsOf(widths).map(({ name, width }, index) => ({
          name,
          start: widths.slice(0, index).reduce((sum, each) => sum + each, 0),
          length: width,
        }));
        const byWidth = await decoded(text, fixedWidth({ columns: columnsOf(widths) }));
        expect(await decoded(text, fixedWidth({ columns: placed }))).toEqual(byWidth);
      }),
      { numRuns: 200 },
    );
  });

  it('reads the same rows from every encoding', async () => {
    const single = fc.constantFrom('a', '7', ' ', 'é', 'ÿ');
    await fc.assert(
      fc.asyncProperty(tableOf(single), async ({ widths, rows }) => {
        const text = rows.map((row) => row.join('')).join('\n');
        const columns = columnsOf(widths);
        const read = async (bytes: Buffer, encoding: 'utf-8' | 'latin1' | 'windows-1252' | 'utf-16le') =>
          (await decoded(bytes, fixedWidth({ columns, encoding, trim: false }))).rows;
        expect(await read(Buffer.from(text), 'utf-8')).toEqual(rows);
        expect(await read(Buffer.from(text, 'latin1'), 'latin1')).toEqual(rows);
        expect(await read(Buffer.from(text, 'latin1'), 'windows-1252')).toEqual(rows);
        expect(await read(Buffer.from(`\ufeff${text}`, 'utf16le'), 'utf-16le')).toEqual(rows);
      }),
      { numRuns: 200 },
    );
  });

  it('makes of every line a row, a short one or a long one, by its characters alone', async () => {
    const line = fc.array(character, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 8 }), fc.boolean(), async (lines, pad) => {
        const columns = columnsOf([2, 4]);
        const text = lines.map((line) => line.join('')).join('\n');
        const { rows, bad } = await decoded(text, fixedWidth({ columns, ...(pad && { ragged: 'pad' }), trim: false }));
        const fits = lines.filter(({ length }) => length === 6 || (pad && length < 6));
        expect(rows).toEqual(
          fits.map((line) => [line.slice(0, 2).join(''), line.length > 2 ? line.slice(2).join('') : null]),
        );
        const unfit = lines.filter(({ length }) => length > 6 || (!pad && length < 6));
        expect(bad.map(({ code }) => code)).toEqual(
          unfit.map(({ length }) => (length > 6 ? 'decode.longRow' : 'decode.shortRow')),
        );
      }),
      { numRuns: 300 },
    );
  });
});
