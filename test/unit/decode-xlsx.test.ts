import { readFile } from 'node:fs/promises';
import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { sniffFormat } from '../../core/decode/sniff.ts';
import { xlsx } from '../../core/decode/xlsx.ts';
import { dateText, kindOfFormat } from '../../core/decode/xlsx-dates.ts';
import { looksLikeXlsx } from '../../core/decode/xlsx-head.ts';
import { fileRows } from '../support/file-rows.ts';

const fixture = (name: string) => readFile(new URL(`../fixtures/xlsx/${name}`, import.meta.url));
const main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';

interface Made {
  readonly rows: string;
  readonly strings?: string;
  readonly styles?: string;
  readonly sheets?: string;
  readonly before?: string;
}

/** A workbook as small as can be, with the rows and other parts as they are given. */
function made({
  rows,
  strings,
  styles,
  sheets = '<sheet name="S" sheetId="1" r:id="r1"/>',
  before = '',
}: Made): Uint8Array {
  const relation = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="${office}/${type}" Target="${target}"/>`;
  const relations = (inner: string) =>
    `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${inner}</Relationships>`;
  const part = (text: string) => strToU8(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`);
  return zipSync({
    '[Content_Types].xml': part('<Types/>'),
    '_rels/.rels': part(relations(relation('r1', 'officeDocument', 'xl/workbook.xml'))),
    'xl/workbook.xml': part(`<workbook ${main} xmlns:r="${office}"><sheets>${sheets}</sheets></workbook>`),
    'xl/_rels/workbook.xml.rels': part(
      relations(
        relation('r1', 'worksheet', 'worksheets/sheet1.xml') +
          relation('r2', 'chartsheet', 'chartsheets/sheet1.xml') +
          relation('r3', 'worksheet', '/xl/worksheets/sheet3.xml') +
          relation('r4', 'styles', 'styles.xml') +
          relation('r5', 'sharedStrings', '../xl/sharedStrings.xml'),
      ),
    ),
    'xl/worksheets/sheet1.xml': part(`<worksheet ${main}>${before}<sheetData>${rows}</sheetData></worksheet>`),
    'xl/worksheets/sheet3.xml': part(
      `<worksheet ${main}><sheetData><row><c t="inlineStr"><is><t>third</t></is></c></row><row><c><v>3</v></c></row></sheetData></worksheet>`,
    ),
    ...(styles && { 'xl/styles.xml': part(`<styleSheet ${main}>${styles}</styleSheet>`) }),
    ...(strings && { 'xl/sharedStrings.xml': part(`<sst ${main}>${strings}</sst>`) }),
  });
}

const plain = xlsx({ header: false });
const cell = (inner: string, attributes = '') => `<c${attributes}>${inner}</c>`;

const people = [
  [1, 'Zażółć', 12.5, '2026-11-21', '2026-11-21T13:45:30', '06:30:00', true, null],
  [2, 'b & <c>', 0.1, '1900-01-01', '1999-12-31T23:59:59', '23:59:59', false, '  spaced  '],
  [3, null, 1e21, '1900-02-28', '2000-02-29T00:00:00', '00:00:00', true, 'line\nbreak'],
  [123456789012345, '007', -5, '1900-03-01', '2026-01-01T00:00:00', null, null, null],
];

