import { readFile } from 'node:fs/promises';
import avsc from 'avsc';
import { describe, expect, it } from 'vitest';
import { avro, decodeAvro } from '../../core/decode/avro.ts';
import { decode, defaultLimits } from '../../core/decode/decode.ts';
import { ExactNumber } from '../../core/decode/exact-number.ts';
import type { DecodeLimits } from '../../core/decode/format.ts';
import { chunked } from '../support/decoded.ts';
import { joined } from '../support/decoded-batches.ts';

const fixture = (name: string) => readFile(new URL(`../fixtures/avro/${name}.avro`, import.meta.url));

async function read(name: string, limits: Partial<DecodeLimits> = {}, from = 0) {
  return joined(decodeAvro(chunked(await fixture(name)), { ...defaultLimits, ...limits }, from));
}

/** Rows of the files with orders, as write.py makes them. */
function order(i: number) {
  const id = i % 2 ? BigInt(i) * 9007199254740993n : -i;
  const lines = Array.from({ length: i % 4 }, (_, j) => ({ sku: `sku ${j}`, count: i - j }));
  return {
    id: i === 0 ? 0 : id,
    note: i % 3 === 0 ? null : `note ${i} é`,
    total: (i * 1000003) / 100,
    lines,
    first: lines[0] ?? null,
    tags: Object.fromEntries(Array.from({ length: i % 3 }, (_, j) => [`t${j}`, j / 8])),
  };
}

/** A file of records that hold a single field. */
function fileOf(type: unknown, data: Buffer, records = 1, schema?: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(schema ?? { type: 'record', name: 'R', fields: [{ name: 'v', type }] }));
  const sync = Buffer.alloc(16, 7);
  const header = [
    Buffer.from('Obj\x01'),
    long(1),
    long(11),
    Buffer.from('avro.schema'),
    long(json.length),
    json,
    long(0),
  ];
  return Buffer.concat([...header, sync, long(records), long(data.length), data, sync]);
}

