import { describe, expect, it } from 'vitest';
import { mayLoseDigits, parseExactJson } from '../../core/decode/exact-json.ts';
import { ExactNumber, exactNumber } from '../../core/decode/exact-number.ts';

const suspects = (text: string) => mayLoseDigits(Buffer.from(text), 0, Buffer.byteLength(text));

describe('exact numbers', () => {
  it.each([
    '0',
    '-1',
    '1.5',
    '9007199254740991',
    '-9007199254740991',
    '1e5',
    '1E+22',
    '0.1',
    '123456789012.345',
    '5e-324',
  ])('leaves %s a number', (text) => {
    expect(exactNumber(text)).toBe(Number(text));
  });

  it.each(['1.10', '0.50', '100.0', '1.50e3', '0e999', '-0.0', '38.72225210000000000000', '54.800000000000004'])(
    'leaves %s a number, whose digits all survive',
    (text) => {
      expect(exactNumber(text)).toBe(Number(text));
    },
  );

  it.each(['9007199254740992', '9007199254740993', '-12345678901234567890', '10000000000000000'])(
    'makes a bigint of the integer %s',
    (text) => {
      expect(exactNumber(text)).toBe(BigInt(text));
    },
  );

  it.each([
    '0.1000000000000000055',
    '1e400',
    '-1e400',
    '1e-400',
    '1.0000000000000001',
    '12345678901234567.5',
    '123456789012345678e3',
  ])('keeps the text of %s', (text) => {
    expect(exactNumber(text)).toEqual(new ExactNumber(text));
    expect(String(exactNumber(text))).toBe(text);
  });

  it('keeps the text of an integer that no store could hold', () => {
    expect(exactNumber('1'.repeat(2000))).toEqual(new ExactNumber('1'.repeat(2000)));
    expect(exactNumber('1'.repeat(900))).toBe(BigInt('1'.repeat(900)));
  });

  it('reads exact numbers wherever they stand', () => {
    expect(parseExactJson('{"a":[{"b":12345678901234567890}],"c":1}')).toEqual({
      a: [{ b: 12345678901234567890n }],
      c: 1,
    });
  });
});

describe('the test for numbers that lose digits', () => {
  const lossy = [
    '12345678901234567',
    '1234567890.12345678',
    '1e400',
    '1E-400',
    '1.5e+308999',
    '0.00000000000000000001234567890123456789',
  ];

  it.each(lossy)('finds %s at every place of a row', (number) => {
    for (let pad = 0; pad < 9; pad++) {
      const padding = 'x'.repeat(pad);
      expect(suspects(`{"${padding}":${number}}`)).toBe(true);
      expect(suspects(`{"${padding}":[1, -${number}],"z":"1e5"}`)).toBe(true);
      expect(suspects(`{"deadbeef1e400${padding}":"1234567890123456789${padding}","b":\t${number} }`)).toBe(true);
    }
  });

  it.each([
    '{"id":"0f3e4567-e89b-12d3-a456-426614174000","card":"4111111111111111"}',
    '{"at":"2026-11-21T07:41:00.123456789Z","lat":38.7222521,"lon":-9.13933661}',
    '{"a":1e5,"b":1.25e+22,"c":123456789012345}',
    '{"hash":"1e400123e456e789","digits":"12345678901234567890"}',
  ])('passes over %s', (row) => {
    expect(suspects(row)).toBe(false);
  });
});
