import { describe, expect, it } from 'vitest';
import { ExactNumber } from '../../core/decode/exact-number.ts';
import { buildFields } from '../../core/fields/build-fields.ts';
import { Problem } from '../../core/fields/field.ts';
import { inferFields, membersOf } from '../../core/fields/infer.ts';

/** What is found of one column of text, or of one member of JSON when `typed`. */
function infer(
  values: readonly unknown[],
  { name = 'x', typed = false, monthFirst = undefined as boolean | undefined } = {},
) {
  const [found] = inferFields([{ name, from: name, values }], { typed, monthFirst });
  if (!found) return undefined;
  const { parse } = (
    buildFields([found])[found.name] as never as { compile(): { parse(value: unknown): unknown } }
  ).compile();
  const blank = found.kind === 'text' ? [null, undefined] : [null, undefined, ''];
  const refused = values.filter((value) => !blank.includes(value as never) && parse(value) instanceof Problem);
  expect(refused).toEqual([]);
  return found;
}
const short = (values: readonly unknown[], options?: Parameters<typeof infer>[1]) => {
  const found = infer(values, options);
  return found && [found.kind, found.options ?? {}, found.optional];
};
const doubtsOf = (values: readonly unknown[], options?: Parameters<typeof infer>[1]) =>
  (infer(values, options)?.doubts ?? []).map(({ message }) => message).join('; ');