/** A long as Avro writes it. */
function long(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes: number[] = [];
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

const decoded = (bytes: Buffer, limits: Partial<DecodeLimits> = {}) => joined(decode(chunked([bytes]), avro(), limits));

describe('avro', () => {
  it.each(['fastavro-null', 'fastavro-deflate', 'fastavro-snappy', 'fastavro-zstandard', 'fastavro-bzip2'])(
    'reads every record of %s: unions, lists, maps, named types, decimals, many blocks',
    async (name) => {
      const { rows, positions, bad, error } = await read(name);

      expect(error).toBeUndefined();
      expect(bad).toEqual([]);
      expect(rows).toEqual(Array.from({ length: 500 }, (_, i) => order(i)));
      expect(positions).toEqual(Array.from({ length: 500 }, (_, i) => i));
    },
  );

  it.each(['apache-null', 'apache-deflate'])('reads every record of %s, which the reference wrote', async (name) => {
    const { rows } = await read(name);

    expect(rows).toHaveLength(300);
    for (const [i, row] of rows.entries()) {
      const item = { n: null, i, s: String(i) };
      const id = i < 10 ? i * 1e15 : BigInt(i) * 10n ** 15n;
      expect(row).toEqual({ id, kind: 'XY'[i % 2], again: 'YX'[i % 2], lists: Array(i % 3).fill(item) });
    }
  });

  it('reads files of polars', async () => {
    const { rows } = await read('polars-snappy');

    expect(rows).toHaveLength(300);
    expect(rows[0]).toEqual({ id: 0, word: null, part: 0, list: [0, null] });
    expect(rows[299]).toEqual({ id: 299, word: 'w299', part: 74.75, list: [299, null] });
  });

  it('keeps every digit, and gives logical types the text they stand for', async () => {
    const { rows } = await read('fastavro-values');

    const base = {
      ...{ nothing: null, flag: true, int: -(2 ** 31), long: -(2n ** 63n), float: 0.1, double: 0.1, bytes: '/wA=' },
      ...{ text: 'Olá 😀', suit: 'HEARTS', fixed: 'YWJjZA==', date: '2024-02-29' },
      ...{ tm: '23:59:59.999', tu: '23:59:59.999999', ms: '2024-02-29T12:34:56.789Z' },
      ...{ us: '2024-02-29T12:34:56.789012Z', lms: '2024-02-29T12:34:56.789', lus: '2024-02-29T12:34:56.789012' },
      ...{ ns: '2024-02-29T12:34:56.789012345Z', lns: '1969-12-31T23:59:59.999999999' },
      ...{ uuid: '4ac7a9e9-607c-4c8a-84f3-843f0191e3fd', fixedUuid: '4ac7a9e9-607c-4c8a-84f3-843f0191e3fd' },
      ...{ dec: new ExactNumber('1234567890123456789012345678.0123456789'), span: 'P1M2DT3.340S', any: 'text' },
      ...{ odd: 'as it is', ['__proto__']: 'p' },
    };
    expect(rows[0]).toEqual(base);
    expect(Object.keys(rows[0] as object)).toContain('__proto__');
    expect(rows[1]).toMatchObject({
      ...{ long: 2n ** 63n - 1n, float: 'Infinity', double: 'NaN', int: 2 ** 31 - 1, any: 2n ** 53n + 1n },
      ...{ dec: -1e-10, text: '', bytes: '', date: '0001-01-01' },
    });
    expect(rows[2]).toMatchObject({ any: null, long: 0, ms: '1969-12-31T23:59:59.999Z' });
    expect(rows.slice(3)).toMatchObject([{ any: 1.5 }, { any: [1, -1] }]);
  });

  it('reads what avsc writes, byte by byte', async () => {
    const type = avsc.Type.forSchema({
      type: 'record',
      name: 'Pair',
      fields: [
        { name: 'n', type: 'int' },
        { name: 'm', type: { type: 'map', values: ['null', 'string'] as never } },
      ],
    });
    const encoder = new avsc.streams.BlockEncoder(type, { codec: 'deflate' });
    const rows = Array.from({ length: 50 }, (_, n) => ({ n: n - 25, m: { a: null, [`k${n}`]: `v${n}` } }));
    for (const row of rows) encoder.write(row);
    encoder.end();
    const bytes = Buffer.concat(await encoder.toArray());

    const result = await joined(decode(chunked(Array.from(bytes, (byte) => Uint8Array.of(byte))), avro()));

    expect(result.rows).toEqual(rows);
  });

  it('finds no rows in a file without blocks', async () => {
    expect(await read('fastavro-empty')).toMatchObject({ rows: [], batches: 0, error: undefined });
  });

  it('refuses single records that nest too deep, are too long, are no records or no UTF-8', async () => {
    const tree = await read('fastavro-tree');
    expect(tree.positions).toEqual([0, 1, 3]);
    expect(tree.bad).toMatchObject([{ position: 2, code: 'decode.tooDeep' }]);

    const strings = await read('fastavro-strings');
    expect(strings.bad).toMatchObject([
      { position: 0, code: 'decode.notAnObject', raw: '"a"' },
      { position: 1, code: 'decode.notAnObject', raw: '"b"' },
    ]);

    const texts = ['ok', 'x'.repeat(100), 'ok'].flatMap((text) => [long(text.length), Buffer.from(text)]);
    const long2 = await decoded(fileOf('string', Buffer.concat(texts), 3), { maxRowBytes: 100 });
    expect(long2.positions).toEqual([0, 2]);
    expect(long2.bad).toMatchObject([{ position: 1, code: 'decode.rowTooLong' }]);

    const broken = await decoded(fileOf('string', Buffer.from([2, 0xff, 2, 0x41]), 2));
    expect(broken.rows).toEqual([{ v: 'A' }]);
    expect(broken.bad).toMatchObject([{ position: 0, code: 'decode.invalidUtf8', raw: '{"v":"\ufffd"}' }]);
  });

  it.each(['fastavro-null', 'fastavro-snappy', 'apache-deflate'])('begins at any record of %s', async (name) => {
    const all = await read(name);
    for (const from of [1, 67, 68, 99, 100, 101, 299, 300, 499, 500, 9000]) {
      const { rows, positions, error } = await read(name, {}, from);
      expect(error).toBeUndefined();
      expect(rows).toEqual(all.rows.slice(from));
      expect(positions).toEqual(all.positions.slice(from));
    }
  });

  it('does not unpack blocks before the first record that is wanted', async () => {
    const bytes = Buffer.from(await fixture('fastavro-snappy'));
    const at = bytes.indexOf('0123456789abcdef') + 40;
    bytes[at] = (bytes[at] ?? 0) ^ 0xff;

    const whole = await joined(decodeAvro(chunked([bytes]), defaultLimits));
    const late = await joined(decodeAvro(chunked([bytes]), defaultLimits, 400));

    expect(whole).toMatchObject({ rows: [], error: { code: 'decode.corruptAvro' } });
    expect(late.error).toBeUndefined();
    expect(late.rows).toHaveLength(100);
  });

  it('names the codec xz as one it cannot read', async () => {
    const { error } = await read('fastavro-xz');
    expect(error).toMatchObject({ code: 'decode.unsupportedAvro', message: expect.stringContaining('"xz"') });
  });

  it.each([
    ['a count of nulls beyond all bytes', { type: 'array', items: 'null' }, long(2n ** 62n)],
    ['a count of nulls that a bigint holds', { type: 'array', items: 'null' }, long(2n ** 40n)],
    ['a count of strings beyond all bytes', { type: 'array', items: 'string' }, long(2 ** 40)],
    ['a text longer than its block', 'string', long(2 ** 40)],
    ['bytes of a negative length', 'bytes', long(-5)],
    ['a number without an end', 'long', Buffer.alloc(11, 0xff)],
    ['an int of 33 bits', 'int', long(2 ** 32)],
    ['a branch that a union has not', ['null', 'string'], long(2)],
    ['a symbol that an enum has not', { type: 'enum', name: 'E', symbols: ['A'] }, long(1)],
    ['bytes behind the last record', 'null', Buffer.from([1])],
  ])('ends with a DecodeError at %s', async (_, type, data) => {
    expect((await decoded(fileOf(type, data))).error).toMatchObject({ code: 'decode.corruptAvro' });
  });

  it('delivers records before a damaged one', async () => {
    const { rows, error } = await decoded(fileOf('int', Buffer.concat([long(1), long(2), long(2 ** 40)]), 3));

    expect(rows).toEqual([{ v: 1 }, { v: 2 }]);
    expect(error).toMatchObject({ code: 'decode.corruptAvro' });
  });

  it('refuses blocks that are too large to hold, before they are there', async () => {
    const header = fileOf('null', Buffer.alloc(0), 0).subarray(0, -18);
    const block = await decoded(Buffer.concat([header, long(1), long(2 ** 40)]));
    expect(block.error).toMatchObject({ code: 'decode.tooLarge' });

    const json = Buffer.from('"null"');
    const snappy = Buffer.concat([
      ...[Buffer.from('Obj\x01'), long(2), long(11), Buffer.from('avro.schema'), long(json.length), json],
      ...[long(10), Buffer.from('avro.codec'), long(6), Buffer.from('snappy'), long(0), Buffer.alloc(16)],
      ...[long(1), long(10), Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0, 0]), Buffer.alloc(16)],
    ]);
    expect((await decoded(snappy)).error).toMatchObject({ code: 'decode.tooLarge' });
  });

  it('refuses more records than a block can hold', async () => {
    expect((await decoded(fileOf('null', Buffer.alloc(0), 2 ** 50))).error).toMatchObject({
      code: 'decode.corruptAvro',
    });
  });

  it.each([
    ['no JSON value', 17],
    ['a type nobody defined', 'no.such.Type'],
    ['a record without fields', { type: 'record', name: 'R' }],
    ['a record whose name is no text', { type: 'record', name: 17, fields: [] }],
    [
      'a name twice',
      [
        { type: 'fixed', name: 'A', size: 1 },
        { type: 'fixed', name: 'A', size: 1 },
      ],
    ],
    ['__proto__ as a type', '__proto__'],
  ])('refuses a schema that is %s', async (_, schema) => {
    const { error } = await decoded(fileOf(undefined, Buffer.alloc(0), 0, schema));
    expect(error).toMatchObject({ code: 'decode.corruptAvro' });
  });

  it('refuses a schema of types inside each other without end, and bottomless records', async () => {
    let deep: unknown = 'int';
    for (let i = 0; i < 500; i++) deep = { type: 'array', items: deep };
    const endless = { type: 'record', name: 'R', fields: [{ name: 'v', type: 'R' }] };

    expect((await decoded(fileOf(deep, long(0)))).error).toMatchObject({ code: 'decode.unsupportedAvro' });
    expect((await decoded(fileOf(undefined, Buffer.alloc(0), 1, endless))).error).toMatchObject({
      code: 'decode.corruptAvro',
    });
  });

  it('resolves names by their namespace', async () => {
    const schema = {
      type: 'record',
      name: 'a.b.R',
      fields: [
        { name: 'x', type: { type: 'enum', name: 'E', symbols: ['A', 'B'] } },
        { name: 'y', type: { type: 'fixed', name: 'F', namespace: 'other', size: 1 } },
        { name: 'z', type: ['a.b.E', 'other.F'] },
        { name: 'w', type: 'E' },
      ],
    };
    const { rows } = await decoded(fileOf(undefined, Buffer.from([2, 0x41, 2, 0x42, 0]), 1, schema));

    expect(rows).toEqual([{ x: 'B', y: 'QQ==', z: 'Qg==', w: 'A' }]);
  });

  it('closes what the bytes come from when it stops early', async () => {
    const bytes = await fixture('fastavro-null');
    let closed = false;
    async function* source() {
      try {
        for (let at = 0; at < bytes.length; at += 100) yield bytes.subarray(at, at + 100);
      } finally {
        closed = true;
      }
    }

    for await (const batch of decode(source(), avro(), { batchRows: 5 })) {
      expect(batch.rows).toHaveLength(5);
      break;
    }

    expect(closed).toBe(true);
  });

  it('passes an error of the bytes on, behind the rows of every whole block', async () => {
    const bytes = await fixture('fastavro-null');
    const failure = new Error('the network is gone');
    async function* source() {
      yield bytes.subarray(0, bytes.length - 10);
      throw failure;
    }

    const { rows, error } = await joined(decode(source(), avro()));

    expect(error).toBe(failure);
    expect(rows.length).toBeGreaterThan(300);
    expect(rows).toEqual(Array.from({ length: rows.length }, (_, i) => order(i)));
  });
});
