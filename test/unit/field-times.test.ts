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

  it.each([
    ['dd/MM/yy', '01/03/26', '2026-03-01'],
    ['dd/MM/yy', '01/03/69', '1969-03-01'],
    ['dd/MM/yy', '29/02/68', '2068-02-29'],
    ['dd MMM yyyy', '1 Mar 2026', '2026-03-01'],
    ['dd-MMM-yy', '01-SEPT-26', '2026-09-01'],
    ['ddMMMyyyy', '01jan2026', '2026-01-01'],
    ['EEEE, MMMM dd, yyyy', 'Sunday, March 1, 2026', '2026-03-01'],
    [['dd.MM.yyyy', 'yyyy/MM/dd'], '2026/3/1', '2026-03-01'],
    [['MM/dd/yyyy', 'dd/MM/yyyy'], '02/03/2026', '2026-02-03'],
    [['MM/dd/yyyy', 'dd/MM/yyyy'], '13/03/2026', '2026-03-13'],
  ])('reads a day written as %s: %s', (format, value, expected) =>
    expect(parse(date('day', { format }), value)).toBe(expected),
  );

  it.each([
    ['dd MMM yyyy', '1 Mrz 2026'],
    ['dd MMM yyyy', '30 Feb 2026'],
    ['EEE dd.MM.yyyy', 'Xyz 01.03.2026'],
  ])('written as %s refuses %s', (format, value) =>
    expect(parse(date('day', { format }), value)).toMatchObject({ code: 'field.type' }),
  );

  it('names all formats when none fits', () =>
    expect(parse(date('day', { format: ['dd.MM.yyyy', 'yyyy/MM/dd'] }), 'x')).toMatchObject({
      message: 'expected a date written as dd.MM.yyyy or yyyy/MM/dd, found text',
    }));

  it('refuses an empty list of formats', () =>
    expect(() => date('day', { format: [] }).compile()).toThrow(/the list of formats is empty/));

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

describe('timestamp written as people and logs do', () => {
  it.each([
    ['dd/MM/yyyy hh:mm a', '01/03/2026 12:05 am', '2026-03-01T00:05:00Z'],
    ['dd/MM/yyyy hh:mm a', '01/03/2026 12:05 PM', '2026-03-01T12:05:00Z'],
    ['MM/dd/yyyy hh:mm:ss a', '3/1/2026 1:02:03 p.m.', '2026-03-01T13:02:03Z'],
    ['dd/MMM/yyyy:HH:mm:ss Z', '01/Mar/2026:10:20:30 +0130', '2026-03-01T08:50:30Z'],
    ['EEE, dd MMM yyyy HH:mm:ss Z', 'Sun, 01 Mar 2026 10:20:30 GMT', '2026-03-01T10:20:30Z'],
    ['yyyyMMddTHHmmssZ', '20260301T102030Z', '2026-03-01T10:20:30Z'],
  ])('reads %s', (format, value, expected) => expect(at({ format }, value)).toBe(expected));

  it.each([
    ['dd/MM/yyyy hh:mm a', '01/03/2026 13:05 pm'],
    ['dd/MM/yyyy hh:mm a', '01/03/2026 00:05 am'],
    ['yyyyMMddTHHmmssZ', '20260301T102030+2500'],
  ])('refuses by %s what is no time: %s', (format, value) =>
    expect(at({ format }, value)).toMatchObject({ code: 'field.type' }),
  );

  it('refuses hours up to 12 that leave morning and evening open', () =>
    expect(() => timestamp('at', { format: 'dd.MM.yyyy hh:mm' }).compile()).toThrow(/without AM and PM/));
});

describe('timestamp of clocks somewhere', () => {
  it.each([
    ['Europe/Lisbon', '2026-01-15T10:00:00', '2026-01-15T10:00:00Z'],
    ['Europe/Lisbon', '2026-07-15 10:00', '2026-07-15T09:00:00Z'],
    ['Asia/Tokyo', '2026-03-01', '2026-02-28T15:00:00Z'],
    ['Asia/Kathmandu', '2026-03-01T00:00:00.25', '2026-02-28T18:15:00.25Z'],
    // Skipped: read by the clocks before the change.
    ['Europe/Berlin', '2026-03-29T02:30:00', '2026-03-29T01:30:00Z'],
    // Twice: the first of the two.
    ['Europe/Berlin', '2026-10-25T02:30:00', '2026-10-25T00:30:00Z'],
    ['Europe/Berlin', '2026-10-25T01:59:59', '2026-10-24T23:59:59Z'],
    ['Europe/Berlin', '2026-10-25T03:00:00', '2026-10-25T02:00:00Z'],
    ['America/New_York', '2026-11-01T01:30:00', '2026-11-01T05:30:00Z'],
    ['Australia/Lord_Howe', '2026-04-05T01:45:00', '2026-04-04T14:45:00Z'],
    ['Europe/Lisbon', '0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
    ['Europe/Lisbon', '2026-07-15T10:00:00-03:00', '2026-07-15T13:00:00Z'],
    ['Europe/Lisbon', '2026-07-15T10:00:00Z', '2026-07-15T10:00:00Z'],
  ])('in %s reads %s', (zone, value, expected) => expect(at({ zone }, value)).toBe(expected));

  it('goes with a format, and an offset in the text counts more', () => {
    expect(at({ zone: 'Europe/Berlin', format: 'dd.MM.yyyy HH:mm' }, '01.07.2026 12:00')).toBe('2026-07-01T10:00:00Z');
    const format = 'dd.MM.yyyy HH:mm Z';
    expect(at({ zone: 'Europe/Berlin', format }, '01.07.2026 12:00 +0000')).toBe('2026-07-01T12:00:00Z');
  });

  it('refuses a place that has no clocks, and a zone or format for numbers', () => {
    expect(() => timestamp('at', { zone: 'Europe/Atlantis' }).compile()).toThrow(
      new RangeError("'Europe/Atlantis' is no time zone: write one like Europe/Lisbon"),
    );
    expect(() => timestamp('at', { unit: 'ms', zone: 'Europe/Lisbon' }).compile()).toThrow(/unit is for numbers/);
    expect(() => timestamp('at', { unit: 'ms', format: 'dd.MM.yyyy' }).compile()).toThrow(/unit is for numbers/);
  });

  it('begins its memory anew when it has grown long', () => {
    const { parse } = timestamp('at', { zone: 'Europe/Berlin' }).compile();
    const quarters = Array.from({ length: 10_050 }, (_, index) => new Date(Date.UTC(2026, 0, 1) + index * 900_000));
    const read = quarters.map((each) => parse(each.toISOString().slice(0, 19)));
    expect(read[0]).toBe('2025-12-31T23:00:00Z');
    expect(read.at(-1)).toBe('2026-04-15T14:15:00Z');
    expect(parse('2026-01-01T00:00:00')).toBe('2025-12-31T23:00:00Z');
  });
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
