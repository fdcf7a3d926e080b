import { createHash } from 'node:crypto';
import { join, relative } from 'node:path';
import type { RegisteredSource, Registry } from '../core/source/registry.ts';
import { root } from './folders.ts';
import { type FunctionName, functionNames } from './functions.ts';
import { loadSources } from './registry.ts';
import { writeWhole } from './write-whole.ts';

export interface BuildOptions {
  /** Absolute. */
  readonly sourcesDir: string;
  /** Absolute. */
  readonly handlersDir: string;
  /** ISO time of this build; a later build must carry a later one. */
  readonly build: string;
  readonly loads?: Loads;
}

/** Number of each entity's current load. */
type Loads = Readonly<Record<string, number>>;

/** What `writeBuild` made. All paths are absolute but those of `sourceInputs`. */
export interface Build {
  readonly registry: Registry;
  /** The folder that holds the files below. */
  readonly dir: string;
  /** Generated module that exports `registry`. */
  readonly registryFile: string;
  /** A function's entry: a generated module that exports `handler`. Node runs it as it is, esbuild bundles it. */
  readonly entries: Readonly<Record<FunctionName, string>>;
  /** The files behind the sources, relative to the root. */
  readonly sourceInputs: readonly string[];
}

/**
 * Compiles and imports all sources and writes the registry and the functions' entries to `.firn/build/<key>/`,
 * where the key stands for the two folders. Overwrites what an earlier build of the same folders left.
 *
 * @throws with everything that is wrong with the sources, see `loadSources`
 */
export async function writeBuild({ sourcesDir, handlersDir, build, loads = {} }: BuildOptions): Promise<Build> {
  const key = createHash('sha256').update(`${sourcesDir}\0${handlersDir}`).digest('hex').slice(0, 12);
  const dir = join(root, '.firn', 'build', key);
  const { sources, inputs } = await loadSources(sourcesDir, join(dir, 'sources'));
  const registryFile = join(dir, 'registry.ts');
  await writeWhole(registryFile, registryModule(build, sources, loads));
  const entries = await writeEntries(dir, handlersDir);
  return { registry: { build, sources, loads }, dir, registryFile, entries, sourceInputs: inputs };
}

function registryModule(build: string, sources: readonly RegisteredSource[], loads: Loads): string {
  const imports = sources.map(({ id }, index) => `import source${index} from './sources/${id}.mjs';\n`).join('');
  const list = sources.map(({ id, hash }, index) => `    { id: '${id}', hash: '${hash}', source: source${index} },\n`);
  return `${imports}\nexport const registry = {\n  build: '${build}',\n  sources: [\n${list.join('')}  ],\n  loads: ${JSON.stringify(loads)},\n};\n`;
}

async function writeEntries(dir: string, handlersDir: string): Promise<Readonly<Record<FunctionName, string>>> {
  const entries = await Promise.all(
    functionNames.map(async (name) => {
      const entry = join(dir, `${name}.ts`);
      const handler = JSON.stringify(specifier(dir, join(handlersDir, `${name}.ts`)));
      await writeWhole(
        entry,
        `import { ${name}Handler } from ${handler};\n` +
          `import { registry } from './registry.ts';\n\nexport const handler = ${name}Handler(registry);\n`,
      );
      return [name, entry] as const;
    }),
  );
  return Object.fromEntries(entries) as Record<FunctionName, string>;
}

function specifier(from: string, to: string): string {
  const path = relative(from, to).replaceAll('\\', '/');
  return path.startsWith('.') ? path : `./${path}`;
}
