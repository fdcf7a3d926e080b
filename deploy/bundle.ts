import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build as esbuild, type Metafile } from 'esbuild';
import type { Build } from './build.ts';
import { root } from './folders.ts';
import { type FunctionName, functionNames } from './functions.ts';
import { writeWhole } from './write-whole.ts';

/** What one Lambda runs. */
export interface Bundle {
  /** Absolute path of its `index.mjs`; `index.mjs.map` lies beside it. */
  readonly path: string;
  /** Bytes of `index.mjs`, unzipped and without its map. */
  readonly bytes: number;
  /** Every file that went into it, relative to the root. */
  readonly inputs: readonly string[];
  /** esbuild's own account of it. */
  readonly metafile: Metafile;
}

export type Bundles = Readonly<Record<FunctionName, Bundle>>;

// Some packages are CommonJS inside and call `require`, which an ES module does not have. The names are long because
// a short one can meet a minified name.
const banner =
  "import{createRequire as __bannerCreateRequire}from'node:module';" +
  'const require=__bannerCreateRequire(import.meta.url),' +
  '__filename=import.meta.filename,__dirname=import.meta.dirname;';

/** Bundles every function of a build into `<build dir>/bundles/<function>/index.mjs`. */
export async function bundleAll(build: Build): Promise<Bundles> {
  const bundles = await Promise.all(
    functionNames.map(async (name) => {
      const outDir = join(build.dir, 'bundles', name);
      return [name, await bundleOne(build.entries[name], outDir, build.sourceInputs)] as const;
    }),
  );
  return Object.fromEntries(bundles) as Record<FunctionName, Bundle>;
}

async function bundleOne(entry: string, outDir: string, sourceInputs: readonly string[]): Promise<Bundle> {
  const path = join(outDir, 'index.mjs');
  const result = await esbuild({
    entryPoints: [entry],
    outfile: path,
    write: false,
    bundle: true,
    alias: { firn: resolve(root, 'core/firn.ts') },
    platform: 'node',
    format: 'esm',
    target: 'node24',
    mainFields: ['module', 'main'],
    minify: true,
    legalComments: 'none',
    charset: 'utf8',
    sourcemap: 'linked',
    sourcesContent: false,
    banner: { js: banner },
    absWorkingDir: root,
    metafile: true,
    logLevel: 'silent',
  });
  await mkdir(outDir, { recursive: true });
  await Promise.all(result.outputFiles.map((each) => writeWhole(each.path, each.contents)));
  const code = result.outputFiles.find((each) => each.path === path);
  if (code === undefined) throw new Error(`esbuild made no ${path}`);
  const inputs = [...new Set([...Object.keys(result.metafile.inputs), ...sourceInputs])];
  return { path, bytes: code.contents.byteLength, inputs, metafile: result.metafile };
}
