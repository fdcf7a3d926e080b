import { counted } from './columns.ts';
import { examineSources, fileOf, sourceFiles } from './examine-sources.ts';
import { readOptions } from './options.ts';
import { problemLine, type SourceProblem, shownPath } from './source-problems.ts';
import type { Verb } from './verb.ts';

const usage = `firn check [--source <id>] [--json]
  loads all sources and explains what is wrong with them, before anything is
  deployed

  --source <id>  only what concerns this source
  --json         one JSON object as the last line: { sources, problems:
                 [{ source, file, line?, message }], notes: likewise }

Sources are the files of sources/, or of the folder that FIRN_SOURCES names.
Types are checked by: npx tsc --noEmit
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
  const concerns = (each: SourceProblem) => source === undefined || each.sources.includes(source);
  const problems = examined.problems.filter(concerns);
  const notes = examined.notes.filter(concerns);
  const ids = source === undefined ? files.map(({ id }) => id) : [source];
  const cwd = process.cwd();
  if (values.json) console.log(checkJson(ids, problems, notes, cwd));
  else {
    for (const each of problems) console.log(problemLine(each, cwd));
    for (const each of notes) console.log(problemLine({ ...each, message: `note: ${each.message}` }, cwd));
    if (problems.length + notes.length > 0) console.log('');
    const found = problems.length === 0 ? 'no mistakes' : counted(problems.length, 'mistake');
    const noted = notes.length === 0 ? '' : `, ${counted(notes.length, 'note')}`;
    console.log(`${counted(ids.length, 'source')}, ${found}${noted}`);
  }
  return problems.length === 0 ? 0 : 1;
}

/** The result of `firn check` for programs; a problem of several sources names the first of them. */
function checkJson(
  ids: readonly string[],
  problems: readonly SourceProblem[],
  notes: readonly SourceProblem[],
  cwd: string,
): string {
  const shown = ({ sources, file, line, message }: SourceProblem) => ({
    source: sources[0],
    file: shownPath(file, cwd),
    ...(line !== undefined && { line }),
    message,
  });
  return JSON.stringify({ sources: ids, problems: problems.map(shown), notes: notes.map(shown) });
}

export const check: Verb = { usage, run };
