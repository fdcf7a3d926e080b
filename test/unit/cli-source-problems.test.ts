import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  declaredAt,
  loadProblems,
  mistakeProblem,
  problemLine,
  propertyAt,
  shownPath,
} from '../../cli/source-problems.ts';
import { root } from '../../deploy/folders.ts';

const file = join(root, 'sources', 'orders.ts');

describe('the line of a declaration', () => {
  it('is that of the call, not of the import', () => {
    expect(declaredAt("import { defineSource } from 'firn';\n\nexport default defineSource({});\n")).toBe(3);
  });

  it('is unknown where the call is missing or not the only one', () => {
    expect(declaredAt('export default make();')).toBeUndefined();
    expect(declaredAt('defineSource({});\ndefineSource({});')).toBeUndefined();
  });
});

describe('the line of a property', () => {
  const text = [
    "import { defineSource, text } from 'firn';",
    "const key = { prefix: 'not this' };",
    'export default defineSource({',
    '  // prefix: not this either',
    "  from: { bucket: 'b', prefix: 'a/' },",
    "  'entity': 'thing',",
    '  fields: {',
    '    entity: text(),',
    '    id: object({',
    '      deep: text(),',
    '    }),',
    '  },',
    '});',
  ].join('\n');

  it.each([
    [['from', 'prefix'], 5],
    [['entity'], 6],
    [['fields', 'entity'], 8],
    [['fields', 'deep'], 10],
    [['from', 'suffix'], 5],
    [['fields', 'a.b'], 7],
  ])('%j is %i', (path, line) => expect(propertyAt(text, path)).toBe(line));

  it('is unknown where it comes from elsewhere', () => {
    expect(propertyAt('export default defineSource({ ...shared });', ['key'])).toBeUndefined();
    expect(propertyAt('export default make({ key: 1 });', ['key'])).toBeUndefined();
  });
});

describe('a source that does not load', () => {
  const failed = (cause: unknown) => ({ id: 'orders', file, error: new Error('it failed', { cause }) });

  it('gives a problem for each fault that the compiler found, and says where in which file', () => {
    const errors = [
      { text: 'Expected ";"', location: { file: 'sources/orders.ts', line: 4 } },
      { text: 'Unexpected "}"', location: { file: 'sources/parts/orders.ts', line: 9 } },
      { text: 'No room', location: null },
    ];

    const problems = loadProblems(failed(Object.assign(new Error('Build failed'), { errors })));

    expect(problems).toEqual([
      { sources: ['orders'], file, line: 4, message: 'it cannot be compiled: Expected ";"' },
      {
        sources: ['orders'],
        file,
        message: 'it cannot be compiled: Unexpected "}" (sources/parts/orders.ts:9)',
      },
      { sources: ['orders'], file, message: 'it cannot be compiled: No room' },
    ]);
  });

  it('gives the line of its own file that the error came through', () => {
    const cause = new Error('no such thing');
    cause.stack = `Error: no such thing\n    at csv (${root}/core/decode/orders.ts:12:3)\n    at ${root}/.firn/x/sources/orders.ts:7:20`;
    expect(loadProblems(failed(cause))).toEqual([{ sources: ['orders'], file, line: 7, message: 'it failed' }]);
  });

  it('leaves the line out where no frame names the file', () => {
    expect(loadProblems(failed('a text'))).toEqual([{ sources: ['orders'], file, message: 'it failed' }]);
  });
});

describe('a problem as a line', () => {
  it('of several sources stands at the first of them', () => {
    const files = [
      { id: 'a', file: '/x/a.ts' },
      { id: 'b', file: '/x/b.ts' },
    ];
    const texts: Record<string, string> = { '/x/a.ts': '', '/x/b.ts': '\n\ndefineSource({})' };

    const problem = mistakeProblem(
      { sources: ['b', 'a'], message: 'b and a clash' },
      files,
      (path) => texts[path] ?? '',
    );

    expect(problem).toEqual({ sources: ['b', 'a'], file: '/x/b.ts', line: 3, message: 'b and a clash' });
    expect(problemLine(problem, '/x')).toBe('b.ts:3: b and a clash');
  });

  it('shows paths outside the working directory whole', () => {
    expect(shownPath('/project/sources/a.ts', '/project')).toBe(join('sources', 'a.ts'));
    expect(shownPath('/project/..a/a.ts', '/project')).toBe(join('..a', 'a.ts'));
    expect(shownPath('/elsewhere/a.ts', '/work')).toBe('/elsewhere/a.ts');
  });
});
