import type { DataType } from './data-types.ts';
import { duckString } from './engine.ts';
import { unsupported } from './sql-error.ts';
import { stringValue, type Token } from './sql-tokens.ts';

export interface VariantPath {
  /** Members by name, array elements by index. */
  readonly elements: readonly (string | number)[];
  /** How many tokens it takes, the colon included; 0 when there is no path here. */
  readonly length: number;
}

/**
 * Reads the path that begins at a token: `:a.b[0]."x y"['z']`. Member names are case-sensitive, quoted or not
 * (Snowflake docs: Query semi-structured data). A single colon begins one; `::` is another token.
 */
export function parsePath(tokens: readonly Token[], at: number): VariantPath {
  if (tokens[at]?.text !== ':') return { elements: [], length: 0 };
  const elements: (string | number)[] = [member(tokens[at + 1])];
  let index = at + 2;
  for (;;) {
    if (tokens[index]?.text === '.') {
      elements.push(member(tokens[index + 1]));
      index += 2;
    } else if (tokens[index]?.text === '[' && tokens[index + 2]?.text === ']') {
      elements.push(subscript(tokens[index + 1]));
      index += 3;
    } else return { elements, length: index - at };
  }
}

function member(token: Token | undefined): string {
  if (token?.kind === 'word') return token.text;
  if (token?.kind === 'quoted') return token.text.slice(1, -1).replaceAll('""', '"');
  throw unsupported(
    `path element ${token?.text ?? 'at the end'}`,
    "A path is names, quoted names and [n] or ['name'].",
  );
}

function subscript(token: Token | undefined): string | number {
  if (token?.kind === 'number' && /^\d+$/.test(token.text)) return Number(token.text);
  if (token?.kind === 'string') return stringValue(token);
  throw unsupported(`subscript [${token?.text}]`, 'A subscript is a whole number or a quoted name.');
}

/** DuckDB SQL for the VARIANT at a path: SQL NULL where there is nothing, JSON null where the document says null. */
export function extraction(column: string, elements: readonly (string | number)[]): string {
  let sql = column;
  let path = '$';
  const close = () => {
    if (path !== '$') sql = `json_extract(${sql}, ${duckString(path)})`;
    path = '$';
  };
  for (const element of elements) {
    if (typeof element === 'number') path += `[${element}]`;
    else if (!/["\\*]/.test(element)) path += `."${element}"`;
    else {
      // DuckDB takes even a quoted asterisk in a path for a wildcard; a JSON pointer has none.
      close();
      sql = `json_extract(${sql}, ${duckString(`/${element.replaceAll('~', '~0').replaceAll('/', '~1')}`)})`;
    }
  }
  close();
  return sql;
}

/** DuckDB SQL for a VARIANT cast to a type. JSON null becomes SQL NULL; a number reaches NUMBER digit by digit. */
export function variantCast(variant: string, type: DataType): string {
  if (type.name === 'VARIANT') return variant;
  if (type.name === 'VARCHAR') return `variant_text(${variant})`;
  // A wall clock: the offset in the text is dropped, not converted (Snowflake docs: Date & time data types).
  if (type.name === 'TIMESTAMP_NTZ') return `variant_ntz(${variant})`;
  return `CAST(variant_text(${variant}) AS ${type.duckdb})`;
}
