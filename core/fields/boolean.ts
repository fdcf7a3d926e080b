import { type Common, type Compiled, describe, type Field, type From, type Maybe, Problem } from './field.ts';

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