describe('xlsx', () => {
  it.each(['openpyxl.xlsx', 'openpyxl-write-only.xlsx', 'libreoffice.xlsx', 'libreoffice.xlsm'])(
    'reads %s',
    async (name) => {
      const found = await fileRows(await fixture(name), xlsx());

      expect(found).toMatchObject({ error: undefined, bad: [], positions: [1, 2, 3, 4] });
      expect(found.columns).toEqual(['id', 'name', 'amount', 'day', 'at', 'time', 'ok', 'note']);
      expect(found.rows).toEqual(people);
      expect(JSON.parse(found.raws[1] as string)).toEqual(people[1]);
    },
  );

  it.each(['xlsxwriter.xlsx', 'xlsxwriter-constant-memory.xlsx', 'xlsxwriter-1904.xlsx', 'libreoffice-resaved.xlsx'])(
    'reads rich text, formats, results, errors and merged cells of %s',
    async (name) => {
      const found = await fileRows(await fixture(name), xlsx());

      expect(found).toMatchObject({ error: undefined, bad: [], positions: [1, 2, 5] });
      expect(
        Object.fromEntries((found.columns ?? []).map((each, index) => [each, (found.rows[0] as unknown[])[index]])),
      ).toEqual({
        id: 1,
        rich: 'plain bold end',
        day: '2026-11-21',
        at: '2026-11-21T13:45:30',
        ms: '2026-11-21T13:45:30.123',
        money: 1234.5,
        elapsed: 1.5,
        red: 2.25,
        builtin: '2024-02-29',
        formula: 2,
        'text formula': 'ab',
        error: '#DIV/0!',
        bool: true,
        merged: 'both',
        url: 'https://example.com/a?b=1&c=2',
      });
      expect((found.rows[1] as unknown[])[13]).toBe(null);
      expect((found.rows[2] as unknown[]).slice(0, 2)).toEqual([3, '_x000D_ and _x0041_']);
    },
  );

  it('counts days from 1904 where the workbook does', async () => {
    expect((await fileRows(await fixture('openpyxl-1904.xlsx'), xlsx())).rows).toEqual([
      ['2026-11-21', '2026-11-21T13:45:30'],
      ['1904-01-01', '1904-01-02T12:00:00'],
    ]);
  });

  it('takes a sheet by name or number, and else the first that is not hidden', async () => {
    const bytes = await fixture('openpyxl.xlsx');
    const rows = async (sheet: string | number) => (await fileRows(bytes, xlsx({ sheet, header: false }))).rows;

    expect(await rows('Other')).toEqual([[null, 'far', null, 7]]);
    expect(await rows(2)).toEqual([[null, 'far', null, 7]]);
    expect(await rows('Hidden')).toEqual([['secret'], [1]]);
    expect((await fileRows(bytes, xlsx({ sheet: 'Orders ' }))).error).toMatchObject({ code: 'decode.noSheet' });
    expect((await fileRows(bytes, xlsx({ sheet: 4 }))).error).toMatchObject({
      code: 'decode.noSheet',
      message: 'the workbook has 3 sheets, none number 4',
    });
    const sheets = '<sheet name="H" state="hidden" r:id="r1"/><sheet name="C" r:id="r2"/><sheet name="V" r:id="r3"/>';
    expect(await fileRows(made({ rows: '', sheets }), xlsx())).toMatchObject({ columns: ['third'], rows: [[3]] });
  });

  it('finds a header further down, and calls a column without a name by its number', async () => {
    const found = await fileRows(await fixture('titled.xlsx'), xlsx({ skipRows: 2 }));

    expect(found.columns).toEqual(['id', '1', 'total']);
    expect(found.rows).toEqual([
      [1, 'x', 2.5],
      [2, null, 3],
    ]);
    expect(found.bad).toMatchObject([{ position: 5, code: 'decode.raggedRow' }]);
  });

  it('takes names from the source, with or without a header', async () => {
    const bytes = await fixture('openpyxl-1904.xlsx');

    expect(await fileRows(bytes, xlsx({ columns: ['a', 'b'], header: true }))).toMatchObject({
      columns: ['a', 'b'],
      positions: [1, 2],
    });
    expect((await fileRows(bytes, xlsx({ columns: ['a', 'b'] }))).rows[0]).toEqual(['day', 'at']);
  });

  it('is as wide as the sheet says when there are no names', async () => {
    const rows = `<row r="1">${cell('<v>1</v>', ' r="A1"')}</row><row r="2">${cell('<v>2</v>', ' r="C2"')}</row>`;

    const found = await fileRows(made({ rows, before: '<dimension ref="A1:D2"/>' }), plain);

    expect(found).toMatchObject({
      columns: ['0', '1', '2', '3'],
      rows: [
        [1, null, null, null],
        [null, null, 2, null],
      ],
    });
  });

  it('reads texts of every kind, and what stands for characters that XML does not allow', async () => {
    const rows = `<row>${[
      cell('<v>0</v>', ' t="s"'),
      cell('<v> 1 </v>', ' t="s"'),
      cell('<v>2</v>', ' t="s"'),
      cell('<is><r><t>a</t></r><r><t xml:space="preserve"> </t></r><r><t>b</t></r></is>', ' t="inlineStr"'),
      cell('<f>x</f><v>_x0009_</v>', ' t="str"'),
      cell('<f>x</f><v/>', ' t="str"'),
      cell('<v>2026-11-21T00:00:00Z</v>', ' t="d"'),
    ].join('')}</row>`;
    const strings =
      '<si><t>one</t></si><si><t xml:space="preserve"> two </t></si><si><t>東京</t><rPh sb="0"><t>トウキョウ</t></rPh></si>';

    expect((await fileRows(made({ rows, strings }), plain)).rows).toEqual([
      ['one', ' two ', '東京', 'a b', '\t', '', '2026-11-21T00:00:00Z'],
    ]);
    expect(
      (await fileRows(made({ rows, strings }), xlsx({ header: false, trim: true, nulls: ['two', ''] }))).rows,
    ).toEqual([['one', null, '東京', 'a b', null, null, '2026-11-21T00:00:00Z']]);
  });

  it('gives the number that was typed for the digits that Excel stores, and all digits of what others store', async () => {
    const numbers = [
      '1.1000000000000001',
      '0.30000000000000004',
      '12345678901234567890',
      '0.12345678901234567891',
      '-0.0',
      '1E-7',
      '1e400',
      '+5',
      '007',
    ];
    const rows = `<row>${numbers.map((each) => cell(`<v>${each}</v>`)).join('')}</row>`;

    const found = await fileRows(made({ rows }), plain);

    expect(found.raws[0]).toBe(
      '[1.1,0.30000000000000004,12345678901234567890,0.12345678901234567891,0,1e-7,1e400,5,7]',
    );
  });

  it.each([
    ['refers to a text', cell('<v>9</v>', ' t="s"')],
    ['is said to be a number', cell('<v>1,5</v>')],
    ['a formula that was never calculated', cell('<f>A1*2</f>')],
    ['a formula that was never calculated', cell('<f>A1*2</f><v></v>')],
    ['stands in no column', cell('<v>1</v>', ' r="XFE1"')],
  ])('puts a row aside in which a cell %s', async (words, bad) => {
    const found = await fileRows(made({ rows: `<row>${bad}</row><row>${cell('<v>1</v>')}</row>` }), plain);

    expect(found.bad).toMatchObject([{ position: 0, code: 'decode.badCell', message: expect.stringContaining(words) }]);
    expect(found).toMatchObject({ rows: [[1]], positions: [1], error: undefined });
  });

  it('passes over blank rows, and numbers rows by what the sheet says, never twice', async () => {
    const row = (r: string) => `<row${r}>${cell('<v>1</v>')}</row>`;
    const rows = `${row(' r="3"')}<row r="4">${cell('', ' s="1"')}</row>${row('')}${row(' r="2"')}${row(' spans="1:2" r="20"')}`;

    expect((await fileRows(made({ rows }), plain)).positions).toEqual([2, 4, 5, 19]);
  });

  it.each([
    ['twice', `<row>${'<c t="str"><v>a</v></c>'.repeat(2)}</row>`],
    ['never calculated', '<row><c><f>A</f></c></row>'],
  ])('refuses a header with a name %s', async (_, rows) => {
    expect((await fileRows(made({ rows }), xlsx())).error).toMatchObject({ code: 'decode.badHeader' });
  });

  it('makes a bad row of one that is too long', async () => {
    const rows = `<row r="1">${cell('<v>1</v>')}</row><row r="7"><c t="str"><v>${'x'.repeat(5000)}</v></c></row><row r="8">${cell('<v>2</v>')}</row>`;

    const found = await fileRows(made({ rows }), plain, { maxRowBytes: 1000 });

    expect(found).toMatchObject({ rows: [[1], [2]], bad: [{ position: 6, code: 'decode.rowTooLong' }] });
  });

  it('begins at any row, with the same names and numbers', async () => {
    const bytes = await fixture('openpyxl.xlsx');
    const whole = await fileRows(bytes, xlsx());

    for (let from = 0; from < 7; from++) {
      const found = await fileRows(bytes, xlsx(), {}, from);
      const kept = whole.positions.filter((position) => position >= from);
      expect(found.positions).toEqual(kept);
      expect(found.rows).toEqual(whole.rows.slice(whole.rows.length - kept.length));
    }
  });

  it('reads strict documents and prefixed elements', async () => {
    const prefixed = zipSync({
      '_rels/.rels': strToU8(
        '<Relationships><Relationship Id="a" Type="http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument" Target="/XL/book.xml"/></Relationships>',
      ),
      'xl/book.xml': strToU8(
        '<x:workbook xmlns:x="http://purl.oclc.org/ooxml/spreadsheetml/main" xmlns:q="r"><x:sheets><x:sheet name="S" q:id="b"/></x:sheets></x:workbook>',
      ),
      'xl/_rels/book.xml.rels': strToU8(
        '<Relationships><Relationship Id="b" Type="http://purl.oclc.org/ooxml/officeDocument/relationships/worksheet" Target="sheet.xml"/></Relationships>',
      ),
      'xl/sheet.xml': strToU8(
        '<x:worksheet><x:sheetData><x:row><x:c><x:v>7</x:v></x:c></x:row></x:sheetData></x:worksheet>',
      ),
    });
    expect((await fileRows(prefixed, plain)).rows).toEqual([[7]]);
  });

  it.each([
    ['excel-97.xls', 'decode.unsupportedXlsx'],
    ['README.md', 'decode.corruptZip'],
    ['../zip/infozip.zip', 'decode.corruptXlsx'],
  ])('refuses %s', async (name, code) => {
    expect((await fileRows(await fixture(name), xlsx())).error).toMatchObject({ code });
  });

  it('refuses an .xlsb by its name', async () => {
    const rels = `<Relationships><Relationship Id="a" Type="${office}/officeDocument" Target="xl/workbook.bin"/></Relationships>`;

    expect((await fileRows(zipSync({ '_rels/.rels': strToU8(rels) }), xlsx())).error).toMatchObject({
      code: 'decode.unsupportedXlsx',
      message: expect.stringContaining('.xlsb'),
    });
  });

  it('keeps the rows before damage in the sheet', async () => {
    const row = `<row>${cell('<v>1</v>')}</row>`;

    expect(await fileRows(made({ rows: `${row}${row}</x>` }), plain)).toMatchObject({
      rows: [[1], [1]],
      error: { code: 'decode.corruptXml' },
    });
  });

  it.each([{ sheet: '' }, { sheet: 0 }, { sheet: 1.5 }, { skipRows: -1 }, { columns: ['a', 'a'] }, { columns: [] }])(
    'refuses the options %o',
    (options) => {
      expect(() => xlsx(options)).toThrow(expect.objectContaining({ code: 'decode.badFormat' }));
    },
  );
});

