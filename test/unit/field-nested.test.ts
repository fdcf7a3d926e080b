import { describe, expect, it } from 'vitest';
import { ExactNumber } from '../../core/decode/exact-number.ts';
import { decimal } from '../../core/fields/decimal.ts';
import { type Field, Problem } from '../../core/fields/field.ts';
import { integer } from '../../core/fields/integer.ts';
import { json } from '../../core/fields/json.ts';
import { list } from '../../core/fields/list.ts';
import { object } from '../../core/fields/object.ts';
import { compileField } from '../../core/fields/read.ts';
import { text } from '../../core/fields/text.ts';

const parse = (field: Field<unknown>, value: unknown) => field.compile().parse(value);
const made = (field: Field<unknown>, value: unknown): unknown => {
  const read = parse(field, value);
  return read instanceof Problem ? read : JSON.parse(read);
};
/** Lists inside each other, the innermost empty. */
const nested = (levels: number): unknown => (levels === 1 ? [] : [nested(levels - 1)]);

describe('json', () => {
  it('keeps every kind of value', () =>
    expect(made(json(), { a: null, b: true, c: 'ü"\\', d: [1, 2n, new ExactNumber('0.10')], e: {} })).toEqual({
      M: {
        a: { NULL: true },
        b: { BOOL: true },
        c: { S: 'ü"\\' },
        d: { L: [{ N: '1' }, { N: '2' }, { N: '0.1' }] },
        e: { M: {} },
      },
    }));

  it('gives equal bytes for equal values, whatever the order of their members', () =>
    expect(parse(json(), JSON.parse('{"b":1.50,"a":{"d":1,"c":2}}'))).toBe(
      parse(json(), JSON.parse('{"a":{"c":2.0,"d":1e0},"b":15e-1}')),
    ));

  it('keeps a member that is called __proto__, as data', () =>
    expect(parse(json(), JSON.parse('{"__proto__":{"polluted":1},"a":2}'))).toBe(
      '{"M":{"__proto__":{"M":{"polluted":{"N":"1"}}},"a":{"N":"2"}}}',
    ));

  it.each([
    ['half a surrogate pair in a text', ['\udc00'], 'field.unicode'],
    ['half a surrogate pair in a name', { '\udc00': 1 }, 'field.unicode'],
    ['an empty name, which DynamoDB refuses', { a: { '': 1 } }, 'field.name'],
    ['a number that does not fit', [new ExactNumber('1e400')], 'field.range'],
    ['a number that is none', [Number.NaN], 'field.range'],
    ['a Date, which has no members', new Date(0), 'field.type'],
    ['a Map, which has no members', { a: new Map([['b', 1]]) }, 'field.type'],
    ['a function', [() => 1], 'field.type'],
  ])('refuses %s', (_what, value, code) => expect(made(json(), value)).toMatchObject({ code }));

  it('nests as deep as DynamoDB does and no deeper, counting what is around it', () => {
    expect(parse(json(), nested(30))).toBeTypeOf('string');
    expect(parse(json(), nested(31))).toMatchObject({ code: 'field.depth' });
    const inside = list(object({ any: json() }));
    expect(parse(inside, [{ any: nested(28) }])).toBeTypeOf('string');
    expect(parse(inside, [{ any: nested(29) }])).toMatchObject({ code: 'field.depth' });
  });
});

describe('list', () => {
  it('reads each element by the type it is made of', () =>
    expect(made(list(integer()), ['1', 2, 3n])).toEqual({ L: [{ N: '1' }, { N: '2' }, { N: '3' }] }));

  it('keeps a null where elements are optional', () => {
    expect(made(list(text('', { optional: true })), ['a', null])).toEqual({ L: [{ S: 'a' }, { NULL: true }] });
    expect(parse(list(text()), ['a', null])).toEqual(
      new Problem('field.type', 'in element 1: expected text, found null'),
    );
  });

  it('says which element does not fit', () =>
    expect(parse(list(integer()), ['1', 'x'])).toEqual(
      new Problem('field.type', 'in element 1: expected a whole number, found text that is not a number'),
    ));

  it.each([
    ['text', 'a,b', 'text'],
    ['an object', { 0: 'a', length: 1 }, 'an object'],
  ])('refuses %s', (_what, value, found) =>
    expect(parse(list(text()), value)).toEqual(new Problem('field.type', `expected a list, found ${found}`)),
  );
});

describe('object', () => {
  const line = object({ sku: text(), price: decimal('unit.price'), note: text('note', { optional: true }) });

  it('reads paths relative to itself', () =>
    expect(made(line, { sku: 'a', unit: { price: '1.50' } })).toEqual({ M: { sku: { S: 'a' }, price: { N: '1.5' } } }));

  it('tells an optional null from an optional field that is not there', () =>
    expect(made(line, { sku: 'a', unit: { price: 1 }, note: null })).toEqual({
      M: { sku: { S: 'a' }, price: { N: '1' }, note: { NULL: true } },
    }));

  it('names the way to what does not fit', () =>
    expect(parse(list(line), [{ sku: 'a', unit: {} }])).toEqual(
      new Problem('field.missing', "in element 0: in 'price': is required, found nothing at 'unit.price'"),
    ));

  it.each([
    ['a list', [], 'a list'],
    ['text', '{}', 'text'],
    ['a number that only its text can hold', new ExactNumber('1e400'), 'a number'],
  ])('refuses %s', (_what, value, found) =>
    expect(parse(object({ text: text('text', { optional: true }) }), value)).toEqual(
      new Problem('field.type', `expected an object, found ${found}`),
    ),
  );

  it('passes on what its fields ask of the file, however deep they are', () => {
    const reader = compileField('lines', list(object({ day: text({ file: 'key', pattern: /\d+/ }) })));
    const file = { key: 'in/20260301.json', lastModified: '2026-03-01T10:00:00Z' };
    expect(reader.read({ lines: [{}] }, file)).toBe('{"L":[{"M":{"day":{"S":"20260301"}}}]}');
  });
});
