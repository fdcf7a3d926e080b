import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../../deploy/folders.ts';

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly sources?: string;
  /** Stop reading standard output after its first bytes. */
  readonly hangUp?: boolean;
}

/** Runs `npx firn …` as npx does. */
function firn(args: readonly string[], { sources, hangUp = false }: RunOptions = {}): Promise<Ran> {
  const env = { ...process.env, FIRN_SOURCES: sources ?? '' };
  const child = spawn(process.execPath, [join(root, 'cli', 'firn.js'), ...args], { cwd: root, env });
  const told = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    told.stdout += chunk;
    if (hangUp) child.stdout.destroy();
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    told.stderr += chunk;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...told })));
}

function jsonLines({ stdout }: Ran): Record<string, unknown>[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firn-cli-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** A file whose LastModified does not depend on when the repository was cloned. */
async function dated(name: string, write: (path: string) => Promise<void>): Promise<string> {
  const path = join(dir, name);
  await write(path);
  const when = new Date('2026-03-04T00:00:00Z');
  await utimes(path, when, when);
  return path;
}

describe('firn', () => {
  it('lists its verbs, and tells what each of them takes', async () => {
    const [all, one] = await Promise.all([firn(['--help']), firn(['try', '--help'])]);

    expect(all).toMatchObject({ code: 0, stderr: '' });
    for (const verb of ['add', 'check', 'try']) expect(all.stdout).toMatch(new RegExp(`^ {2}${verb} {2,}\\w`, 'm'));
    expect(one).toMatchObject({ code: 0, stderr: '' });
    expect(one.stdout).toContain('--delimiter');
  });

  it.each(['add', 'backfill', 'check', 'dev', 'grants', 'try'])('tells in 80 columns what %s takes', async (verb) => {
    const { code, stdout } = await firn([verb, '--help']);

    expect(code).toBe(0);
    const tooWide = stdout.split('\n').filter((line) => line.length > 80);
    expect(tooWide.filter((line) => !line.startsWith('firn '))).toEqual([]);
  });

  it.each([
    { args: [], says: 'firn <verb>' },
    { args: ['frobnicate'], says: 'There is no verb frobnicate' },
    { args: ['check', '--frobnicate'], says: '--frobnicate' },
    { args: ['check', '--source', 'nobody'], says: 'There are: customers, orders-lisbon' },
    { args: ['try'], says: 'One file at a time' },
    { args: ['try', 'samples/shops'], says: 'samples/shops is a folder' },
    { args: ['try', 'samples/README.md', '--format', 'frob'], says: 'parquet, avro or fixedWidth' },
    { args: ['try', 'samples/README.md', '--row', 'a', '--format', 'csv'], says: '--row goes with --format xml' },
    { args: ['try', 'samples/README.md', '--source', 'shops', '--format', 'csv'], says: 'leave out' },
    { args: ['try', 'samples/README.md', '--format', 'fixedWidth'], says: '--columns id:10,name:20' },
    { args: ['try', 'nothing.csv', '--format', 'csv'], says: 'There is no file nothing.csv' },
  ])('answers wrong usage $args on standard error with exit code 2', async ({ args, says }) => {
    const ran = await firn(args);

    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain(says);
    expect(ran.stderr).toContain(['check', 'try'].includes(args[0] ?? '') ? `firn ${args[0]} --help` : 'Exit codes: ');
  });
});

describe('firn check', () => {
  it("finds no mistake in the project's own sources", async () => {
    const count = (await readdir(join(root, 'sources'))).length;
    const { code, stdout, stderr } = await firn(['check']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^sources\/stock-moves\.ts:5: note: its prefix lies inside 'shops\/' of shops: /);
    expect(stdout).toMatch(new RegExp(`\n${count} sources, no mistakes, 1 note\n$`));
  });

  it('lists everything that is wrong at once, with file and line', async () => {
    const sources = join(dir, 'broken');
    await mkdir(sources);
    const declared = (key: string, lines: number) =>
      `import { csv, defineSource, text } from 'firn';${'\n'.repeat(lines)}export default defineSource({ from: { bucket: 'things' }, entity: 'thing', key: '${key}', fields: { id: text() } });`;
    const files: Readonly<Record<string, string>> = {
      'Misnamed.ts': declared('id', 1),
      'imports.ts': "import { x } from './nowhere.ts';\nexport default x;",
      'no-field.ts': declared('nope', 4),
      'nothing.ts': 'export default 4;',
      'same.ts': declared('id', 2),
      'throws.ts': declared('id', 3).replace('\n\n', "\n\nconst format = csv({ delimiter: '' });"),
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(sources, name), text);

    const [text, json, one] = await Promise.all([
      firn(['check'], { sources }),
      firn(['check', '--json'], { sources }),
      firn(['check', '--json', '--source', 'same'], { sources }),
    ]);

    const at = (name: string, line?: number) => ({
      source: name,
      file: join(sources, `${name}.ts`),
      ...(line !== undefined && { line }),
      message: expect.any(String),
    });
    expect(json.code).toBe(1);
    expect(jsonLines(json)).toEqual([
      {
        sources: ['Misnamed', 'imports', 'no-field', 'nothing', 'same', 'throws'],
        problems: [
          at('Misnamed'),
          at('imports', 1),
          at('no-field', 5),
          at('no-field', 5),
          at('nothing'),
          at('throws', 3),
        ],
        notes: [],
      },
    ]);
    expect(text.code).toBe(1);
    expect(text.stdout).toContain(`${join(sources, 'no-field.ts')}:5: 'nope' is no field`);
    expect(text.stdout).toMatch(/\n6 sources, 6 mistakes\n$/);
    expect(jsonLines(one)).toMatchObject([
      { sources: ['same'], problems: [{ message: expect.stringContaining('no-field and same claim') }] },
    ]);
  });
});

describe('firn try', () => {
  it.each([
    ['orders-lisbon', '2026-03-02.txt'],
    ['orders-porto', '2026-03-02.json'],
    ['customers', '2026-03-02.csv'],
    ['stock-moves', '2026-03-02.ndjson'],
  ])('finds in the sample of %s what the pipeline finds', async (source, name) => {
    const expected = JSON.parse(await readFile(join(root, 'samples/expected.json'), 'utf8'))[source].files[name];
    const path = await dated(name, (to) => copyFile(join(root, 'samples', source, name), to));

    const ran = await firn(['try', path, '--source', source, '--json']);

    const lines = jsonLines(ran);
    const { accepted, quarantined, ...counts } = expected;
    const kinds = Map.groupBy(lines, ({ kind }) => kind);
    expect(lines.at(-1)).toMatchObject({ kind: 'summary', compression: 'none', ...counts, records: accepted });
    expect(lines.at(-1)?.['codes']).toEqual(quarantined);
    expect(kinds.get('record')).toHaveLength(accepted);
    expect(Object.keys(kinds.get('record')?.[0] ?? {})).toEqual([
      'kind',
      'entity',
      'key',
      'source',
      'position',
      'output',
      'payload',
    ]);
    expect(kinds.get('quarantined')?.length).toBe(lines.at(-1)?.['quarantined']);
    expect(kinds.get('quarantined')?.[0]).toEqual({
      kind: 'quarantined',
      position: expect.any(Number),
      output: expect.any(Number),
      code: expect.stringContaining('.'),
      message: expect.any(String),
    });
    expect(ran).toMatchObject({ code: 1, stderr: '' });
  });

  it('shows a person the first records, what is quarantined, and counts', async () => {
    const path = await dated('lisbon.txt', (to) => copyFile(join(root, 'samples/orders-lisbon/2026-03-02.txt'), to));

    const { code, stdout } = await firn(['try', path, '--source', 'orders-lisbon', '--limit', '2']);

    expect(code).toBe(1);
    expect(stdout.split('\n')[0]).toBe(
      `${path}: csv (delimiter "|", with a header), not compressed; by source orders-lisbon`,
    );
    expect(stdout).toContain('order "LX-10401", byte 64\n{\n  "orderId": "LX-10401",\n');
    expect(stdout.match(/^order /gm)).toHaveLength(2);
    expect(stdout.match(/^quarantined, byte \d+: field\.type: /gm)).toHaveLength(2);
    expect(stdout).toContain('\n119 rows read, 0 dropped, 114 records (2 shown), 5 quarantined (2 shown)\n');
  });

  it('shows rows as they are decoded when no source maps them', async () => {
    const path = await dated('own.dat', (to) => writeFile(to, gzipSync('a\tb\n1.50\tx\n')));

    const ran = await firn(['try', path, '--format', 'csv', '--delimiter', '\\t', '--json']);

    expect(ran.code).toBe(0);
    expect(jsonLines(ran)).toEqual([
      { kind: 'row', position: 4, row: { a: '1.50', b: 'x' } },
      {
        kind: 'summary',
        file: path,
        format: 'csv',
        compression: 'gzip',
        rowsRead: 1,
        dropped: 0,
        quarantined: 0,
        codes: {},
      },
    ]);
  });

  it('says why a file cannot be read as data', async () => {
    const path = await dated('noise.bin', (to) => writeFile(to, Buffer.from([0, 1, 2, 0xff, 0])));

    const [text, json] = await Promise.all([
      firn(['try', path, '--source', 'shops']),
      firn(['try', path, '--source', 'shops', '--json']),
    ]);

    expect(text).toMatchObject({ code: 1, stdout: '' });
    expect(text.stderr).toContain(`${path} cannot be read as data: decode.unknownFormat`);
    expect(json.code).toBe(1);
    expect(jsonLines(json)).toMatchObject([
      { kind: 'summary', rowsRead: 0, rejected: expect.stringContaining('decode.unknownFormat') },
    ]);
  });

  it('counts the unread rest of a damaged file as one row in quarantine', async () => {
    const rows = Array.from({ length: 20_000 }, (_, index) => `{"id":${index * 7919}}\n`).join('');
    const whole = gzipSync(rows);
    const path = await dated('cut.ndjson.gz', (to) => writeFile(to, whole.subarray(0, whole.length / 2)));

    const ran = await firn(['try', path, '--format', 'ndjson', '--json', '--limit', '1']);

    expect(ran.code).toBe(1);
    expect(jsonLines(ran).at(-1)).toMatchObject({ quarantined: 1, codes: { 'decode.corruptGzip': 1 } });
  });

  it('ends quietly when nobody reads on', async () => {
    const rows = `{"text":"${'x'.repeat(500)}"}\n`.repeat(20_000);
    const path = await dated('long.ndjson', (to) => writeFile(to, rows));

    const ran = await firn(['try', path, '--format', 'ndjson', '--json'], { hangUp: true });

    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout.length).toBeLessThan(rows.length / 2);
  });
});
