import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { addSource } from '../../cli/add.ts';
import { check } from '../../cli/check.ts';
import { tryFile } from '../../cli/try.ts';
import { root } from '../../deploy/folders.ts';
import { BUCKET, s3Fixture } from './s3-fixture.ts';

const run = promisify(execFile);

let dir: string;
let sources: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firn-add-'));
  // Inside the project, where the compiler finds 'firn'.
  await mkdir(join(root, '.firn'), { recursive: true });
  sources = await mkdtemp(join(root, '.firn', 'add-'));
  vi.stubEnv('FIRN_SOURCES', sources);
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true, force: true });
  await rm(sources, { recursive: true, force: true });
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a verb in this process. */
async function ran(verb: typeof addSource, args: readonly string[]): Promise<Ran> {
  const told = { out: '', err: '' };
  const hear = (where: 'out' | 'err', end: string) => (text: unknown) => {
    told[where] += `${text}${end}`;
    return true;
  };
  vi.spyOn(console, 'log').mockImplementation(hear('out', '\n'));
  vi.spyOn(console, 'error').mockImplementation(hear('err', '\n'));
  vi.spyOn(process.stdout, 'write').mockImplementation(hear('out', ''));
  const code = await verb.run(args);
  vi.restoreAllMocks();
  return { code, ...told };
}

/** A sample whose LastModified does not depend on when the tests run. */
async function sample(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(dir, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, content);
  const when = new Date('2026-03-04T00:00:00Z');
  await utimes(path, when, when);
  return path;
}

async function fixture(path: string, name = basename(path)): Promise<string> {
  const copied = await sample(name, '');
  await copyFile(join(root, 'test/fixtures', path), copied);
  return copied;
}

interface Added {
  readonly file: string;
  readonly source: {
    readonly id: string;
    readonly entity: string;
    readonly from: Record<string, unknown>;
    readonly format?: Record<string, unknown>;
    readonly key: readonly string[];
    readonly version?: string;
    readonly fields: readonly { readonly name: string; readonly kind: string }[];
  };
  readonly unsure: readonly { readonly about: string; readonly message: string }[];
}

