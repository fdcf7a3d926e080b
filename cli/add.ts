import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Format } from '../core/decode/format.ts';
import { findPrefix, findSourceId } from '../core/source/infer-names.ts';
import { type RegisteredSource, sourceIdPattern } from '../core/source/registry.ts';
import { inputsFrom } from '../deploy/folders.ts';
import { type Draft, draftSource, registeredDraft } from './add-draft.ts';
import { type Added, addedJson, addedText } from './add-report.ts';
import { archiveMembers } from './archive.ts';
import { examineSources, sourceFiles } from './examine-sources.ts';
import { findInputs, type Input, type Inputs, UnreadableInput } from './inputs.ts';
import { readOptions } from './options.ts';
import { pickInputs, type Sample } from './sample.ts';
import { looksFixedWidth, type ReadSamples, readSamples } from './sample-format.ts';
import { problemLine, shownPath } from './source-problems.ts';
import { sourceText } from './source-text.ts';
import { formatOf } from './try-format.ts';
import { fileObject, sourceMapping } from './try-rows.ts';
import { UsageError } from './usage-error.ts';
import type { Verb } from './verb.ts';

const usage = `firn add <file | folder | s3://bucket/key or prefix> [options]
  looks at samples, writes the source file that reads them, and says what it is
  not sure of

  --id <id>        the source's id, and its file's name; from the sample's name
                   unless given
  --entity <name>  what a record is, such as order; from the id unless given
  --bucket <name>  where objects will come from: ours:<name> for one of the
                   stack's own, or the name of a bucket that is there already;
                   that of the sample, or ours:<id>, unless given
  --prefix <text>  the keys in it; found from the sample's unless given
  --format <name>  with --delimiter, --rows, --row, --sheet or --columns, as for
                   firn try; found from the content unless given
  --force          writes over a source file that is there already
  --dry-run        writes nothing, and shows the file
  --json           one JSON object: { file, source, samples, unsure, problems }

At most 5 files are looked at, and 10,000 rows or 16 MiB of them together.
Exit codes: 0 written, 1 not written, or the file needs work, 2 wrong usage`;

