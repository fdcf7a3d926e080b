import { syntaxError } from './sql-error.ts';

export type TokenKind = 'word' | 'quoted' | 'string' | 'number' | 'operator' | 'space' | 'comment';

export interface Token {
  readonly kind: TokenKind;
  /** Exactly the characters of the statement: the tokens' texts joined are the statement again. */
  readonly text: string;
}

/** Longest first; anything else is an operator of one character. */
const OPERATORS = ['::', '=>', '->', '<=', '>=', '<>', '!=', '||', ':='] as const;
const SPACE = /[\s\u00a0]+/y;
const WORD = /[\p{L}_][\p{L}\p{N}_$]*/uy;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const LINE_COMMENT = /(?:--|\/\/)[^\n]*/y;
const BLOCK_COMMENT = /\/\*[\s\S]*?\*\//y;
/** A backslash escapes inside single quotes, and a doubled quote is one quote (Snowflake docs: String & binary data types). */
const STRING = /'(?:[^'\\]|\\[\s\S]|'')*'/y;
const DOLLAR_STRING = /\$\$[\s\S]*?\$\$/y;
/** No escapes here: a backslash is a character, a doubled quote is one quote (Snowflake docs: Identifier requirements). */
const QUOTED = /"(?:[^"]|"")*"/y;

/** In the order they are tried. Comments go before operators, or `--` would be two minuses. */
const RULES: readonly (readonly [TokenKind, RegExp])[] = [
  ['space', SPACE],
  ['comment', LINE_COMMENT],
  ['comment', BLOCK_COMMENT],
  ['string', STRING],
  ['string', DOLLAR_STRING],
  ['quoted', QUOTED],
  ['number', NUMBER],
  ['word', WORD],
];

/** Splits a statement without losing a character. Throws a syntax error for a quote or comment that never closes. */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < sql.length) {
    const token = tokenAt(sql, at);
    tokens.push(token);
    at += token.text.length;
  }
  return tokens;
}

function tokenAt(sql: string, at: number): Token {
  for (const [kind, rule] of RULES) {
    rule.lastIndex = at;
    const text = rule.exec(sql)?.[0];
    if (text) return { kind, text };
  }
  const start = sql.slice(at, at + 2);
  if (start[0] === "'" || start[0] === '"' || start === '$$' || start === '/*')
    throw syntaxError(`${start[0] === '/' ? 'comment' : 'quote'} opened at position ${at} is never closed`);
  const operator = OPERATORS.find((each) => each === start);
  // A whole code point, so that a character outside the basic plane is not torn apart.
  return { kind: 'operator', text: operator ?? String.fromCodePoint(sql.codePointAt(at) ?? 0) };
}

/** What a statement means by its tokens: without spaces and comments. */
export function significant(tokens: readonly Token[]): Token[] {
  return tokens.filter(({ kind }) => kind !== 'space' && kind !== 'comment');
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', 0: '\0' };

/** The characters that a string token stands for. */
export function stringValue({ text }: Token): string {
  if (text.startsWith('$$')) return text.slice(2, -2);
  return text
    .slice(1, -1)
    .replace(/\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\([\s\S])|''/g, (match, unicode, hex, escaped) => {
      if (match === "''") return "'";
      if (unicode ?? hex) return String.fromCharCode(Number.parseInt(unicode ?? hex, 16));
      return ESCAPES[escaped] ?? escaped;
    });
}

/** The name an identifier token stands for: upper-case unless quoted. */
export function identifierName({ kind, text }: Token): string {
  return kind === 'quoted' ? text.slice(1, -1).replaceAll('""', '"') : text.toUpperCase();
}
