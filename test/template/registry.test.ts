import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Registry } from '../../core/source/registry.ts';
import { type Build, writeBuild } from '../../deploy/build.ts';
import { discoverSources } from '../../deploy/registry.ts';
import { fixtures } from './packaged.ts';

// Outside the project, as a folder named by FIRN_SOURCES may be.
let folder: string;
const builds: Build[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firn-sources-'));
});

afterEach(async () => {
  const made = builds.splice(0).map((each) => each.dir);
  await Promise.all([folder, ...made].map((each) => rm(each, { recursive: true, force: true })));
});

const orders = `import { defineSource, text } from 'firn';
export default defineSource({ from: { bucket: 'orders' }, entity: 'order', key: 'orderId', fields: { orderId: text('no') } });
`;

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
}

async function build(sourcesDir = folder): Promise<Build> {
  const made = await writeBuild({
    sourcesDir,
    handlersDir: join(fixtures, 'stack-handlers'),
    build: '2026-03-01T00:00:00.000Z',
  });
  builds.push(made);
  return made;
}

async function hashOf(text: string): Promise<string | undefined> {
  await write({ 'orders.ts': text });
  return (await build()).registry.sources[0]?.hash;
}

describe('the sources of a folder', () => {
  test('are its .ts files, by name', async () => {
    await write({ 'b.ts': orders, 'a-1.ts': orders, 'notes.md': '', 'types.d.ts': '' });
    expect((await discoverSources(folder)).map((each) => each.id)).toEqual(['a-1', 'b']);
  });

  test('with names that are no ids are refused all at once', async () => {
    await write({ 'Orders.ts': orders, 'a_b.ts': orders, 'good.ts': orders, '1st.ts': orders, 'a--b.ts': orders });
    await expect(discoverSources(folder)).rejects.toThrow(/1st\.ts, Orders\.ts, a--b\.ts, a_b\.ts$/);
  });

  test('are asked for where there is no folder', async () => {
    await expect(discoverSources(join(folder, 'nowhere'))).rejects.toThrow(
      /No folder of sources at .*nowhere.*FIRN_SOURCES/,
    );
  });

  test('that cannot be used are told all at once, each with its reason', async () => {
    await write({
      'broken.ts': 'export default {',
      'misspelt.ts': orders.replace('entity:', 'entitty:'),
      'other.ts': 'export default 4;',
      'throwing.ts': "throw new Error('no such thing');",
    });
    await expect(build()).rejects.toThrow(/broken\.ts cannot be compiled/);
    await rm(join(folder, 'broken.ts'));
    await expect(build()).rejects.toThrow(
      /3 sources cannot be used:\nSource misspelt declares no entity: .*\nSource other exports no source.*\nSource throwing .*no such thing/,
    );
  });

  test('are read anew by each build of a process', async () => {
    await write({ 'orders.ts': orders, 'gone.ts': orders });
    await build();
    await rm(join(folder, 'gone.ts'));
    await write({ 'orders.ts': orders.replace("'order'", "'receipt'") });
    const { registry } = await build();
    expect(registry.sources.map((each) => [each.id, each.source.config.entity])).toEqual([['orders', 'receipt']]);
  });
});

describe("a source's hash", () => {
  test('does not change with comments, spacing or the folder', async () => {
    const hash = await hashOf(orders);
    const reworded = orders.replace('export default', '// The orders.\nexport   default').replaceAll(', ', ' ,\n  ');
    expect(await hashOf(reworded)).toBe(hash);
    const elsewhere = join(folder, 'elsewhere');
    await mkdir(elsewhere);
    await writeFile(join(elsewhere, 'orders.ts'), orders);
    expect((await build(elsewhere)).registry.sources[0]?.hash).toBe(hash);
  });

  test('changes with what the source says', async () => {
    expect(await hashOf(orders.replace("'no'", "'number'"))).not.toBe(await hashOf(orders));
  });

  test('changes with what a file says that the source imports', async () => {
    await mkdir(join(folder, 'parts'));
    const importing = orders
      .replace("text('no')", 'text(column)')
      .replace('\n', "\nimport { column } from './parts/column.ts';\n");
    await write({ 'parts/column.ts': "export const column = 'no';" });
    const before = await hashOf(importing);
    await write({ 'parts/column.ts': "export const column = 'number';" });
    expect(await hashOf(importing)).not.toBe(before);
  });
});

test('the generated registry is the one that was loaded', async () => {
  await write({ 'orders.ts': orders, 'more-orders.ts': orders });
  const { registry, registryFile } = await build();
  const generated = await import(/* @vite-ignore */ registryFile);
  const told = ({ build, sources }: Registry) => [
    build,
    sources.map((each) => [each.id, each.hash, each.source.config.from]),
  ];
  expect(told(generated.registry)).toEqual(told(registry));
  expect(registry.sources.map((each) => each.id)).toEqual(['more-orders', 'orders']);
  expect(registry.build).toBe('2026-03-01T00:00:00.000Z');
});

test('a generated entry is the handler of its function, with the registry', async () => {
  await write({ 'orders.ts': orders, 'more-orders.ts': orders });
  const { entries } = await build();
  const { handler } = await import(/* @vite-ignore */ entries.copy);
  expect(await handler()).toBe(2);
});
