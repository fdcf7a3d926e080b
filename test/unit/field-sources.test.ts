import { describe, expect, it } from 'vitest';
import { ExactNumber } from '../../core/decode/exact-number.ts';
import { boolean } from '../../core/fields/boolean.ts';
import { date } from '../../core/fields/date.ts';
import { decimal } from '../../core/fields/decimal.ts';
import { type Field, type From, Problem } from '../../core/fields/field.ts';
import { integer } from '../../core/fields/integer.ts';
import { compilePath, pathText, segmentsOf } from '../../core/fields/path.ts';
import { compileField, memberJson } from '../../core/fields/read.ts';
import { text } from '../../core/fields/text.ts';

const file = { key: 'lisbon/2026-03-01/till-7.csv', lastModified: '2026-03-02T04:00:00Z' };
const read = (field: Field<unknown>, row: unknown, columns?: readonly string[]) =>
  compileField('name', field, columns).read(row, file);
const missing = (message: string) => new Problem('field.missing', message);

describe('a path', () => {
  it.each([
    ['a.b[0].c', ['a', 'b', 0, 'c']],
    ['[2]', [2]],
    ['a[1][2]', ['a', 1, 2]],
    ['Full name', ['Full name']],
    [3, [3]],
    [
      ['a.b', 0],
      ['a.b', 0],
    ],
  ])('%j has the segments %j', (path, segments) => expect(segmentsOf(path)).toEqual(segments));

  it('is told in messages as people write it', () => expect(pathText('a.b[0].c')).toBe('a.b[0].c'));

  const row = { a: { b: [{ c: 'deep' }] }, 'a.b': 'dotted', list: ['x'], 7: 'seven' };

  it.each([
    ['a.b[0].c', 'deep'],
    [['a.b'], 'dotted'],
    ['list[0]', 'x'],
    [7, 'seven'],
    ['a.b[1].c', undefined],
    ['a.b.c', undefined],
    ['list.length', undefined],
    ['list.0', undefined],
    ['a.b[0].c.length', undefined],
    ['nowhere.at.all', undefined],
  ])('%j leads to %j', (path, value) => expect(compilePath(path)(row)).toBe(value));

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'a.constructor', 'a.__proto__.toString'])(
    'to %s finds nothing that the row does not hold itself',
    (path) => expect(compilePath(path)({ a: {} })).toBeUndefined(),
  );

  it.each(['constructor', '__proto__', 'toString'])('to %s finds what the row does hold', (name) =>
    expect(compilePath(name)(JSON.parse(`{"${name}":"mine"}`))).toBe('mine'),
  );

  it('does not look into a number that is kept as text', () =>
    expect(compilePath('price.text')({ price: new ExactNumber('1e400') })).toBeUndefined());

  it.each([null, undefined, 'text', 5])('through %j finds nothing', (row) =>
    expect(compilePath('a.b')(row)).toBeUndefined(),
  );
});

describe('a path into delimited text', () => {
  const columns = ['id', 'unit.price', 'toString'];
  const cells = ['7', '1.50', 'x'];

  it.each([
    ['id', '7'],
    ['unit.price', '1.50'],
    [['unit', 'price'], '1.50'],
    [1, '1.50'],
    ['toString', 'x'],
    ['constructor', undefined],
    [3, undefined],
    [-1, undefined],
    ['ID', undefined],
  ])('%j is a column by its whole name or number: %j', (path, value) =>
    expect(compilePath(path, columns)(cells)).toBe(value),
  );

  it('says that there is no such column', () =>
    expect(read(text('nowhere'), cells, columns)).toEqual(missing("is required, and there is no column 'nowhere'")));
});

