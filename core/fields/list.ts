import { attributeJson, type Compiled, describe, type Field, type From, Problem, type ValueOf } from './field.ts';
import type { Inferred, Samples } from './inferred.ts';

/** A list of values of one type: `list(text())`, `list(object({ … }))`. */
export function list<F extends Field<unknown>, O extends boolean = false>(
  of: F,
  options: { readonly from?: From; readonly optional?: O } = {},
): Field<O extends true ? readonly ValueOf<F>[] | null : readonly ValueOf<F>[], 'list'> {
  return {
    kind: 'list',
    from: options.from,
    optional: options.optional === true,
    compile: (depth = 0) => compile(of, depth),
    snowflakeType: 'ARRAY',
  };
}

function compile(of: Field<unknown>, depth: number): Compiled {
  const { attribute, parse } = of.compile(depth + 1);
  return {
    attribute: 'raw',
    parse: (value, file) => {
      if (!Array.isArray(value)) return new Problem('field.type', `expected a list, found ${describe(value)}`);
      const parts: string[] = [];
      for (const [index, element] of value.entries()) {
        const read = element === null && of.optional ? null : parse(element, file);
        if (read instanceof Problem) return new Problem(read.code, `in element ${index}: ${read.message}`);
        parts.push(read === null ? '{"NULL":true}' : attributeJson(attribute, read));
      }
      return `{"L":[${parts.join(',')}]}`;
    },
  };
}

/** Lists whose elements `inferElement` finds one type for. */
export function inferList(
  samples: Samples,
  inferElement: (samples: Samples) => Inferred | undefined,
): Inferred | undefined {
  if (!samples.values.every((value) => Array.isArray(value))) return undefined;
  const elements = samples.values.flat(1);
  const values = elements.filter((element) => element !== null && element !== undefined);
  const of = values.length === 0 ? undefined : inferElement({ ...samples, values, count: values.length });
  if (!of) {
    const doubts = [{ field: '', message: 'lists without an element that tells their type' }];
    return { kind: 'list', of: { kind: 'json', optional: true }, ...(values.length === 0 && { doubts }) };
  }
  const optional = values.length < elements.length;
  return { kind: 'list', of: { ...of, optional }, ...(of.doubts && { doubts: of.doubts }) };
}
