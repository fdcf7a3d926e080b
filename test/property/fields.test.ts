import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactNumber } from '../../core/decode/exact-number.ts';
import { boolean } from '../../core/fields/boolean.ts';
import { date } from '../../core/fields/date.ts';
import { decimal } from '../../core/fields/decimal.ts';
import { type Field, Problem } from '../../core/fields/field.ts';
import { integer } from '../../core/fields/integer.ts';
import { json } from '../../core/fields/json.ts';
import { list } from '../../core/fields/list.ts';
import { canonicalDecimal } from '../../core/fields/number-text.ts';
import { object } from '../../core/fields/object.ts';
import { text } from '../../core/fields/text.ts';
import { timestamp } from '../../core/fields/timestamp.ts';

const digits = (maxLength: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength });

/** A decimal text as its pieces, so that the model need not parse. */
const pieces = fc.record({
  sign: fc.constantFrom('', '+', '-'),
  whole: fc.oneof(digits(45), digits(3), fc.constant('0')),
  point: fc.boolean(),
  fraction: fc.oneof(digits(45), digits(3), fc.constant('000')),
  exponent: fc.option(fc.integer({ min: -90, max: 90 }), { nil: undefined }),
});
type Pieces = typeof pieces extends fc.Arbitrary<infer T> ? T : never;

const written = ({ sign, whole, point, fraction, exponent }: Pieces) =>
  `${sign}${whole}${point ? `.${fraction}` : ''}${exponent === undefined ? '' : `e${exponent}`}`;

/** The same number as coefficient × 10^-200, exactly. */
function scaled({ sign, whole, point, fraction, exponent = 0 }: Pieces): bigint {
  const after = point ? fraction : '';
  const coefficient = BigInt(`${whole}${after}` || '0') * 10n ** BigInt(200 + exponent - after.length);
  return sign === '-' ? -coefficient : coefficient;
}

