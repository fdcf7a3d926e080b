import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { root } from '../../deploy/folders.ts';
import { packageStack, templateFile } from '../../deploy/package.ts';
import { fixtures } from './packaged.ts';

// Always the same folder, because builds are kept by the folder of their sources.
const folder = join(root, '.firn', 'test', 'package');

beforeAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'sources'), { recursive: true });
});

function source(bucket: string): string {
  return `import { defineSource, ours, text } from 'firn';
export default defineSource({ from: { bucket: ours('${bucket}') }, entity: 'order', fields: { no: text() } });
`;
}

function packaged(stage: string): Promise<string> {
  return packageStack({
    stage,
    outDir: join(folder, 'package'),
    sourcesDir: join(folder, 'sources'),
    handlersDir: join(fixtures, 'stack-handlers'),
    snowflakeFile: join(folder, 'snowflake.json'),
  });
}

test('a package holds the template and a zip for each function, and is made again only when an input changes', async () => {
  await writeFile(join(folder, 'sources', 'orders.ts'), source('first'));
  const dir = await packaged('dev');
  expect(await readdir(dir)).toEqual(
    expect.arrayContaining(['copy.zip', 'normalize.zip', 'export.zip', 'reconcile.zip']),
  );
  // Every packaging names the code by its time, so equal templates are one packaging.
  const first = await readFile(templateFile(dir), 'utf8');
  expect(await readFile(templateFile(await packaged('dev')), 'utf8')).toBe(first);
  await writeFile(join(folder, 'sources', 'orders.ts'), source('second'));
  const second = await readFile(templateFile(await packaged('dev')), 'utf8');
  expect(second).toContain('firn-dev-second-');
  expect(second).not.toContain('firn-dev-first-');
  expect(await readFile(templateFile(await packaged('other')), 'utf8')).toContain('firn-other-second-');
}, 60_000);

test('what cannot be packaged is told once, without a stack trace', async () => {
  await writeFile(join(folder, 'sources', 'Bad.ts'), source('third'));
  const message = await packaged('dev').then(String, (error: Error) => error.message);
  expect(message.match(/Rename in .*: Bad\.ts/g)).toHaveLength(1);
  expect(message).not.toMatch(/\n +at /);
}, 60_000);