async function added(args: readonly string[]): Promise<Added> {
  const { code, out, err } = await ran(addSource, [...args, '--json']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const result = JSON.parse(out);
  expect(result).toMatchObject({ problems: [], quarantined: 0 });
  return result;
}

const two = (number: number) => String(number).padStart(2, '0');

/** Forty columns of what exports are full of: blanks, NULL, local dates, decimal commas, leading zeros, quoted text. */
function wideCsv(): string {
  const kinds = ['id', 'name', 'price', 'paid_on', 'created_at', 'qty', 'note', 'active', 'zip', 'state'];
  const names = Array.from({ length: 40 }, (_, index) => `${kinds[index % 10]}${index < 10 ? '' : ` ${index}`}`);
  const cells = (row: number) => [
    String(row * 7),
    `"Nome ${row % 17}; ""é"""`,
    row % 6 === 0 ? '' : `${row % 3 ? '1.' : ''}${100 + (row % 900)},${two(row % 100)}`,
    row % 11 === 0 ? '' : `${two((row % 28) + 1)}.${two((row % 12) + 1)}.2025`,
    `${two((row % 28) + 1)}.${two((row % 12) + 1)}.2025 ${two(row % 24)}:${two(row % 60)}:00`,
    row % 13 === 0 ? 'NULL' : String(row % 50),
    '',
    row % 2 ? 'ja' : 'nein',
    `${two(row % 100)}115`,
    ['open', 'paid', 'void'][row % 3] ?? '',
  ];
  const rows = Array.from({ length: 300 }, (_, row) => [0, 1, 2, 3].flatMap(() => cells(row)).join(';'));
  return `${[names.join(';'), ...rows].join('\r\n')}\r\n`;
}

function nestedRows(): string {
  const rows = Array.from({ length: 50 }, (_, row) => ({
    event_id: `e${row}`,
    user: { id: row % 10, tags: ['a', 'b'], address: { city: 'x', geo: { lat: 1.5, 'lon.deg': row } } },
    items: [
      { sku: 's', qty: row, price: '1.50' },
      ...(row % 2 ? [{ sku: 't', qty: 1, price: '2.00', gift: true }] : []),
    ],
    updatedAt: 1_772_359_200_000 + row,
    odd: row % 2 ? 'x' : 5,
    maybe: row % 3 ? null : true,
    never: null,
    none: [],
    [`it's`]: row,
  }));
  return rows.map((row) => `${JSON.stringify(row).slice(0, -1)},"big":12345678901234567890123}`).join('\n');
}

const pipes =
  'order_no|qty|amount|placed|flag\nA1|1|1.234,56|03/04/2026|Y\nA2|2|7,00|25/04/2026|N\nA3||12,10|01/01/2026|Y\n';
const long =
  'How satisfied are you with the speed of the delivery, on a scale from one (not at all) to ten (very much so)?';
const pages = (first: number) =>
  JSON.stringify({ next: null, data: { items: [first, first + 1].map((id) => ({ id, when: '2026-01-01' })) } });

const cases: Readonly<Record<string, () => Promise<string>>> = {
  'pipe-delimited text': () => sample('pipe/orders.txt', pipes),
  'nested JSON lines, compressed': () => sample('events.ndjson.gz', gzipSync(nestedRows())),
  'forty columns': () => sample('sales.csv', wideCsv()),
  'a JSON document': () =>
    sample(
      'towns.json',
      JSON.stringify([
        { id: 1, name: 'Porto' },
        { id: 2, name: 'Braga' },
      ]),
    ),
  'JSON envelopes in a folder': async () => {
    await sample('pages/2026/1.json', pages(1));
    await sample('pages/2026/2.json', pages(3));
    return join(dir, 'pages');
  },
  'text without a header': () => sample('readings.csv', '1,2026-03-01,a b,3.5\n2,2026-03-02,c,4\n3,2026-03-03,d,5\n'),
  'text that is not UTF-8': () =>
    sample('kunden.csv', Buffer.from('kunden_nr;größe;preis\n0012;Ä;1,5\n0013;ö;2,50\n', 'latin1')),
  'a header that lacks names': () => sample('twice.csv', 'id,name,name,,x\n1,a,b,c,d\n2,e,f,g,h\n'),
  'a long name': () => sample('survey.csv', `id,"${long}","it's ""odd"""\n1,7,a\n2,,b\n`),
  Parquet: () => fixture('parquet/pyarrow-types.parquet', 'types.parquet'),
  'nested Parquet': () => fixture('parquet/nested.parquet'),
  Avro: () => fixture('avro/fastavro-deflate.avro', 'bookings.avro'),
  'a spreadsheet': () => fixture('xlsx/openpyxl.xlsx', 'stock.xlsx'),
  'a spreadsheet whose header has a name twice': () => fixture('xlsx/exceljs.xlsx'),
  XML: () => fixture('xml/sitemap.xml'),
  'XML whose rows lie deep inside': () => fixture('xml/rss.xml', 'news.xml'),
  'text as MySQL writes it': () =>
    sample('outfile.csv', `"id","text"\n${['1', '2', '3'].map((id) => `"${id}","a \\"b\\", \\\\ c"\n`).join('')}`),
  'a table below its title': () =>
    sample('balance.csv', `Balance of;2026-03-01\r\n\r\nid;day;text;total\r\n${'7;01.03.2026;x;1,5\r\n'.repeat(4)}`),
  'UTF-16, big endian': () =>
    sample('unicode.txt', Buffer.from(`\ufeffid\tname\r\n1\tÉ\r\n2\t\u{1f600}\r\n`, 'utf16le').swap16()),
  'delimiters of several characters': () => sample('many.dat', 'id||a||b\n1||x|y||2.5\n2||z||3\n'),
};

describe('firn add', () => {
  it.each(Object.entries(cases))('writes a source that takes every row of %s', async (_what, make) => {
    const path = await make();

    const { source } = await added([path]);

    const text = await readFile(join(sources, `${source.id}.ts`), 'utf8');
    expect(text).toContain("from 'firn';\n\nexport default defineSource({\n");
    const file = path.endsWith('pages') ? join(path, '2026', '1.json') : path;
    const tried = await ran(tryFile, [file, '--source', source.id, '--json']);
    expect(tried).toMatchObject({ code: 0, err: '' });
    const summary = JSON.parse(tried.out.trim().split('\n').at(-1) ?? '');
    expect(summary).toMatchObject({ kind: 'summary', quarantined: 0 });
    expect(summary.records).toBeGreaterThan(0);
  });

  it('writes files that pass the checks of the project as they are', { timeout: 60_000 }, async () => {
    const written = await readdir(sources);
    expect(written.length).toBe(Object.keys(cases).length);

    const checked = await ran(check, []);
    const biome = written.map(async (name) => {
      const text = await readFile(join(sources, name), 'utf8');
      const child = run(join(root, 'node_modules/.bin/biome'), ['format', '--stdin-file-path=sources/x.ts'], {
        cwd: root,
      });
      child.child.stdin?.end(text);
      return [name, (await child).stdout === text];
    });
    const config = join(sources, 'tsconfig.json');
    await writeFile(config, JSON.stringify({ extends: join(root, 'tsconfig.json'), include: ['*.ts'], exclude: [] }));
    const compiled = await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config]);

    expect(checked).toMatchObject({ code: 0, err: '' });
    expect(await Promise.all(biome)).toEqual(written.map((name) => [name, true]));
    expect(compiled.stdout).toBe('');
  });

  it('says what it found, what it is not sure of and what comes next, in lines of 80 columns', async () => {
    const path = await sample('shop/stock-moves.csv', 'move_id,at,kind\n1,2026-03-01 10:00,a\n2,2026-03-01 11:00,b\n');

    const { code, out, err } = await ran(addSource, [path]);

    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('stock-moves.ts: stock-move by moveId; 3 fields: 1\ninteger, 1 timestamp, 1 text.');
    expect(out).toContain('- entity: stock-move, a guess from the id stock-moves\n');
    expect(out).toContain('- at: no offset, so read as UTC: add zone:');
    expect(out).toContain(`Next:\n  npx firn check\n  npx firn try ${path} --source stock-moves\n`);
    const wide = out.split('\n').filter((line) => line.length > 80 && line.includes(' ') && !line.includes(dir));
    expect(wide).toEqual([]);
  });

  it('writes over a file only when told to, and nothing at all when dry', async () => {
    const path = await sample('things.csv', 'id,n\n1,2\n');
    await added([path]);
    const changed = await sample('things.csv', 'id,m\n1,2\n');

    const refused = await ran(addSource, [changed]);
    const dry = await ran(addSource, [changed, '--dry-run']);
    const before = await readFile(join(sources, 'things.ts'), 'utf8');
    await added([changed, '--force', '--entity', 'thingy', '--bucket', 'others-bucket', '--prefix', 'a/']);
    const after = await readFile(join(sources, 'things.ts'), 'utf8');

    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain('is there already. Give another --id, or --force');
    expect(dry).toMatchObject({ code: 0, err: '' });
    expect(dry.out).toContain('    m: integer(),\n');
    expect(before).toContain('    n: integer(),\n');
    expect(after).toContain("  from: { bucket: 'others-bucket', prefix: 'a/' },\n");
    expect(after).toContain("  entity: 'thingy',\n");
  });

  it('writes a source that clashes with another, says so and fails', async () => {
    const path = await sample('clash.csv', 'id,n\n1,2\n');
    await added([path, '--bucket', 'clash-bucket']);

    const { code, out } = await ran(addSource, [path, '--id', 'clash-two', '--bucket', 'clash-bucket']);

    expect(code).toBe(1);
    expect(out).toContain('firn check finds mistakes in it:\n');
    expect(out).toContain('clash and clash-two claim the same bucket, prefix and suffix');
    expect(await readdir(sources)).toContain('clash-two.ts');
    await rm(join(sources, 'clash-two.ts'));
  });

  it('takes another entity where the first guess would contradict another source', async () => {
    await added([await sample('rooms.csv', 'id,n\n1,2\n'), '--id', 'rooms-north']);
    const { source } = await added([await sample('rooms.csv', 'id,n\n1,x\n'), '--id', 'rooms-south']);
    expect(source.entity).toBe('rooms-south');
  });

  it('says what it cannot find in text of fixed width, and takes it when it is told', async () => {
    const lines = Array.from(
      { length: 20 },
      (_, index) => `${String(index).padStart(6, '0')}Some name     ${index % 10}.50`,
    );
    const path = await sample('fixed.txt', `${lines.join('\n')}\n`);

    const refused = await ran(addSource, [path]);
    const { source } = await added([path, '--format', 'fixedWidth', '--columns', 'id:6,name:14,total:4']);

    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain('looks like text of fixed width');
    expect(source.fields.map(({ name, kind }) => [name, kind])).toEqual([
      ['id', 'text'],
      ['name', 'text'],
      ['total', 'decimal'],
    ]);
  });

  it.each([
    ['ends.psv', 'id|n|\n1|2|\n3|4|\n', ['id', 'n']],
    ['ends.tbl', '1|2|\n3|4|\n', ['c1', 'c2']],
  ])('has no field for the end of rows that end with a delimiter, as in %s', async (name, content, fields) => {
    const path = await sample(name, content);

    const { source, unsure } = await added([path, '--id', 'ends', '--force']);

    expect(source.fields.map(({ name }) => name)).toEqual(fields);
    expect(unsure.map(({ message }) => message).join()).not.toContain('only blanks');
    await rm(join(sources, 'ends.ts'));
  });

  it('passes over the title of a spreadsheet', async () => {
    const { code, out } = await ran(addSource, [await fixture('xlsx/titled.xlsx'), '--json']);

    // One of its rows is too long on purpose.
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ source: { format: { skipRows: 2 } }, samples: [{ rows: 2, bad: 1 }] });
    await rm(join(sources, 'titled.ts'));
  });

  it('looks at several files of a folder, and names those it leaves out', async () => {
    for (let day = 10; day < 30; day += 1) {
      await sample(`daily/2026-01-${day}/towns.csv`, `id,since\n${day},${day < 20 ? '' : '2026-01-01'}\n`);
    }
    await sample('daily/2026-01-10/README.txt', 'no data\nat all, here,\n');
    await sample('daily/2026-01-30/_SUCCESS', '');

    const result = await added([join(dir, 'daily'), '--id', 'towns-daily']);

    expect(result).toMatchObject({
      samples: expect.arrayContaining([expect.objectContaining({ rows: 1 })]),
      source: { fields: [{ name: 'id' }, { name: 'since', kind: 'date', optional: true }] },
    });
  });

  it.each([
    ['noise.bin', Buffer.from([0, 1, 2, 0xff, 0]), 'cannot be read as data: decode.unknownFormat'],
    ['empty.csv', 'id,name\n', 'There are no rows in'],
    ['hollow.json', '{}', 'There are no fields in'],
    ['page.html', '<html><body><p>a</p><p>b</p></body></html>', 'this is HTML'],
  ])('refuses %s with the reason', async (name, content, reason) => {
    const { code, err } = await ran(addSource, [await sample(name, content)]);
    expect(code).toBe(1);
    expect(err).toContain(reason);
  });

  it.each([
    [['nowhere.csv'], /There is no file nowhere\.csv/],
    [[], /Name one file/],
    [['a', '--id', 'No Id'], /--id is lower-case words/],
    [['samples/2026-03-02.csv', '--rows', 'x'], /--rows goes with --format json/],
  ])('answers wrong usage %j', async (args, message) => {
    await expect(addSource.run(args)).rejects.toThrow(message);
  });
});

