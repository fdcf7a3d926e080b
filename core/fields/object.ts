import { ExactNumber } from '../decode/exact-number.ts';
import { type Compiled, describe, type Field, type Fields, type From, Problem, type RecordOf } from './field.ts';
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