describe('a field', () => {
  it('is read from its own name when it names no path', () => expect(read(text(), { name: 'a' })).toBe('a'));

  it('tells nothing, null and empty apart', () => {
    expect(read(integer('n'), {})).toEqual(missing("is required, found nothing at 'n'"));
    expect(read(integer('n'), { n: null })).toEqual(missing('is required, found null'));
    expect(read(integer('n'), { n: '' })).toEqual(missing('is required, found empty text'));
    expect(read(text('n'), { n: '' })).toBe('');
  });

  it('that is optional keeps null as null and nothing as nothing', () => {
    const field = integer('n', { optional: true });
    expect([{}, { n: null }, { n: '' }, { n: '1' }].map((row) => read(field, row))).toEqual([
      undefined,
      null,
      null,
      '1',
    ]);
  });

  it('with a default reads it as the source would write it', () => {
    expect(read(decimal('n', { default: '0,50', comma: true }), {})).toBe('0.5');
    expect(read(integer('n', { default: 5n }), { n: null })).toBe('5');
    expect(read(text('n', { default: 'EUR', optional: true }), {})).toBe('EUR');
    expect(read(boolean('n', { default: false, no: ['não'] }), {})).toBe('false');
    expect(read(boolean('n', { default: true, yes: ['sim'] }), {})).toBe('true');
  });

  it('may be a constant, whatever the row holds', () =>
    expect(read(text({ constant: 'EUR' }), { constant: 'USD' })).toBe('EUR'));
});

describe('the first of several paths', () => {
  const units = { first: ['units', 'qty.n'] } satisfies From;

  it.each([
    [{ units: 1, qty: { n: 2 } }, '1'],
    [{ units: null, qty: { n: 2 } }, '2'],
    [{ units: '', qty: { n: 2 } }, '2'],
    [{ units: 0, qty: { n: 2 } }, '0'],
    [{ qty: { n: 2 } }, '2'],
  ])('that holds a value wins: %j', (row, expected) => expect(read(integer(units), row)).toBe(expected));

  it('is null when one of them was, missing when there was none', () => {
    const field = integer(units, { optional: true });
    expect([{ units: null }, { qty: { n: null } }, {}].map((row) => read(field, row))).toEqual([null, null, undefined]);
    expect(read(integer(units), {})).toEqual(missing("is required, found nothing at 'units' nor 'qty.n'"));
  });

  it('takes an empty text for a text field, which can be empty', () =>
    expect(read(text({ first: ['a', 'b'] }), { a: '', b: 'x' })).toBe(''));
});

describe('a value from the file', () => {
  it.each([
    ['the whole key', { file: 'key' }, file.key],
    ['its last change', { file: 'lastModified' }, file.lastModified],
    ['the first group of a pattern', { file: 'key', pattern: /till-(\d+)(.*)/ }, '7'],
    ['what a pattern without groups matches', { file: 'key', pattern: /\d{4}-\d\d-\d\d/ }, '2026-03-01'],
    ['the same every time, whatever the flags', { file: 'key', pattern: /till-(\d+)/gy }, '7'],
    ['missing when the first group takes no part', { file: 'key', pattern: /lisbon(-\d+)?/ }, undefined],
  ] as const)('is %s', (_what, from, expected) => {
    const reader = compileField('name', text(from, { optional: true }));
    expect([reader.read({}, file), reader.read({}, file)]).toEqual([expected, expected]);
  });

  it('is refused when the pattern does not match', () =>
    expect(read(date({ file: 'key', pattern: /porto/ }), {})).toEqual(
      missing("is required, and the object's key does not match the pattern"),
    ));
});

describe('a member of the payload', () => {
  it('is DynamoDB JSON by the type of the field', () => {
    const json = (field: Field<unknown>, value: string | null | undefined) =>
      memberJson(compileField('na"me', field), value);
    expect(json(text(), 'a"b')).toBe('"na\\"me":{"S":"a\\"b"}');
    expect(json(decimal(), '1.5')).toBe('"na\\"me":{"N":"1.5"}');
    expect(json(boolean(), 'true')).toBe('"na\\"me":{"BOOL":true}');
    expect(json(text(), null)).toBe('"na\\"me":{"NULL":true}');
    expect(json(text(), undefined)).toBeUndefined();
  });
});