describe('looksLikeXlsx', () => {
  it.each(['openpyxl.xlsx', 'xlsxwriter.xlsx', 'libreoffice.xlsx', 'libreoffice.xlsm', 'gnumeric.xlsx'])(
    'knows %s',
    async (name) => {
      const bytes = await fixture(name);

      expect([looksLikeXlsx(bytes), looksLikeXlsx(bytes.subarray(0, 1500))]).toEqual([true, true]);
      expect(sniffFormat(bytes, 'x.bin')).toEqual({ name: 'xlsx' });
    },
  );

  it.each([
    ['an archive', ['a.csv', 'xl/x.csv']],
    ['a text document', ['[Content_Types].xml', '_rels/.rels', 'word/document.xml']],
    ['slides', ['[Content_Types].xml', '_rels/.rels', 'ppt/presentation.xml']],
    ['an OpenDocument', ['mimetype', 'content.xml']],
    ['nothing', []],
  ])('does not take %s for a workbook', (_, names) => {
    expect(looksLikeXlsx(zipSync(Object.fromEntries(names.map((name) => [name, strToU8('x')]))))).toBe(false);
  });
});

describe('dates', () => {
  it.each([
    ['General', 'number'],
    ['0.00E+00', 'number'],
    ['#,##0 "days"', 'number'],
    ['[Red]0;[Blue]-0', 'number'],
    ['[h]:mm:ss', 'number'],
    ['0\\d', 'number'],
    ['_(* #,##0_);_(* (#,##0)', 'number'],
    ['dd/mm/yyyy', 'date'],
    ['[$-F800]dddd, mmmm dd, yyyy', 'date'],
    ['mmm-yy', 'date'],
    ['yyyy"年"m"月"d"日"', 'date'],
    ['h:mm AM/PM', 'time'],
    ['mm:ss.0', 'time'],
    ['m/d/yy h:mm', 'dateTime'],
    ['yyyy-mm-dd\\Thh:mm:ss', 'dateTime'],
  ])('tells what %s shows', (code, kind) => {
    expect(kindOfFormat(code)).toBe(kind);
  });

  it.each([
    [1, 'date', false, '1900-01-01'],
    [59, 'date', false, '1900-02-28'],
    [60, 'date', false, '1900-02-29'],
    [61, 'date', false, '1900-03-01'],
    [0, 'date', true, '1904-01-01'],
    [44885.5, 'date', false, '2022-11-20T12:00:00'],
    [44885, 'dateTime', false, '2022-11-20T00:00:00'],
    [0.5, 'time', false, '12:00:00'],
    [1.5, 'time', false, '1900-01-01T12:00:00'],
    [44885.999999999, 'dateTime', false, '2022-11-21T00:00:00'],
    [2958465, 'date', false, '9999-12-31'],
    [2958466, 'date', false, undefined],
    [-1, 'date', false, undefined],
    [1e300, 'date', false, undefined],
  ] as const)('shows %d as a %s', (serial, kind, is1904, text) => {
    expect(dateText(serial, kind, is1904)).toBe(text);
  });
});
