import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { decode } from '../../core/decode/decode.ts';
import { decodeFile, isFileFormat } from '../../core/decode/decode-file.ts';
import { ExactNumber } from '../../core/decode/exact-number.ts';
import type { DecodeLimits } from '../../core/decode/format.ts';
import { type ParquetOptions, parquet } from '../../core/decode/parquet.ts';
import { csv } from '../../core/firn.ts';
import { bytesFile } from '../support/bytes-file.ts';
import { joined } from '../support/decoded-batches.ts';

const fixture = (name: string) => readFile(new URL(`../fixtures/parquet/${name}.parquet`, import.meta.url));

async function read(name: string, options: ParquetOptions = {}, limits: Partial<DecodeLimits> = {}, from = 0) {
  return joined(decodeFile(bytesFile(await fixture(name)), parquet(options), limits, from));
}

/** Rows of the pyarrow-* files, as write.py makes them. */
function pyarrowRow(i: number) {
  const fixed = Buffer.alloc(4);
  fixed.writeUInt32BE(i);
  const wild = BigInt.asIntN(
    64,
    BigInt.asUintN(64, BigInt(i) * 6364136223846793005n + 1442695040888963407n) - 2n ** 63n,
  );
  return {
    id: i,
    small: ((i * 7919) % 2001) - 1000,
    wild: Number.isSafeInteger(Number(wild)) ? Number(wild) : wild,
    word: i % 11 === 0 ? null : `word ${i % 13} of ${i}`,
    single: i / 8,
    double: i / 3,
    flag: i % 3 === 0,
    fixed: fixed.toString('base64'),
    list: i % 17 === 0 ? null : Array.from({ length: i % 5 }, (_, j) => (j % 2 ? `${i}.${j}` : null)),
  };
}

/** Rows of the files of duckdb.sql that go over a range. */
function duckdbRow(i: number) {
  return {
    id: i,
    often: `text ${i % 97}`,
    once: `only ${(i * 7919) % 10007}`,
    big: i * 12345678901,
    part: (i % 1000) / 8,
    some: i % 7 === 0 ? null : i % 5,
    pair: [i, i + 1],
    flag: i % 3 === 0,
    small: i,
  };
}

const rowsOf = <T>(count: number, row: (i: number) => T) => Array.from({ length: count }, (_, i) => row(i));