describe('a column of text', () => {
  it.each([
    [['1', '-20', '0'], 'integer', {}, false],
    [['1', ''], 'integer', {}, true],
    [['9007199254740993', '1'], 'integer', {}, false],
    [['007', '12'], 'text', {}, false],
    [['+351911', '+351912'], 'text', {}, false],
    [['1'.repeat(39)], 'text', {}, false],
    [['1.50', '2', '-.5'], 'decimal', {}, false],
    [['1.234,56', '7,5', '12'], 'decimal', { comma: true }, false],
    [['1 234,56', '0,10'], 'decimal', { comma: true }, false],
    [['1,234.56', '2,000.00'], 'decimal', { grouped: true }, false],
    [['1,234,567', '12.5'], 'decimal', { grouped: true }, false],
    [['1,234', '12'], 'text', {}, false],
    [['911 222 333', '911 222 334'], 'text', {}, false],
    [['1,234', '12.5', '1,000.25'], 'decimal', { grouped: true }, false],
    [['1,234', '12,5'], 'decimal', { comma: true }, false],
    [['1.2.3', '1.2.4'], 'text', {}, false],
    [['1e5', '2e5'], 'text', {}, false],
    [['0.25', '1e-05', '-1.5E+20', '2.5e3'], 'decimal', {}, false],
    [['2026-03-01 10:00:00 UTC', '2026-03-01 10:00:01.25 UTC'], 'timestamp', {}, false],
    [['true', 'FALSE'], 'boolean', {}, false],
    [['Y', 'N', ''], 'boolean', { yes: ['Y'], no: ['N'] }, true],
    [['sim', 'não'], 'boolean', { yes: ['sim'], no: ['não'] }, false],
    [['N', 'N'], 'text', {}, false],
    [['N', 'S'], 'text', {}, false],
    [['1', '0'], 'integer', {}, false],
    [['2026-03-01', '2026-03-02'], 'date', {}, false],
    [['2026-02-30', '2026-03-02'], 'text', {}, false],
    [['2026-03-01T10:00:00Z', '2026-03-01'], 'timestamp', {}, false],
    [['2026-03-01 10:00', ''], 'timestamp', {}, true],
    [['13.03.2026', '1.3.2026'], 'date', { format: 'dd.MM.yyyy' }, false],
    [['13/03/2026', '01/03/2026'], 'date', { format: 'dd/MM/yyyy' }, false],
    [['03/13/2026', '03/01/2026'], 'date', { format: 'MM/dd/yyyy' }, false],
    [['01-Mar-2026'], 'date', { format: 'dd-MMM-yyyy' }, false],
    [['Mar 1, 2026'], 'date', { format: 'MMM dd, yyyy' }, false],
    [['13/03/2026 5:30 PM'], 'timestamp', { format: 'dd/MM/yyyy hh:mm a' }, false],
    [['13/Mar/2026:10:00:00 +0100'], 'timestamp', { format: 'dd/MMM/yyyy:HH:mm:ss Z' }, false],
    [['Sun, 01 Mar 2026 10:20:30 GMT'], 'timestamp', { format: 'EEE, dd MMM yyyy HH:mm:ss Z' }, false],
    [['13.03.2026, 10:00:00.250'], 'timestamp', { format: 'dd.MM.yyyy, HH:mm:ss.S' }, false],
    [['20260301', '20260302'], 'integer', {}, false],
    [['Ada', '', 'Ben'], 'text', {}, false],
    [['Ada', null], 'text', {}, true],
    [['', ''], 'text', {}, false],
  ])('%j is %s %j', (values, kind, options, optional) => expect(short(values)).toEqual([kind, options, optional]));

  it.each([
    ['order_date', ['20260301', '20260302'], 'date', { format: 'yyyyMMdd' }],
    ['createdAt', ['1772359200', '1772359201.5'], 'timestamp', { unit: 's' }],
    ['created', ['1772359200000'], 'timestamp', { unit: 'ms' }],
    ['whatever', ['1772359200000', '1772359200001'], 'timestamp', { unit: 'ms' }],
    ['device_id', ['1772359200000', '1772359200001'], 'integer', {}],
    ['number', ['1772359200'], 'integer', {}],
    ['ts', ['1772359200000000000'], 'timestamp', { unit: 'ns' }],
    ['zip', ['10115', '80331'], 'text', {}],
    ['phoneNumber', ['911222333'], 'text', {}],
    ['is_active', ['1', '0'], 'boolean', {}],
    ['isOpen', ['n', 'n'], 'boolean', { yes: ['y'], no: ['n'] }],
    ['order_no', ['1.5', '2.5'], 'text', {}],
  ])('named %s, %j is %s', (name, values, kind, options) =>
    expect(short(values, { name })).toEqual([kind, options, false]),
  );

  it('with days that could be months is read by what other columns say, and told when none does', () => {
    const values = ['01/02/2026', '03/04/2026'];
    expect(short(values)).toEqual(['date', { format: 'dd/MM/yyyy' }, false]);
    expect(doubtsOf(values)).toBe('read as dd/MM/yyyy, but every value could be MM/dd/yyyy too');
    expect(short(values, { monthFirst: true })).toEqual(['date', { format: 'MM/dd/yyyy' }, false]);
    expect(doubtsOf(values, { monthFirst: true })).toBe('');
    expect(doubtsOf(values, { monthFirst: false })).toBe('');
  });

  it('whose commas may part thousands stays text', () => {
    expect(short(['1,234', '12,500'])).toEqual(['text', {}, false]);
    expect(doubtsOf(['1,234', '12,500'])).toMatch(/^kept as text: decimal with comma: true if/);
  });

  it.each([
    [['01.02.26'], /two-digit years/],
    [['2026-03-01 10:00'], /no offset/],
    [['01.03.2026 10:00'], /no offset/],
    [['0.12345678901'], /11 digits after the point/],
    [['', ''], /only blanks/],
    [[null], /no values/],
    [Array.from({ length: 60 }, (_, index) => ['open', 'paid'][index % 2]), /few different values/],
    [['yes', 'no'], /any other spelling/],
  ])('%j is doubted', (values, message) => expect(doubtsOf(values)).toMatch(message));

  it.each([
    [['2026-03-01T10:00:00Z']],
    [['2026-03-01 10:00:00 UTC']],
    [['01/Mar/2026:10:00:00 +0100']],
    [['13.03.2026']],
    [['1.5']],
  ])('%j is not doubted', (values) => expect(doubtsOf(values)).toBe(''));
});

