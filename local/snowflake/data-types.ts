import { syntaxError, unsupported } from './sql-error.ts';
import type { Token } from './sql-tokens.ts';

/** A Snowflake type and the DuckDB type that stands in for it. */
export interface DataType {
  /** As Snowflake writes it: `NUMBER(38,0)`, `VARCHAR`, `VARIANT`, … */
  readonly name: string;
  readonly duckdb: string;
}

/**
 * Both timestamps with a zone are instants here: DuckDB keeps neither the offset of TIMESTAMP_TZ nor digits below the
 * microsecond, and results show either in the session's zone, UTC. VARIANT is JSON text (see number-text.ts).
 */
const PLAIN: Readonly<Record<string, DataType>> = {
  BOOLEAN: { name: 'BOOLEAN', duckdb: 'BOOLEAN' },
  DATE: { name: 'DATE', duckdb: 'DATE' },
  FLOAT: { name: 'FLOAT', duckdb: 'DOUBLE' },
  DOUBLE: { name: 'FLOAT', duckdb: 'DOUBLE' },
  REAL: { name: 'FLOAT', duckdb: 'DOUBLE' },
  VARIANT: { name: 'VARIANT', duckdb: 'JSON' },
};
const TEXTS = new Set(['VARCHAR', 'STRING', 'TEXT', 'CHAR', 'CHARACTER']);
const INTEGERS = new Set(['INT', 'INTEGER', 'BIGINT', 'SMALLINT', 'TINYINT', 'BYTEINT']);
const DECIMALS = new Set(['NUMBER', 'DECIMAL', 'NUMERIC']);
const TIMESTAMPS: Readonly<Record<string, DataType>> = {
  TIMESTAMP_NTZ: { name: 'TIMESTAMP_NTZ', duckdb: 'TIMESTAMP' },
  TIMESTAMP: { name: 'TIMESTAMP_NTZ', duckdb: 'TIMESTAMP' },
  DATETIME: { name: 'TIMESTAMP_NTZ', duckdb: 'TIMESTAMP' },
  TIMESTAMP_LTZ: { name: 'TIMESTAMP_LTZ', duckdb: 'TIMESTAMPTZ' },
  TIMESTAMP_TZ: { name: 'TIMESTAMP_TZ', duckdb: 'TIMESTAMPTZ' },
};

/** Reads the type that begins at a token; `length` is how many tokens it takes. */
export function parseType(tokens: readonly Token[], at: number): DataType & { readonly length: number } {
  const word = tokens[at]?.kind === 'word' ? (tokens[at]?.text.toUpperCase() ?? '') : '';
  const { values, length } = parameters(tokens, at + 1);
  const found = typeOf(word, values);
  if (!found) throw word === '' ? syntaxError('expected a data type') : unsupported(`data type ${word}`);
  return { ...found, length: 1 + length };
}

function typeOf(word: string, [first, second]: readonly number[]): DataType | undefined {
  if (TEXTS.has(word)) return { name: 'VARCHAR', duckdb: 'VARCHAR' };
  // Bare NUMBER is NUMBER(38,0): decimals are rounded away (Snowflake docs: Numeric data types).
  if (INTEGERS.has(word)) return decimal(38, 0);
  if (DECIMALS.has(word)) return decimal(first ?? 38, second ?? 0);
  return TIMESTAMPS[word] ?? (first === undefined ? PLAIN[word] : undefined);
}

function decimal(precision: number, scale: number): DataType {
  if (precision < 1 || precision > 38 || scale < 0 || scale > Math.min(37, precision))
    throw syntaxError(`invalid precision or scale in NUMBER(${precision},${scale})`);
  return { name: `NUMBER(${precision},${scale})`, duckdb: `DECIMAL(${precision},${scale})` };
}

/** The numbers in parentheses after a type's name. */
function parameters(tokens: readonly Token[], at: number): { values: number[]; length: number } {
  if (tokens[at]?.text !== '(') return { values: [], length: 0 };
  const values: number[] = [];
  for (let index = at + 1; index < tokens.length; index++) {
    const token = tokens[index];
    if (token?.text === ')') return { values, length: index - at + 1 };
    if (token?.kind === 'number') values.push(Number(token.text));
    else if (token?.text !== ',') break;
  }
  throw syntaxError('malformed data type parameters');
}