describe('parquet', () => {
  it.each([
    ['pyarrow-delta-v1', 3000],
    ['pyarrow-delta-v2', 3000],
    ['pyarrow-split-v1', 3000],
    ['pyarrow-split-v2', 3000],
    ['pyarrow-none-v1', 600],
    ['pyarrow-none-v2', 600],
    ['pyarrow-snappy-v1', 600],
    ['pyarrow-snappy-v2', 600],
    ['pyarrow-gzip-v1', 600],
    ['pyarrow-brotli-v1', 600],
    ['pyarrow-brotli-v2', 600],
    ['pyarrow-lz4-v1', 600],
  ])(
    'reads every row of %s: encodings, codecs, both kinds of pages, many pages and row groups',
    async (name, count) => {
      const { rows, positions, bad, error } = await read(name);

      expect(error).toBeUndefined();
      expect(bad).toEqual([]);
      expect(isDeepStrictEqual(rows, rowsOf(count, pyarrowRow))).toBe(true);
      expect(positions).toEqual(rowsOf(count, (i) => i));
    },
  );

  it.each([
    ['v1-snappy', 5000],
    ['v2-zstd', 5000],
    ['v2-plain-dictionaries-off', 5000],
    ['brotli', 1500],
    ['lz4-raw', 1500],
    ['uncompressed', 500],
    ['no-rows', 0],
  ])('reads every row of %s, which DuckDB wrote', async (name, count) => {
    const { rows, error, batches } = await read(name);

    expect(error).toBeUndefined();
    expect(isDeepStrictEqual(rows, rowsOf(count, duckdbRow))).toBe(true);
    expect(batches > 0).toBe(count > 0);
  });

  it('keeps every digit of numbers, and names those that JSON has not', async () => {
    const { rows } = await read('numbers');

    expect(rows).toEqual([
      {
        ...{ i8: 1, i16: -300, i32: -70000, i64: 9007199254740993n, u8: 200, u16: 60000, u32: 4000000000 },
        ...{ u64: 18446744073709551615n, huge: 1e20, flag: true, f32: 0.1, f64: 0.1, d4: 12.5, d9: 123456.789 },
        ...{ d18: -1e-18, d38: new ExactNumber('12345678901234567890123456789012345.678') },
      },
      {
        ...{ i8: -128, i16: 32767, i32: 2147483647, i64: -9223372036854775808n, u8: 255, u16: 0, u32: 0, u64: 0 },
        ...{ huge: -5, flag: false, f32: 3.4028235e38, f64: 1.7976931348623157e308, d4: -99.99, d9: -0.001, d18: 0.5 },
        d38: new ExactNumber('-99999999999999999999999999999999999.999'),
      },
      {
        ...{ i8: null, i16: null, i32: null, i64: null, u8: null, u16: null, u32: null, u64: null, huge: null },
        ...{ flag: null, f32: 'NaN', f64: '-Infinity', d4: null, d9: null, d18: null, d38: null },
      },
    ]);
  });

  it('reads texts, bytes, dates, times and what else has a text of its own', async () => {
    const { rows } = await read('texts');

    expect(rows.slice(0, 2)).toEqual([
      {
        ...{ words: 'Olá, €5 😀', bytes: 'AP8Q', day: '2024-02-29', tod: '23:59:59.123456' },
        ...{ ts: '2024-02-29T12:34:56.789012', ts_s: '1969-12-31T23:59:59.000000', ts_ms: '2024-02-29T12:34:56.789' },
        ...{ ts_ns: '2024-02-29T12:34:56.789012345', tstz: '2024-02-29T10:34:56.789012Z' },
        ...{ id: '4ac7a9e9-607c-4c8a-84f3-843f0191e3fd', mood: 'happy', doc: '{"a": 1.50}', span: 'P14M3DT4.500S' },
      },
      {
        ...{ words: '', bytes: '', day: '0001-01-01', tod: '00:00:00.000000', ts: '1582-10-15T00:00:00.000000' },
        ...{ ts_s: '9999-12-31T23:59:59.000000', ts_ms: '1970-01-01T00:00:00.000' },
        ...{ ts_ns: '1969-12-31T23:59:59.999999999', tstz: '1900-01-01T00:00:00.000000Z' },
        ...{ id: '00000000-0000-0000-0000-000000000000', mood: 'sad', doc: 'null', span: 'P0M0DT0.000S' },
      },
    ]);
    expect(Object.values(rows[2] as object)).toEqual(Array(13).fill(null));
  });

  it('tells null, empty and absent apart in lists, structs and maps inside each other', async () => {
    const { rows } = await read('nested');

    expect(rows).toEqual([
      {
        id: 1,
        list: [1, 2, 3],
        lists: [['a', 'b'], [], null, ['c', null]],
        struct: { x: 1, y: { z: 'deep', w: [true, null] } },
        structs: [
          { k: 'a', v: [1] },
          { k: 'b', v: [] },
        ],
        map: { one: 1, two: null },
        maps: { 7: { n: 1 } },
      },
      { id: 2, list: [], lists: [], struct: { x: null, y: null }, structs: [], map: {}, maps: {} },
      { id: 3, list: null, lists: null, struct: null, structs: null, map: null, maps: null },
      {
        id: 4,
        list: [null],
        lists: [[null]],
        struct: { x: 5, y: { z: null, w: null } },
        structs: [null, { k: null, v: null }, { k: 'c', v: [2, null, 3] }],
        map: { '': 0 },
        maps: { 8: null, 9: { n: null } },
      },
    ]);
  });

  it.each([0, 1, 2, 3, 4, 5])('puts random nested columns together across pages of all sizes, file %i', async (n) => {
    const expected = JSON.parse(
      await readFile(new URL(`../fixtures/parquet/nested-${n}.json`, import.meta.url), 'utf8'),
    );

    for (const from of [0, 1, 13]) {
      const { rows, error } = await read(`nested-${n}`, {}, {}, from);
      expect(error).toBeUndefined();
      expect(rows).toEqual(expected.slice(from));
    }
  });

  it('reads the rarer types, and names such as __proto__', async () => {
    const { rows, raws } = await read('pyarrow-types');

    expect(raws[0]).toBe(
      '{"d76":1234567890123456789012345678901234567890.0123456789,"d20":123456789012345678.90,"d5":123.45,"half":1.5,' +
        '"ts_s":"1970-01-01T00:00:00.000Z","ts_ns":"1970-01-01T00:00:00.000000001","ts_ns_utc":"2262-04-11T23:47:16.854775807Z",' +
        '"t_ms":"00:00:00.001","t_ns":"00:00:00.000000001","day":"0000-01-01","far":"-000001-12-31","u64":18446744073709551615,' +
        '"i8":-128,"bytes":"/wA=","nothing":null,"dict":"a","map":{"a":[1,null],"__proto__":null},' +
        '"deep":[[{"a":[{"b":"x"},null]}],[]],"__proto__":"p"}',
    );
    expect(rows[1]).toMatchObject({
      ...{ d76: -1e-10, half: 'Infinity', ts_s: '1969-12-31T23:59:59.000Z', ts_ns: '1969-12-31T23:59:59.999999999' },
      ...{ ts_ns_utc: '1677-09-21T00:12:43.145224193Z', t_ns: '23:59:59.999999999', day: '9999-12-31' },
      ...{ far: '+010000-01-01', deep: [null, [null]] },
    });
    expect(new Set(Object.values(rows[2] as object))).toEqual(new Set([null]));
  });

  it('reads INT96 as a time without a zone, lists of two levels, and files of fastparquet', async () => {
    expect((await read('pyarrow-int96')).rows).toEqual([
      { ts_ns: '1970-01-01T00:00:00.000000001' },
      { ts_ns: '1969-12-31T23:59:59.999999999' },
      { ts_ns: null },
    ]);
    expect((await read('pyarrow-two-level')).rows).toEqual([
      { l: [[{ a: [{ b: 'x' }, null] }], []] },
      { l: [null, [null]] },
      { l: null },
    ]);
    const { rows } = await read('fastparquet');
    expect(rows).toHaveLength(100);
    expect(rows[99]).toEqual({ id: 99, word: 'w99', when: '1973-02-19T20:00:00.000000000', part: 24.75 });
  });

  it('reads files of polars', async () => {
    const { rows } = await read('polars');

    const nested = { a: [199, null], b: { c: 'c199' } };
    const when = '1976-04-22T05:46:40.000000199';
    expect(rows).toHaveLength(200);
    expect(rows[0]).toMatchObject({ id: 0, word: null, kind: 'k0', total: 0, nested: null });
    expect(rows[199]).toEqual({ id: 199, word: 'w4', kind: 'k1', when, span: 199_000_000, total: 1.99, nested });
  });

  it('takes bytes for text when the format says so, and refuses texts that are none', async () => {
    const asText = await read('texts', { binary: 'text' });
    const mixed = await read('pyarrow-not-utf8');

    expect(asText.bad).toMatchObject([{ position: 0, code: 'decode.invalidUtf8' }]);
    expect(asText.rows[0]).toMatchObject({ words: '', bytes: '' });
    expect(mixed.rows).toEqual([{ s: 'ok' }]);
    expect(mixed.bad).toEqual([
      {
        position: 1,
        code: 'decode.invalidUtf8',
        message: 'the text in s is not UTF-8',
        length: 12,
        raw: '{"s":"b\ufffd"}',
      },
    ]);
  });

  it('goes on behind a row that is too long', async () => {
    // The list is too heavy before it is whole; the text is just too long as JSON.
    const { rows, positions, bad } = await read('pyarrow-long-rows', {}, { maxRowBytes: 4096, rawLimitBytes: 12 });

    expect(rows).toEqual([{ id: 0, text: 'x', many: [1] }]);
    expect(positions).toEqual([0]);
    expect(bad.map(({ position, code }) => [position, code])).toEqual([
      [1, 'decode.rowTooLong'],
      [2, 'decode.rowTooLong'],
    ]);
    const exact = await read('pyarrow-long-rows', {}, { maxRowBytes: 40_027, rawLimitBytes: 12 });
    expect(exact.rows).toHaveLength(2);
    expect(exact.bad).toMatchObject([{ position: 1, length: 40_028, raw: '{"id":1,"tex' }]);
    expect((await read('pyarrow-long-rows', {}, { maxRowBytes: 40_028 })).bad).toEqual([]);
  });

  it.each(['v1-snappy', 'v2-zstd', 'pyarrow-delta-v1', 'pyarrow-delta-v2', 'pyarrow-none-v1', 'pyarrow-snappy-v2'])(
    'begins at any row of %s',
    async (name) => {
      const all = await read(name);
      for (const from of [1, 249, 250, 599, 1700, 2047, 2049, 4999, 9000]) {
        const { raws, positions, error } = await read(name, {}, {}, from);
        expect(error).toBeUndefined();
        expect(raws.join('\n') === all.raws.slice(from).join('\n')).toBe(true);
        expect(positions[0]).toBe(all.positions[from]);
      }
    },
  );

  it('does not read row groups before the first row that is wanted', async () => {
    const bytes = await fixture('v1-snappy');
    const whole = bytesFile(bytes);
    const tail = bytesFile(bytes);

    const all = await joined(decodeFile(whole, parquet()));
    const last = await joined(decodeFile(tail, parquet(), {}, 4096));

    expect(last.rows).toEqual(all.rows.slice(4096));
    const sum = (reads: readonly (readonly [number, number])[]) => reads.slice(1).reduce((n, [a, b]) => n + b - a, 0);
    expect(sum(tail.reads)).toBeLessThan(sum(whole.reads) / 3);
  });

  it('reads columns that lie side by side at once', async () => {
    const file = bytesFile(await fixture('v1-snappy'));

    await joined(decodeFile(file, parquet()));

    // The footer, and each of three row groups.
    expect(file.reads).toHaveLength(4);
  });

  it('delivers what came before an error of the file, and passes the error on', async () => {
    const bytes = await fixture('v1-snappy');
    const file = bytesFile(bytes);
    const failure = new Error('the network is gone');
    let reads = 0;
    const flaky = {
      ...file,
      read: (start: number, end: number) => (++reads > 3 ? Promise.reject(failure) : file.read(start, end)),
    };

    const { rows, error } = await joined(decodeFile(flaky, parquet()));

    expect(error).toBe(failure);
    expect(rows).toEqual(rowsOf(4096, duckdbRow));
  });

  it('refuses what it cannot read, and says why', async () => {
    const bytes = await fixture('uncompressed');
    const errorOf = async (bytes: Uint8Array) => (await joined(decodeFile(bytesFile(bytes), parquet()))).error;

    expect((await read('encrypted')).error).toMatchObject({
      code: 'decode.unsupportedParquet',
      message: expect.stringContaining('encrypted'),
    });
    expect(await errorOf(bytes.subarray(0, 7))).toMatchObject({ code: 'decode.corruptParquet' });
    expect(await errorOf(Buffer.from('{"id":1}\n{"id":2}\n'))).toMatchObject({
      code: 'decode.corruptParquet',
      message: expect.stringContaining('no Parquet file'),
    });
    expect(await errorOf(bytes.subarray(0, -1))).toMatchObject({
      code: 'decode.corruptParquet',
      message: expect.stringContaining('not written completely'),
    });
    const huge = Buffer.from(bytes);
    huge.writeUInt32LE(0xffffffff, bytes.length - 8);
    expect(await errorOf(huge)).toMatchObject({ code: 'decode.corruptParquet' });
    expect((await read('nested', {}, { maxDepth: 2 })).error).toMatchObject({ code: 'decode.unsupportedParquet' });
  });

  it.each([
    ['fewer', 499, 499],
    ['more', 501, 500],
  ])('finds a row group that says it has %s rows than there are', async (_, said, delivered) => {
    const bytes = Buffer.from(await fixture('uncompressed'));
    // The row group's count is the last of those that are 500, as zigzag numbers of two bytes are.
    const at = bytes.lastIndexOf(Buffer.from([0x16, 0xe8, 0x07]));
    bytes[at + 1] = ((said * 2) & 0x7f) | 0x80;

    const { rows, error } = await joined(decodeFile(bytesFile(bytes), parquet()));

    expect(rows).toHaveLength(delivered);
    expect(error).toMatchObject({ code: 'decode.corruptParquet' });
  });

  it('finds damage by the checksums of pages', async () => {
    const bytes = Buffer.from(await fixture('pyarrow-split-v2'));
    const at = 2 * 1024;
    bytes[at] = (bytes[at] ?? 0) ^ 1;

    const { error } = await joined(decodeFile(bytesFile(bytes), parquet()));

    expect(error).toMatchObject({ code: 'decode.corruptParquet' });
  });

  it('is a format that needs the whole file', () => {
    expect(isFileFormat(parquet())).toBe(true);
    expect(isFileFormat(csv())).toBe(false);
    expect(() => decode((async function* () {})(), parquet())).toThrow('decodeFile');
    expect(() => parquet({ binary: 'hex' as never })).toThrow(expect.objectContaining({ code: 'decode.badFormat' }));
  });
});
