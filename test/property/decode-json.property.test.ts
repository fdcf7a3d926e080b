import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayLoseDigits, parseExactJson } from '../../core/decode/exact-json.ts';
import { survives } from '../../core/decode/exact-number.ts';
import { json } from '../../core/decode/json.ts';
import { explainJsonFault, feed, isComplete, newJsonMachine } from '../../core/decode/json-machine.ts';
import { ndjson } from '../../core/decode/ndjson.ts';
import { decoded } from '../support/decoded.ts';

const digits = (max: number) =>
  fc.array(fc.constantFrom(...'0123456789'), { minLength: 1, maxLength: max }).map((all) => all.join(''));
/** Any number of the grammar, long and extreme ones more often than they come. */
const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(
      fc.constant('0'),
      digits(25).map((text) => text.replace(/^0+(?=.)/, '')),
    ),
    fc.oneof(
      fc.constant(''),
      digits(25).map((text) => `.${text}`),
    ),
    fc.oneof(
      fc.constant(''),
      fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-', 'E-'), digits(4)).map((all) => all.join('')),
    ),
  )
  .map((all) => all.join(''));

const object = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }).map((value) => ({ ...value }));
const spaces = fc.constantFrom('', ' ', '\n', '\t\r\n ');

/** A text near JSON: one that is, with a byte or two put in, taken out or changed. */
const nearJson = fc
  .tuple(
    fc.json({ maxDepth: 3 }),
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.constantFrom('', '"', '{', ']', ',', '0', '.', 'e', '-', '\\', 'u', ' ', '\n', '\u0001', 't', 'ü'),
      ),
      { maxLength: 2 },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce((edited, [place, character], index) => {
      const at = place % (edited.length + 1);
      return edited.slice(0, at) + character + edited.slice(at + (index % 2));
    }, text),
  );

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('the JSON grammar', () => {
  it('accepts what JSON.parse accepts and refuses what it refuses', () => {
    fc.assert(
      fc.property(
        fc.oneof(nearJson, numberText, fc.string({ unit: fc.constantFrom(...'{}[]",:0123e.-+\\untrl ') })),
        (text) => {
          const machine = newJsonMachine();
          const fed = [...Buffer.from(text)].every((byte) => feed(machine, byte));
          expect(fed && isComplete(machine)).toBe(parses(text));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('always says what is wrong with a text that is no JSON', () => {
    fc.assert(
      fc.property(nearJson, (text) => {
        fc.pre(!parses(text));
        expect(explainJsonFault(Buffer.from(text))).toMatch(/^not JSON: .*expected/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('numbers', () => {
  it('that would lose digits are never passed over', () => {
    fc.assert(
      fc.property(numberText, fc.string({ maxLength: 9 }), spaces, fc.boolean(), (number, name, space, isList) => {
        const value = isList ? `[0,${space}${number}${space}]` : number;
        const row = Buffer.from(`{${JSON.stringify(name)}:${space}${value},"z":${number}}`);
        if (!survives(number)) expect(mayLoseDigits(row, 0, row.length)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it('print with the digits they were written with', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(numberText, { minLength: 1, maxLength: 5 }), async (numbers) => {
        const { rows } = await decoded(`{"n":[${numbers.join(',')}]}`, ndjson());
        const read = (rows[0] as { n: unknown[] }).n;
        expect(read.map((value) => decimal(String(value)))).toEqual(numbers.map(decimal));
      }),
      { numRuns: 1000 },
    );
  });
});

/** A decimal number as an integer and a power of ten, by integer arithmetic alone. */
function decimal(text: string): string {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  let value = BigInt(whole.replace('-', '') + fraction);
  let power = BigInt(exponent) - BigInt(fraction.length);
  if (value === 0n) return '0';
  while (value % 10n === 0n) {
    value /= 10n;
    power += 1n;
  }
  return `${mantissa.startsWith('-') ? '-' : ''}${value}e${power}`;
}

describe('objects', () => {
  it('come back from lines, arrays, documents and arrays inside documents', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(object, { maxLength: 6 }), spaces, object, async (objects, space, other) => {
        const texts = objects.map((each) => JSON.stringify(each));
        const expected = texts.map(parseExactJson);
        const array = `[${space}${texts.join(`${space},${space}`)}${space}]`;
        const around = { ...other, items: undefined };
        const inside = `${JSON.stringify(around).slice(0, -1)}${Object.keys(other).some((key) => key !== 'items') ? ',' : ''}"items":${array},"z":[{}]}`;
        const positions = texts.map((_, index) => index);
        expect((await decoded(texts.join('\n'), ndjson())).rows).toEqual(expected);
        expect(await decoded(array, json())).toMatchObject({
          rows: expected,
          positions,
          raws: texts.map(latin1),
          bad: [],
        });
        expect(await decoded(texts.join(space) || '[]', json())).toMatchObject({ rows: expected, positions, bad: [] });
        expect(await decoded(inside, json({ rows: 'items' }))).toMatchObject({ rows: expected, positions, bad: [] });
      }),
      { numRuns: 200 },
    );
  });

  it('are what their raw bytes decode to', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            object.map((each) => JSON.stringify(each)),
            nearJson,
          ),
          { maxLength: 6 },
        ),
        async (texts) => {
          const { rows, raws } = await decoded(texts.join('\n'), ndjson());
          for (const [index, raw] of raws.entries()) {
            expect((await decoded(Buffer.from(raw, 'latin1'), ndjson())).rows).toEqual([rows[index]]);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('on lines are rows exactly if JSON.parse makes objects of them', async () => {
    await fc.assert(
      fc.asyncProperty(nearJson, async (text) => {
        const line = text.replaceAll(/[\r\n]/g, ' ');
        const value: unknown = parses(line) ? JSON.parse(line) : undefined;
        const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
        const { rows, bad } = await decoded(line, ndjson());
        expect(rows).toHaveLength(isObject ? 1 : 0);
        expect(bad).toHaveLength(isObject || line.trim() === '' ? 0 : 1);
      }),
      { numRuns: 500 },
    );
  });
});

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
