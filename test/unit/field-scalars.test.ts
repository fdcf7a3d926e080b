import { describe, expect, it } from 'vitest';
import { ExactNumber } from '../../core/decode/exact-number.ts';
import { boolean } from '../../core/fields/boolean.ts';
import { decimal } from '../../core/fields/decimal.ts';
import { type Field, Problem } from '../../core/fields/field.ts';
import { integer } from '../../core/fields/integer.ts';
import { text } from '../../core/fields/text.ts';

const parse = (field: Field<unknown>, value: unknown) => field.compile().parse(value);
const refusal = (field: Field<unknown>, value: unknown) => {
  const read = parse(field, value);
  return read instanceof Problem ? { code: read.code, message: read.message } : read;
};

const nines = '9'.repeat(38);

describe('text', () => {
  it.each([
    ['a text as it is, spaces and all', ' São Paulo ', ' São Paulo '],
    ['empty text', '', ''],
    ['a number', 12.5, '12.5'],
    ['a big integer without losing a digit', 12345678901234567890n, '12345678901234567890'],
    ['a number that only its text can hold', new ExactNumber('0.10000000000000000001'), '0.10000000000000000001'],
    ['a boolean', false, 'false'],
  ])('takes %s', (_what, value, expected) => expect(parse(text(), value)).toBe(expected));

  it.each([
    ['a list', ['a'], 'a list'],
    ['an object', { a: 1 }, 'an object'],
  ])('refuses %s', (_what, value, found) =>
    expect(refusal(text(), value)).toEqual({ code: 'field.type', message: `expected text, found ${found}` }),
  );

  it('refuses half a surrogate pair, which no UTF-8 can hold', () =>
    expect(refusal(text(), 'a\ud83d')).toEqual({
      code: 'field.unicode',
      message: 'expected text in Unicode, found half a surrogate pair',
    }));

  const state = text('state', {
    trim: true,
    oneOf: ['open', 'paid'],
    map: { cxl: 'open', constructor: 'paid' as const },
  });

  it('trims first, then maps spellings, then looks whether the value is allowed', () =>
    expect(['open', ' cxl\t', 'constructor'].map((each) => parse(state, each))).toEqual(['open', 'open', 'paid']));

  it.each(['Open', 'toString', '__proto__'])('refuses %s, which is not among the values listed', (value) =>
    expect(refusal(state, value)).toEqual({
      code: 'field.oneOf',
      message: 'expected one of open, paid, found text that is none of them',
    }),
  );

  it('matches a pattern the same way every time, whatever its flags', () => {
    const field = text('id', { pattern: /^[a-z]\d$/gy }).compile();
    expect(['a1', 'a1', 'b2'].map((each) => field.parse(each))).toEqual(['a1', 'a1', 'b2']);
    expect(field.parse('A1')).toMatchObject({ code: 'field.pattern' });
  });

  it('accepts exactly as many characters as allowed', () => {
    expect(parse(text('t', { maxLength: 3 }), 'abc')).toBe('abc');
    expect(refusal(text('t', { maxLength: 3 }), 'abcd')).toEqual({
      code: 'field.length',
      message: 'expected text of at most 3 characters, found 4',
    });
  });
});

describe('integer', () => {
  it.each([
    [7, '7'],
    [-0, '0'],
    [1e21, `1${'0'.repeat(21)}`],
    [10n ** 37n, `1${'0'.repeat(37)}`],
    [new ExactNumber('1e30'), `1${'0'.repeat(30)}`],
    [' 42\n', '42'],
    ['+0042', '42'],
    ['-0', '0'],
    ['5.000', '5'],
    ['2.5e1', '25'],
    [nines, nines],
    [`-${nines}`, `-${nines}`],
  ])('reads %s', (value, expected) => expect(parse(integer(), value)).toBe(expected));

  it.each([
    ['a fraction', '1.5', 'field.type', 'expected a whole number, found a fraction'],
    ['words', 'seven', 'field.type', 'expected a whole number, found text that is not a number'],
    ['hexadecimal digits', '0x10', 'field.type', 'expected a whole number, found text that is not a number'],
    ['grouped digits', '1,000', 'field.type', 'expected a whole number, found text that is not a number'],
    ['empty text', '', 'field.type', 'expected a whole number, found empty text that is not a number'],
    ['a boolean', true, 'field.type', 'expected a whole number, found true or false'],
    ['not a number', Number.NaN, 'field.type', 'expected a whole number, found a number'],
    ['39 digits', `${nines}9`, 'field.range', 'expected a whole number of at most 38 digits'],
    ['an exponent out of this world', '1e999999999', 'field.range', 'expected a whole number of at most 38 digits'],
  ])('refuses %s', (_what, value, code, message) => expect(refusal(integer(), value)).toEqual({ code, message }));

  it('has bounds that are inclusive', () => {
    const field = integer('n', { min: -1n, max: 3n });
    expect(['-1', '3'].map((each) => parse(field, each))).toEqual(['-1', '3']);
    expect(refusal(field, '4')).toEqual({ code: 'field.range', message: 'expected a whole number from -1 to 3' });
    expect(refusal(integer('n', { min: 1n }), 0)).toMatchObject({ message: 'expected a whole number of at least 1' });
    expect(refusal(integer('n', { max: 1n }), 2)).toMatchObject({ message: 'expected a whole number of at most 1' });
  });
});

