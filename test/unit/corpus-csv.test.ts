import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { csv } from '../../core/decode/csv.ts';
import { decoded } from '../support/decoded.ts';

const corpus = dirname(createRequire(import.meta.url).resolve('csv-spectrum/package.json'));
const names = readdirSync(join(corpus, 'csvs')).map((name) => name.replace(/\.csv$/, ''));

async function records(text: string | Uint8Array, format = csv()): Promise<readonly Record<string, unknown>[]> {
  const { rows, columns = [], bad } = await decoded(text, format);
  expect(bad).toEqual([]);
  return rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, (row as unknown[])[at]])));
}

describe('the csv-spectrum corpus', () => {
  it('is whole', () => {
    expect(names).toHaveLength(12);
  });

  it.each(names)('reads %s exactly', async (name) => {
    const description = readFileSync(join(corpus, 'json', `${name}.json`), 'utf8')
      // The corpus describes another telephone number than its own file holds.
      .replace('1234567890', '2095257564');
    // A file with one row is described by that row alone.
    const expected = [JSON.parse(description)].flat();

    expect(await records(readFileSync(join(corpus, 'csvs', `${name}.csv`)))).toEqual(expected);
  });
});

// RFC 4180, section 2, rule by rule.
describe('RFC 4180', () => {
  const table = csv({ columns: ['a', 'b', 'c'] });
  const cells = async (text: string, format = table) => (await decoded(text, format)).rows;

  it.each([
    ['1: each row on a line of its own', 'aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n'],
    ['2: the last row may have no line end', 'aaa,bbb,ccc\r\nzzz,yyy,xxx'],
    ['5: cells may stand in quotes', '"aaa","bbb","ccc"\r\nzzz,yyy,xxx'],
  ])('%s', async (_rule, text) => {
    expect(await cells(text)).toEqual([
      ['aaa', 'bbb', 'ccc'],
      ['zzz', 'yyy', 'xxx'],
    ]);
  });

  it('3: the first line may hold the names', async () => {
    expect(await records('field_name,"field ""2"""\r\naaa,bbb\r\n')).toEqual([
      { field_name: 'aaa', 'field "2"': 'bbb' },
    ]);
  });

  it('4: spaces are part of a cell, and every row has as many cells', async () => {
    const { rows, bad } = await decoded(' aaa , bbb,ccc \r\n1,2\r\n1,2,3,4\r\n1,2,3\r\n', table);

    expect(rows).toEqual([
      [' aaa ', ' bbb', 'ccc '],
      ['1', '2', '3'],
    ]);
    expect(bad.map(({ code }) => code)).toEqual(['decode.raggedRow', 'decode.raggedRow']);
  });

  it('6: line ends, quotes and delimiters stand inside quotes', async () => {
    expect(await cells('"aaa","b \r\nbb","c,cc"\r\nzzz,"y\ny\r",","\r\n')).toEqual([
      ['aaa', 'b \r\nbb', 'c,cc'],
      ['zzz', 'y\ny\r', ','],
    ]);
  });

  it('7: a quote inside quotes is doubled', async () => {
    expect(await cells('"aaa","b""bb",""""\r\n"","""""",""""""""\r\n')).toEqual([
      ['aaa', 'b"bb', '"'],
      ['', '""', '"""'],
    ]);
  });
});
