import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { csv } from '../core/decode/csv.ts';
import type { Format } from '../core/decode/format.ts';
import { json } from '../core/decode/json.ts';
import { ndjson } from '../core/decode/ndjson.ts';
import { openRows } from '../core/normalize/run.ts';
import type { RegisteredSource } from '../core/source/registry.ts';
import { examineSources, fileOf, sourceFiles } from './examine-sources.ts';
import { readOptions } from './options.ts';
import { problemLine } from './source-problems.ts';
import { decodedRows, fileObject, sourceMapping, type TriedBatch, tryBatches } from './try-rows.ts';
import { formatText, rowJson, rowText, summaryText, type TrySummary } from './try-text.ts';
import { UsageError } from './usage-error.ts';
import type { Verb } from './verb.ts';

const usage = `firn try <file> --source <id> [--json] [--limit <n>]
firn try <file> --format <ndjson|json|csv> [--delimiter <text>] [--json] [--limit <n>]
  reads a file as the pipeline would, writes nothing, and shows its records and what would go to quarantine

  --source <id>       decodes the file and maps its rows as this source does
  --format <name>     without a source: shows the rows as they are decoded
  --delimiter <text>  of csv, a comma unless given; \\t stands for a tab
  --limit <n>         shows so many records and so many quarantined rows; 10 unless given, with --json all of them
  --json              one JSON object a line, { kind: 'record' | 'row' | 'quarantined', … }; the last is the summary

The file's time stands for the object's LastModified.
Exit codes: 0 every row fits, 1 a row is quarantined or the file cannot be read as data, 2 wrong usage`;

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
  const options = { source: text, format: text, delimiter: text, limit: text, json: { type: 'boolean' } } as const;
  const { values, positionals } = readOptions({ args: [...args], options, allowPositionals: true });
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new UsageError('One file at a time.');
  if ((values.source === undefined) === (values.format === undefined)) {
    throw new UsageError('Say how to read the file: by --source <id>, or by --format <name>.');
  }
  if (values.limit !== undefined && !/^\d{1,15}$/.test(values.limit)) {
    throw new UsageError(`--limit is a number of rows, not '${values.limit}'.`);
  }
  const isJson = values.json === true;
  const unlimited = isJson ? Number.POSITIVE_INFINITY : shownByDefault;
  const limit = values.limit === undefined ? unlimited : Number(values.limit);
  return { file, source: values.source, format: formatOf(values.format, values.delimiter), json: isJson, limit };
}

function formatOf(name: string | undefined, delimiter: string | undefined): Format | undefined {
  if (delimiter !== undefined && name !== 'csv') throw new UsageError('--delimiter goes with --format csv.');
  switch (name) {
    case undefined:
      return undefined;
    case 'ndjson':
      return ndjson();
    case 'json':
      return json();
    case 'csv':
      try {
        return csv(delimiter === undefined ? {} : { delimiter: delimiter.replaceAll('\\t', '\t') });
      } catch (error) {
        throw new UsageError((error as Error).message);
      }
    default:
      throw new UsageError(`There is no format ${name}: it is ndjson, json or csv.`);
  }
}

async function run(args: readonly string[]): Promise<number> {
  const options = readArguments(args);
  const found = await stat(options.file).catch(() => undefined);
  if (!found?.isFile()) throw new UsageError(`There is no file ${options.file}.`);
  const registered = options.source === undefined ? undefined : await loadSource(options.source);
  if (registered === 'unusable') return 1;
  const file = { name: basename(options.file), sizeBytes: found.size, modifiedMs: found.mtimeMs };
  const object = registered && fileObject(registered, file);
  const mapping = registered && object ? sourceMapping(registered, object) : decodedRows;
  const declared = registered ? registered.source.config.format : options.format;
  const body = createReadStream(options.file);
  try {
    const opened = await openRows(body, declared, object?.key ?? file.name);
    if ('reason' in opened) return await reject(options, opened.reason);
    const { format, compression, batches } = opened;
    return await show(options, { format, compression, batches: tryBatches(batches, mapping) });
  } finally {
    body.destroy();
  }
}

/** Loads one source; what is wrong with it is told on standard error. */
async function loadSource(id: string): Promise<RegisteredSource | 'unusable'> {
  const { sources, problems } = await examineSources([fileOf(await sourceFiles(), id)]);
  for (const each of problems) console.error(problemLine(each, process.cwd()));
  return problems.length === 0 && sources[0] ? sources[0] : 'unusable';
}

async function reject({ file, json }: TryOptions, reason: string): Promise<number> {
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
  { file, source, json, limit }: TryOptions,
  { format, compression, batches }: Trying,
): Promise<number> {
  const by = source === undefined ? '' : `; by source ${source}`;
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
