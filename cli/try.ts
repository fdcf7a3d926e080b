import { once } from 'node:events';
import { spooler } from '../adapters/spool.ts';
import type { Format } from '../core/decode/format.ts';
import { openRows } from '../core/normalize/open.ts';
import type { RegisteredSource } from '../core/source/registry.ts';
import { archiveMembers } from './archive.ts';
import { examineSources, fileOf, sourceFiles } from './examine-sources.ts';
import { findInputs, type Input, UnreadableInput } from './inputs.ts';
import { readOptions } from './options.ts';
import { problemLine } from './source-problems.ts';
import { formatNames, formatOf } from './try-format.ts';
import { decodedRows, fileObject, sourceMapping, type TriedBatch, tryBatches } from './try-rows.ts';
import { formatText, rowJson, rowText, summaryText, type TrySummary } from './try-text.ts';
import { UsageError } from './usage-error.ts';
import type { Verb } from './verb.ts';

const usage = `firn try <file | s3://bucket/key> [--source <id> | --format <name>] [options]
  reads a file as the pipeline would, writes nothing, and shows its records and
  what would go to quarantine; of an archive, those of each member

  --source <id>       decodes the file and maps its rows as this source does
  --format <name>     without a source: shows the rows as they are decoded by
                      ${formatNames.join(', ')};
                      without either, the format is found from the content
  --delimiter <text>  of csv, a comma unless given; \\t stands for a tab
  --rows <path>       of json: where the rows are in the document
  --row <name>        of xml: the element that is a row
  --sheet <name>      of xlsx, the first unless given
  --columns <list>    of fixedWidth: id:10,name:20
  --limit <n>         shows so many records and so many quarantined rows; 10
                      unless given, with --json all of them
  --json              one JSON object a line, { kind: 'record' | 'row' |
                      'quarantined', … }; the last of a file is its summary

The file's time stands for the object's LastModified.
Exit codes: 0 every row fits, 1 a row is quarantined or the file cannot be read
as data, 2 wrong usage`;

const shownByDefault = 10;

interface TryOptions {
  readonly file: string;
  readonly source: string | undefined;
  readonly format: Format | undefined;
  readonly json: boolean;
  readonly limit: number;
}

function readArguments(args: readonly string[]): TryOptions {
  const text = { type: 'string' } as const;
  const flags = { delimiter: text, rows: text, row: text, sheet: text, columns: text } as const;
  const options = { source: text, format: text, limit: text, json: { type: 'boolean' }, ...flags } as const;
  const { values, positionals } = readOptions({ args: [...args], options, allowPositionals: true });
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new UsageError('One file at a time.');
  const { source, format, limit, json: isJson = false, ...given } = values;
  if (source !== undefined && format !== undefined)
    throw new UsageError('A source says what the format is: leave out --source <id> or --format <name>.');
  if (limit !== undefined && !/^\d{1,15}$/.test(limit)) {
    throw new UsageError(`--limit is a number of rows, not '${limit}'.`);
  }
  const unlimited = isJson ? Number.POSITIVE_INFINITY : shownByDefault;
  const most = limit === undefined ? unlimited : Number(limit);
  return { file, source, format: formatOf(format, given), json: isJson, limit: most };
}

async function run(args: readonly string[]): Promise<number> {
  const options = readArguments(args);
  try {
    const { isOne, inputs } = await findInputs(options.file);
    const [input] = inputs;
    if (!isOne || !input) throw new UsageError(`${options.file} is a folder: name one of the files in it.`);
    const registered = options.source === undefined ? undefined : await loadSource(options.source);
    if (registered === 'unusable') return 1;
    const isUnpacked = registered?.source.config.from.unpack !== false;
    const members = isUnpacked ? await archiveMembers(input) : undefined;
    if (!members) return await tryInput(options, registered, input);
    let code = 0;
    for await (const member of members) {
      const tried =
        'reason' in member ? reject(options, member.input, member.reason) : tryInput(options, registered, member);
      code = Math.max(code, await tried);
      if (!options.json) await print('');
    }
    return code;
  } catch (error) {
    if (!(error instanceof UnreadableInput)) throw error;
    console.error(error.message);
    return 1;
  }
}

