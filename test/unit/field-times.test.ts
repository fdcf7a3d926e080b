import { describe, expect, it } from 'vitest';
import { ExactNumber } from '../../core/decode/exact-number.ts';
import { date } from '../../core/fields/date.ts';
import { type Field, Problem } from '../../core/fields/field.ts';
import { type TimestampOptions, timestamp } from '../../core/fields/timestamp.ts';

const parse = (field: Field<unknown>, value: unknown) => field.compile().parse(value);
const at = (options: TimestampOptions, value: unknown) => parse(timestamp('at', options), value);

describe('date', () => {
  it.each([
    ['2026-03-01', '2026-03-01'],
    [' 2024-02-29 ', '2024-02-29'],
    ['0001-01-01', '0001-01-01'],
    ['2026-03-01T23:59:59-05:00', '2026-03-01'],
  ])('reads %s', (value, expected) => expect(parse(date(), value)).toBe(expected));

  it.each(['2026-02-29', '1900-02-29', '2026-13-01', '2026-00-10', '2026-04-31', '0000-01-01', '26-03-01', '20260301'])(
    'refuses %s',
    (value) =>
      expect(parse(date(), value)).toEqual(new Problem('field.type', 'expected a date such as 2026-03-01, found text')),
  );

  it('refuses what is no text', () =>
    expect(parse(date(), 20260301)).toEqual(
      new Problem('field.type', 'expected a date such as 2026-03-01, found a number'),
    ));

  it.each([
    ['dd.MM.yyyy', '1.3.2026', '2026-03-01'],
    ['dd/MM/yyyy', '29/02/2024', '2024-02-29'],
    ['yyyyMMdd', '20260301', '2026-03-01'],
    ['yyyy(MM)[dd]', '2026(03)[01]', '2026-03-01'],
  ])('reads a day written as %s', (format, value, expected) =>
    expect(parse(date('day', { format }), value)).toBe(expected),
  );

  it.each([
    ['dd.MM.yyyy', '1x3x2026'],
    ['dd.MM.yyyy', '01.03.26'],
    ['yyyyMMdd', '2026111'],
    ['ddMMyyyy', '1112026'],
  ])('does not guess where %s leaves %s open', (format, value) =>
    expect(parse(date('day', { format }), value)).toEqual(
      new Problem('field.type', `expected a date written as ${format}, found text`),
    ),
  );

  it('refuses a format that leaves out the year, the month or the day', () =>
    expect(() => date('day', { format: 'MM/yyyy' }).compile()).toThrow(
      new RangeError("the format 'MM/yyyy' lacks the day: use yyyy, MM and dd"),
    ));
});

describe('timestamp from text', () => {
  it.each([
    ['2026-03-01T10:20:30Z', '2026-03-01T10:20:30Z'],
    ['2026-03-01 10:20', '2026-03-01T10:20:00Z'],
    ['2026-03-01', '2026-03-01T00:00:00Z'],
    ['2026-03-01T00:30:00+01:00', '2026-02-28T23:30:00Z'],
    ['2026-03-01T23:45:00-0530', '2026-03-02T05:15:00Z'],
    ['2026-03-01T10:00:00+09', '2026-03-01T01:00:00Z'],
    ['2026-03-01T10:00:00.120000000', '2026-03-01T10:00:00.12Z'],
    ['2026-03-01T10:00:00,5z', '2026-03-01T10:00:00.5Z'],
    ['2026-03-01T10:00:00.000Z', '2026-03-01T10:00:00Z'],
    ['1969-12-31T23:59:59.999999999Z', '1969-12-31T23:59:59.999999999Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
    ['9999-12-31T23:59:59.999999999Z', '9999-12-31T23:59:59.999999999Z'],
  ])('reads %s', (value, expected) => expect(at({}, value)).toBe(expected));

  it.each([
    '2026-03-01T24:00:00Z',
    '2026-03-01T10:60:00Z',
    '2026-03-01T10:00:60Z',
    '2026-03-01T10:00:00+19:00',
    '2026-03-01T10:00:00+05:75',
    '2026-03-01T10:00:00.1234567891Z',
    '2026-03-01T10',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    'Sun, 01 Mar 2026 10:00:00 GMT',
    '1772359200000',
  ])('refuses %s', (value) =>
    expect(at({}, value)).toEqual(
      new Problem('field.type', 'expected a time such as 2026-03-01T10:00:00Z, found text'),
    ),
  );

  it.each([
    ['dd.MM.yyyy HH:mm:ss', '01.03.2026 10:20:30', '2026-03-01T10:20:30Z'],
    ['yyyyMMddHHmmss.SSS', '20260301102030.250', '2026-03-01T10:20:30.25Z'],
    ['MM/dd/yyyy', '3/1/2026', '2026-03-01T00:00:00Z'],
    ["dd-MM-yyyy 'h' HH", "01-03-2026 'h' 7", '2026-03-01T07:00:00Z'],
  ])('reads a time written as %s', (format, value, expected) => expect(at({ format }, value)).toBe(expected));
});

describe('timestamp from a number', () => {
  it.each([
    ['s', 0, '1970-01-01T00:00:00Z'],
    ['s', '1772359200.25', '2026-03-01T10:00:00.25Z'],
    ['ms', 1772359200001, '2026-03-01T10:00:00.001Z'],
    ['ms', '1.7723592e12', '2026-03-01T10:00:00Z'],
    ['us', -1, '1969-12-31T23:59:59.999999Z'],
    ['ns', 1772359200000000001n, '2026-03-01T10:00:00.000000001Z'],
    ['ns', new ExactNumber('1772359200000000001'), '2026-03-01T10:00:00.000000001Z'],
    ['s', -0.25, '1969-12-31T23:59:59.75Z'],
    ['s', -1, '1969-12-31T23:59:59Z'],
    ['s', '-62135596800', '0001-01-01T00:00:00Z'],
  ] as const)('counts %s: %s', (unit, value, expected) => expect(at({ unit }, value)).toBe(expected));

  it.each([
    ['s', '253402300800'],
    ['s', '-62135596800.1'],
    ['ms', '1e40'],
    ['ms', '2026-03-01'],
    ['ms', ''],
    ['ns', '0x1'],
  ] as const)('refuses %s: %j', (unit, value) => expect(at({ unit }, value)).toMatchObject({ code: 'field.type' }));

  it('refuses more than nine digits after the second', () =>
    expect(at({ unit: 'ns' }, '0.5')).toEqual(
      new Problem('field.range', 'expected at most nine digits after the second'),
    ));

  it('says what kind of thing it found', () =>
    expect(at({ unit: 'ms' }, true)).toEqual(
      new Problem('field.type', 'expected a number of ms since 1970, found true or false'),
    ));
});
