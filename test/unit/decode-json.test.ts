import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../core/decode/codes.ts';
import { decode } from '../../core/decode/decode.ts';
import { json } from '../../core/decode/json.ts';
import { chunked, decoded } from '../support/decoded.ts';

const items = json({ rows: 'payload.items' });

describe('json', () => {
  it('takes the elements of an array as rows, by ordinal', async () => {
    const { rows, positions, raws, bad } = await decoded(' [ {"a":"],[\\""} ,\n{"b":{"c":[1]}}\t]\n', json());
    expect(rows).toEqual([{ a: '],["' }, { b: { c: [1] } }]);
    expect(positions).toEqual([0, 1]);
    expect(raws).toEqual(['{"a":"],[\\""}', '{"b":{"c":[1]}}']);
    expect(bad).toEqual([]);
  });

  it('takes an object as one row, over several lines', async () => {
    expect((await decoded('{\n  "a": [\n    1\n  ]\n}\n', json())).rows).toEqual([{ a: [1] }]);
  });

  it('finds no rows in an empty array', async () => {
    expect(await decoded('[ ]', json())).toMatchObject({ rows: [], bad: [], batches: 0 });
  });

  it('reads documents one after another, with and without white space', async () => {
    const { rows, positions } = await decoded('\ufeff{"a":1}{"a":2}[{"a":3}]\n[]{"a":4}', json());
    expect(rows).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }, { a: 4 }]);
    expect(positions).toEqual([0, 1, 2, 3]);
  });

  it('makes a bad row of an element that is wrong inside and goes on', async () => {
    const text = '[{"a":1},{"a":01},[2],nul,"x",{"a":2}]';
    const { rows, positions, bad } = await decoded(text, json());
    expect(rows).toEqual([{ a: 1 }, { a: 2 }]);
    expect(positions).toEqual([0, 5]);
    expect(bad.map(({ position, code, raw }) => [position, code, raw])).toEqual([
      [1, 'decode.invalidJson', '{"a":01}'],
      [2, 'decode.notAnObject', '[2]'],
      [3, 'decode.invalidJson', 'nul'],
      [4, 'decode.notAnObject', '"x"'],
    ]);
  });

  it('makes a bad row of an element that is not UTF-8, too deep or too long, and goes on', async () => {
    const deep = `{"a":${'['.repeat(70)}${']'.repeat(70)}}`;
    const long = `{"a":"${'x'.repeat(200_000)}"}`;
    const bytes = Buffer.concat([Buffer.from('[{"a":"'), Buffer.of(0xff), Buffer.from(`"},${deep},${long},{"b":1}]`)]);
    const { rows, positions, bad } = await decoded(bytes, json(), { maxRowBytes: 1000 });
    expect(rows).toEqual([{ b: 1 }]);
    expect(positions).toEqual([3]);
    expect(bad.map(({ code, length }) => [code, length])).toEqual([
      ['decode.invalidUtf8', 9],
      ['decode.tooDeep', deep.length],
      ['decode.rowTooLong', long.length],
    ]);
  });

  it.each([
    ['[{"a":1},]', 1, 'expected a value at byte 9 of the object'],
    ['[,{"a":1}]', 0, "expected a value or ']' at byte 1 of the object"],
    ['[{"a":1} {"a":2}]', 1, "expected ',' or ']' at byte 9 of the object"],
    ['[{"a":1}}', 1, "expected ',' or ']' at byte 8 of the object"],
    ['[{"a":[1}, {"b":2}]', 0, 'mismatched bracket at byte 7'],
    ['{"a":1},{"a":2}', 1, 'expected a JSON document at byte 7 of the object'],
    ['<html>it is not here</html>', 0, 'expected a JSON document at byte 0 of the object'],
  ])('ends at a fault of the document itself: %s', async (text, position, message) => {
    const { bad } = await decoded(text, json());
    expect(bad).toMatchObject([{ position, code: 'decode.invalidJson', message: `not JSON: ${message}` }]);
  });

  it('does not take every word of a text for a row', async () => {
    expect((await decoded('this is no JSON at all', json())).bad).toHaveLength(1);
  });

  it.each(['', ' \n', '[', '[{"a":1}', '[{"a":1},', '{"a":', '[{"a":"x', '[{"a":1},{"b":[1,2'])(
    'says that a document is cut off: %j',
    async (text) => {
      const { bad } = await decoded(text, json());
      expect(bad.map(({ code }) => code)).toEqual(['decode.truncated']);
    },
  );

  it('keeps the beginning of a row that is cut off', async () => {
    expect((await decoded('[{"a":1},{"b":[1', json())).bad).toMatchObject([{ position: 1, length: 7, raw: '{"b":[1' }]);
  });

  it('takes the array at a path as rows, past whatever else the document holds', async () => {
    const text =
      '{"items":[9],"other":{"payload":{"items":[8]}},"payload":{"n":{"items":[7]},"it\\u0065ms":[{"a":1},{"a":2}],"z":null}}';
    const { rows, positions, bad } = await decoded(text, items);
    expect(rows).toEqual([{ a: 1 }, { a: 2 }]);
    expect(positions).toEqual([0, 1]);
    expect(bad).toEqual([]);
  });

  it('takes the array of each document at the path', async () => {
    const { rows } = await decoded('{"d":[{"a":1}]}\n{"d":[]}{"x":{},"d":[{"a":2}]}', json({ rows: 'd' }));
    expect(rows).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it('takes up a path again that is given twice', async () => {
    const { rows } = await decoded('{"payload":{"x":{}},"payload":{"items":[{"a":1}],"items":[{"a":2}]}}', items);
    expect(rows).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it.each([
    '{}',
    '{"payload":{}}',
    '{"payload":{"items":{}}}',
    '{"payload":{"items":null}}',
    '{"payload":[{"items":[{}]}]}',
    '{"items":[{}]}',
    '{"payload":{"x":{"items":[{}]}}}',
    '{"payload":{"":[{}]}}',
    '{"payload.items":[{}]}',
    '{"payload":{"x":1},"other":{"items":[{}]}}',
    '{"payload":{"items":{"":[{}]}}}',
    '[{"payload":{"items":[{}]}}]',
  ])('says that a document has no array at the path: %s', async (text) => {
    const { rows, bad } = await decoded(`${text}{"payload":{"items":[{"a":1}]}}`, items);
    expect(rows).toEqual([{ a: 1 }]);
    expect(bad).toMatchObject([
      { position: 0, code: 'decode.noRows', message: "the document has no array at 'payload.items'" },
    ]);
  });

  it.each([
    ['{"payload":{"items":[{"a":1}],}}', 'expected a name in double quotes at byte 30 of the object'],
    ['{"x":tru,"payload":{"items":[]}}', 'expected true, false or null at byte 8 of the object'],
    ['{"x":1 "payload"', "expected ',' or '}' at byte 7 of the object"],
    ['5', 'expected a JSON object at byte 0 of the object'],
  ])('refuses a fault on the way to the rows and behind them: %s', async (text, message) => {
    expect((await decoded(text, items)).bad).toMatchObject([
      { code: 'decode.invalidJson', message: `not JSON: ${message}` },
    ]);
  });

  it('says that a document is cut off behind its rows, or on the way to them', async () => {
    expect((await decoded('{"payload":{"items":[{"a":1}]}', items)).bad).toMatchObject([
      { position: 1, code: 'decode.truncated' },
    ]);
    expect((await decoded('{"payload":{"it', items)).bad).toMatchObject([{ position: 0, code: 'decode.truncated' }]);
  });

  it('refuses to go deeper on the way to the rows than allowed', async () => {
    const { bad } = await decoded(`{"x":${'['.repeat(100)}`, items);
    expect(bad).toMatchObject([{ code: 'decode.tooDeep' }]);
  });

  it.each(['', 'a.', '.a', 'a..b'])('refuses the path %j', (rows) => {
    expect(() => json({ rows })).toThrow(expect.objectContaining({ code: 'decode.badFormat' }));
    expect(() => json({ rows })).toThrow(DecodeError);
  });

  it('keeps what a config says and nothing else', () => {
    expect(json()).toEqual({ name: 'json' });
    expect(json({ rows: 'a.b' })).toEqual({ name: 'json', rows: 'a.b' });
  });

  it('reads an array of any length a block at a time', async () => {
    let read = 0;
    async function* input() {
      yield Buffer.from('[');
      for (;;) {
        read += 1;
        yield Buffer.from(`${JSON.stringify({ a: 'x'.repeat(1000) })},`);
      }
    }
    for await (const { rows } of decode(chunked(input()), json(), { batchRows: 10 })) {
      expect(rows).toHaveLength(10);
      break;
    }
    expect(read).toBeLessThan(100);
  });
});
