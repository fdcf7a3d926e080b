import { hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { csv, jsonDocument, ndjson } from 'firn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decode } from '../../core/decode/decode.ts';
import type { Format } from '../../core/decode/format.ts';
import { compileRows } from '../../core/normalize/rows.ts';
import { sourceIdPattern } from '../../core/source/registry.ts';
import { type AnySource, keepsAll } from '../../core/source/source.ts';
import { generateSamples } from '../../samples/generate.ts';

interface FileCounts {
  readonly rowsRead: number;
  readonly dropped: number;
  readonly quarantined: Readonly<Record<string, number>>;
  readonly accepted: number;
}

interface SourceCounts {
  readonly records: number;
  readonly files: Readonly<Record<string, FileCounts>>;
}

const root = join(import.meta.dirname, '../..');
const generatedDir = await mkdtemp(join(tmpdir(), 'firn-samples-'));
const sourceIds = (await readdir(join(root, 'sources'))).map((file) => file.replace(/\.ts$/, '')).sort();
const sources = new Map<string, AnySource>();
/** Path of every sample, by source and file. */
const samples = new Map<string, Map<string, string>>();

beforeAll(async () => {
  for (const id of sourceIds) {
    const module = (await import(join(root, 'sources', `${id}.ts`))) as { readonly default: AnySource };
    sources.set(id, module.default);
  }
  for (const entry of await readdir(join(root, 'samples'), { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const folder = join(root, 'samples', entry.name);
    samples.set(entry.name, new Map((await readdir(folder)).map((file) => [file, join(folder, file)])));
  }
  for (const { source, file } of await generateSamples(generatedDir)) {
    const files = samples.get(source) ?? new Map<string, string>();
    samples.set(source, files.set(file, join(generatedDir, source, file)));
  }
});

afterAll(() => rm(generatedDir, { recursive: true }));

async function expectedCounts(): Promise<Readonly<Record<string, SourceCounts>>> {
  return JSON.parse(await readFile(join(root, 'samples/expected.json'), 'utf8'));
}

test.each(sourceIds)('source %s declares an entity and fields, imports only firn, and fits on a page', async (id) => {
  const config = sources.get(id)?.config;
  const text = await readFile(join(root, 'sources', `${id}.ts`), 'utf8');

  expect(id).toMatch(sourceIdPattern);
  expect(config?.entity).toMatch(sourceIdPattern);
  expect(Object.keys(config?.fields ?? {})).not.toEqual([]);
  expect([...text.matchAll(/ from '(.*)';/g)].map(([, module]) => module)).toEqual(['firn']);
  expect(text.split('\n').length).toBeLessThanOrEqual(35);
});

test('every source has samples, and every folder of samples a source', () => {
  expect([...samples.keys()].sort()).toEqual(sourceIds);
  for (const files of samples.values()) expect(files.size).toBeGreaterThan(0);
});

test('expected.json counts every sample file and no other', async () => {
  const expected = await expectedCounts();

  const counted = Object.entries(expected).map(([id, { files }]) => [id, Object.keys(files).sort()]);

  expect(Object.fromEntries(counted)).toEqual(
    Object.fromEntries([...samples].map(([id, files]) => [id, [...files.keys()].sort()])),
  );
});

test('the generated samples are the same bytes on every run, and nothing unfinished is left', async () => {
  const again = await mkdtemp(join(tmpdir(), 'firn-samples-'));
  try {
    const generated = await generateSamples(again);

    for (const { source, file } of generated) {
      const [first, second] = await Promise.all([generatedDir, again].map((dir) => readFile(join(dir, source, file))));
      expect(hash('sha256', second ?? '')).toBe(hash('sha256', first ?? ''));
      expect(await readdir(join(again, source))).toEqual([file]);
    }
    expect(generated).not.toEqual([]);
  } finally {
    await rm(again, { recursive: true });
  }
});

// The time allowed is for the 100,000 readings on a machine that is busy with other tests.
test.each(sourceIds)(
  'the samples of %s hold exactly the rows that expected.json says',
  async (id) => {
    const expected = (await expectedCounts())[id];
    const keys = new Set<string>();
    const found: Record<string, FileCounts> = {};

    for (const [file, path] of samples.get(id) ?? []) found[file] = await readSample(id, file, path, keys);

    expect({ records: keys.size, files: found }).toEqual(expected);
  },
  60_000,
);

/** Runs one sample through its source, and adds the keys of its records to `keys`. */
async function readSample(id: string, file: string, path: string, keys: Set<string>): Promise<FileCounts> {
  const config = sources.get(id)?.config;
  if (!config) throw new Error(`there is no source ${id}`);
  const bytes = file.endsWith('.gz') ? createReadStream(path).pipe(createGunzip()) : createReadStream(path);
  const normalize = compileRows(config, {
    record: { entity: config.entity, sourceId: id, uploadId: file, contentId: file, append: keepsAll(config) },
    lastModifiedMs: Date.UTC(2026, 2, 4),
    revision: 1,
    file: { key: `${config.from.prefix ?? ''}${file}`, lastModified: '2026-03-04T00:00:00Z' },
  });
  const counts = { rowsRead: 0, dropped: 0, quarantined: {} as Record<string, number>, accepted: 0 };
  for await (const batch of decode(bytes, config.format ?? formatOf(file))) {
    const { read, dropped, puts, rejected } = normalize(batch);
    counts.rowsRead += read;
    counts.dropped += dropped;
    counts.accepted += puts.length;
    for (const { code } of rejected) counts.quarantined[code] = (counts.quarantined[code] ?? 0) + 1;
    for (const { pk, sk } of puts) keys.add(`${pk} ${sk}`);
  }
  return counts;
}

function formatOf(file: string): Format {
  if (file.includes('.ndjson')) return ndjson();
  return file.includes('.json') ? jsonDocument() : csv();
}
