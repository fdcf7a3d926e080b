import type { Item } from '../core/table/table.ts';
import { columns, counted, cut, grouped } from './columns.ts';
import { totalOf, type UploadLine } from './uploads.ts';

/** What a run of `npm start` came to. */
export interface StartReport {
  readonly uploads: readonly UploadLine[];
  readonly quarantined: readonly Item[];
  readonly record: { readonly call: string; readonly item: unknown } | undefined;
  readonly query: { readonly sql: string; readonly rows: readonly Readonly<Record<string, unknown>>[] } | undefined;
  readonly warehouse: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
  readonly seconds: number;
}

/** One line for machines. */
export function startJson({ uploads, warehouse, seconds }: StartReport): string {
  const lines = uploads.map(({ reason: _reason, objectKey, ...line }) => ({ ...line, object: objectKey }));
  return JSON.stringify({ uploads: lines, totals: totalOf(uploads), warehouse, seconds });
}

/** The same for people. */
export function startText(report: StartReport): string {
  return [
    ...uploadsText(report.uploads),
    ...endedText(report.uploads),
    ...quarantineText(report),
    ...recordText(report.record),
    ...queryText(report.query),
    ...failureText(report),
    ...nextText(report),
  ].join('\n');
}

const heads = ['source', 'object', 'read', 'dropped', 'quarantined', 'accepted', 'exported', 'loaded', 'books'];

function uploadsText(uploads: readonly UploadLine[]): readonly string[] {
  const row = (line: Omit<UploadLine, 'uploadId' | 'state' | 'reason' | 'closed'>, books: string) => [
    line.source,
    line.objectKey,
    line.rowsRead,
    line.dropped,
    line.quarantined,
    line.accepted,
    line.exported,
    line.loaded,
    books,
  ];
  const rows = uploads.map((line) =>
    row(line, line.state === 'loaded' ? 'closed' : `${line.closed ? 'closed' : 'open'} (${line.state})`),
  );
  const totals = row({ source: 'all', objectKey: counted(uploads.length, 'upload'), ...totalOf(uploads) }, '');
  const [head = '', ...body] = columns(heads, [...rows, totals]);
  const rule = '─'.repeat(Math.max(...[head, ...body].map((each) => [...each].length)));
  const total = totalOf(uploads);
  const apart = total.accepted - total.exported;
  const why = [
    total.collapsed > 0 ? `${grouped(total.collapsed)} gave way to a newer row of their own file` : '',
    total.stale > 0 ? `${grouped(total.stale)} were older than what the table had` : '',
    total.unchanged > 0 ? `${grouped(total.unchanged)} changed nothing` : '',
  ].filter((each) => each !== '');
  const note = apart > 0 && why.length > 0 ? ['', `Accepted but not exported: ${why.join(', ')}.`] : [];
  return [head, rule, ...body.slice(0, -1), rule, body.at(-1) ?? '', ...note];
}

/** Uploads that ended before their rows were read, with why. */
function endedText(uploads: readonly UploadLine[]): readonly string[] {
  const ended = uploads.filter((upload) => upload.closed && upload.reason);
  if (ended.length === 0) return [];
  const lines = ended.map(({ objectKey, state, reason }) => `  ${objectKey}: ${state}, ${reason}`);
  return ['', 'Uploads that were not read:', ...lines];
}

const shownRows = 8;

function quarantineText({ uploads, quarantined }: StartReport): readonly string[] {
  if (quarantined.length === 0) return [];
  const objects = new Map(uploads.map((upload) => [upload.uploadId, upload.objectKey]));
  const fewOfEach = [...Map.groupBy(quarantined, (row) => row.pk).values()].flatMap((rows) => rows.slice(0, 2));
  const cells = fewOfEach
    .slice(0, shownRows)
    .map((row) => [
      objects.get(String(row['uploadId'])) ?? '',
      `row ${row['rowNumber']}`,
      cut(String(row['reasonMessage']), 100),
    ]);
  const rest = quarantined.length - cells.length;
  const more = rest > 0 ? [`  … and ${grouped(rest)} more`] : [];
  const lines = columns(['', '', ''], cells).slice(1);
  return [
    '',
    'In quarantine, each with its place, its reason and its bytes:',
    ...lines.map((line) => `  ${line}`),
    ...more,
  ];
}

function recordText(record: StartReport['record']): readonly string[] {
  if (!record) return [];
  const json = JSON.stringify(record.item, plainNumbers, 2);
  return ['', 'One record, by the DynamoDB API:', `  ${record.call}`, ...json.split('\n').map((line) => `  ${line}`)];
}

// The document client hands numbers that a double cannot hold over as objects.
function plainNumbers(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

function queryText(query: StartReport['query']): readonly string[] {
  if (!query) return [];
  const names = Object.keys(query.rows[0] ?? {});
  const table = columns(
    names,
    query.rows.map((row) => names.map((name) => String(row[name] ?? ''))),
  );
  const indent = (lines: readonly string[]) => lines.map((line) => `  ${line}`);
  return ['', 'One question, answered by the warehouse:', ...indent(query.sql.split('\n')), '', ...indent(table)];
}

function failureText({ uploads, failures }: StartReport): readonly string[] {
  const open = uploads.filter((line) => !line.closed);
  if (open.length === 0 && failures.length === 0) return [];
  const reasons = open.map(
    (line) => `  ${line.source} ${line.objectKey}: ${line.state}${line.reason ? `, ${line.reason}` : ''}`,
  );
  return [
    '',
    `${open.length} of ${uploads.length} books are open:`,
    ...reasons,
    ...failures.map((each) => `  ${each}`),
  ];
}

function nextText({ uploads, seconds }: StartReport): readonly string[] {
  const open = uploads.filter((line) => !line.closed).length;
  const verdict = open === 0 ? 'all books closed' : `${open} books open`;
  return [
    '',
    'Where to look next:',
    '  sources/            one file a source; copy one, change it, run this again',
    '  npm start -- --drop <folder>   your own files: a sub-folder is named like its source',
    '  README.md           what happens on the way, and how to deploy it',
    '',
    `Done in ${seconds.toFixed(1)} s: ${counted(uploads.length, 'upload')}, ${verdict}.`,
  ];
}
