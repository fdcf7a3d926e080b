import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { decode } from '../../core/decode/decode.ts';
import { parseExactJson } from '../../core/decode/exact-json.ts';
import type { StreamFormat } from '../../core/decode/format.ts';
import type { Field } from '../../core/fields/field.ts';
import * as firn from '../../core/firn.ts';
import { compileMap, latestVersion } from '../../core/normalize/mapper.ts';
import { compileRows } from '../../core/normalize/rows.ts';
import { grantsFor } from '../../core/origin/grants.ts';
import { bucketName } from '../../core/source/buckets.ts';
import { findMistakes } from '../../core/source/check.ts';
import type { RegisteredSource } from '../../core/source/registry.ts';
import { compileRoutes } from '../../core/source/routing.ts';
import { root } from '../../deploy/folders.ts';
import { loadSources } from '../../deploy/registry.ts';
import { stackParts } from '../../deploy/stack.ts';
import { chunked } from '../support/decoded.ts';

const { boolean, date, decimal, integer, json, list, object, text, timestamp } = firn;
const types = { boolean, date, decimal, integer, json, list, object, text, timestamp };
const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = await read('docs/sources.md');
const fieldsPart = page.slice(page.indexOf('## Fields'), page.indexOf('## Records'));
const recordsPart = page.slice(page.indexOf('## Records'));

/** The first column of every table of options. */
function optionsIn(part: string): readonly (string | undefined)[] {
  const tables = [...part.matchAll(/^\| option.*?\n\n/gms)].map(([table]) => table);
  return tables.flatMap((table) => [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name));
}

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

const originsPart = page.slice(0, page.indexOf('## Formats'));
const naming = { prefix: 'firn-test-', suffix: '-111122223333-eu-central-1' };
const home = { stage: 'test', region: 'eu-central-1', account: '111122223333' };

/** Blocks that show a `from`, and below it which keys the source takes, leaves and excludes. */
const origins = [...originsPart.matchAll(/```ts\n(from: .*?)```/gs)].map(([, block = '']) => {
  const [code = ''] = block.split(/^\/\/ /m);
  const from = new Function('ours', `return ({ ${code} }).from`)(firn.ours) as firn.Origin;
  const claims = [...block.matchAll(/^\/\/ (takes|leaves|excludes) (.+)$/gm)].map(([, verb, key = '']) => ({
    verb,
    key,
  }));
  return { code: code.replaceAll(/\s+/g, ' ').trim(), from, claims };
});

function registered(from: firn.Origin, id = 'example'): RegisteredSource {
  const source = firn.defineSource({ from, entity: 'sale', fields: { id: text() } });
  return { id, hash: 'h', source };
}

describe('the origins of docs/sources.md', () => {
  it.each(origins)('$code is without mistakes and can be deployed', ({ from }) => {
    const sources = [registered(from)];

    expect(findMistakes(sources)).toEqual([]);
    expect(Object.keys(stackParts({ build: '', sources }, 'test', undefined).sourceBuckets.Resources)).toBeDefined();
  });

  it.each(origins)('$code takes the keys it says', ({ from, claims }) => {
    const sources = [registered(from)];
    const route = compileRoutes({ build: '', sources }, naming);
    const outcome = (key: string) => {
      const found = route(bucketName(from, naming), key);
      return found === 'excluded' ? 'excludes' : found ? 'takes' : 'leaves';
    };

    expect(claims.map(({ key }) => ({ verb: outcome(key), key }))).toEqual(claims);
  });

  it.each(origins.filter(({ from }) => typeof from.bucket === 'string'))(
    '$code has something to ask its owner for',
    ({ from }) => {
      expect(grantsFor([registered(from)], home).flatMap(({ grants }) => grants)).not.toEqual([]);
    },
  );

  it('describes every option of an origin, and no other, with an example', async () => {
    const declaration = await read('core/source/source.ts');
    const bodies = [...declaration.matchAll(/(?:interface (?:Origin|Poll)|type Complete) .*?\n(?:}|.*?;\n\n)/gs)];
    const declared = bodies.flatMap(([body]) => [...body.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name));
    const described = optionsIn(originsPart);

    // `complete` is described by what it may hold.
    expect(new Set([...described, 'complete'])).toEqual(new Set(declared));
    for (const name of described) expect(origins.some(({ code }) => code.includes(`${name}: `))).toBe(true);
  });
});

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
    const described = optionsIn(fieldsPart);

    expect(new Set(described)).toEqual(new Set([...declared, 'from']));
    for (const name of new Set(described)) expect(fieldsPart).toContain(`${name}: `);
  });
});

/** Whole sources, each with an object's text and the records it gives. */
const wholes = [
  ...recordsPart.matchAll(/```ts\n\/\/ sources\/([\w-]+)\.ts\n(.*?)```\n\n```text\n(.*?)```\n\n```json\n(.*?)```/gs),
].map(([, id = '', code = '', input = '', output = '']) => ({ id, code, input, output }));

describe('the sources of docs/sources.md', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'firn-docs-'));
  const compiled = join(root, '.firn', `docs-${basename(folder)}`);
  await Promise.all(wholes.map(({ id, code }) => writeFile(join(folder, `${id}.ts`), code)));
  const { sources } = await loadSources(folder, compiled);

  afterAll(async () => {
    await Promise.all([folder, compiled].map((each) => rm(each, { recursive: true })));
  });

  it('are without mistakes', () => {
    expect(wholes.length).toBeGreaterThan(1);
    expect(findMistakes(sources)).toEqual([]);
  });

  it.each(wholes)('$id makes the records that are shown', async ({ id, input, output }) => {
    const { config } = (sources.find((each) => each.id === id) as RegisteredSource).source;
    const rows = compileRows(config, {
      record: {
        entity: config.entity,
        sourceId: id,
        uploadId: 'a'.repeat(26),
        contentId: 'b'.repeat(26),
        append: true,
      },
      lastModifiedMs: Date.parse('2026-07-02T12:00:00Z'),
      revision: 1,
      file,
    });

    const records: unknown[] = [];
    const rejected: unknown[] = [];
    for await (const batch of decode(chunked(input), config.format as StreamFormat)) {
      const made = rows(batch);
      records.push(...made.puts.map(({ item }) => payloadOf(item)));
      rejected.push(...made.rejected);
    }

    expect(rejected).toEqual([]);
    expect(records).toEqual(
      output
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
  });

  it('describe every option of a record', () => {
    for (const option of optionsIn(recordsPart))
      expect(wholes.some(({ code }) => code.includes(`${option}: `))).toBe(true);
  });
});

function payloadOf(item: string): unknown {
  return JSON.parse(plain((JSON.parse(item) as { readonly payload: unknown }).payload));
}
