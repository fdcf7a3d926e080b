import { isLineFormat } from '../core/decode/decode-range.ts';
import { ExactNumber } from '../core/decode/exact-number.ts';
import type { Format } from '../core/decode/format.ts';
import { type AttributeValue, jsonText } from '../core/export/row-text.ts';
import type { Put } from '../core/table/record-item.ts';
import { grouped } from './columns.ts';
import type { TriedRow } from './try-rows.ts';

/** What a whole file came to. */
export interface TrySummary {
  /** `empty` for a file without a byte, undefined for one that was rejected. */
  readonly format: string | undefined;
  readonly compression: string | undefined;
  readonly rowsRead: number;
  readonly dropped: number;
  /** Records that the source made; undefined without a source. */
  readonly records: number | undefined;
  readonly quarantined: number;
  /** Quarantined rows by code. */
  readonly codes: Readonly<Record<string, number>>;
  /** Why nothing at all can be read of the file. */
  readonly rejected?: string;
}

/** Names and values, the values as JSON text. */
type Members = readonly (readonly [string, string])[];

interface RecordItem {
  readonly entity: { readonly S: string };
  readonly recordKey: { readonly S: string };
  readonly sourceId: { readonly S: string };
  readonly payload: { readonly M: Readonly<Record<string, AttributeValue>> };
}

/** A row as one line of JSON, numbers exact. */
export function rowJson(tried: TriedRow): string {
  if (tried.kind === 'quarantined') {
    const { position, output, code, message } = tried;
    return JSON.stringify({ kind: 'quarantined', position, output, code, message });
  }
  if (tried.kind === 'row') return `{"kind":"row","position":${tried.position},"row":${compact(members(tried))}}`;
  const { entity, recordKey, sourceId } = itemOf(tried.put);
  const named = `"entity":${JSON.stringify(entity.S)},"key":${JSON.stringify(recordKey.S)},"source":"${sourceId.S}"`;
  const place = `"position":${tried.position},"output":${tried.output}`;
  return `{"kind":"record",${named},${place},"payload":${compact(members(tried))}}`;
}

/** A row for a person: what and where, then its members as JSON, one a line. `format` says what positions count. */
export function rowText(tried: TriedRow, format: Format | undefined): string {
  const place = placeOf(tried, format);
  if (tried.kind === 'quarantined') return `quarantined, ${place}: ${tried.code}: ${tried.message}\n`;
  const body = members(tried).map(([name, value]) => `  ${JSON.stringify(name)}: ${value}`);
  const block = body.length === 0 ? '{}' : `{\n${body.join(',\n')}\n}`;
  if (tried.kind === 'row') return `${place}\n${block}\n`;
  const { entity, recordKey } = itemOf(tried.put);
  return `${entity.S} ${JSON.stringify(recordKey.S)}, ${place}\n${block}\n`;
}

/** Format and compression in a few words. */
export function formatText(format: Format | undefined, compression: string): string {
  const packed = compression === 'none' ? 'not compressed' : compression;
  if (format?.name !== 'csv') {
    const { name, ...options } = format ?? { name: 'empty' };
    const given = Object.entries(options).filter(([, value]) => typeof value === 'string');
    const said = given.map(([option, value]) => `${option} ${JSON.stringify(value)}`);
    return `${name}${said.length === 0 ? '' : ` (${said.join(', ')})`}, ${packed}`;
  }
  const { delimiter = ',', header = format.columns === undefined, quote = '"', encoding = 'utf-8' } = format;
  const dialect = [
    `delimiter ${JSON.stringify(delimiter)}`,
    header ? 'with a header' : 'without a header',
    ...(quote === '"' ? [] : [quote === null ? 'without quotes' : `quote ${quote}`]),
    ...(format.escape === undefined ? [] : [`escape ${format.escape}`]),
    ...(format.trim ? ['trimmed'] : []),
    ...(format.skipRows ? [`behind ${format.skipRows} ${format.skipRows === 1 ? 'line' : 'lines'}`] : []),
    ...(format.comment === undefined ? [] : [`comments after ${format.comment}`]),
    ...(encoding === 'utf-8' ? [] : [encoding]),
  ];
  return `csv (${dialect.join(', ')}), ${packed}`;
}

/** Counts for a person. `shown` is how many good and how many quarantined rows were printed. */
export function summaryText(
  { rowsRead, dropped, records, quarantined, codes }: TrySummary,
  shown: { readonly good: number; readonly quarantined: number },
): string {
  const part = (count: number, printed: number, noun: string) =>
    `${grouped(count)} ${noun}${printed < count ? ` (${grouped(printed)} shown)` : ''}`;
  const listed = Object.entries(codes).map(([code, count]) => `  ${code} ${grouped(count)}`);
  const good =
    records === undefined
      ? [part(rowsRead - quarantined, shown.good, 'decoded')]
      : [`${grouped(dropped)} dropped`, part(records, shown.good, records === 1 ? 'record' : 'records')];
  const read = `${grouped(rowsRead)} ${rowsRead === 1 ? 'row' : 'rows'} read`;
  return [[read, ...good, part(quarantined, shown.quarantined, 'quarantined')].join(', '), ...listed].join('\n');
}

function placeOf({ position, output }: TriedRow, format: Format | undefined): string {
  const isOrdinal = format !== undefined && !isLineFormat(format);
  return `${isOrdinal ? 'row' : 'byte'} ${position}${output === 0 ? '' : `, output ${output}`}`;
}

function itemOf(put: Put): RecordItem {
  return JSON.parse(put.item) as RecordItem;
}

function members(tried: Exclude<TriedRow, { kind: 'quarantined' }>): Members {
  if (tried.kind === 'record') {
    return Object.entries(itemOf(tried.put).payload.M).map(([name, value]) => [name, jsonText(value)]);
  }
  const { row, columns } = tried;
  if (columns) return columns.map((column, index) => [column, exactJson((row as readonly unknown[])[index] ?? null)]);
  return Object.entries(row as object).map(([name, value]) => [name, exactJson(value)]);
}

function compact(members: Members): string {
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}

// In the language since ES2026, not yet in the compiler's library.
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/** A decoded value as JSON text, with every digit that stood in the file. */
function exactJson(value: unknown): string {
  return JSON.stringify(value, (_name, each: unknown) =>
    typeof each === 'bigint' || each instanceof ExactNumber ? rawJSON(String(each)) : each,
  );
}
