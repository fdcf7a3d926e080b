import { createHash } from 'node:crypto';
import { relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { coreHash } from './core-hash.ts';
import { root } from './folders.ts';

/** One source file with everything it imports except `firn`, as one module. */
export interface CompiledSource {
  readonly id: string;
  readonly code: string;
  readonly map: string;
  /** 32 hex digits over `code` and the core it runs with: comments, spacing and where the file lies do not count. */
  readonly hash: string;
  /** The files that went into it, relative to the root. */
  readonly inputs: readonly string[];
}

/**
 * Compiles a source. What is hashed is what runs: the minified module without its map.
 * A newer esbuild may print the same source differently, which registers a revision more and changes nothing else.
 *
 * @throws when the file, or what it imports, cannot be read or parsed
 */
export async function compileSource(id: string, file: string): Promise<CompiledSource> {
  const result = await build({
    entryPoints: [file],
    outfile: `${id}.mjs`,
    write: false,
    bundle: true,
    external: ['firn'],
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minify: true,
    legalComments: 'none',
    charset: 'utf8',
    sourcemap: 'external',
    // Sources may lie outside the project; the packages they share with it are the project's.
    nodePaths: [resolve(root, 'node_modules')],
    absWorkingDir: root,
    metafile: true,
    logLevel: 'silent',
  }).catch((cause: unknown) => {
    throw new Error(`${relative(root, file)} cannot be compiled: ${messageOf(cause)}`, { cause });
  });
  const text = (suffix: string) => result.outputFiles.find((each) => each.path.endsWith(suffix))?.text ?? '';
  const code = text('.mjs');
  const hash = createHash('sha256')
    .update(`${(await coreHash()).hash}\0${code}`)
    .digest('hex')
    .slice(0, 32);
  return { id, code, map: text('.map'), hash, inputs: Object.keys(result.metafile.inputs) };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
