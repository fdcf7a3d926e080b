import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CsvOptions, csv } from '../../core/decode/csv.ts';
import { decoded } from '../support/decoded.ts';

interface Dialect {
  readonly delimiter: string;
  readonly quote: string;
  readonly escaper: string;
  readonly end: string;
}

const dialects = fc.record({
  delimiter: fc.constantFrom(',', ';', '\t', '|', '||', '::', '¦', 'ab'),
  quote: fc.constantFrom('"', "'"),
  escaper: fc.constantFrom('', '\\'),
  end: fc.constantFrom('\n', '\r\n', '\r'),
});
const cell = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', 'b', ',', ';', '"', "'", '\\', '\n', '\r', '|', ':', ' ', '\t', 'ü', '€', '\u{1f600}'),
    maxLength: 8,
  }),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
const table = fc
  .integer({ min: 1, max: 5 })
  .chain((columns) => fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { maxLength: 6 }));

/** Writes a cell, in quotes if it has to be or if it is told so. */
function write(text: string, { delimiter, quote, escaper, end: _ }: Dialect, inQuotes: boolean): string {
  const marks = [...delimiter, quote, '\n', '\r', '\ufeff'];
  if (!inQuotes && text !== '' && !marks.some((mark) => text.includes(mark))) return text;
  const body = [...text].map((character) => {
    if (character === quote) return (escaper || quote) + quote;
    return character === escaper ? escaper + escaper : character;
  });
  return quote + body.join('') + quote;
}

const lone = /\p{Surrogate}/u;

describe('csv', () => {
  it('reads back what a writer wrote, in any dialect', async () => {
    await fc.assert(
      fc.asyncProperty(
        table,
        dialects,
        fc.array(fc.boolean(), { minLength: 1 }),
        fc.boolean(),
        async (rows, dialect, quoted, ends) => {
          fc.pre(!rows.flat().some((text) => lone.test(text)));
          const { delimiter, quote, escaper, end } = dialect;
          const lines = rows.map((row, line) =>
            row
              .map((text, index) => write(text, dialect, quoted[(line + index) % quoted.length] === true))
              .join(delimiter),
          );
          const options: CsvOptions = { header: false, delimiter, quote, ...(escaper && { escape: escaper }) };
          const result = await decoded(lines.join(end) + (ends ? end : ''), csv(options));
          expect(result.rows).toEqual(rows);
          expect(result.bad).toEqual([]);
          expect(result.raws).toEqual(lines.map((line) => Buffer.from(line).toString('latin1')));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('reads the same rows from every encoding', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', '\n', 'ÿ', ' '), maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, text), { maxLength: 5 }), async (rows) => {
        const dialect = { delimiter: ',', quote: '"', escaper: '', end: '\n' };
        const lines = rows.map((row) => row.map((cell) => write(cell, dialect, false)).join(',')).join('\n');
        const read = async (bytes: Buffer, encoding: NonNullable<CsvOptions['encoding']>) =>
          (await decoded(bytes, csv({ header: false, encoding }))).rows;
        expect(await read(Buffer.from(lines), 'utf-8')).toEqual(rows);
        expect(await read(Buffer.from(lines, 'latin1'), 'latin1')).toEqual(rows);
        expect(await read(Buffer.from(lines, 'latin1'), 'windows-1252')).toEqual(rows);
        const pairs = Buffer.from(`\ufeff${lines}`, 'utf16le');
        expect(await read(pairs, 'utf-16le')).toEqual(rows);
        expect(await read(Buffer.from(pairs).swap16(), 'utf-16be')).toEqual(rows);
      }),
      { numRuns: 200 },
    );
  });

  it('reads from the raw bytes of a row the row itself', async () => {
    const marks = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', 'ü'), maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(marks, fc.boolean(), async (text, trim) => {
        const options = { header: false, trim, ragged: 'pad' } as const;
        const { rows, raws, columns } = await decoded(text, csv(options));
        for (const [index, raw] of raws.entries()) {
          const again = await decoded(Buffer.from(raw, 'latin1'), csv({ ...options, columns: columns ?? [] }));
          expect(again.rows).toEqual([rows[index]]);
        }
      }),
      { numRuns: 500 },
    );
  });
});
