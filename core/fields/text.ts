import { ExactNumber } from '../decode/exact-number.ts';
import { type Common, type Compiled, describe, type Field, type From, type Maybe, Problem } from './field.ts';
import type { Inferred, Samples } from './inferred.ts';

export interface TextOptions<V extends string> {
  /** The only values accepted, after `trim` and `map`. */
  readonly oneOf?: readonly V[];
  /** Other spellings of a value: `{ cxl: 'cancelled' }`. What is not named stays as it is. */
  readonly map?: Readonly<Record<string, NoInfer<V>>>;
  /** Remove white space at both ends first. */
  readonly trim?: boolean;
  readonly pattern?: RegExp;
  /** Most UTF-16 code units accepted, inclusive. */
  readonly maxLength?: number;
}

/** Text. A number or a boolean is taken as it is written. */
export function text<const V extends string = string, O extends boolean = false, D extends V | undefined = undefined>(
  from?: From,
  options: Common<O, D> & TextOptions<V> = {},
): Field<Maybe<V, O, D>, 'text'> {
  return {
    kind: 'text',
    from,
    optional: options.optional === true,
    default: options.default,
    compile: () => compile(options),
    snowflakeType: 'VARCHAR',
  };
}

function compile({ oneOf, map, trim, pattern, maxLength }: TextOptions<string>): Compiled {
  const spellings = map && new Map(Object.entries(map));
  const allowed = oneOf && new Set<string>(oneOf);
  const matcher = pattern && new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ''));
  const constrained = spellings || allowed || matcher || trim || maxLength !== undefined;
  const parse = (value: unknown): string | Problem => {
    let text = typeof value === 'string' ? value : scalarText(value);
    if (text === undefined) return new Problem('field.type', `expected text, found ${describe(value)}`);
    if (!text.isWellFormed())
      return new Problem('field.unicode', 'expected text in Unicode, found half a surrogate pair');
    if (!constrained) return text;
    if (trim) text = text.trim();
    text = spellings?.get(text) ?? text;
    if (allowed && !allowed.has(text)) {
      return new Problem(
        'field.oneOf',
        `expected one of ${oneOf?.join(', ')}, found ${describe(text)} that is none of them`,
      );
    }
    if (matcher && !matcher.test(text)) return new Problem('field.pattern', `expected text that matches ${matcher}`);
    if (maxLength !== undefined && text.length > maxLength) {
      return new Problem('field.length', `expected text of at most ${maxLength} characters, found ${text.length}`);
    }
    return text;
  };
  return { attribute: 'S', parse };
}

function scalarText(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return value instanceof ExactNumber ? value.text : undefined;
}

/** Commas that may part thousands, or the fraction. */
const thousands = /^[+-]?[1-9]\d{0,2},\d{3}$/;

/** At most so many different values, each on average so often, are a list of choices. */
const choices = { most: 12, repeats: 20 };

/** Text, whatever it holds, and numbers as they are written. Choices are told, not enforced: a sample may lack some. */
export function inferText({ values, count = values.length }: Samples): Inferred | undefined {
  const { parse } = compile({});
  if (!values.every((value) => typeof parse(value) === 'string')) return undefined;
  const different = new Set(values).size;
  const isChoice = different > 1 && different <= choices.most && count >= different * choices.repeats;
  const isOpen = values.every((value) => typeof value === 'string' && thousands.test(value.trim()));
  const message = isOpen
    ? 'kept as text: decimal with comma: true if the comma is a decimal one, with grouped: true if it parts thousands'
    : 'few different values: oneOf: [...] would keep others out';
  return { kind: 'text', ...((isChoice || isOpen) && { doubts: [{ field: '', message }] }) };
}
