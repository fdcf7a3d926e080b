import { parseIso } from './calendar.ts';
import { type Common, type Compiled, describe, type Field, type From, type Maybe, Problem } from './field.ts';
import { findDayFormat } from './infer-times.ts';
import type { Inferred, Samples } from './inferred.ts';
import { compileFormats } from './time-format.ts';

/** A calendar day, `2026-03-01`. */
export type Day = string & { readonly day?: never };

export interface DateOptions {
  /**
   * How the text is written, such as `dd.MM.yyyy` or `MMM dd, yyyy`; of several the first that fits. Default: ISO, with
   * or without a time that is then ignored.
   */
  readonly format?: string | readonly string[];
}

/** A calendar day without a time zone. */
export function date<O extends boolean = false, D extends Day | undefined = undefined>(
  from?: From,
  options: Common<O, D> & DateOptions = {},
): Field<Maybe<Day, O, D>, 'date'> {
  return {
    kind: 'date',
    from,
    optional: options.optional === true,
    default: options.default,
    compile: () => compile(options),
    snowflakeType: 'DATE',
  };
}

function compile({ format }: DateOptions): Compiled {
  const read = format === undefined ? parseIso : compileFormats(format);
  const expected =
    format === undefined ? 'a date such as 2026-03-01' : `a date written as ${[format].flat().join(' or ')}`;
  const parse = (value: unknown): string | Problem => {
    const parts = typeof value === 'string' ? read(value.trim()) : undefined;
    if (!parts) return new Problem('field.type', `expected ${expected}, found ${describe(value)}`);
    const two = (number: number) => String(number).padStart(2, '0');
    return `${String(parts.year).padStart(4, '0')}-${two(parts.month)}-${two(parts.day)}`;
  };
  return { attribute: 'S', parse };
}

/** Texts that are days without a time, as ISO or one local format has them. */
export function inferDate(samples: Samples): Inferred | undefined {
  const { parse } = compile({});
  const isIso = (value: unknown) => typeof value === 'string' && value.trim().length === 10;
  if (samples.values.every((value) => isIso(value) && typeof parse(value) === 'string')) return { kind: 'date' };
  const found = findDayFormat(samples);
  if (!found) return undefined;
  const doubts = found.doubt === undefined ? undefined : [{ field: '', message: found.doubt }];
  return { kind: 'date', options: { format: found.format }, ...(doubts && { doubts }) };
}
