import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from './folders.ts';

/** What decides, beside the source file, which records come out of an object's bytes. */
const deciding = [
  'core/firn.ts',
  'core/decode/decompress.ts',
  'core/decode/sniff.ts',
  'core/decode/decode.ts',
  'core/decode/decode-file.ts',
  'core/decode/decode-range.ts',
  'core/normalize/rows.ts',
];

let known: Promise<CoreHash> | undefined;

export interface CoreHash {
  readonly hash: string;
  /** Paths from the root of the repository of all files that count in it. */
  readonly files: readonly string[];
}

/**
 * Hash of decoders, field types and mapping as they run: minified, so that comments and spacing do not count. It is
 * part of every source's hash, so a change of any of them becomes a new revision of every source.
 */
export function coreHash(): Promise<CoreHash> {
  known ??= makeHash();
  return known;
}

async function makeHash(): Promise<CoreHash> {
  const contents = deciding.map((file, index) => `export * as part${index} from './${file}';`).join('\n');
  const result = await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    absWorkingDir: root,
    outfile: join(root, 'core.mjs'),
    write: false,
    metafile: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minify: true,
    legalComments: 'none',
    logLevel: 'silent',
  });
  const hash = createHash('sha256')
    .update(result.outputFiles[0]?.text ?? '')
    .digest('hex');
  return { hash, files: Object.values(result.metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs)) };
}
