import { describe, expect, it } from 'vitest';
import { type CsvOptions, csv } from '../../core/decode/csv.ts';
import { decode } from '../../core/decode/decode.ts';
import { chunked, decoded, untilError } from '../support/decoded.ts';

const rowsOf = async (text: string, options: CsvOptions = {}) => (await decoded(text, csv(options))).rows;
const plain = { header: false };

async function thrown(text: string | Uint8Array, options: CsvOptions = {}, limits = {}): Promise<unknown> {
  return (await untilError(decode(chunked(text), csv(options), limits))).error;
}

describe('csv', () => {
  it('names the cells by the header and puts each row at its byte offset', async () => {
    const { rows, columns, positions, raws, bad } = await decoded('id,näme\r\n1,"a,b"\r\n2,ü\r\n', csv());
    expect(columns).toEqual(['id', 'näme']);
    expect(rows).toEqual([
      ['1', 'a,b'],
      ['2', 'ü'],
    ]);
    expect(positions).toEqual([10, 19]);
    expect(raws).toEqual(['1,"a,b"', '2,\u00c3\u00bc']);
    expect(bad).toEqual([]);
  });

  it('gives the same array of names with every batch', async () => {
    const seen = new Set<unknown>();
    for await (const { columns } of decode(chunked('a,b\n1,2\n3,4\n5,6'), csv(), { batchRows: 1 })) seen.add(columns);
    expect(seen.size).toBe(1);
  });

  it.each([
    ['doubled quotes', '"a ""b"" c",""""', [['a "b" c', '"']]],
    ['line ends inside quotes', '"a\nb","c\r\nd\re"', [['a\nb', 'c\r\nd\re']]],
    ['delimiters inside quotes', '"a,b",","', [['a,b', ',']]],
    ['empty cells, quoted or not', ',"",', [['', '', '']]],
    ['a quote inside a cell without quotes', 'a"b",c""', [['a"b"', 'c""']]],
    ['spaces as part of a cell', ' a , b', [[' a ', ' b']]],
    ['a row of one empty quoted cell', '""', [['']]],
    ['characters outside ASCII beside quotes', 'ü,"ä ""ö""",€', [['ü', 'ä "ö"', '€']]],
  ])('reads %s', async (_what, text, rows) => {
    expect(await rowsOf(text, plain)).toEqual(rows);
  });

  it.each(['\n', '\r\n', '\r'])('ends rows with %j, with or without one behind the last', async (end) => {
    const rows = [
      ['1', 'a'],
      ['2', `b${end}c`],
      ['3', ''],
    ];
    const text = `1,a${end}2,"b${end}c"${end}3,`;
    expect(await rowsOf(text, plain)).toEqual(rows);
    expect(await rowsOf(text + end, plain)).toEqual(rows);
  });

  it('passes over empty lines', async () => {
    const { rows, positions } = await decoded('\n\r\na,b\n\n1,2\r\r\n\n3,4\n\n', csv());
    expect(rows).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
    expect(positions).toEqual([8, 15]);
  });

  it('splits at a delimiter of several characters', async () => {
    const options = { ...plain, delimiter: '||' };
    expect(await rowsOf('a||b|c||"d||e"||f', options)).toEqual([['a', 'b|c', 'd||e', 'f']]);
    expect(await rowsOf('1¦2¦"3"', { ...plain, delimiter: '¦' })).toEqual([['1', '2', '3']]);
  });

  it('takes quotes for text when there are none', async () => {
    expect(await rowsOf('"a,b"\n"', { ...plain, quote: null, ragged: 'pad' })).toEqual([
      ['"a', 'b"'],
      ['"', null],
    ]);
  });

  it('knows another quote', async () => {
    expect(await rowsOf(`'a,''b'',"c"',d`, { ...plain, quote: "'" })).toEqual([[`a,'b',"c"`, 'd']]);
  });

  it('takes an escape before a quote or itself, inside quotes alone, and doubled quotes as well', async () => {
    const options = { ...plain, escape: '\\' };
    expect(await rowsOf('"a\\"b","c\\\\","d\\n","e""f",g\\"h', options)).toEqual([
      ['a"b', 'c\\', 'd\\n', 'e"f', 'g\\"h'],
    ]);
  });

  it('numbers the cells when nothing names them', async () => {
    expect((await decoded('a,b,c', csv(plain))).columns).toEqual(['0', '1', '2']);
  });

  it('takes given names instead of a header', async () => {
    const given = { columns: ['x', 'y'] };
    expect(await decoded('1,2', csv(given))).toMatchObject({ columns: ['x', 'y'], rows: [['1', '2']] });
    expect(await decoded('a,b\n1,2', csv({ ...given, header: true }))).toMatchObject({
      columns: ['x', 'y'],
      rows: [['1', '2']],
    });
  });

  it('takes white space and a byte order mark off the header', async () => {
    const { columns, positions } = await decoded('\ufeff"id", name \n1,2', csv());
    expect(columns).toEqual(['id', 'name']);
    expect(positions).toEqual([15]);
  });

  it('calls a column without a name by its number', async () => {
    const { columns, rows } = await decoded(',a,b,\n0,x,1,\n', csv());

    expect(columns).toEqual(['0', 'a', 'b', '3']);
    expect(rows).toEqual([['0', 'x', '1', '']]);
  });

  it.each([
    ['a,b,a\n', {}, 'columns 1 and 3 have the same name'],
    [',,\n', {}, 'column 1 has no name'],
    ['a,,1\n', {}, 'columns 2 and 3 have the same name'],
    ['a,"b\n1,2\n', {}, 'is never closed'],
    ['a,"b"x\n', {}, 'text behind the closing quote'],
    ['a,b,c\n', { columns: ['x', 'y'], header: true }, 'columns names 2 cells, the header has 3'],
  ])('refuses the header %j', async (text, options, reason) => {
    expect(await thrown(text, options)).toMatchObject({
      code: 'decode.badHeader',
      message: expect.stringContaining(reason),
    });
  });

  it('refuses a header that is not UTF-8 or too long', async () => {
    expect(await thrown(Buffer.from([0x61, 0x2c, 0xff]))).toMatchObject({ code: 'decode.badHeader' });
    expect(await thrown(`${'a'.repeat(99)},b\n1,2`, {}, { maxRowBytes: 50 })).toMatchObject({
      code: 'decode.badHeader',
    });
    expect(await thrown(`${'a'.repeat(400_000)},b\n1,2`, {}, { maxRowBytes: 50 })).toMatchObject({
      code: 'decode.badHeader',
    });
  });

  it('does not tell what stands in a header that may be data', async () => {
    const error = await thrown('secret,secret\n');
    expect(String(error)).not.toContain('secret');
  });

  it('makes a bad row of a row with too few or too many cells', async () => {
    const { rows, bad } = await decoded('a,b\n1\n1,2\n1,2,3\n', csv());
    expect(rows).toEqual([['1', '2']]);
    expect(bad).toEqual([
      { position: 4, code: 'decode.raggedRow', message: 'expected 2 cells, found 1', length: 1, raw: '1' },
      { position: 10, code: 'decode.raggedRow', message: 'expected 2 cells, found 3', length: 5, raw: '1,2,3' },
    ]);
  });

  it('fills up short rows with nulls when told so, and still refuses long ones', async () => {
    const { rows, bad } = await decoded('a,b,c\n1\n1,2,3,4\n', csv({ ragged: 'pad' }));
    expect(rows).toEqual([['1', null, null]]);
    expect(bad).toMatchObject([{ code: 'decode.raggedRow' }]);
  });

  it('makes a bad row of text behind a closing quote, and goes on behind it', async () => {
    const { rows, bad } = await decoded('a,b\n1,"x"y,"\n2,z\n', csv());
    expect(rows).toEqual([['2', 'z']]);
    expect(bad).toMatchObject([
      {
        position: 4,
        code: 'decode.textAfterQuote',
        message: 'there is text behind the closing quote, at byte 5, in cell 2',
        raw: '1,"x"y,"',
      },
    ]);
  });

  it('makes a bad row of one line with a quote that is never closed, where cells hold no line ends', async () => {
    const text = '1,"a\r\n2,"b ""c"""\n"3\r4,"d"x\n"5",e';
    const { rows, bad, positions } = await decoded(text, csv({ multiline: false, header: false, columns: ['n', 'x'] }));
    expect(rows).toEqual([
      ['2', 'b "c"'],
      ['5', 'e'],
    ]);
    expect(positions).toEqual([6, 28]);
    expect(bad.map(({ position, code, raw }) => [position, code, raw])).toEqual([
      [0, 'decode.unterminatedQuote', '1,"a'],
      [18, 'decode.unterminatedQuote', '"3'],
      [21, 'decode.textAfterQuote', '4,"d"x'],
    ]);
  });

  it('makes a bad row of the rest behind a quote that is never closed', async () => {
    const { rows, bad } = await decoded('a,b\n1,2\n3,"x\n4,5\n', csv());
    expect(rows).toEqual([['1', '2']]);
    expect(bad).toMatchObject([
      {
        position: 8,
        code: 'decode.unterminatedQuote',
        message: 'the quote at byte 2, in cell 2 is never closed',
        length: 9,
      },
    ]);
  });

  it('makes a bad row of bytes that are not UTF-8', async () => {
    const bytes = Buffer.concat([
      Buffer.from('a,b\nü,'),
      Buffer.of(0xff),
      Buffer.from('\n"'),
      Buffer.of(0xff),
      Buffer.from('",1\n1,2'),
    ]);
    const { rows, bad } = await decoded(bytes, csv());
    expect(rows).toEqual([['1', '2']]);
    expect(bad.map(({ code, message }) => [code, message])).toEqual([
      ['decode.invalidUtf8', 'not UTF-8 at byte 3'],
      ['decode.invalidUtf8', 'not UTF-8 at byte 1'],
    ]);
  });

  it('makes one bad row of a row that is too long, quoted or not, whatever is in it', async () => {
    const quoted = `1,"${'x""\n,'.repeat(60_000)}"`;
    const unquoted = `2,${'y'.repeat(300_000)}`;
    const text = `a,b\n${quoted}\r\n${unquoted}\n3,4\n`;
    const { rows, bad } = await decoded(text, csv(), { maxRowBytes: 1000, rawLimitBytes: 4 });
    expect(rows).toEqual([['3', '4']]);
    expect(bad.map(({ position, code, length, raw }) => [position, code, length, raw])).toEqual([
      [4, 'decode.rowTooLong', quoted.length, '1,"x'],
      [4 + quoted.length + 2, 'decode.rowTooLong', unquoted.length, '2,yy'],
    ]);
  });

  it.each([
    ['rows exactly as long as allowed', 'a,b\r\n12,345\r\n"1","2"\r\n12345,\r\n'],
    ['rows longer than allowed with quotes', `a,b\n'','1,"x||""\n${'y||"\n"",'.repeat(9)}"||z\n1,2\n`],
    ['rows longer than allowed with lone quotes', `a,b\n1,"x"y||"${'z\r'.repeat(9)}\r\n1,2`],
    ['comments', '//a\r\n/a,b\n//"\n1,/\r//\r\n2,//'],
  ])('reads %s the same wherever blocks end', async (_what, text) => {
    for (const delimiter of [',', '||']) {
      const format = csv({ header: false, comment: '//', delimiter });
      const limits = { maxRowBytes: 7 };
      const whole = await decoded(text, format, limits);
      for (let block = 1; block < 40; block++) {
        const { batches: _, ...parts } = await decoded(text, format, { ...limits, batchBytes: 1 }, block);
        expect(whole).toMatchObject(parts);
      }
    }
  });

  it('passes over lines before the header and over comments, quotes not counted', async () => {
    const text = 'made "today\r\n\n# by hand\nid,v\n#"1\n1,"#2"\n##\n2,#\n';
    expect(await rowsOf(text, { skipRows: 2, comment: '#' })).toEqual([
      ['1', '#2'],
      ['2', '#'],
    ]);
    expect(await rowsOf('a\n//x\n/y\n', { comment: '//' })).toEqual([['/y']]);
  });

  it('takes given spellings for null, but not inside quotes', async () => {
    expect(await rowsOf('a,b,c\nNULL,,"NULL"\n"",x,null\n', { nulls: ['', 'NULL'] })).toEqual([
      [null, null, 'NULL'],
      ['', 'x', 'null'],
    ]);
  });

  it('trims cells when told so, but not inside quotes', async () => {
    const options = { trim: true, nulls: [''] };
    expect(await rowsOf(' a , b ,c\n 1 , " x " ,\t\n', options)).toEqual([['1', ' x ', null]]);
    expect(await rowsOf('a\tb\n\t " x"\n', { trim: true, delimiter: '\t' })).toEqual([['', ' x']]);
  });

  it('reads latin1 and windows-1252', async () => {
    const bytes = Buffer.concat([
      Buffer.from('a;b\n'),
      Buffer.of(0x80, 0x3b, 0xe9, 0x0a),
      Buffer.from('"x";"'),
      Buffer.of(0x93, 0x22),
    ]);
    const read = async (encoding: 'latin1' | 'windows-1252') =>
      (await decoded(bytes, csv({ delimiter: ';', encoding }))).rows;
    expect(await read('latin1')).toEqual([
      ['\x80', 'é'],
      ['x', '\x93'],
    ]);
    expect(await read('windows-1252')).toEqual([
      ['€', 'é'],
      ['x', '“'],
    ]);
  });

  it('finds a delimiter outside ASCII in the encoding of the object', async () => {
    const bytes = Buffer.from('a§b\n1§"2"\n', 'latin1');
    expect((await decoded(bytes, csv({ delimiter: '§', encoding: 'latin1' }))).rows).toEqual([['1', '2']]);
  });

  it('reads UTF-16, numbers its rows and keeps their bytes', async () => {
    const bytes = Buffer.from('\ufeffa,b\n1,"ü\u{1f600}"\nx\n2,€\n', 'utf16le');
    const { rows, positions, raws, bad } = await decoded(bytes, csv({ encoding: 'utf-16le' }));
    expect(rows).toEqual([
      ['1', 'ü\u{1f600}'],
      ['2', '€'],
    ]);
    expect(positions).toEqual([0, 2]);
    expect(raws[1]).toBe(Buffer.from('2,€', 'utf16le').toString('latin1'));
    expect(bad).toMatchObject([{ position: 1, code: 'decode.raggedRow', raw: 'x\x00' }]);
  });

  it('reads UTF-16 of big endian, wherever chunks end, and keeps its bytes', async () => {
    const bytes = Buffer.from('\ufeffa,b\n1,"ü\u{1f600}"\nx\n', 'utf16le').swap16();
    const { rows, bad } = await decoded(bytes, csv({ encoding: 'utf-16be' }));
    expect(rows).toEqual([['1', 'ü\u{1f600}']]);
    expect(bad).toMatchObject([{ position: 1, code: 'decode.raggedRow', raw: '\x00x' }]);
  });

  it('makes a bad row of half a character in UTF-16', async () => {
    const bytes = Buffer.concat([Buffer.from('a\nx\ud800y\nb\n', 'utf16le'), Buffer.of(0x63)]);
    const { rows, bad } = await decoded(bytes, csv({ encoding: 'utf-16le' }));
    expect(rows).toEqual([['b']]);
    expect(bad.map(({ position, code }) => [position, code])).toEqual([
      [0, 'decode.invalidUtf8'],
      [2, 'decode.invalidUtf8'],
    ]);
  });

  it.each<[CsvOptions, string]>([
    [{ delimiter: '' }, 'delimiter'],
    [{ delimiter: 'a\n' }, 'delimiter'],
    [{ delimiter: '"' }, 'delimiter must not contain the quote'],
    [{ quote: '' }, 'quote must be'],
    [{ quote: 'ü' }, 'quote must be'],
    [{ quote: null, escape: '\\' }, 'escape'],
    [{ escape: '\\\\' }, 'escape'],
    [{ comment: '' }, 'comment'],
    [{ skipRows: -1 }, 'skipRows'],
    [{ columns: ['a', 'a'] }, 'columns: columns 1 and 2'],
    [{ columns: [] }, 'columns: there are no columns'],
    [{ delimiter: '€', encoding: 'latin1' }, 'cannot be written in latin1'],
  ])('refuses %j', (options, message) => {
    expect(() => csv(options)).toThrow(expect.objectContaining({ code: 'decode.badFormat' }));
    expect(() => csv(options)).toThrow(message);
  });

  it('keeps what a config says and nothing else', () => {
    expect(csv({ delimiter: '|' })).toEqual({ name: 'csv', delimiter: '|' });
  });
});
