import { identifierName, type Token } from './sql-tokens.ts';
import { parsePath } from './variant-paths.ts';
import { BEFORE_PARENTHESIS, NO_ALIAS } from './vocabulary.ts';

/** A token as part of a column's name. */
export function upperText({ kind, text }: Token): string {
  return kind === 'string' || kind === 'quoted' ? text : text.toUpperCase();
}

/** Whether a select item is a plain column or carries an alias. */
export function hasName(item: readonly Token[]): boolean {
  const last = item.at(-1);
  const before = item.at(-2);
  if (last?.text === '*' || item.some((token) => token.text.toUpperCase() === 'EXCLUDE')) return true;
  if (item.every(({ kind, text }) => kind === 'word' || kind === 'quoted' || text === '.')) {
    if (!NO_ALIAS.has(last?.text.toUpperCase() ?? '')) return true;
  }
  if (last?.kind !== 'word' && last?.kind !== 'quoted') return false;
  if (before?.text.toUpperCase() === 'AS') return true;
  return before?.kind !== 'operator' || before.text === ')' || before.text === ']'
    ? !NO_ALIAS.has(last.text.toUpperCase()) && before !== undefined
    : false;
}

/** Names given to paths without a cast: columns of type VARIANT to the rest of the query. */
export function aliasesOfPaths(tokens: readonly Token[]): string[] {
  return tokens.flatMap((token, at) => {
    if (token.text !== ':') return [];
    const end = at + parsePath(tokens, at).length;
    const alias = tokens[end]?.text.toUpperCase() === 'AS' ? tokens[end + 1] : undefined;
    return alias ? [identifierName(alias)] : [];
  });
}

/** Whether what comes next is a name the query gives out: behind AS, a parenthesis, or a name. */
function isAliasPlace(before: Token | undefined): boolean {
  const word = before?.text.toUpperCase() ?? '';
  return word === 'AS' || word === ')' || (before?.kind === 'word' && !BEFORE_PARENTHESIS.has(word));
}

/** Quoted names that the query itself gives out. */
export function aliases(tokens: readonly Token[]): ReadonlySet<string> {
  return new Set(
    tokens.flatMap((token, at) => {
      const before = tokens[at - 1];
      const named = isAliasPlace(before);
      return token.kind === 'quoted' && named ? [identifierName(token)] : [];
    }),
  );
}

/** Names that WITH defines: `name AS (SELECT`, with or without a list of columns. */
export function commonTableNames(tokens: readonly Token[]): ReadonlySet<string> {
  const text = (at: number) => tokens[at]?.text.toUpperCase();
  return new Set(
    tokens.flatMap((token, at) => {
      if (token.kind !== 'word' && token.kind !== 'quoted') return [];
      const before = text(at - 1);
      if (before !== 'WITH' && before !== ',') return [];
      let next = at + 1;
      if (text(next) === '(') while (next < tokens.length && tokens[next++]?.text !== ')');
      return text(next) === 'AS' && text(next + 1) === '(' ? [identifierName(token)] : [];
    }),
  );
}