/** Long division by hand: the digits of coefficient × 10^-200 without an exponent. */
function plain(coefficient: bigint): string {
  const size = coefficient < 0n ? -coefficient : coefficient;
  const whole = (size / 10n ** 200n).toString();
  let rest = size % 10n ** 200n;
  let fraction = '';
  while (rest > 0n) {
    rest *= 10n;
    fraction += (rest / 10n ** 200n).toString();
    rest %= 10n ** 200n;
  }
  return `${coefficient < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Digits before the point, when there are any but zero, and after it. */
const places = (text: string) => text.replace('-', '').replace(/^0\./, '').replace('.', '').length;

describe('the canonical text of a decimal number', () => {
  it('is what exact arithmetic gives, or refused when it needs more than 38 places', () =>
    fc.assert(
      fc.property(pieces, (number) => {
        const hasDigits = number.whole !== '' || (number.point && number.fraction !== '');
        const expected = plain(scaled(number));
        const fits = places(expected) <= 38 ? expected : 'tooLong';
        expect(canonicalDecimal(written(number))).toBe(hasDigits ? fits : undefined);
      }),
      { numRuns: 2000 },
    ));

  it('is its own canonical text', () =>
    fc.assert(
      fc.property(pieces, (number) => {
        const once = canonicalDecimal(written(number));
        fc.pre(once !== undefined && once !== 'tooLong');
        expect(canonicalDecimal(once)).toBe(once);
      }),
    ));

  it('is the same however a field reads the number: as text, from JSON, or by the quick way', () =>
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.nat(12), (coefficient, scale) => {
        const number = { sign: coefficient < 0n ? '-' : '', whole: String(coefficient).replace('-', '') } as const;
        const exact = plain(scaled({ ...number, point: false, fraction: '', exponent: -scale }));
        const { parse } = decimal().compile();
        expect([parse(exact), parse(exactNumber(`${coefficient}e-${scale}`)), parse(` ${exact}`)]).toEqual([
          exact,
          exact,
          exact,
        ]);
        expect(integer().compile().parse(coefficient)).toBe(String(coefficient));
        expect(integer().compile().parse(String(coefficient))).toBe(String(coefficient));
      }),
    ));

  it('is none of any other text', () =>
    fc.assert(
      fc.property(fc.string(), (any) => {
        fc.pre(!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(any));
        expect(canonicalDecimal(any)).toBeUndefined();
      }),
    ));
});

const two = (number: number) => String(number).padStart(2, '0');
const moment = fc.record({
  // Whole milliseconds from the year 1 on, a day away from both ends of the range for the offset.
  ms: fc.integer({ min: -62_135_510_400_000, max: 253_402_213_600_000 }),
  nanos: fc.nat(999_999),
  offset: fc.integer({ min: -18 * 60, max: 18 * 60 }),
});

/** Nine digits of fraction without the zeros at their end, with the point, or nothing. */
const fractionOf = (ms: number, nanos: number) => {
  const all = `${String(((ms % 1000) + 1000) % 1000).padStart(3, '0')}${String(nanos).padStart(6, '0')}`;
  return Number(all) === 0 ? '' : `.${all.replace(/0+$/, '')}`;
};
const utc = (ms: number, nanos: number) => `${new Date(ms).toISOString().slice(0, 19)}${fractionOf(ms, nanos)}Z`;

describe('a timestamp', () => {
  it('with an offset is the same instant in UTC', () =>
    fc.assert(
      fc.property(moment, fc.constantFrom(':', ''), ({ ms, nanos, offset }, colon) => {
        const local = new Date(ms + offset * 60_000).toISOString().slice(0, 19);
        const size = Math.abs(offset);
        const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${colon}${two(size % 60)}`;
        expect(
          timestamp()
            .compile()
            .parse(`${local}${fractionOf(ms, nanos)}${zone}`),
        ).toBe(utc(ms, nanos));
      }),
    ));

  it('in UTC already loses only the zeros at its end', () =>
    fc.assert(
      fc.property(moment, fc.nat(9), fc.constantFrom('Z', 'z', ''), ({ ms, nanos }, zeros, zone) => {
        const fraction = (fractionOf(ms, nanos) || '.0').padEnd(zeros, '0');
        const written = `${new Date(ms).toISOString().slice(0, 19)}${fraction}${zone}`;
        expect(timestamp().compile().parse(written)).toBe(utc(ms, nanos));
        expect(timestamp().compile().parse(utc(ms, nanos))).toBe(utc(ms, nanos));
      }),
    ));

  it('written in a format is what Date.UTC says', () => {
    const { parse } = timestamp('at', { format: 'dd/MM/yyyy HH:mm:ss.S' }).compile();
    fc.assert(
      fc.property(moment, ({ ms, nanos }) => {
        const [date = '', time = ''] = new Date(ms).toISOString().slice(0, 19).split('T');
        const fraction = fractionOf(ms, nanos) || '.0';
        expect(parse(`${date.split('-').reverse().join('/')} ${time}${fraction}`)).toBe(utc(ms, nanos));
      }),
    );
  });

  it('as a number is the same instant in every unit, before 1970 too', () =>
    fc.assert(
      fc.property(moment, ({ ms, nanos }) => {
        const total = BigInt(ms) * 1_000_000n + BigInt(nanos);
        const read = (['s', 'ms', 'us', 'ns'] as const).map((unit, index) => {
          const number = canonicalDecimal(`${total}e-${9 - 3 * index}`);
          return timestamp('at', { unit }).compile().parse(number);
        });
        expect(read).toEqual(Array.from({ length: 4 }, () => utc(ms, nanos)));
      }),
    ));

  it('accepts exactly the days that the calendar has', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9999 }), fc.nat(13), fc.nat(32), (year, month, day) => {
        const written = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
        const model = new Date(0);
        model.setUTCFullYear(year, month - 1, day);
        const exists = month >= 1 && month <= 12 && model.getUTCMonth() === month - 1 && model.getUTCDate() === day;
        expect(date().compile().parse(written)).toEqual(exists ? written : expect.any(Problem));
      }),
      { numRuns: 1000 },
    ));
});

describe('a refusal', () => {
  const secret = 'q7Zx9kVw';
  const values = [
    secret,
    `${secret}\ud800`,
    [secret],
    { [secret]: secret },
    [{ a: secret }],
    `12${secret}`,
    secret + 1,
  ];
  const fields: readonly Field<unknown>[] = [
    text('a', { oneOf: ['x'], map: { y: 'x' } }),
    text('a', { pattern: /^\d+$/ }),
    text('a', { maxLength: 2 }),
    integer('a', { min: 1n }),
    decimal('a', { comma: true }),
    boolean(),
    date(),
    date('a', { format: 'dd.MM.yyyy' }),
    timestamp(),
    timestamp('a', { unit: 'ms' }),
    json(),
    list(integer()),
    object({ a: integer() }),
  ];

  it('never holds the value, whatever the field', () => {
    const refused = fields.flatMap((field) => values.map((value) => field.compile().parse(value)));
    const messages = refused.filter((each) => each instanceof Problem).map((each) => each.message);
    expect(messages.length).toBeGreaterThan(fields.length * 4);
    expect(messages.filter((each) => each.includes(secret))).toEqual([]);
  });

  it('is a value and never an exception, whatever JSON comes', () =>
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        for (const field of fields) {
          const read = field.compile().parse(value);
          expect(typeof read === 'string' || read instanceof Problem).toBe(true);
        }
      }),
    ));
});
