import { grouped } from './columns.ts';
import { examineSources, fileOf, sourceFiles } from './examine-sources.ts';
import { readOptions } from './options.ts';
import { problemLine, type SourceProblem, shownPath } from './source-problems.ts';
import type { Verb } from './verb.ts';

const usage = `firn check [--source <id>] [--json]
  loads all sources and explains what is wrong with them, before anything is deployed

  --source <id>  only what concerns this source
  --json         one JSON object as the last line: { sources, problems: [{ source, file, line?, message }] }

Sources are the files of sources/, or of the folder that FIRN_SOURCES names. Types are checked by: npx tsc --noEmit
Exit codes: 0 no mistakes, 1 mistakes, 2 wrong usage`;

async function run(args: readonly string[]): Promise<number> {
  const { values } = readOptions({
    args: [...args],
    options: { source: { type: 'string' }, json: { type: 'boolean' } },
  });
  const files = await sourceFiles();
  const { source } = values;
  if (source !== undefined) fileOf(files, source);
  // All of them in any case: two sources may contradict each other.
  const examined = await examineSources(files);
  const problems = examined.problems.filter((each) => source === undefined || each.sources.includes(source));
  const ids = source === undefined ? files.map(({ id }) => id) : [source];
  const cwd = process.cwd();
  if (values.json) console.log(checkJson(ids, problems, cwd));
  else if (problems.length === 0) console.log(`${counted(ids.length, 'source')}, no mistakes`);
  else {
    for (const each of problems) console.log(problemLine(each, cwd));
    console.log(`\n${counted(ids.length, 'source')}, ${counted(problems.length, 'mistake')}`);
  }
  return problems.length === 0 ? 0 : 1;
}

/** The result of `firn check` for programs; a problem of several sources names the first of them. */
export function checkJson(ids: readonly string[], problems: readonly SourceProblem[], cwd: string): string {
  return JSON.stringify({
    sources: ids,
    problems: problems.map(({ sources, file, line, message }) => ({
      source: sources[0],
      file: shownPath(file, cwd),
      ...(line !== undefined && { line }),
      message,
    })),
  });
}

function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

export const check: Verb = { usage, run };
