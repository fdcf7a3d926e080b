import { syntaxError, unsupported } from './sql-error.ts';
import { identifierName, stringValue, type Token } from './sql-tokens.ts';

/** Reads a statement token by token; what it does not expect is a syntax error. */
export interface TokenCursor {
  /** The token `ahead` places on, undefined after the end. */
  peek(ahead?: number): Token | undefined;
  /** Whether these words or operators come next, in upper case. */
  looksAt(...texts: readonly string[]): boolean;
  /** Takes them if they come next. */
  accept(...texts: readonly string[]): boolean;
  /** Takes them, or throws. */
  expect(...texts: readonly string[]): void;
  next(): Token;
  string(): string;
  /** A dotted name, at most three parts, each as Snowflake stores it. */
  name(): readonly string[];
  /** Everything not yet read. */
  rest(): Token[];
  /** Throws unless the statement is over. */
  end(): void;
}

export function tokenCursor(tokens: readonly Token[]): TokenCursor {
  let at = 0;
  const peek = (ahead = 0) => tokens[at + ahead];
  const matches = (token: Token | undefined, text: string) =>
    token !== undefined && (token.kind === 'word' || token.kind === 'operator') && token.text.toUpperCase() === text;
  const looksAt = (...texts: readonly string[]) => texts.every((text, ahead) => matches(peek(ahead), text));
  const next = () => {
    const token = tokens[at++];
    if (!token) throw syntaxError('unexpected end of the statement');
    return token;
  };
  const accept = (...texts: readonly string[]) => {
    if (!looksAt(...texts)) return false;
    at += texts.length;
    return true;
  };
  const namePart = () => {
    const token = next();
    if (token.kind !== 'word' && token.kind !== 'quoted') throw syntaxError(`unexpected '${token.text}' for a name`);
    return objectName(token);
  };
  return {
    peek,
    looksAt,
    accept,
    next,
    expect(...texts) {
      if (!accept(...texts)) throw syntaxError(`unexpected '${peek()?.text ?? '<end>'}', expected ${texts.join(' ')}`);
    },
    string() {
      const token = next();
      if (token.kind !== 'string') throw syntaxError(`unexpected '${token.text}', expected a quoted string`);
      return stringValue(token);
    },
    name() {
      const parts = [namePart()];
      while (parts.length < 3 && accept('.')) parts.push(namePart());
      return parts;
    },
    rest: () => tokens.slice(at),
    end() {
      accept(';');
      const token = peek();
      if (token) throw syntaxError(`unexpected '${token.text}'`);
    },
  };
}

/** The name of an object. Names that need their quotes, `"orders"` for one, are kept out of the stand-in. */
function objectName(token: Token): string {
  const name = identifierName(token);
  if (!/^[A-Z_][A-Z0-9_$]*$/.test(name)) throw unsupported(`identifier ${token.text}`, 'Use upper-case names.');
  return name;
}