interface AddOptions {
  readonly where: string;
  readonly id: string | undefined;
  readonly entity: string | undefined;
  readonly bucket: string | undefined;
  readonly prefix: string | undefined;
  readonly format: Format | undefined;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

function readArguments(args: readonly string[]): AddOptions {
  const text = { type: 'string' } as const;
  const yes = { type: 'boolean' } as const;
  const flags = { delimiter: text, rows: text, row: text, sheet: text, columns: text } as const;
  const names = { id: text, entity: text, bucket: text, prefix: text, format: text, ...flags } as const;
  const options = { ...names, force: yes, 'dry-run': yes, json: yes } as const;
  const { values, positionals } = readOptions({ args: [...args], options, allowPositionals: true });
  const [where, ...more] = positionals;
  if (where === undefined || more.length > 0) throw new UsageError('Name one file, folder or s3:// address.');
  const {
    id,
    entity,
    bucket,
    prefix,
    format,
    force = false,
    json = false,
    'dry-run': dryRun = false,
    ...given
  } = values;
  for (const [name, value] of [['id', id] as const, ['entity', entity] as const]) {
    if (value !== undefined && !sourceIdPattern.test(value))
      throw new UsageError(`--${name} is lower-case words joined by '-', such as stock-move, not '${value}'.`);
  }
  return { where, id, entity, bucket, prefix, format: formatOf(format, given), force, dryRun, json };
}

async function run(args: readonly string[]): Promise<number> {
  const options = readArguments(args);
  try {
    const found = await findInputs(options.where);
    const id = options.id ?? idOf(options.where, found);
    const file = join(inputsFrom(process.env, '').sourcesDir, `${id}.ts`);
    const known = await sourceFiles();
    if (known.some((each) => each.id === id) && !options.force && !options.dryRun) {
      const way = 'Give another --id, or --force to write over it.';
      return refuse(`${shownPath(file, process.cwd())} is there already. ${way}`);
    }
    const read = await readSamples(await withMembers(pickInputs(found.inputs)), options.format);
    const reason = whyNothing(read, options.where);
    if (reason !== undefined) return refuse(reason);
    const others = (await examineSources(known)).sources.filter((each) => each.id !== id);
    const draft = draftSource(options, { id, found, read, others });
    if (draft.source.fields.length === 0) return refuse(`There are no fields in ${options.where}: its rows are empty.`);
    return await add(options, { id, file, draft });
  } catch (error) {
    if (error instanceof UnreadableInput) return refuse(error.message);
    throw error;
  }
}

/** Members of archives in place of the archives: the first few of them. */
async function withMembers(inputs: readonly Input[]): Promise<readonly Input[]> {
  const all: Input[] = [];
  for (const input of inputs) {
    const members = await archiveMembers(input);
    if (!members) all.push(input);
    else
      for await (const member of members) {
        if (!('reason' in member) && member.sizeBytes > 0) all.push(member);
        if (all.length >= inputs.length + membersLooked) break;
      }
  }
  return all;
}

const membersLooked = 4;

function refuse(message: string): number {
  console.error(message);
  return 1;
}

/** The name of the file or folder as an id: on S3, of the folder that the objects have in common. */
function idOf(where: string, { bucket, isOne, inputs }: Inputs): string {
  const { prefix } = findPrefix(inputs.map(({ key }) => key));
  const path = bucket === undefined ? resolve(where) : isOne ? `${bucket}/${inputs[0]?.key}` : `${bucket}/${prefix}`;
  const id = findSourceId(path);
  if (id === undefined) throw new UsageError(`No id can be made from the name of ${where}: give one by --id.`);
  return id;
}

function whyNothing({ samples, unread }: ReadSamples, where: string): string | undefined {
  const [first] = samples;
  if (first && looksFixedWidth(first)) {
    return (
      `${first.input.shown} looks like text of fixed width, and nothing in it says where its columns begin.\n` +
      'Say it: --format fixedWidth --columns id:10,name:20'
    );
  }
  if (first) return undefined;
  const [refused] = unread;
  if (!refused) return `There are no rows in ${where}.`;
  return `${refused.input.shown} cannot be read as data: ${refused.reason}`;
}

async function add(
  options: AddOptions,
  { id, file, draft }: { readonly id: string; readonly file: string; readonly draft: Draft },
): Promise<number> {
  const text = sourceText(draft.source);
  if (!options.dryRun) await writeFile(file, text, { flag: options.force ? 'w' : 'wx' });
  const after = options.dryRun ? undefined : await examineSources(await sourceFiles());
  const problems = after?.problems.filter(({ sources }) => sources.includes(id)) ?? [];
  const registered = after?.sources.find((each) => each.id === id) ?? registeredDraft(id, draft.source);
  const added: Added = {
    id,
    file: shownPath(file, process.cwd()),
    text: options.dryRun ? text : undefined,
    draft,
    problems: problems.map((each) => problemLine(each, process.cwd())),
    quarantined: draft.read.samples.reduce((sum, sample) => sum + quarantinedOf(registered, sample), 0),
  };
  console.log(options.json ? addedJson(added) : addedText(added));
  return added.problems.length === 0 && added.quarantined === 0 ? 0 : 1;
}

/** Rows of a sample that the source would put into quarantine. */
function quarantinedOf(registered: RegisteredSource, { input, rows, columns }: Sample): number {
  const mapping = sourceMapping(registered, fileObject(registered, input));
  const positions = rows.map((_, index) => index);
  const batch = { rows, positions, bad: [], raw: () => new Uint8Array(), ...(columns && { columns }) };
  return mapping(batch).rows.filter(({ kind }) => kind === 'quarantined').length;
}

export const addSource: Verb = { usage, run };
