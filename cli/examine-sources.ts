import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findMistakes, type Mistake } from '../core/source/check.ts';
import { findNotes } from '../core/source/check-claims.ts';
import { type RegisteredSource, sourceIdPattern } from '../core/source/registry.ts';
import { inputsFrom, root } from '../deploy/folders.ts';
import { listSources, loadFiles, namingRule, type SourceFile } from '../deploy/registry.ts';
import { bucketsOfSources } from '../deploy/resources/buckets-of-sources.ts';
import { loadProblems, mistakeProblem, type SourceProblem } from './source-problems.ts';
import { UsageError } from './usage-error.ts';

export interface Examined {
  /** Every file that was looked at, by id. */
  readonly files: readonly SourceFile[];
  /** Those that could be loaded, by id. */
  readonly sources: readonly RegisteredSource[];
  /** By file. */
  readonly problems: readonly SourceProblem[];
  /** What is allowed, and worth knowing. By file. */
  readonly notes: readonly SourceProblem[];
}

/** The files of the folder that FIRN_SOURCES names, or of `sources/`. Throws a UsageError when there is no folder. */
export async function sourceFiles(): Promise<readonly SourceFile[]> {
  return await listSources(inputsFrom(process.env, '').sourcesDir).catch((error: Error) => {
    throw new UsageError(error.message);
  });
}

/** The file of one source. Throws a UsageError that names those there are. */
export function fileOf(files: readonly SourceFile[], id: string): SourceFile {
  const file = files.find((each) => each.id === id);
  if (file) return file;
  throw new UsageError(`There is no source ${id}. There are: ${files.map((each) => each.id).join(', ')}.`);
}

/** Loads sources, and finds everything that is wrong with their names, their files and what they declare together. */
export async function examineSources(files: readonly SourceFile[]): Promise<Examined> {
  // Lines of a source's own text in stack traces, although what runs is compiled.
  process.setSourceMapsEnabled(true);
  const { sources, failed } = await load(files.filter(({ id }) => sourceIdPattern.test(id)));
  const misnamed = files
    .filter(({ id }) => !sourceIdPattern.test(id))
    .map(({ id, file }) => ({ sources: [id], file, message: `${namingRule}: rename it` }));
  const found = (mistakes: readonly Mistake[]) =>
    mistakes.map((each) => mistakeProblem(each, files, (file) => readFileSync(file, 'utf8')));
  const mistakes = found([...findMistakes(sources), ...sources.flatMap(bucketMistakes)]);
  const problems = [...misnamed, ...failed.flatMap(loadProblems), ...mistakes];
  return { files, sources, problems: problems.sort(byFile), notes: found(findNotes(sources)).sort(byFile) };
}

function byFile(a: SourceProblem, b: SourceProblem): number {
  return Number(a.file > b.file) - Number(a.file < b.file);
}

/** Whether the stack could have such a bucket, in the stage that it has by default. */
function bucketMistakes(source: RegisteredSource): readonly Mistake[] {
  try {
    bucketsOfSources({ build: '', sources: [source] }, 'dev');
    return [];
  } catch (error) {
    const message = (error as Error).message.split('\n').slice(1).join('; ');
    return [{ sources: [source.id], at: ['from', 'bucket'], message: message || (error as Error).message }];
  }
}

/** Compiles into a folder of its own, so that commands may run side by side. */
async function load(files: readonly SourceFile[]): ReturnType<typeof loadFiles> {
  const parent = join(root, '.firn');
  await mkdir(parent, { recursive: true });
  const compiledDir = await mkdtemp(join(parent, 'examine-'));
  try {
    return await loadFiles(files, compiledDir);
  } finally {
    await rm(compiledDir, { recursive: true, force: true });
  }
}
