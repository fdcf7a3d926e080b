import { compileFormat, parseIso } from './calendar.ts';
import { type Common, type Compiled, describe, type Field, type From, type Maybe, Problem } from './field.ts';

/** A calendar day, `2026-03-01`. */
export type Day = string & { readonly day?: never };

export interface DateOptions {
  /** How the text is written, such as `dd.MM.yyyy`. Default: ISO, with or without a time that is then ignored. */
  readonly format?: string;
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
  const read = format === undefined ? parseIso : compileFormat(format);
  const expected = format === undefined ? 'a date such as 2026-03-01' : `a date written as ${format}`;
  const parse = (value: unknown): string | Problem => {
    const parts = typeof value === 'string' ? read(value.trim()) : undefined;
    if (!parts) return new Problem('field.type', `expected ${expected}, found ${describe(value)}`);
    const two = (number: number) => String(number).padStart(2, '0');
    return `${String(parts.year).padStart(4, '0')}-${two(parts.month)}-${two(parts.day)}`;
  };
  return { attribute: 'S', parse };
}