async function tryInput(options: TryOptions, registered: RegisteredSource | undefined, input: Input): Promise<number> {
  const object = registered && fileObject(registered, input);
  const mapping = registered && object ? sourceMapping(registered, object) : decodedRows;
  const declared = registered ? registered.source.config.format : options.format;
  const bytes = await input.open();
  try {
    const opened = await openRows(bytes, declared, object?.key ?? input.name, spooler(Number.POSITIVE_INFINITY));
    if ('reason' in opened) return await reject(options, input, opened.reason);
    const { format, compression, batches } = opened;
    return await show(options, input, { format, compression, batches: tryBatches(batches, mapping) });
  } finally {
    await bytes.close();
  }
}

/** Loads one source; what is wrong with it is told on standard error. */
async function loadSource(id: string): Promise<RegisteredSource | 'unusable'> {
  const { sources, problems } = await examineSources([fileOf(await sourceFiles(), id)]);
  for (const each of problems) console.error(problemLine(each, process.cwd()));
  return problems.length === 0 && sources[0] ? sources[0] : 'unusable';
}

async function reject({ json }: TryOptions, { shown: file }: Input, reason: string): Promise<number> {
  const nothing = { format: undefined, compression: undefined, rowsRead: 0, dropped: 0, records: 0, quarantined: 0 };
  if (json) await print(summaryJson(file, { ...nothing, codes: {}, rejected: reason }));
  else console.error(`${file} cannot be read as data: ${reason}`);
  return 1;
}

interface Trying {
  readonly format: Format | undefined;
  readonly compression: string;
  readonly batches: AsyncIterable<TriedBatch>;
}

async function show(
  { source, format: declared, json, limit }: TryOptions,
  { shown: file }: Input,
  { format, compression, batches }: Trying,
): Promise<number> {
  const found = declared === undefined ? '; found from its content' : '';
  const by = source === undefined ? found : `; by source ${source}`;
  if (!json) await print(`${file}: ${formatText(format, compression)}${by}\n`);
  const counts = { rowsRead: 0, dropped: 0 };
  const rowsOf = { good: 0, quarantined: 0 };
  const codes = new Map<string, number>();
  for await (const { read, dropped, rows } of batches) {
    counts.rowsRead += read;
    counts.dropped += dropped;
    const lines: string[] = [];
    for (const row of rows) {
      const which = row.kind === 'quarantined' ? 'quarantined' : 'good';
      if (row.kind === 'quarantined') codes.set(row.code, (codes.get(row.code) ?? 0) + 1);
      if (rowsOf[which] < limit) lines.push(json ? rowJson(row) : rowText(row, format));
      rowsOf[which] += 1;
    }
    if (lines.length > 0) await print(lines.join('\n'));
  }
  const { good, quarantined } = rowsOf;
  const summary: TrySummary = {
    format: format?.name ?? 'empty',
    compression,
    ...counts,
    records: source === undefined ? undefined : good,
    quarantined,
    codes: Object.fromEntries([...codes].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  const shown = { good: Math.min(good, limit), quarantined: Math.min(quarantined, limit) };
  await print(json ? summaryJson(file, summary) : summaryText(summary, shown));
  return quarantined === 0 ? 0 : 1;
}

function summaryJson(file: string, summary: TrySummary): string {
  return JSON.stringify({ kind: 'summary', file, ...summary });
}

/** Waits while the reader of standard output is behind, so that nothing piles up in memory. */
async function print(text: string): Promise<void> {
  if (!process.stdout.write(`${text}\n`)) await once(process.stdout, 'drain');
}

export const tryFile: Verb = { usage, run };
