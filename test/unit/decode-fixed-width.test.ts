import { describe, expect, it } from 'vitest';
import { decode } from '../../core/decode/decode.ts';
import { type FixedWidthOptions, fixedWidth } from '../../core/decode/fixed-width.ts';
import { chunked, decoded, untilError } from '../support/decoded.ts';

const columns = [
  { name: 'id', width: 3 },
  { name: 'town', width: 6 },
  { name: 'total', width: 4 },
];
const rowsOf = async (text: string | Uint8Array, options: Partial<FixedWidthOptions> = {}) =>
  (await decoded(text, fixedWidth({ columns, ...options }))).rows;

describe('fixedWidth', () => {
  it('cuts lines into named cells and puts each row at its byte offset', async () => {
    const found = await decoded('001Évora  1.5\r\n002Lisboa12.0\r\n', fixedWidth({ columns }));
    expect(found).toMatchObject({
      columns: ['id', 'town', 'total'],
      rows: [
        ['001', 'Évora', '1.5'],
        ['002', 'Lisboa', '12.0'],
      ],
      positions: [0, 16],
      raws: ['001\u00c3\u0089vora  1.5', '002Lisboa12.0'],
      bad: [],
    });
  });

  it.each(['\n', '\r\n', '\r'])(
    'ends lines with %j, with or without one behind the last, and passes over empty ones',
    async (end) => {
      const rows = [
        ['1', 'a', '2'],
        ['2', 'b', '3'],
      ];
      const text = `${end}  1a        2${end}${end}  2b        3`;
      expect(await rowsOf(text)).toEqual(rows);
      expect(await rowsOf(text + end)).toEqual(rows);
    },
  );

  it('counts characters, not bytes and not halves of them', async () => {
    expect(await rowsOf('ü€ß日本語日本語\u{1f600}\u{1f601}a\u{1f602}')).toEqual([
      ['ü€ß', '日本語日本語', '\u{1f600}\u{1f601}a\u{1f602}'],
    ]);
  });

  it('reads columns at places of their own, with gaps and in any order', async () => {
    const placed = [
      { name: 'total', start: 8, length: 4 },
      { name: 'id', start: 0, length: 3 },
      { name: 'line', start: 0, length: 12 },
    ];
    expect(await rowsOf('001-----12.0', { columns: placed })).toEqual([['12.0', '001', '001-----12.0']]);
  });

  it('keeps white space when told so', async () => {
    expect(await rowsOf(' 1 \ta   b 2.0', { trim: false })).toEqual([[' 1 ', '\ta   b', ' 2.0']]);
  });

  it('takes given cells for null once they are trimmed', async () => {
    expect(await rowsOf('001      n/a ', { nulls: ['', 'n/a'] })).toEqual([['001', null, null]]);
    expect(await rowsOf('001      n/a ')).toEqual([['001', '', 'n/a']]);
    expect(await rowsOf('001      n/a ', { nulls: ['', 'n/a'], trim: false })).toEqual([['001', '      ', 'n/a ']]);
  });

  it('passes over lines before the first row and a byte order mark', async () => {
    const { rows, positions } = await decoded(
      '\ufeffid town  total of all\n---\n001Évora  1.5\n',
      fixedWidth({ columns, skipRows: 2 }),
    );
    expect(rows).toEqual([['001', 'Évora', '1.5']]);
    expect(positions).toEqual([29]);
  });

  it('makes a bad row of a line that is too short or too long', async () => {
    const { rows, bad } = await decoded('001Évora  1.\n002Évora  1.5\n003Évora  1.5 \n', fixedWidth({ columns }));
    expect(rows).toEqual([['002', 'Évora', '1.5']]);
    expect(bad).toEqual([
      {
        position: 0,
        code: 'decode.shortRow',
        message: 'expected 13 characters, found 12',
        length: 13,
        raw: '001\u00c3\u0089vora  1.',
      },
      {
        position: 29,
        code: 'decode.longRow',
        message: 'expected 13 characters, found 14',
        length: 15,
        raw: '003\u00c3\u0089vora  1.5 ',
      },
    ]);
  });

  it('fills up short lines when told so, and still refuses long ones', async () => {
    const { rows, bad } = await decoded(
      '001Évo\n002\n003Évora 11.5\n0\n004Évora  1.55\n',
      fixedWidth({ columns, ragged: 'pad' }),
    );
    expect(rows).toEqual([
      ['001', 'Évo', null],
      ['002', null, null],
      ['003', 'Évora', '11.5'],
      ['0', null, null],
    ]);
    expect(bad).toMatchObject([{ code: 'decode.longRow' }]);
  });

  it('reads latin1, windows-1252 and UTF-16', async () => {
    const text = '001Évora  1.5\n002Beja   2.5\n';
    const rows = [
      ['001', 'Évora', '1.5'],
      ['002', 'Beja', '2.5'],
    ];
    expect(await rowsOf(Buffer.from(text, 'latin1'), { encoding: 'latin1' })).toEqual(rows);
    expect(await rowsOf(Buffer.from(text, 'latin1'), { encoding: 'windows-1252' })).toEqual(rows);
    const wide = await decoded(
      Buffer.from(`\ufeff${text}x\n`, 'utf16le'),
      fixedWidth({ columns, encoding: 'utf-16le' }),
    );
    expect(wide).toMatchObject({
      rows,
      positions: [0, 1],
      bad: [{ position: 2, code: 'decode.shortRow', raw: 'x\x00' }],
    });
    expect(wide.raws[1]).toBe(Buffer.from('002Beja   2.5', 'utf16le').toString('latin1'));
  });

  it('makes a bad row of bytes that are not UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from('001'), Buffer.of(0xff), Buffer.from('vora  1.5\n002Beja   2.5\n')]);
    expect(await decoded(bytes, fixedWidth({ columns }))).toMatchObject({
      rows: [['002', 'Beja', '2.5']],
      bad: [{ position: 0, code: 'decode.invalidUtf8', message: 'not UTF-8 at byte 3' }],
    });
  });

  it('makes one bad row of a line without end, without holding it', async () => {
    const text = `001Évora  1.5\n${'x'.repeat(500_000)}\n002Beja   2.5`;
    const { rows, bad } = await decoded(text, fixedWidth({ columns }), { maxRowBytes: 100, rawLimitBytes: 4 });
    expect(rows).toHaveLength(2);
    expect(bad).toMatchObject([{ position: 15, code: 'decode.rowTooLong', length: 500_000, raw: 'xxxx' }]);
  });

  it('takes quotes, delimiters and comments for text', async () => {
    expect(await rowsOf('"1,#";|x\t"2.0')).toEqual([['"1,', '#";|x', '"2.0']]);
  });

  it('throws an error of the input after the rows before it', async () => {
    const failure = new Error('connection reset');
    async function* input() {
      yield Buffer.from('001Évora  1.5\n002Be');
      throw failure;
    }
    const { items, error } = await untilError(decode(input(), fixedWidth({ columns })));
    expect(items.flatMap(({ rows }) => rows)).toEqual([['001', 'Évora', '1.5']]);
    expect(error).toBe(failure);
    expect((await untilError(decode(chunked(''), fixedWidth({ columns })))).items).toEqual([]);
  });

  it.each<[Partial<FixedWidthOptions>, string]>([
    [{ columns: [] }, 'there are no columns'],
    [{ columns: [{ name: '', width: 1 }] }, 'column 1 has no name'],
    [
      {
        columns: [
          { name: 'a', width: 1 },
          { name: 'a', width: 1 },
        ],
      },
      'columns 1 and 2 have the same name',
    ],
    [{ columns: [{ name: 'a', width: 0 }] }, 'the width of a must be 1 or more'],
    [{ columns: [{ name: 'a', width: 1.5 }] }, 'the width of a'],
    [{ columns: [{ name: 'a', start: -1, length: 2 }] }, 'the start of a must be 0 or more'],
    [{ columns: [{ name: 'a', start: 0, length: 0 }] }, 'the length of a'],
    [{ skipRows: -1 }, 'skipRows'],
  ])('refuses %j', (options, message) => {
    expect(() => fixedWidth({ columns, ...options })).toThrow(expect.objectContaining({ code: 'decode.badFormat' }));
    expect(() => fixedWidth({ columns, ...options })).toThrow(message);
  });

  it('refuses columns of which some have widths and some places, which the compiler does too', () => {
    const mixed = [
      { name: 'a', width: 1 },
      { name: 'b', start: 1, length: 1 },
    ];
    // @ts-expect-error
    expect(() => fixedWidth({ columns: mixed })).toThrow('give every column a width');
  });

  it('keeps what a config says and nothing else', () => {
    expect(fixedWidth({ columns })).toEqual({ name: 'fixedWidth', columns });
  });
});
