import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type RegisteredSource, sourceIdPattern } from '../core/source/registry.ts';
import type { AnySource } from '../core/source/source.ts';
import { type CompiledSource, compileSource } from './compile-source.ts';
import { writeWhole } from './write-whole.ts';

export interface SourceFile {
  readonly id: string;
  /** Absolute path. */
  readonly file: string;
}

export interface LoadedSources {
  /** By id. */
  readonly sources: readonly RegisteredSource[];
  /** The files behind them, relative to the root. */
  readonly inputs: readonly string[];
}

/** A source that cannot be used, and why. */
export interface FailedSource extends SourceFile {
  readonly error: Error;
}

/**
 * The sources of a folder by id: every `*.ts` directly in it.
 *
 * @throws when the folder cannot be read, or file names are no source ids: all of them at once
 */
export async function discoverSources(sourcesDir: string): Promise<readonly SourceFile[]> {
  const files = await listSources(sourcesDir);
  const bad = files.filter(({ id }) => !sourceIdPattern.test(id));
  if (bad.length > 0) {
    throw new Error(`${namingRule}. Rename in ${sourcesDir}: ${bad.map(({ id }) => `${id}.ts`).join(', ')}`);
  }
  return files;
}

/** What a source's file may be called. */
export const namingRule =
  "A source's file name is its id: lower-case words of letters and digits, joined by single dashes, " +
  'such as orders-lisbon.ts';

/** {@link discoverSources}, with the files whose names are no ids. Throws when the folder cannot be read. */
export async function listSources(sourcesDir: string): Promise<readonly SourceFile[]> {
  const names = await readdir(sourcesDir).catch((cause: unknown) => {
    throw new Error(`No folder of sources at ${sourcesDir}. Make it, or name another one in FIRN_SOURCES.`, { cause });
  });
  const ids = names.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts')).map((name) => name.slice(0, -3));
  return ids.sort().map((id) => ({ id, file: join(sourcesDir, `${id}.ts`) }));
}

/**
 * Compiles every source of a folder to `<compiledDir>/<id>.mjs` and imports it from there: what is hashed, imported and
 * bundled is one and the same. `compiledDir` must lie in the project, where `firn` can be found; sources need not.
 *
 * @throws when a file name is no id, or a source does not compile, fails when imported, or exports no source: all at once
 */
export async function loadSources(sourcesDir: string, compiledDir: string): Promise<LoadedSources> {
  const { failed, ...loaded } = await loadFiles(await discoverSources(sourcesDir), compiledDir);
  const errors = failed.map(({ error }) => error);
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) {
    const lines = errors.map(({ message }) => message);
    throw new AggregateError(errors, `${errors.length} sources cannot be used:\n${lines.join('\n')}`);
  }
  return loaded;
}

/** Does what {@link loadSources} does with these files, and returns those that cannot be used instead of throwing. */
export async function loadFiles(
  files: readonly SourceFile[],
  compiledDir: string,
): Promise<LoadedSources & { readonly failed: readonly FailedSource[] }> {
  await mkdir(compiledDir, { recursive: true });
  await dropStale(compiledDir, new Set(files.map(({ id }) => id)));
  const failed: FailedSource[] = [];
  const sources: RegisteredSource[] = [];
  const inputs = new Set<string>();
  const attempts = files.map(async ({ id, file }) => {
    const compiled = await compileSource(id, file);
    await writeCompiled(compiledDir, compiled);
    return { inputs: compiled.inputs, source: await importCompiled(compiledDir, compiled) };
  });
  for (const [index, attempt] of (await Promise.allSettled(attempts)).entries()) {
    const file = files[index];
    if (attempt.status === 'fulfilled') {
      sources.push(attempt.value.source);
      for (const input of attempt.value.inputs) inputs.add(input);
    } else if (file) failed.push({ ...file, error: asError(attempt.reason) });
  }
  return { sources, inputs: [...inputs], failed };
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

async function writeCompiled(dir: string, { id, code, map }: CompiledSource): Promise<void> {
  await writeWhole(join(dir, `${id}.mjs`), `${code}//# sourceMappingURL=${id}.mjs.map\n`);
  await writeWhole(join(dir, `${id}.mjs.map`), map);
}

async function dropStale(dir: string, ids: ReadonlySet<string>): Promise<void> {
  const names = await readdir(dir);
  const stale = names.filter((name) => !ids.has(name.split('.')[0] ?? ''));
  await Promise.all(stale.map((name) => rm(join(dir, name), { force: true })));
}

async function importCompiled(dir: string, { id, hash }: CompiledSource): Promise<RegisteredSource> {
  // The hash in the address keeps a long-lived process from getting the module it imported before a change.
  const address = `${pathToFileURL(join(dir, `${id}.mjs`)).href}?${hash}`;
  const module: { default?: unknown } = await import(address).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Source ${id} fails when it is imported: ${reason}`, { cause });
  });
  return { id, hash, source: sourceOf(id, module.default) };
}

/** Sources are compiled without being type-checked: what a declaration cannot do without is looked for here. */
function sourceOf(id: string, value: unknown): AnySource {
  const config = typeof value === 'object' && value !== null && 'config' in value ? value.config : undefined;
  if (typeof config !== 'object' || config === null) {
    throw new Error(`Source ${id} exports no source: its file must say \`export default defineSource({ … })\`.`);
  }
  const missing = ['from', 'entity', 'fields'].filter((name) => !(name in config));
  if (missing.length > 0) {
    throw new Error(`Source ${id} declares no ${missing.join(' and no ')}: add it, or look for a misspelt name.`);
  }
  return value as AnySource;
}
