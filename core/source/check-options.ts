import type { RegisteredSource } from './registry.ts';

type Config = RegisteredSource['source']['config'];

/** Every option of a source, by the place where it stands; the compiler says the same where it is asked. */
const optionsAt = {
  source: ['from', 'format', 'entity', 'fields', 'key', 'version', 'keep', 'transform'],
  from: [
    'bucket',
    'prefix',
    'suffix',
    'exclude',
    'region',
    'account',
    'role',
    'requesterPays',
    'kmsKey',
    'unpack',
    'poll',
    'complete',
  ],
  role: ['arn', 'externalId'],
  poll: ['everyMinutes', 'listCalls', 'since'],
  complete: ['marker', 'manifest', 'files'],
} as const;

/** Options that there are none of: without types, a misspelt one would be passed over in silence. */
export function optionProblems(
  config: Config,
): readonly { readonly at: readonly string[]; readonly message: string }[] {
  const { from } = config;
  const places: readonly (readonly [readonly string[], keyof typeof optionsAt, unknown])[] = [
    [[], 'source', config],
    [['from'], 'from', from],
    [['from', 'role'], 'role', from.role],
    [['from', 'poll'], 'poll', from.poll],
    [['from', 'complete'], 'complete', from.complete],
  ];
  return places.flatMap(([path, place, value]) => {
    const known: readonly string[] = optionsAt[place];
    const unknown = Object.keys(value ?? {}).filter((name) => !known.includes(name));
    return unknown.map((name) => {
      const where = path.length === 0 ? 'a source' : `\`${path.join('.')}\``;
      return { at: [...path, name], message: `${where} has no option '${name}': ${remedy(name, known)}` };
    });
  });
}

function remedy(name: string, known: readonly string[]): string {
  const near = known.find((each) => isNear(name.toLowerCase(), each.toLowerCase()));
  return near === undefined ? `it has ${known.join(', ')}` : `is it '${near}'?`;
}

/** Whether two words differ by one letter, or by two that changed places. */
function isNear(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const [restA, restB] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  return restA.length <= 1 && restB.length <= 1 ? true : restA.length === 2 && restA === [...restB].reverse().join('');
}
