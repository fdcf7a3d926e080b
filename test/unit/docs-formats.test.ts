import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Format } from '../../core/decode/format.ts';
import { avro, csv, fixedWidth, jsonDocument, ndjson, parquet, xlsx, xml } from '../../core/firn.ts';

const factories = { avro, csv, fixedWidth, jsonDocument, ndjson, parquet, xlsx, xml };
const names = Object.keys(factories);
const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = await read('docs/formats.md');
const sections = page.split(/^## /m);

/** The formats of a block that lists factory calls. */
function evaluated(block: string): readonly Format[] {
  return new Function(...names, `return [${block}]`)(...Object.values(factories));
}

const examples = sections.flatMap((section) => {
  const name = /^`(\w+)`/.exec(section)?.[1];
  if (!name) return [];
  return [...section.matchAll(/```ts\n(.*?)```/gs)].map(([, block = '']) => ({ name, section, block }));
});

describe('docs/formats.md', () => {
  it('has a section with examples for every format a source file can name', () => {
    expect(examples.map(({ name }) => name).sort()).toEqual(names.toSorted());
  });

  it.each(examples)(
    'shows calls of $name that work, and every option of them in its table',
    ({ name, section, block }) => {
      const formats = evaluated(block);
      expect(formats.length).toBeGreaterThan(0);
      const expected = name === 'jsonDocument' ? 'json' : name;
      for (const { name, ...options } of formats) {
        expect(name).toBe(expected);
        for (const option of Object.keys(options)) expect(section).toContain(`\n| \`${option}\` |`);
      }
    },
  );

  it.each(examples)('shows every option in the table of $name in an example', ({ section, block }) => {
    const used = new Set(evaluated(block).flatMap((format) => Object.keys(format)));
    const table = /\| option \|.*?\n\n/s.exec(section)?.[0] ?? '';
    for (const [, option = ''] of table.matchAll(/^\| `(\w+)` \|/gm)) expect(used).toContain(option);
  });

  it('lists every code of the decoders, and no other', async () => {
    const codes = (text: string) => new Set(Array.from(text.matchAll(/decode\.[a-zA-Z]\w*/g), ([code]) => code));
    expect(codes(page)).toEqual(codes(await read('core/decode/codes.ts')));
  });
});
