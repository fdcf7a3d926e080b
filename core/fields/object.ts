import { ExactNumber } from '../decode/exact-number.ts';
import { type Compiled, describe, type Field, type Fields, type From, Problem, type RecordOf } from './field.ts';
import type { Inferred, InferredField, Samples } from './inferred.ts';
import { compileFields, type FieldReader, type FileFacts, memberJson } from './read.ts';

/** Fields inside an object. Their paths are relative to it. */
export function object<F extends Fields, O extends boolean = false>(
  fields: F,
  options: { readonly from?: From; readonly optional?: O } = {},
): Field<O extends true ? RecordOf<F> | null : RecordOf<F>, 'object'> {
  return {
    kind: 'object',
    from: options.from,
    optional: options.optional === true,
    compile: (depth = 0) => compile(fields, depth),
    snowflakeType: 'OBJECT',
  };
}

const noFile: FileFacts = { key: '', lastModified: '' };

function compile(fields: Fields, depth: number): Compiled {
  const readers = compileFields(fields, undefined, depth + 1);
  const parse = (value: unknown, file = noFile): string | Problem => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof ExactNumber) {
      return new Problem('field.type', `expected an object, found ${describe(value)}`);
    }
    return members(readers, value, file);
  };
  return { attribute: 'raw', parse };
}

function members(readers: readonly FieldReader[], value: object, file: FileFacts): string | Problem {
  const parts: string[] = [];
  for (const reader of readers) {
    const read = reader.read(value, file);
    if (read instanceof Problem) return new Problem(read.code, `in '${reader.name}': ${read.message}`);
    const part = memberJson(reader, read);
    if (part !== undefined) parts.push(part);
  }
  return `{"M":{${parts.join(',')}}}`;
}

/** Names that occur in so small a share of many objects are data, such as days or ids. */
const dictionary = { names: 30, share: 0.3 };

/** Objects with members of their own types, which `inferMembers` finds; none for objects whose names are data. */
export function inferObject(
  samples: Samples,
  inferMembers: (rows: readonly object[], samples: Samples) => readonly InferredField[],
): Inferred | undefined {
  const objects = samples.values.filter(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber),
  );
  if (objects.length < samples.values.length) return undefined;
  const rows = objects as readonly object[];
  const held = rows.reduce((sum, row) => sum + Object.keys(row).length, 0);
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  if (names.size === 0) return undefined;
  if (names.size > dictionary.names && held / rows.length < names.size * dictionary.share) return undefined;
  if ([...names].every((name) => /\d/.test(name) && !/[a-z]{2}/i.test(name))) return undefined;
  const fields = inferMembers(rows, samples);
  if (fields.length === 0) return undefined;
  const told = fields.flatMap(({ name, doubts = [] }) =>
    doubts.map(({ field, message }) => ({ field: field === '' ? name : `${name}.${field}`, message })),
  );
  const lost = names.size - fields.length;
  const doubts = lost === 0 ? told : [...told, { field: '', message: `${lost} of its members fit no type: left out` }];
  return { kind: 'object', fields, ...(doubts.length > 0 && { doubts }) };
}
