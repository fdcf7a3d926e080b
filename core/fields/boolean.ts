import { type Common, type Compiled, describe, type Field, type From, type Maybe, Problem } from './field.ts';
import type { Inferred, Samples } from './inferred.ts';
import { namesFlag } from './name-words.ts';

export interface BooleanOptions {
  /** Spellings of true, compared without regard to case. Default: true, 1. */
  readonly yes?: readonly string[];
  /** Spellings of false, compared without regard to case. Default: false, 0. */
  readonly no?: readonly string[];
}

/** True or false, from JSON or from the spellings given. */
export function boolean<O extends boolean = false, D extends boolean | undefined = undefined>(
  from?: From,
  options: Common<O, D> & BooleanOptions = {},
): Field<Maybe<boolean, O, D>, 'boolean'> {
  return {
    kind: 'boolean',
    from,
    optional: options.optional === true,
    default:
      options.default === undefined
        ? undefined
        : options.default
          ? (options.yes?.[0] ?? 'true')
          : (options.no?.[0] ?? 'false'),
    compile: () => compile(options),
    snowflakeType: 'BOOLEAN',
  };
}

function compile({ yes = ['true', '1'], no = ['false', '0'] }: BooleanOptions): Compiled {
  const spellings = new Map([
    ...no.map((each) => [each.toLowerCase(), 'false'] as const),
    ...yes.map((each) => [each.toLowerCase(), 'true'] as const),
  ]);
  const parse = (value: unknown): string | Problem => {
    if (typeof value === 'boolean') return value ? 'true' : 'false';
    const spelling =
      typeof value === 'string' || typeof value === 'number'
        ? spellings.get(String(value).trim().toLowerCase())
        : undefined;
    return (
      spelling ?? new Problem('field.type', `expected one of ${[...yes, ...no].join(', ')}, found ${describe(value)}`)
    );
  };
  return { attribute: 'BOOL', parse };
}

/** How people spell true and false. */
const spellings = [
  ['yes', 'no'],
  ['y', 'n'],
  ['t', 'f'],
  ['on', 'off'],
  ['ja', 'nein'],
  ['ja', 'nee'],
  ['oui', 'non'],
  ['si', 'no'],
  ['sí', 'no'],
  ['sim', 'não'],
  ['sim', 'nao'],
  ['s', 'n'],
  ['tak', 'nie'],
  ['да', 'нет'],
  ['はい', 'いいえ'],
  ['1', '0'],
] as const;

/**
 * True and false as JSON has them or spelt out; other pairs of words only when both occur, and pairs that may be numbers
 * or letters like any other only under a name such as `is_active`.
 */
export function inferBoolean({ name, values }: Samples): Inferred | undefined {
  const found = new Set(values.map((value) => (typeof value === 'string' ? value.trim() : value)));
  if (found.size > 6 || [...found].some((value) => typeof value === 'object')) return undefined;
  const texts = [...found].map((value) => String(value).toLowerCase());
  if (texts.some((text) => text === 'true' || text === 'false')) {
    const { parse } = compile({});
    return values.every((value) => typeof parse(value) === 'string') ? { kind: 'boolean' } : undefined;
  }
  const isFlag = namesFlag(name);
  const pair = spellings.find(
    ([yes, no]) =>
      texts.every((text) => text === yes || text === no) &&
      (isFlag || (texts.includes(yes) && texts.includes(no) && !['1', 's'].includes(yes))),
  );
  if (!pair) return undefined;
  if (pair[0] === '1') return { kind: 'boolean' };
  const spelt = (word: string) => [...found].map(String).find((text) => text.toLowerCase() === word) ?? word;
  const [yes, no] = [spelt(pair[0]), spelt(pair[1])];
  const doubts = [{ field: '', message: `${yes} and ${no}: any other spelling would go to quarantine` }];
  return { kind: 'boolean', options: { yes: [yes], no: [no] }, doubts };
}
