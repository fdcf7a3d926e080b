import { inferFields } from '../fields/infer.ts';
import { namesIdentity } from '../fields/name-words.ts';
import type { SampledFile } from './infer-key.ts';

/** How people write that there is nothing, where a blank would do. */
const nothing = new Set([
  'NULL',
  'Null',
  'null',
  'N/A',
  'n/a',
  'NA',
  '#N/A',
  '\\N',
  '-',
  '--',
  'None',
  'nil',
  'NaN',
  '?',
]);

/**
 * Spellings of nothing in delimited text: cells without which their column is numbers, days or times, and with which it
 * would have to be text.
 */
export function findNulls(files: readonly SampledFile[]): readonly string[] {
  const names = new Set(files.flatMap(({ columns = [] }) => columns));
  const found = new Set<string>();
  for (const name of names) {
    const values = files.flatMap(({ rows, columns = [] }) =>
      rows.map((row) => (row as readonly unknown[])[columns.indexOf(name)]),
    );
    const spelt = new Set(values.filter((value) => typeof value === 'string' && nothing.has(value)));
    if (spelt.size === 0) continue;
    const rest = values.filter((value) => !spelt.has(value));
    if (!rest.some((value) => typeof value === 'string' && value !== '')) continue;
    const [field] = inferFields([{ name, from: name, values: rest }], { typed: false, monthFirst: undefined });
    if (field && ['integer', 'decimal', 'date', 'timestamp'].includes(field.kind))
      for (const each of spelt) found.add(each as string);
  }
  return [...found].sort();
}

/** Envelopes are not deep. */
const deepest = 3;

/**
 * Names that lead to the rows inside of JSON documents, joined by dots: where every document is one object without an
 * id of its own that holds exactly one list of objects. Undefined when the documents themselves are the rows.
 */
export function findRowsPath(files: readonly SampledFile[]): string | undefined {
  if (files.length === 0 || files.some(({ rows }) => rows.length !== 1)) return undefined;
  const paths = files.map(({ rows: [document] }) => {
    const found = isObject(document) ? listsIn(document, deepest) : [];
    return found.length === 1 ? found[0] : undefined;
  });
  const [first] = paths;
  return paths.every((path) => path !== undefined && path === first) ? first : undefined;
}

function listsIn(object: Readonly<Record<string, unknown>>, depth: number): readonly string[] {
  const isRecord = Object.entries(object).some(([name, value]) => namesIdentity(name) && typeof value !== 'object');
  if (isRecord) return [];
  return Object.entries(object).flatMap(([name, value]) => {
    if (!/^[^.[\]]+$/.test(name)) return [];
    if (Array.isArray(value)) return value.length > 0 && value.every(isObject) ? [name] : [];
    if (depth === 0 || !isObject(value)) return [];
    return listsIn(value, depth - 1).map((path) => `${name}.${path}`);
  });
}

/** Paths in rows, joined by dots, where a list stands in some of them: in XML, one element alone does not look like one. */
export function findListPaths(files: readonly SampledFile[]): readonly string[] {
  const lists = new Set<string>();
  const look = (value: unknown, path: readonly string[]): void => {
    if (Array.isArray(value)) lists.add(path.join('.'));
    for (const each of [value].flat(1)) {
      if (!isObject(each)) continue;
      for (const [name, member] of Object.entries(each)) look(member, [...path, name]);
    }
  };
  for (const { rows } of files) for (const row of rows) look(row, []);
  return [...lists].sort();
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** More rows are no title. */
const maxTitleRows = 20;

/**
 * How many rows of a sheet stand above its table as a title: rows with far fewer cells than most have, before one with
 * as many as most or one less, all of them text.
 */
export function findTitleRows(rows: readonly (readonly unknown[])[]): number {
  const isFilled = (cell: unknown) => cell !== null && cell !== '';
  const widths = rows.map((row) => row.findLastIndex(isFilled) + 1);
  const filled = rows.map((row) => row.filter(isFilled).length);
  const common = [...Map.groupBy(widths, (width) => width)].sort((a, b) => b[1].length - a[1].length || b[0] - a[0]);
  const columns = common[0]?.[0] ?? 0;
  const header = filled.findIndex((count, row) => count > 1 && count >= columns - 1 && (widths[row] ?? 0) >= columns);
  const isTitle = filled.slice(0, header).every((count) => count <= Math.max(1, columns / 2));
  const isHeader = rows[header]?.every((cell) => !isFilled(cell) || typeof cell === 'string');
  return columns > 2 && header <= maxTitleRows && isTitle && isHeader ? header : 0;
}

/** Names for columns whose header lacks some, or has one twice: those it has, made different. */
export function uniqueColumns(header: readonly unknown[]): readonly string[] {
  const taken = new Set<string>();
  return header.map((cell, index) => {
    const base = String(cell ?? '').trim() || `column ${index + 1}`;
    let name = base;
    for (let count = 2; taken.has(name); count += 1) name = `${base} ${count}`;
    taken.add(name);
    return name;
  });
}
