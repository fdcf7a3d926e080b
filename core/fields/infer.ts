import { inferBoolean } from './boolean.ts';
import { buildField } from './build-fields.ts';
import { inferDate } from './date.ts';
import { inferDecimal } from './decimal.ts';
import type { Path } from './field.ts';
import { Problem } from './field.ts';
import { almost } from './infer-almost.ts';
import type { Inferred, InferredField, Samples } from './inferred.ts';
import { inferInteger } from './integer.ts';
import { inferJson } from './json.ts';
import { inferList } from './list.ts';
import { namesIdentity, uniqueName } from './name-words.ts';
import { digitsOf } from './number-text.ts';
import { inferObject } from './object.ts';
import { inferText } from './text.ts';
import { inferTimestamp } from './timestamp.ts';

/** One column or member, with its value in every sampled row: undefined where it is missing. */
export interface SampledMember {
  readonly name: string;
  readonly from: Path;
  readonly values: readonly unknown[];
}

/** What else bears on the types of all members of a file. */
export type FileHints = Pick<Samples, 'typed' | 'monthFirst'>;

/** Deeper objects are kept as JSON: nobody would read such a source. */
const deepest = 8;

/**
 * Finds a field for each member such that it accepts every sampled value: asks the field types in turn, the most
 * special first, and has the one that is found parse them all. Members that nothing can hold, such as numbers of more
 * than 38 digits inside objects, are left out.
 */
export function inferFields(members: readonly SampledMember[], hints: FileHints, depth = 0): readonly InferredField[] {
  const names = new Set<string>();
  return members.flatMap((member) => {
    const found = inferField(member, hints, depth);
    return found ? [{ ...found, name: uniqueName(member.name, names), from: member.from }] : [];
  });
}

function inferField(
  { name, values }: SampledMember,
  hints: FileHints,
  depth: number,
): Omit<InferredField, 'name' | 'from'> | undefined {
  const present = values.filter((value) => value !== null && value !== undefined);
  const filled = present.filter((value) => value !== '');
  const samples = { name, ...hints };
  if (filled.length === 0) {
    const message = `${present.length > 0 ? 'only blanks' : 'no values'}: its type is a guess`;
    return { kind: 'text', optional: present.length < values.length, doubts: [{ field: '', message }] };
  }
  const found = inferType({ ...samples, values: filled, count: filled.length }, depth);
  if (!found) return undefined;
  // Blank is a text like any other, and nothing at all to every other type.
  const known = found.kind === 'text' ? present : filled;
  const optional = known.length < values.length;
  return { ...found, optional };
}

function inferType(samples: Samples, depth: number): Inferred | undefined {
  // A column of many rows often has few different values.
  const different = { ...samples, values: [...new Set(samples.values)] };
  const found = typeOf(different, depth);
  const fits = found && acceptsAll(found, different.values) ? found : (inferJson(different) ?? inferText(different));
  if (fits?.kind !== 'text' && fits?.kind !== 'json') return fits;
  const message = almost(samples, fits.kind, (some) => typeOf(some, depth));
  return message === undefined ? fits : { ...fits, doubts: [{ field: '', message }] };
}

function typeOf(samples: Samples, depth: number): Inferred | undefined {
  const scalar =
    inferBoolean(samples) ??
    inferTimestamp(samples) ??
    inferDate(samples) ??
    inferInteger(samples) ??
    inferDecimal(samples);
  if (scalar) return scalar;
  if (samples.values.every((value) => typeof value === 'string')) return inferText(samples);
  const { typed, monthFirst } = samples;
  const nested =
    depth >= deepest
      ? undefined
      : (inferList(samples, (elements) => inferType(elements, depth + 1)) ??
        inferObject(samples, (rows) => inferFields(membersOf(rows), { typed, monthFirst }, depth + 1)));
  if (nested) return nested;
  // Any JSON when it can be stored; a number that is too long for that is text, and so are ids that are partly numbers.
  const isIdentity = namesIdentity(samples.name);
  const found = (isIdentity ? inferText(samples) : undefined) ?? inferJson(samples) ?? inferText(samples);
  const isNumber = (value: unknown) => digitsOf(value) !== undefined && typeof value !== 'string';
  const message = samples.values.every(isNumber)
    ? 'numbers of more than 38 digits, which fit no field of numbers'
    : 'values of several types';
  return found && { ...found, doubts: [{ field: '', message }] };
}

function acceptsAll(inferred: Inferred, values: readonly unknown[]): boolean {
  const { parse } = buildField(inferred).compile();
  return values.every((value) => !(parse(value) instanceof Problem));
}

/** The members of objects, by name in the order in which they first occur. */
export function membersOf(rows: readonly object[]): readonly SampledMember[] {
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  return [...names].map((name) => ({
    name,
    from: exactPath(name),
    values: rows.map((row) => (Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined)),
  }));
}

/** A path to one member: as segments when its name would be read as a longer path. */
function exactPath(name: string): Path {
  return /^[^.[\]]+$/.test(name) ? name : [name];
}