describe('decimal', () => {
  it.each([
    [19.9, '19.9'],
    ['19.90', '19.9'],
    ['+.5', '0.5'],
    ['5.', '5'],
    ['-0.0', '0'],
    ['-0', '0'],
    ['00012.3400', '12.34'],
    ['1e-7', '0.0000001'],
    [1e-7, '0.0000001'],
    [new ExactNumber('0.1000000000000000055511151231257827'), '0.1000000000000000055511151231257827'],
    [`0.${'0'.repeat(37)}1`, `0.${'0'.repeat(37)}1`],
    [`1${'0'.repeat(20)}.${'0'.repeat(16)}1`, `1${'0'.repeat(20)}.${'0'.repeat(16)}1`],
  ])('reads %s', (value, expected) => expect(parse(decimal(), value)).toBe(expected));

  it.each([
    ['a lone point', '.', 'field.type', 'expected a decimal number, found text that is not one'],
    ['a decimal comma', '1,5', 'field.type', 'expected a decimal number, found text that is not one'],
    ['two signs', '--1', 'field.type', 'expected a decimal number, found text that is not one'],
    ['an exponent without digits', '1e', 'field.type', 'expected a decimal number, found text that is not one'],
    ['infinity', Number.POSITIVE_INFINITY, 'field.type', 'expected a decimal number, found a number'],
    ['the text Infinity', 'Infinity', 'field.type', 'expected a decimal number, found text that is not one'],
    ['39 places', `0.${'0'.repeat(38)}1`, 'field.range', 'expected a decimal number of at most 38 digits'],
  ])('refuses %s', (_what, value, code, message) => expect(refusal(decimal(), value)).toEqual({ code, message }));

  const comma = decimal('amount', { comma: true });

  it.each([
    ['1.234,50', '1234.5'],
    ['-1 234 567,01', '-1234567.01'],
    ['0,05', '0.05'],
    ['1.234', '1234'],
    ['12', '12'],
    [12.5, '12.5'],
  ])('with a decimal comma reads %s', (value, expected) => expect(parse(comma, value)).toBe(expected));

  const grouped = decimal('amount', { grouped: true });
  it.each([
    ['1,234.50', '1234.5'],
    ['-1,234,567', '-1234567'],
    ['12.5', '12.5'],
    ['1234', '1234'],
  ])('with commas between thousands reads %s', (value, expected) => expect(parse(grouped, value)).toBe(expected));

  it.each(['1.234,50', '12,34', '1234,567', ',5', '1e3'])('with commas between thousands refuses %s', (value) =>
    expect(refusal(grouped, value)).toEqual({
      code: 'field.type',
      message: 'expected a decimal number with commas between thousands, found text that is not one',
    }),
  );

  it('refuses a comma that would part both', () =>
    expect(() => decimal('amount', { comma: true, grouped: true }).compile()).toThrow(/contradict each other/));

  it.each(['1,234.50', '1.23', '1.2345,0', '1,2,3', '1e3', ',5'])('with a decimal comma refuses %s', (value) =>
    expect(refusal(comma, value)).toEqual({
      code: 'field.type',
      message: 'expected a decimal number with a decimal comma, found text that is not one',
    }),
  );

  it('is done at once with a long text full of zeros', () =>
    expect(refusal(decimal(), `1${'0'.repeat(2_000_000)}1`)).toMatchObject({ code: 'field.range' }));
});

describe('boolean', () => {
  it.each([
    [true, 'true'],
    [false, 'false'],
    ['TRUE', 'true'],
    [' 0 ', 'false'],
    [1, 'true'],
    [0, 'false'],
  ])('reads %s', (value, expected) => expect(parse(boolean(), value)).toBe(expected));

  it('knows its own spellings only, in any case', () => {
    const field = boolean('newsletter', { yes: ['Sim', 'はい'], no: ['NÃO'] });
    expect(['sim', 'はい', 'não'].map((each) => parse(field, each))).toEqual(['true', 'true', 'false']);
    expect(refusal(field, '1')).toEqual({ code: 'field.type', message: 'expected one of Sim, はい, NÃO, found text' });
  });

  it.each(['', 'constructor', 2, null, [], 'truee'])('refuses %j', (value) =>
    expect(refusal(boolean(), value)).toMatchObject({ code: 'field.type' }),
  );
});