describe('an archive', () => {
  const zip = () =>
    sample(
      'pack.zip',
      zipSync({
        'towns/a.csv': strToU8('id,n\n1,2\n'),
        'towns/b.csv': strToU8('id,n\n2,3\n'),
        '__MACOSX/towns/a.csv': strToU8('x'),
        '../out.csv': strToU8('id,n\n9,9\n'),
      }),
    );

  it('is tried member by member, as they become uploads', async () => {
    const path = await zip();

    const { code, out } = await ran(tryFile, [path, '--json']);

    expect(code).toBe(1);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { kind: 'row', row: { id: '1', n: '2' } },
      { kind: 'summary', file: `${path}/towns/a.csv`, rowsRead: 1 },
      { kind: 'row', row: { id: '2', n: '3' } },
      { kind: 'summary', file: `${path}/towns/b.csv`, rowsRead: 1 },
      { kind: 'summary', file: `${path}/../out.csv`, rejected: "its path holds '..'" },
    ]);
  });

  it('is a sample by what is in it', async () => {
    const { source } = await added([await zip(), '--dry-run', '--id', 'towns-packed']);
    expect(source).toMatchObject({ key: ['id'], fields: [{ name: 'id' }, { name: 'n' }] });
  });

  it('is what the next command names, and not the member that was looked at', async () => {
    const path = await zip();

    const { code, out } = await ran(addSource, [path, '--dry-run', '--id', 'towns-packed']);
    const written = await ran(addSource, [path, '--id', 'towns-packed']);

    expect({ code, next: out.includes('Next:') }).toEqual({ code: 0, next: false });
    expect(written.out).toMatch(new RegExp(`npx firn try ${path} --source towns-packed\n*$`));
  });

  it('that is damaged is told with what could be read before', async () => {
    const whole = await readFile(await zip());
    const path = await sample('damaged.zip', whole.with(whole.indexOf('id,n'), 0x58));

    const { code, out } = await ran(tryFile, [path, '--json']);

    expect(code).toBe(1);
    expect(out).toContain('decode.corruptZip');
  });
});

