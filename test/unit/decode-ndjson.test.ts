import { describe, expect, it } from 'vitest';
import { decode } from '../../core/decode/decode.ts';
import { ExactNumber } from '../../core/decode/exact-number.ts';
import { ndjson } from '../../core/decode/ndjson.ts';
import { chunked, decoded, untilError } from '../support/decoded.ts';

const codes = (result: { bad: { code: string }[] }) => result.bad.map(({ code }) => code);

describe('ndjson', () => {
  it('reads one object a line, at the byte offset of the line', async () => {
    const { rows, positions, raws, bad } = await decoded('{"a":"ü"}\n{"a":2}\n', ndjson());
    expect(rows).toEqual([{ a: 'ü' }, { a: 2 }]);
    expect(positions).toEqual([0, 11]);
    expect(raws).toEqual(['{"a":"\u00c3\u00bc"}', '{"a":2}']);
    expect(bad).toEqual([]);
  });

  it('needs no line end behind the last row', async () => {
    expect((await decoded('{"a":1}\n{"a":2}', ndjson())).rows).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it('takes CRLF for a line end and leaves it out of the raw bytes', async () => {
    const { positions, raws } = await decoded('{"a":1}\r\n{"a":2}\r\n', ndjson());
    expect(raws).toEqual(['{"a":1}', '{"a":2}']);
    expect(positions).toEqual([0, 9]);
  });

  it('passes over lines of nothing but white space', async () => {
    expect((await decoded('\n \t\r\n{"a":1}\n\r\n\n', ndjson())).positions).toEqual([5]);
  });

  it('passes over a byte order mark, and counts it', async () => {
    const { rows, positions } = await decoded('\ufeff{"a":1}', ndjson());
    expect(rows).toEqual([{ a: 1 }]);
    expect(positions).toEqual([3]);
  });

  it('gives no batch for an object without rows', async () => {
    expect((await decoded('\n\n', ndjson())).batches).toBe(0);
    expect((await decoded('', ndjson())).batches).toBe(0);
  });

  it('keeps a row that is no JSON as a bad row and goes on', async () => {
    const { rows, bad } = await decoded('{"a":1}\n{"secret":tru}\n{"a":2}', ndjson());
    expect(rows).toEqual([{ a: 1 }, { a: 2 }]);
    expect(bad).toEqual([
      {
        position: 8,
        code: 'decode.invalidJson',
        message: 'not JSON: expected true, false or null at byte 13',
        length: 14,
        raw: '{"secret":tru}',
      },
    ]);
  });

  it('never tells a byte of the row in a message', async () => {
    const { bad } = await decoded('{"secret":"4711\n{"a" "secret"}\n["secret"]\n{"secret":"\xff"}\n"secret"', ndjson());
    expect(bad).toHaveLength(4);
    for (const { message } of bad) expect(message).not.toMatch(/secret|4711/);
  });

  it('says where a row ends too soon', async () => {
    const { bad } = await decoded('{"a":[1,', ndjson());
    expect(bad[0]?.message).toBe('not JSON: it ends at byte 8, where a value was expected');
  });

  it.each([
    ['[1]', 'an array'],
    ['1', 'a number'],
    ['12345678901234567890', 'a number'],
    ['1e999', 'a number'],
    ['  -60.6896e-320', 'a number'],
    ['"a"', 'a string'],
    ['true', 'a boolean'],
    ['null', 'null'],
  ])('refuses %s, which is no object', async (row, found) => {
    const { bad } = await decoded(`${row}\n`, ndjson());
    expect(bad[0]).toMatchObject({ code: 'decode.notAnObject', message: `expected a JSON object, found ${found}` });
  });

  it('refuses bytes that are not UTF-8 and says which', async () => {
    const row = Buffer.concat([Buffer.from('{"\ufffdü":"'), Buffer.of(0xc3, 0x28), Buffer.from('"}')]);
    const { bad } = await decoded(Buffer.concat([row, Buffer.from('\n{"a":1}')]), ndjson());
    expect(bad[0]).toMatchObject({ code: 'decode.invalidUtf8', message: 'not UTF-8 at byte 10', length: row.length });
  });

  it('keeps a replacement character that stands in the object', async () => {
    expect((await decoded('{"a":"\ufffd"}', ndjson())).rows).toEqual([{ a: '\ufffd' }]);
  });

  it('lets the last of two equal names win', async () => {
    expect((await decoded('{"a":1,"a":2}', ndjson())).rows).toEqual([{ a: 2 }]);
    expect((await decoded('{"a":12345678901234567890,"a":2}', ndjson())).rows).toEqual([{ a: 2 }]);
  });

  it.each(['{"__proto__":{"polluted":1}}', '{"__proto__":{"polluted":1e999},"n":12345678901234567890}'])(
    'keeps __proto__ as a name like any other: %s',
    async (row) => {
      const { rows } = await decoded(row, ndjson());
      expect(Object.getPrototypeOf(rows[0])).toBe(Object.prototype);
      expect(Object.keys(rows[0] as object)).toContain('__proto__');
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    },
  );

  it('keeps every digit of numbers', async () => {
    const text =
      '{"i":[9007199254740993,-12345678901234567890],"d":0.1000000000000000055,"o":1e400,"u":1e-400,"n":1.5}';
    expect((await decoded(text, ndjson())).rows).toEqual([
      {
        i: [9007199254740993n, -12345678901234567890n],
        d: new ExactNumber('0.1000000000000000055'),
        o: new ExactNumber('1e400'),
        u: new ExactNumber('1e-400'),
        n: 1.5,
      },
    ]);
  });

  it('reads rows as deep as allowed and refuses deeper ones, brackets in strings not counted', async () => {
    const nested = (depth: number) =>
      `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)},"s":"\\"${'{'.repeat(99)}"}`;
    const result = await decoded(`${nested(64)}\n${nested(65)}\n${nested(2)}`, ndjson());
    expect(result.rows).toHaveLength(2);
    expect(result.bad).toMatchObject([{ code: 'decode.tooDeep', message: expect.stringContaining('64') }]);
  });

  it('makes one bad row of a row that is too long, with its whole length and its beginning', async () => {
    const long = `{"a":"${'x'.repeat(300_000)}"}`;
    const limits = { maxRowBytes: 1000, rawLimitBytes: 10 };
    const { rows, bad } = await decoded(`{"a":1}\n${long}\r\n{"a":2}\n`, ndjson(), limits);
    expect(rows).toEqual([{ a: 1 }, { a: 2 }]);
    expect(bad).toEqual([
      {
        position: 8,
        code: 'decode.rowTooLong',
        message: 'the row is longer than 1000 bytes',
        length: long.length,
        raw: long.slice(0, 10),
      },
    ]);
  });

  it('measures the longest row without its line end', async () => {
    const row = '{"a":"123456"}';
    const exactly = { maxRowBytes: row.length };
    expect((await decoded(`${row}\r\n${row}`, ndjson(), exactly)).rows).toHaveLength(2);
    expect(codes(await decoded(`${row}\r\n`, ndjson(), { maxRowBytes: row.length - 1 }))).toEqual([
      'decode.rowTooLong',
    ]);
  });

  it('does not hold a row that is too long in memory', async () => {
    async function* input() {
      for (let count = 0; count < 64; count++) yield Buffer.alloc(1024 * 1024, 'x');
      yield Buffer.from('\n{"a":1}\n');
    }
    const held: number[] = [];
    const lengths: number[] = [];
    for await (const batch of decode(input(), ndjson(), { maxRowBytes: 1024 * 1024 })) {
      held.push(...batch.rows.map((_, index) => batch.raw(index).buffer.byteLength));
      lengths.push(...batch.bad.map(({ length }) => length));
    }
    expect(lengths).toEqual([64 * 1024 * 1024]);
    expect(held).toHaveLength(1);
    expect(held[0]).toBeLessThan(8 * 1024 * 1024);
  });

  it('ends a batch at its row limit and at its byte limit, bad rows counted', async () => {
    const text = '{"a":1}\n{"a":2}\nx\n{"a":3}\n{"a":4}\n';
    const sizes = async (limits: object) => {
      const found: number[] = [];
      for await (const { rows, bad } of decode(chunked(text), ndjson(), limits)) found.push(rows.length + bad.length);
      return found;
    };
    expect(await sizes({ batchRows: 2 })).toEqual([2, 2, 1]);
    expect(await sizes({ batchBytes: 14 })).toEqual([2, 3]);
    expect(await sizes({})).toEqual([5]);
  });

  it('gives raw bytes that a slice copies, and refuses an index it does not have', async () => {
    for await (const batch of decode(chunked('{"a":1}'), ndjson())) {
      const copy = batch.raw(0).slice();
      batch.raw(0).fill(0);
      expect(Buffer.from(copy).toString()).toBe('{"a":1}');
      expect(() => batch.raw(1)).toThrow(RangeError);
    }
  });

  it('closes the input when the consumer stops', async () => {
    let closed = false;
    async function* input() {
      try {
        for (;;) yield Buffer.from('{"a":1}\n');
      } finally {
        closed = true;
      }
    }
    for await (const _ of decode(input(), ndjson())) break;
    expect(closed).toBe(true);
  });

  it('delivers the rows before an error of the input, then throws that error', async () => {
    const failure = new Error('connection reset');
    async function* input() {
      yield Buffer.from('{"a":1}\n{"a":2}\n{"a":');
      throw failure;
    }
    const { items, error } = await untilError(decode(input(), ndjson()));
    expect(items.flatMap(({ rows }) => rows)).toEqual([{ a: 1 }, { a: 2 }]);
    expect(error).toBe(failure);
  });

  it('reads no further ahead than a batch needs', async () => {
    let read = 0;
    async function* input() {
      for (;;) {
        read++;
        yield Buffer.from(`${JSON.stringify({ a: 'x'.repeat(1000) })}\n`);
      }
    }
    for await (const { rows } of decode(input(), ndjson(), { batchRows: 10 })) {
      expect(rows).toHaveLength(10);
      break;
    }
    expect(read).toBeLessThan(100);
  });
});
