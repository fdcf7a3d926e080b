import { buildFields } from '../fields/build-fields.ts';
import { inferFields, membersOf, type SampledMember } from '../fields/infer.ts';
import { monthBeforeDay } from '../fields/infer-times.ts';
import type { Doubt, InferredField } from '../fields/inferred.ts';
import { findKey, findVersion, type SampledFile } from './infer-key.ts';

/** What a source could say about the rows of sampled files. */
export interface InferredSource {
  readonly fields: readonly InferredField[];
  readonly key: readonly string[];
  readonly version: string | undefined;
  /** Why that key, or none. */
  readonly keyReason: string;
  readonly doubts: readonly Doubt[];
  /** Columns that no field type can hold. */
  readonly leftOut: readonly string[];
}

/**
 * Finds fields, key and version such that every sampled row becomes a record. `numbered`: the columns have no names, and
 * fields read them by number. Files that differ in their columns give fields for all of them.
 */
export function inferSource(files: readonly SampledFile[], entity: string, numbered = false): InferredSource {
  const members = files.some(({ columns }) => columns) ? cellMembers(files, numbered) : membersOf(rowsOf(files));
  const values = members.flatMap((member) => member.values);
  const typed = values.some((value) => value !== undefined && value !== null && typeof value !== 'string');
  const inferred = inferFields(members, { typed, monthFirst: monthFirst(members, typed) });
  const built = buildFields(inferred);
  const found = findKey(inferred, built, files, entity);
  const known = new Set(inferred.map(({ from }) => JSON.stringify(from)));
  return {
    fields: inferred,
    key: found.key,
    version: found.key.length > 0 ? findVersion(inferred, built, files) : undefined,
    keyReason: found.why,
    doubts: inferred.flatMap(({ name, doubts = [] }) =>
      doubts.map(({ field, message }) => ({ field: field === '' ? name : `${name}.${field}`, message })),
    ),
    leftOut: members.filter(({ from }) => !known.has(JSON.stringify(from))).map(({ name }) => name),
  };
}

function rowsOf(files: readonly SampledFile[]): readonly object[] {
  return files.flatMap(({ rows }) => rows as readonly object[]);
}

/** The columns of delimited text, those of all files together. */
function cellMembers(files: readonly SampledFile[], numbered: boolean): readonly SampledMember[] {
  const names = new Set(files.flatMap(({ columns = [] }) => columns));
  return [...names].map((name) => ({
    name: numbered ? `c${Number(name) + 1}` : name,
    from: numbered ? Number(name) : name,
    values: files.flatMap(({ rows, columns = [] }) => {
      const index = columns.indexOf(name);
      return rows.map((row) => (index < 0 ? undefined : (row as readonly unknown[])[index]));
    }),
  }));
}

/** What one column with a day above the 12th tells about all of them. */
function monthFirst(members: readonly SampledMember[], typed: boolean): boolean | undefined {
  const told = members.map(({ name, values }) => {
    const filled = values.filter((value) => typeof value === 'string' && value !== '');
    return filled.length === 0 ? undefined : monthBeforeDay({ name, values: filled, typed, monthFirst: undefined });
  });
  return told.includes(true) ? true : told.includes(false) ? false : undefined;
}
