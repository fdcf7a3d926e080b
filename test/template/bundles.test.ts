import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { overBudget } from '../../deploy/budgets.ts';
import { writeBuild } from '../../deploy/build.ts';
import { type Bundles, bundleAll } from '../../deploy/bundle.ts';
import { root } from '../../deploy/folders.ts';
import { functionNames } from '../../deploy/functions.ts';
import { writeZip } from '../../deploy/zip.ts';
import { fixtures } from './packaged.ts';

let bundles: Bundles;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firn-bundles-'));
  const build = await writeBuild({
    sourcesDir: join(fixtures, 'stack-sources'),
    handlersDir: join(root, 'handlers'),
    build: '2026-03-01T00:00:00.000Z',
  });
  bundles = await bundleAll(build);
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(functionNames)('the bundle of %s', (name) => {
  test('holds its handler and the sources, and nothing that belongs to deploying, to one machine or to the command line', () => {
    const { inputs } = bundles[name];
    expect(inputs).toEqual(expect.arrayContaining([`handlers/${name}.ts`, 'test/fixtures/stack-sources/customers.ts']));
    expect(inputs.filter((each) => /^(cli|local|deploy|samples)\//.test(each))).toEqual([]);
    expect(inputs.filter((each) => /node_modules\/(esbuild|dynalite|@duckdb|serverless|fflate)\//.test(each))).toEqual(
      [],
    );
  });

  test('loads on its own, in an empty folder, and exports a handler', async () => {
    const copy = join(folder, `${name}.mjs`);
    await promisify(execFile)('cp', [bundles[name].path, copy]);
    const settings = [
      'TABLE',
      'LANDING_BUCKET',
      'EXPORT_BUCKET',
      'BUCKET_PREFIX',
      'BUCKET_SUFFIX',
      'COPY_QUEUE_URL',
      'NORMALIZE_QUEUE_URL',
      'UNPACK_QUEUE_URL',
    ];
    const environment = { ...Object.fromEntries(settings.map((each) => [`FIRN_${each}`, 'x'])), FIRN_PART_BYTES: '1' };
    const script = `const { handler } = await import(${JSON.stringify(pathToFileURL(copy).href)}); console.log(typeof handler);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      cwd: folder,
      env: { ...environment, AWS_REGION: 'eu-central-1' },
    });
    expect(stdout.trim()).toBe('function');
  });
});

test('only reconcile carries the Snowflake driver', () => {
  const carrying = functionNames.filter((name) =>
    bundles[name].inputs.some((each) => each.includes('node_modules/snowflake-sdk/')),
  );
  expect(carrying).toEqual(['reconcile']);
});

test('every bundle stays within its budget', () => {
  expect(overBudget(bundles)).toEqual([]);
});

test('a bundle over its budget is named with what it has and what it may have', () => {
  const fat = { ...bundles, copy: { ...bundles.copy, bytes: 9_999_999 } };
  expect(overBudget(fat)).toEqual([
    expect.stringMatching(/^copy: 9999999 bytes, its budget in deploy\/budgets\.ts is \d+$/),
  ]);
});

test('a zip carries no time, so that equal bundles make equal zips', async () => {
  const file = join(folder, 'copy.zip');
  await writeZip(bundles.copy, file);
  const zip = await readFile(file);
  // Local file header: time and date at bytes 10 to 13, here midnight of 1980-01-01.
  expect([...zip.subarray(10, 14)]).toEqual([0, 0, 0x21, 0]);
});
