import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseExactJson } from '../../core/decode/exact-json.ts';
import type { Field } from '../../core/fields/field.ts';
import * as firn from '../../core/firn.ts';
import { compileMap, latestVersion } from '../../core/normalize/mapper.ts';

const { boolean, date, decimal, integer, json, list, object, text, timestamp } = firn;
const types = { boolean, date, decimal, integer, json, list, object, text, timestamp };
const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = await read('docs/sources.md');
const fieldsPart = page.slice(page.indexOf('## Fields'));

const lastModified = '2026-03-02T07:15:09Z';
const file = { key: 'sales/2026-03-01/lisbon.csv', lastModified };

/** Lines of the form `<field>  // <row> → <outcome>`. */
const examples = [...fieldsPart.matchAll(/^((?:\w+)\(.*\))\s+\/\/ (\{.*\}) → (.+)$/gm)].map(
  ([, field = '', row = '', outcome = '']) => ({ field, row, outcome }),
);

/** What becomes of the row: the value as JSON with its digits as they are, `nothing`, or the code of the problem. */
function outcomeOf(expression: string, row: string): string {
  const field = new Function(...Object.keys(types), `return ${expression}`)(...Object.values(types)) as Field<unknown>;
  const config = { from: { bucket: 'sales' }, entity: 'sale', fields: { value: field } };
  const mapped = compileMap(config)(parseExactJson(row), file, latestVersion(Date.parse(lastModified)));
  if ('problems' in mapped) return mapped.problems.map(({ code }) => code).join();
  const payload = parseExactJson(mapped.payload) as { readonly M: { readonly value?: unknown } };
  return payload.M.value === undefined ? 'nothing' : plain(payload.M.value);
}

/** A DynamoDB JSON attribute value as plain JSON text. */
function plain(attribute: unknown): string {
  const [[kind, value] = ['', undefined]] = Object.entries(attribute as object);
  if (kind === 'N') return String(value);
  if (kind === 'NULL') return 'null';
  if (kind === 'L') return `[${(value as unknown[]).map(plain).join()}]`;
  if (kind !== 'M') return JSON.stringify(value);
  return `{${Object.entries(value as object).map(([name, each]) => `${JSON.stringify(name)}:${plain(each)}`)}}`;
}

describe('the fields of docs/sources.md', () => {
  it('has an example for each line of its code', () => {
    const lines = [...fieldsPart.matchAll(/```ts\n(.*?)```/gs)].flatMap(([, block = '']) => block.trim().split('\n'));
    expect(lines).toHaveLength(examples.length);
  });

  it.each(examples)('$field of $row is $outcome', ({ field, row, outcome }) => {
    const compact = /^[[{"]/.test(outcome) ? outcome.replaceAll(/([{[,:]) | (?=[}\]])/g, '$1') : outcome;

    expect(outcomeOf(field, row)).toBe(compact);
  });

  it('describes every option of every field type, and no other, with an example', async () => {
    const files = await readdir(new URL('../../core/fields', import.meta.url));
    const texts = await Promise.all(files.map((name) => read(`core/fields/${name}`)));
    const interfaces = texts.flatMap((text) => [...text.matchAll(/interface (?:\w+Options|Common)\b.*?\n}/gs)]);
    const declared = interfaces.flatMap(([body]) => [...body.matchAll(/readonly (\w+)\?:/g)].map(([, name]) => name));
    const described = [...fieldsPart.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);

    expect(new Set(described)).toEqual(new Set([...declared, 'from']));
    for (const name of new Set(described)) expect(fieldsPart).toContain(`${name}: `);
  });
});