describe('a member of JSON', () => {
  const typed = { typed: true };

  it.each([
    [[1, 2n], 'integer', {}],
    [[1, 2.5], 'decimal', {}],
    [[new ExactNumber('0.1000000000000000055'), 1], 'decimal', {}],
    [[9007199254740993n], 'integer', {}],
    [[new ExactNumber('1e400')], 'text', {}],
    [['1', '2'], 'text', {}],
    [['1.50', '2.00'], 'decimal', {}],
    [['1', 2], 'json', {}],
    [[true, false], 'boolean', {}],
    [[1, true], 'boolean', {}],
    [[2, true], 'json', {}],
    [['2026-03-01'], 'date', {}],
    [[1772359200000], 'timestamp', { unit: 'ms' }],
    [[[1], { a: 1 }], 'json', {}],
    [[{}, {}], 'json', {}],
  ])('%o is %s', (values, kind, options) => expect(short(values, typed)).toEqual([kind, options, false]));

  it('that has too many digits for a number says so', () => {
    expect(doubtsOf([new ExactNumber('1e400'), 1], typed)).toMatch(/more than 38 digits/);
    expect(doubtsOf([1, true, 'x'], typed)).toMatch(/several types/);
  });

  it('that is an id, and sometimes a number, is text', () =>
    expect(short(['a1', 2], { name: 'customer_id', typed: true })).toEqual(['text', {}, false]));

  it('that no type can hold is left out', () =>
    expect(infer([{ a: new ExactNumber('1e400'), b: { c: [] } }, 'x'], typed)).toBeUndefined());

  it('that is an object has fields, optional where one lacks it', () => {
    const found = infer(
      [
        { street: 'a', no: 1 },
        { street: 'b', 'post.code': '1' },
      ],
      { name: 'address', typed: true },
    );
    expect(found).toMatchObject({
      kind: 'object',
      fields: [
        { name: 'street', from: 'street', kind: 'text', optional: false },
        { name: 'no', from: 'no', kind: 'integer', optional: true },
        { name: 'postCode', from: ['post.code'], kind: 'text', optional: true },
      ],
    });
  });

  it('whose objects have data for names is JSON', () => {
    const dates = Array.from({ length: 40 }, (_, index) => ({ [`day ${index}`]: index }));
    expect(short(dates, typed)).toEqual(['json', {}, false]);
    expect(short([{ '2026-03-01': 1 }, { '2026-03-02': 1 }], typed)).toEqual(['json', {}, false]);
  });

  it('that is a list has elements of one type, or any', () => {
    expect(infer([['a'], ['b', null], []], typed)).toMatchObject({
      kind: 'list',
      of: { kind: 'text', optional: true },
    });
    expect(infer([[{ sku: 'a', n: 1 }], [{ sku: 'b' }]], typed)).toMatchObject({
      kind: 'list',
      of: { kind: 'object', optional: false, fields: [{ name: 'sku' }, { name: 'n', optional: true }] },
    });
    expect(infer([[], []], typed)).toMatchObject({ kind: 'list', of: { kind: 'json' } });
    expect(infer([['a', 1]], typed)).toMatchObject({ kind: 'list', of: { kind: 'json' } });
    expect(infer([['1', '']])).toMatchObject({ kind: 'list', of: { kind: 'text' } });
  });

  it('inside many others is JSON', () => {
    let deep: unknown = { a: 1 };
    for (let level = 0; level < 20; level += 1) deep = { down: deep };
    let found: { kind: string; fields?: readonly unknown[] } | undefined = infer([deep], typed);
    let levels = 0;
    while (found?.kind === 'object') {
      found = found.fields?.[0] as typeof found;
      levels += 1;
    }
    expect([levels, found?.kind]).toEqual([8, 'json']);
  });

  it('doubts are named with the path to them', () =>
    expect(infer([{ b: { c: '2026-03-01 10:00' } }], { name: 'a', typed: true })?.doubts).toEqual([
      { field: 'b.c', message: expect.stringContaining('no offset') },
    ]));
});

describe('names of fields', () => {
  const names = (columns: readonly string[]) =>
    inferFields(membersOf([Object.fromEntries(columns.map((name) => [name, 'x']))]), {
      typed: true,
      monthFirst: undefined,
    }).map(({ name }) => name);

  it.each([
    ['ORDER_ID', 'orderId'],
    ['OrderID', 'orderId'],
    ['order id', 'orderId'],
    ['HTTPStatus', 'httpStatus'],
    ['Größe (cm)', 'grosseCm'],
    ['配送先', '配送先'],
    ['が', 'が'],
    ['2024 total', 'field2024Total'],
    ['%', 'field1'],
    ['__proto__', 'proto'],
    ['default', 'default'],
    ['address.city[0]', 'addressCity0'],
  ])('%s is %s', (column, name) => expect(names([column])).toEqual([name]));

  it('are different even when case does not count', () =>
    expect(names(['id', 'ID', 'Id', 'id2', 'line2', 'LINE_2'])).toEqual([
      'id',
      'id2',
      'id3',
      'id2_2',
      'line2',
      'line2_2',
    ]));
});
