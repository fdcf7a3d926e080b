import { SqlError } from './sql-error.ts';

/** DuckDB's classes of error, and what Snowflake says to the same mistake. */
const CLASSES: readonly (readonly [RegExp, string, string, string])[] = [
  [/^Conversion Error/, '100038', '22018', ''],
  [/^Out of Range Error/, '100039', '22003', ''],
  [/^Invalid Input Error/, '100038', '22018', ''],
  [/^Parser Error/, '001003', '42000', 'SQL compilation error: '],
  [/^Catalog Error/, '002003', '42S02', 'SQL compilation error: '],
  [/^Binder Error/, '000904', '42000', 'SQL compilation error: '],
  [/^Constraint Error/, '100072', '22000', ''],
];

/** An error of DuckDB in Snowflake's clothes. Only its first line: the rest quotes the translated statement. */
export function engineError(error: unknown): SqlError {
  const message = error instanceof Error ? error.message : String(error);
  const [line = ''] = message.split('\n');
  const column =
    /^Binder Error: .*?[Cc]olumn "?([^"\s]+)"? (?:not found|that)|Referenced column "([^"]+)" not found/.exec(line);
  const invalid = column?.[1] ?? column?.[2];
  if (invalid)
    return new SqlError('000904', '42000', `SQL compilation error: invalid identifier '${invalid.toUpperCase()}'.`);
  const [, code, state, prefix] = CLASSES.find(([pattern]) => pattern.test(line)) ?? [/^/, '000603', 'XX000', ''];
  return new SqlError(code, state, `${prefix}${line.replace(/^[A-Z][A-Za-z ]+ Error: /, '')}`);
}
