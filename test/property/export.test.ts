import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AttributeValue, jsonText } from '../../core/export/row-text.ts';
import { json } from '../../core/fields/json.ts';
import { canonicalDecimal } from '../../core/fields/number-text.ts';

/** Exact numbers: JSON.parse that hands over each number as it is written. */
function parseWithTexts(text: string): unknown {
  const reviver = (_key: string, value: unknown, context: { readonly source: string }) =>
    typeof value === 'number' ? { number: context.source } : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}

const number = fc
  .tuple(fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }), fc.nat(38))
  .map(([coefficient, scale]) => canonicalDecimal(`${coefficient}e-${scale}`))
  .filter((text) => text !== undefined && text !== 'tooLong')
  .map(String);
const name = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('__proto__', 'constructor', '7', '"'));

/** A value as DynamoDB holds it and as JSON has to show it, side by side. */
type Pair = { readonly held: AttributeValue; readonly shown: unknown };
const object = (entries: readonly (readonly [string, unknown])[]) =>
  Object.fromEntries(entries) as Record<string, never>;
const { pair } = fc.letrec<{ pair: Pair }>((tie) => ({
  pair: fc.oneof(
    { maxDepth: 5 },
    number.map((text) => ({ held: { N: text }, shown: { number: text } })),
    fc.string({ unit: 'grapheme' }).map((text) => ({ held: { S: text }, shown: text })),
    fc.boolean().map((flag) => ({ held: { BOOL: flag }, shown: flag })),
    fc.constant({ held: { NULL: true }, shown: null }),
    fc.array(tie('pair'), { maxLength: 4 }).map((all) => ({
      held: { L: all.map((each) => each.held) },
      shown: all.map((each) => each.shown),
    })),
    fc.uniqueArray(fc.tuple(name, tie('pair')), { maxLength: 4, selector: ([key]) => key }).map((all) => ({
      held: { M: object(all.map(([key, each]) => [key, each.held])) },
      shown: object(all.map(([key, each]) => [key, each.shown])),
    })),
  ),
}));

/** Text of a value that is the same for equal values, whatever their members are called. */
function sorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}:${sorted(each)}`);
  return `{${members.sort().join(',')}}`;
}

describe('an attribute value as JSON', () => {
  it('is the same value again, every digit of every number included', () =>
    fc.assert(
      fc.property(pair, ({ held, shown }) => {
        expect(sorted(parseWithTexts(jsonText(held)))).toBe(sorted(shown));
      }),
      { numRuns: 500 },
    ));

  it('shows any JSON that the json field took in', () =>
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const read = json().compile().parse(value);
        fc.pre(typeof read === 'string');
        // The field sorts members and writes -0 as 0; otherwise nothing is lost on the way through the table.
        expect(sorted(JSON.parse(jsonText(JSON.parse(read))))).toBe(sorted(value));
      }),
    ));
});