describe('firn add and firn try on S3', () => {
  it('read objects with ordinary credentials, and take bucket and prefix from the address', async () => {
    await using fixture = await s3Fixture();
    for (const [name, value] of Object.entries({
      AWS_ENDPOINT_URL_S3: fixture.s3.endpoint,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_REGION: 'eu-west-1',
    }))
      vi.stubEnv(name, value);
    for (const day of ['01', '02', '03']) {
      await fixture.put(`exports/towns/dt=2026-03-${day}/part-0.csv`, `id,name\n${day},a\n`);
      await fixture.put(`exports/towns/dt=2026-03-${day}/_SUCCESS`, '');
    }
    await fixture.put(
      'exports/types.parquet',
      await readFile(join(root, 'test/fixtures/parquet/pyarrow-types.parquet')),
    );
    const one = `s3://${BUCKET}/exports/towns/dt=2026-03-02/part-0.csv`;

    const prefix = await added([`s3://${BUCKET}/exports/towns/`, '--id', 's3-towns']);
    const key = await added([one, '--id', 's3-town', '--entity', 's3-town', '--dry-run']);
    const parquet = await added([`s3://${BUCKET}/exports/types.parquet`, '--id', 's3-types', '--dry-run']);
    const tried = await ran(tryFile, [one, '--source', 's3-towns', '--json']);
    const missing = await ran(addSource, ['s3://no-such-bucket/x/', '--id', 'nothing']);

    const from = { bucket: BUCKET, prefix: 'exports/towns/' };
    expect(prefix.source).toMatchObject({
      from,
      key: ['id'],
      fields: [{ name: 'id', kind: 'text' }, { name: 'name' }],
    });
    expect(key.source.from).toEqual(from);
    expect(key.unsure).toContainEqual({ about: 'prefix', message: expect.stringContaining('without the folders') });
    expect(parquet.source.format).toEqual({ name: 'parquet' });
    expect(tried).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(tried.out.split('\n')[0] ?? '')).toMatchObject({ kind: 'record', key: '02' });
    expect(missing).toMatchObject({ code: 1, out: '' });
    expect(missing.err).toContain('there is no such bucket');
    await expect(addSource.run([`s3://${BUCKET}/nothing-here/`, '--id', 'nothing'])).rejects.toThrow(
      /There is no file/,
    );
  });
});
