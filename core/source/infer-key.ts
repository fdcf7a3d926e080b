import type { Field } from '../fields/field.ts';
import { Problem } from '../fields/field.ts';
import type { InferredField } from '../fields/inferred.ts';
import { namesIdentity, wordsOf } from '../fields/name-words.ts';
import { compileFields, type FieldReader } from '../fields/read.ts';

/** Rows of one file, and how its cells are called if it is delimited text. */
export interface SampledFile {
  readonly rows: readonly unknown[];
  readonly columns?: readonly string[];
  /** The file's own time: a version may lie a day after it at most. */
  readonly lastModifiedMs: number;
}

export interface FoundKey {
  readonly key: readonly string[];
  /** How sure that is, in a sentence. */
  readonly why: string;
}

const noFile = { key: '', lastModified: '' };

/** Fewer rows prove nothing. */
const enoughRows = 20;

/**
 * The field, or the smallest pair of fields, that no two rows of one file share and that every row has; or a field like
 * an id that some rows share where a version tells which of them is newer. One file after the other, because the next
 * one may bring the same records again.
 */
export function findKey(
  inferred: readonly InferredField[],
  fields: Readonly<Record<string, Field<unknown>>>,
  files: readonly SampledFile[],
  entity: string,
): FoundKey {
  const rows = files.reduce((sum, file) => sum + file.rows.length, 0);
  const candidates = inferred
    .filter(({ kind }) => ['text', 'integer', 'date', 'timestamp'].includes(kind))
    .map((field, place) => ({ field, score: scoreOf(field, place, entity) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, 12)
    .map(({ field, score }) => candidateOf(field, score, valuesOf(field, fields, files)));
  const whole = candidates.filter(({ without }) => without === 0);
  const few = rows < enoughRows ? `, but ${rows} ${rows === 1 ? 'row proves' : 'rows prove'} little` : '';
  const single = whole.find(({ isSingle, shared }) => isSingle && shared === 0);
  if (single) return { key: [single.name], why: `in every row, and no two rows of a file share it${few}` };
  const version = findVersion(inferred, fields, files);
  const repeated = whole.find(({ isSingle, shared }) => isSingle && shared <= rows / 2);
  if (repeated && version !== undefined)
    return {
      key: [repeated.name],
      why: `${repeated.shared} of ${rows} rows repeat one; ${version} says which is newer`,
    };
  const pair = findPair(whole);
  if (pair) return { key: pair, why: `the two together are unique in a file${few}` };
  const nearest = candidates.find(({ isSingle }) => isSingle);
  if (!nearest) return { key: [], why: 'no field is named like an id' };
  const lacking = `${nearest.name} would be, but ${nearest.without} of ${rows} rows lack it`;
  return {
    key: [],
    why: nearest.without > 0 ? lacking : `${nearest.name} is repeated in ${nearest.shared} of ${rows} rows`,
  };
}

interface Candidate {
  readonly name: string;
  /** May be a key alone. */
  readonly isSingle: boolean;
  readonly values: readonly (readonly string[])[];
  /** Rows that lack it. */
  readonly without: number;
  /** Rows that have one that a row before them in the file has. */
  readonly shared: number;
}

function candidateOf({ name, optional }: InferredField, score: number, values: Candidate['values']): Candidate {
  const all = values.flat(1);
  const without = all.filter((text) => text === '').length;
  const shared = values.reduce((sum, file) => sum + file.length - new Set(file).size, 0);
  return { name, isSingle: score >= 10, values, without: optional ? Math.max(1, without) : without, shared };
}

function findPair(candidates: readonly Candidate[]): readonly string[] | undefined {
  for (const [index, a] of candidates.entries()) {
    for (const b of candidates.slice(index + 1)) {
      if (!a.isSingle && !b.isSingle) continue;
      const pairs = a.values.map((file, at) => file.map((text, row) => JSON.stringify([text, b.values[at]?.[row]])));
      if (pairs.every((file) => new Set(file).size === file.length)) return [a.name, b.name];
    }
  }
  return undefined;
}

/** 10 and more: may be a key alone; below: may be one together with such a field; 0: may not. */
function scoreOf({ name, kind }: InferredField, place: number, entity: string): number {
  const words = wordsOf(name);
  const early = Math.max(0, 5 - place / 10);
  if (kind === 'date' || kind === 'timestamp') return 1 + early / 10;
  if (/^(line|position|pos|item|seq|sequence|index|row|version|revision|rev|type|kind)$/.test(words.at(-1) ?? ''))
    return 5 + early / 10;
  if (!namesIdentity(name)) return 0;
  if (words.length === 1 && /^(id|uuid|guid|key|pk)$/.test(words[0] ?? '')) return 40 + early;
  const ofEntity = entity.split('-').some((word) => words.join('').startsWith(word));
  const isId = /^(id|uuid|guid|key|pk)$/.test(words.at(-1) ?? '') || /(id|uuid)$/.test(words.at(-1) ?? '');
  return (isId ? 20 : 15) + (ofEntity ? 15 : 0) + early;
}

/** The canonical texts of a field, file by file. */
function valuesOf(
  { name }: InferredField,
  fields: Readonly<Record<string, Field<unknown>>>,
  files: readonly SampledFile[],
): readonly (readonly string[])[] {
  const field = fields[name];
  if (!field) return [];
  return files.map(({ rows, columns }) => {
    const [reader] = compileFields({ [name]: field }, columns);
    return rows.map((row) => textOf(reader, row));
  });
}

function textOf(reader: FieldReader | undefined, row: unknown): string {
  const read = reader?.read(row, noFile);
  return read === undefined || read === null || read instanceof Problem ? '' : read;
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * The field that says which of two rows is newer: a time of change, or a number of versions, that every row has and
 * none later than a day after its file. Undefined when there is none: then the file's own time counts.
 */
export function findVersion(
  inferred: readonly InferredField[],
  fields: Readonly<Record<string, Field<unknown>>>,
  files: readonly SampledFile[],
): string | undefined {
  const candidates = inferred
    .filter(({ optional }) => !optional)
    .map((field) => ({ field, score: versionScore(field) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score);
  return candidates.find(({ field }) => isInTime(field, fields, files))?.field.name;
}

function versionScore({ name, kind }: InferredField): number {
  const words = wordsOf(name);
  const has = (pattern: RegExp) => words.some((word) => pattern.test(word));
  const times = kind === 'timestamp' ? 1 : kind === 'date' ? 0.5 : 0;
  if (times > 0) {
    if (has(/^(updated|modified|changed|change|update|lastupdated|lastmodified|lastchange|mtime|mod)$/))
      return 4 * times;
    return has(/^(version|ts|timestamp|asof|snapshot|extracted|exported)$/) ? 2 * times : 0;
  }
  return kind === 'integer' && has(/^(version|revision|rev)$/) ? 3 : 0;
}

function isInTime(
  field: InferredField,
  fields: Readonly<Record<string, Field<unknown>>>,
  files: readonly SampledFile[],
): boolean {
  if (field.kind === 'integer') return true;
  const texts = valuesOf(field, fields, files);
  return files.every(({ lastModifiedMs }, index) => {
    const latest = new Date(lastModifiedMs + dayMs).toISOString();
    return texts[index]?.every((text) => text !== '' && text < latest);
  });
}
