import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonError, readLine } from '../../local/snowflake/json-lines.ts';
import { plainJson } from '../../local/snowflake/number-text.ts';

const only = (line: string) => {
  const documents = readLine(line);
  expect(documents).toHaveLength(1);
  return documents[0] ?? new Map();
};

describe('reading a line of an export file', () => {
  test('finds the members of any document, each as it was written', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ noUnicodeString: false })),
        (document) => {
          const members = only(JSON.stringify(document, null, 1).replaceAll('\n', ' '));
          const read = [...members].map(([key, { text }]) => [key, JSON.parse(text)]);
          expect(read).toEqual(Object.entries(JSON.parse(JSON.stringify(document))));
        },
      ),
    );
  });

  test('marks numbers so that their digits survive, and plain text comes back', () => {
    const digits = fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n });
    const decimals = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 19n - 1n }), fc.stringMatching(/^[0-9]{1,19}$/));
    const number = fc.oneof(
      digits.map(String),
      decimals.map(([whole, fraction]) => `${whole}.${fraction}`),
    );
    fc.assert(
      fc.property(
        fc.array(number),
        fc.string({ unit: fc.constantFrom('\u0001', 'n', 's', '"', '\\', '1') }),
        (numbers, text) => {
          const payload = `[${[0, ...numbers].join(',')},${JSON.stringify(text)},{"k":${JSON.stringify(text)}}]`;
          const exact = only(`{"PAYLOAD":${payload}}`).get('PAYLOAD')?.exact ?? '';
          expect(plainJson(exact)).toBe(payload);
          // What a reader of doubles sees holds no number it could damage.
          expect(JSON.stringify(JSON.parse(exact))).toBe(exact);
        },
      ),
    );
  });

  test('accepts exactly what JSON.parse accepts, duplicate members and lone surrogates aside', () => {
    const text = fc.string({ unit: fc.constantFrom(...'{}[]",:0123.-+eEtrufalsn\\ '), maxLength: 14 });
    fc.assert(
      fc.property(text, (value) => {
        const line = `{"a":${value}}`;
        const parses = accepts(() => JSON.parse(line));
        const reads = accepts(() => expect(readLine(line)).toHaveLength(1));
        if (parses && !reads) expect(() => readLine(line)).toThrow(/duplicate|escape/);
        else expect(reads).toBe(parses);
      }),
      { numRuns: 2000 },
    );
  });

  test('a line may hold several documents, or none', () => {
    expect(readLine('{"a":1} {"a":2}')).toHaveLength(2);
    expect(readLine('  \r')).toEqual([]);
    expect(readLine('[{"a":1}]')).toEqual([new Map()]);
  });

  test('an error says where', () => {
    expect(() => readLine('{"a":1,"b":nul}')).toThrow(new JsonError('Error parsing JSON: unknown keyword, pos 11', 11));
    expect(() => readLine('{"a":')).toThrow(/unexpected end of the line, pos 5/);
  });
});

function accepts(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}
