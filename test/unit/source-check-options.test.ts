import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { optionProblems } from '../../core/source/check-options.ts';
import type { AnySource } from '../../core/source/source.ts';

const complete = { from: { bucket: 'b' }, entity: 'e', fields: {} };
const problems = (config: object) => optionProblems(config as unknown as AnySource['config']);

describe('options of a source', () => {
  it.each([
    [{ ...complete, versoin: 'at' }, ['versoin'], "a source has no option 'versoin': is it 'version'?"],
    [{ ...complete, keys: 'id' }, ['keys'], "a source has no option 'keys': is it 'key'?"],
    [{ ...complete, from: { bucket: 'b', prefx: 'a/' } }, ['from', 'prefx'], "is it 'prefix'?"],
    [{ ...complete, from: { bucket: 'b', poll: { minutes: 5 } } }, ['from', 'poll', 'minutes'], 'it has everyMinutes,'],
    [{ ...complete, from: { bucket: 'b', complete: { maker: '_OK' } } }, ['from', 'complete', 'maker'], "'marker'?"],
  ])('are told when there are none of that name: %j', (config, at, words) => {
    expect(problems(config)).toEqual([{ at, message: expect.stringContaining(words) }]);
  });

  it('are all known that the types have', async () => {
    const text = await readFile(new URL('../../core/source/source.ts', import.meta.url), 'utf8');
    const names = (declaration: RegExp) =>
      [...(declaration.exec(text)?.[0] ?? '').matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name ?? '');
    const filled = (all: readonly string[]) => Object.fromEntries(all.map((name) => [name, {}]));
    const origin = names(/interface Origin .*?\n}/s);
    const from = {
      ...filled(origin),
      poll: filled(names(/interface Poll .*?\n}/s)),
      role: filled(names(/interface AssumedRole .*?\n}/s)),
      complete: filled(names(/type Complete =.*?;\n\n/s)),
    };

    expect(origin).toContain('complete');
    expect(problems({ ...filled(names(/interface SourceConfig.*?\n}/s)), from })).toEqual([]);
  });
});
