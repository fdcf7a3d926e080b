import { type DataType, parseType } from './data-types.ts';
import { duckName, duckString } from './engine.ts';
import { aliases, aliasesOfPaths, commonTableNames, hasName, upperText } from './query-names.ts';
import { SqlError, syntaxError, unsupported } from './sql-error.ts';
import { identifierName, stringValue, type Token } from './sql-tokens.ts';
import { extraction, parsePath, variantCast } from './variant-paths.ts';
import {
  BEFORE_PARENTHESIS,
  CLAUSES,
  COMPARISONS,
  CONDITIONS,
  DATE_PART_FUNCTIONS,
  DATE_PARTS,
  DATEADD_PARTS,
  FUNCTIONS,
  REFUSED,
  TAKES_VARIANT,
  TEXT_OF_VARIANT,
} from './vocabulary.ts';

/** What a query needs to know of the world; nothing in it reaches the database. */
export interface QueryScope {
  /** DuckDB SQL of the table or view of a name; throws when there is none. */
  table(name: readonly string[]): string;
  /** Reads `TABLE(` at a token: DuckDB SQL of the table function there, and how many tokens it takes. */
  tableFunction(tokens: readonly Token[], at: number): { readonly sql: string; readonly length: number };
  /** Upper-case names of all columns of type VARIANT. */
  readonly variants: ReadonlySet<string>;
  /** Upper-case names of all columns. */
  readonly columns: ReadonlySet<string>;
  /** DuckDB SQL of the n-th bound value, from 1. */
  bind(index: number): string;
  /** DuckDB SQL of functions whose value is fixed for the statement: CURRENT_TIMESTAMP, CURRENT_ROLE, … */
  readonly constants: ReadonlyMap<string, string>;
}

interface Frame {
  clause: string;
  /** The function these parentheses belong to. */
  readonly call?: string;
  /** A table comes next. */
  table: boolean;
}

/**
 * Translates a SELECT (with or without WITH) to DuckDB, token by token; strings and quoted names pass through unchanged
 * in meaning. What is not on the lists of vocabulary.ts is refused, so that nothing means something else in silence.
 */
export function translateQuery(tokens: readonly Token[], scope: QueryScope): string {
  const query = new Translation(tokens, scope);
  return query.run();
}

/**
 * One run over the tokens. A class, and one file, because every step reads and moves the same position, frames and
 * output.
 */
class Translation {
  readonly #tokens: readonly Token[];
  readonly #scope: QueryScope;
  readonly #variants: Set<string>;
  readonly #aliases: ReadonlySet<string>;
  readonly #withNames: ReadonlySet<string>;
  readonly #frames: Frame[] = [{ clause: '', table: false }];
  readonly #out: string[] = [];
  #at = 0;
  #binds = 0;
  /** Where the current item of the outermost select list begins. */
  #item: number | undefined;

  constructor(tokens: readonly Token[], scope: QueryScope) {
    this.#tokens = tokens.at(-1)?.text === ';' ? tokens.slice(0, -1) : tokens;
    this.#scope = scope;
    this.#variants = new Set([...scope.variants, ...aliasesOfPaths(this.#tokens)]);
    this.#aliases = aliases(this.#tokens);
    this.#withNames = commonTableNames(this.#tokens);
  }

  run(): string {
    while (this.#at < this.#tokens.length) this.#step();
    this.#endItem();
    if (this.#frames.length !== 1) throw syntaxError('unbalanced parentheses');
    return this.#out.join(' ');
  }

  get #frame(): Frame {
    return this.#frames.at(-1) ?? { clause: '', table: false };
  }

  #text(ahead = 0): string {
    const token = this.#tokens[this.#at + ahead];
    return token?.kind === 'word' || token?.kind === 'operator' ? token.text.toUpperCase() : '';
  }

  /** Moves on and writes; true, so that a branch can end with it. */
  #take(count: number, ...sql: readonly string[]): true {
    this.#out.push(...sql);
    this.#at += count;
    return true;
  }

  #step(): true {
    const token = this.#tokens[this.#at] as Token;
    if (this.#frame.table && !['(', 'SELECT', 'WITH', 'VALUES'].includes(this.#text())) return this.#table();
    if (token.kind === 'string') return this.#take(1, duckString(stringValue(token)));
    if (token.kind === 'number') return this.#take(1, token.text);
    if (token.kind === 'operator') return this.#operator(token.text);
    return (token.kind === 'word' && this.#keyword(token.text.toUpperCase())) || this.#reference();
  }

  #operator(text: string): true {
    if (text === '(') {
      const outer = this.#frame;
      const call = outer.call === undefined ? {} : { call: outer.call };
      this.#frames.push({ clause: outer.table ? 'FROM' : '', table: outer.table, ...call });
      outer.table = false;
    } else if (text === ')') {
      if (this.#frames.length === 1) throw syntaxError("unexpected ')'");
      this.#frames.pop();
    } else if (text === ',') {
      return this.#comma();
    } else if (text === '?') {
      this.#binds += 1;
      return this.#take(1, this.#scope.bind(this.#binds));
    } else if (text === '::') {
      const type = parseType(this.#tokens, this.#at + 1);
      return this.#take(1 + type.length, `::${type.duckdb}`);
    } else if (text === '!=') return this.#take(1, '<>');
    else if (!/^([-+*/%.=<>]|<=|>=|<>|\|\|)$/.test(text)) throw unsupported(`operator ${text}`);
    return this.#take(1, text);
  }

  #comma(): true {
    if (this.#frames.length === 1 && this.#frame.clause === 'SELECT') {
      this.#endItem();
      this.#item = this.#at + 1;
    }
    if (this.#frame.clause === 'FROM') this.#frame.table = true;
    return this.#take(1, ',');
  }

  /** Handles clause words, refused words and calls; false for what is a name or a word that needs no care. */
  #keyword(word: string): boolean {
    const called = this.#text(1) === '(';
    // `IS DISTINCT FROM` compares; it opens no clause.
    if (this.#text(-1) === '.' || (word === 'FROM' && this.#text(-1) === 'DISTINCT')) return false;
    if (REFUSED.has(word) && !(called && FUNCTIONS.has(word))) throw unsupported(word);
    if (CLAUSES.has(word)) this.#clause(word);
    else if (word === 'JOIN') this.#frame.table = true;
    else if (this.#scope.constants.has(word)) return this.#constant(word);
    else if (word === 'CAST' || word === 'TRY_CAST') return this.#cast(word);
    else if (called && DATE_PART_FUNCTIONS[word]) return this.#datePart(word);
    else if (called && FUNCTIONS.has(word)) return this.#call(word);
    else if (called && this.#text(-1) !== 'AS' && !BEFORE_PARENTHESIS.has(word) && !this.#withNames.has(word))
      throw unknownFunction(word);
    else return false;
    return this.#take(1, word);
  }

  #clause(word: string): void {
    if (this.#frames.length === 1) this.#endItem();
    this.#frame.clause = word;
    this.#frame.table = word === 'FROM';
    if (word === 'SELECT' && this.#frames.length === 1) {
      const distinct = ['DISTINCT', 'ALL'].includes(this.#text(1)) ? 1 : 0;
      this.#item = this.#at + 1 + distinct;
    }
  }

  #call(name: string): boolean {
    this.#frames.push({ clause: '', call: name, table: false });
    this.#take(2, `${name}(`);
    return true;
  }

  /** With or without parentheses, which may hold a precision. */
  #constant(word: string): boolean {
    const argument = this.#tokens[this.#at + 2]?.kind === 'number' ? 1 : 0;
    const called = this.#text(1) === '(' && this.#text(2 + argument) === ')';
    this.#take(called ? 3 + argument : 1, this.#scope.constants.get(word) ?? 'NULL');
    return true;
  }

  /** CAST(path AS type) is path::type; any other operand keeps its CAST, and only the type is translated. */
  #cast(word: string): boolean {
    const from = this.#at + 2;
    const variant = this.#variantAt(from);
    const as = variant ? from + variant.length : closingAs(this.#tokens, from);
    if (this.#tokens[as]?.text.toUpperCase() !== 'AS') throw unsupported(`operand of ${word}`);
    const type = parseType(this.#tokens, as + 1);
    if (this.#tokens[as + 1 + type.length]?.text !== ')') throw syntaxError(`unexpected token in ${word}`);
    const end = as + 2 + type.length;
    if (variant) {
      const cast = variantCast(variant.sql, type);
      this.#take(end - this.#at, word === 'CAST' ? cast : `TRY(${cast})`);
    } else {
      const operand = new Translation(this.#tokens.slice(from, as), this.#nested()).run();
      this.#take(end - this.#at, `${word}(${operand} AS ${type.duckdb})`);
    }
    return true;
  }

  /** The scope for a part of this query: it knows this query's aliases, and goes on counting its binds. */
  #nested(): QueryScope {
    return { ...this.#scope, variants: this.#variants, bind: () => this.#scope.bind(++this.#binds) };
  }

  #datePart(name: string): boolean {
    const token = this.#tokens[this.#at + 2];
    const part = (token?.kind === 'string' ? stringValue(token) : (token?.text ?? '')).toUpperCase();
    const allowed = DATE_PART_FUNCTIONS[name] === 'name' ? DATEADD_PARTS : DATE_PARTS;
    if (!allowed.has(part) || this.#text(3) !== ',') throw unsupported(`date part ${part} of ${name}`);
    this.#frames.push({ clause: '', call: name, table: false });
    this.#take(
      4,
      DATE_PART_FUNCTIONS[name] === 'name' ? `${name}_${part}(` : `${name}(${duckString(part.toLowerCase())},`,
    );
    return true;
  }

  /** A table of a FROM clause. */
  #table(): true {
    this.#frame.table = false;
    if (REFUSED.has(this.#text())) throw unsupported(this.#text());
    if (this.#text() === 'TABLE' && this.#text(1) === '(') {
      const { sql, length } = this.#scope.tableFunction(this.#tokens, this.#at);
      return this.#take(length, sql);
    }
    const { parts, length } = this.#dotted(this.#at);
    if (parts.length === 0) throw unsupported(`FROM ${this.#tokens[this.#at]?.text ?? ''}`, 'Name a table or a view.');
    if (this.#text(length) === '(') throw unsupported(`table function ${parts.join('.')}`);
    const [only] = parts;
    const common = parts.length === 1 && only !== undefined && this.#withNames.has(only);
    return this.#take(length, common ? duckName(only) : this.#scope.table(parts));
  }

  /** The dotted name at a position, as Snowflake stores it. */
  #dotted(at: number): { parts: string[]; length: number } {
    const parts: string[] = [];
    for (let index = at; ; index += 2) {
      const token = this.#tokens[index];
      if (token?.kind !== 'word' && token?.kind !== 'quoted') break;
      parts.push(identifierName(token));
      if (this.#tokens[index + 1]?.text !== '.') break;
    }
    return { parts, length: Math.max(0, parts.length * 2 - 1) };
  }

  /** The VARIANT at a position: a column with a path behind it, or a bare VARIANT column. */
  #variantAt(at: number): { sql: string; length: number } | undefined {
    const { parts, length } = this.#dotted(at);
    if (parts.length === 0) return undefined;
    const path = parsePath(this.#tokens, at + length);
    if (path.length === 0 && !this.#variants.has(parts.at(-1) ?? '')) return undefined;
    const sql = extraction(parts.map(duckName).join('.'), path.elements);
    return { sql, length: length + path.length };
  }

  #reference(): true {
    const { parts, length } = this.#dotted(this.#at);
    this.#checkQuoted(this.#at, length);
    const variant = this.#variantAt(this.#at);
    if (!variant) {
      if (length > 1) return this.#take(length, parts.map(duckName).join('.'));
      const token = this.#tokens[this.#at] as Token;
      return this.#take(1, token.kind === 'quoted' ? token.text : token.text.toUpperCase());
    }
    if (this.#text(variant.length) === '::') {
      const type: DataType & { length: number } = parseType(this.#tokens, this.#at + variant.length + 1);
      return this.#take(variant.length + 1 + type.length, variantCast(variant.sql, type));
    }
    const call = this.#frame.call ?? '';
    if (TEXT_OF_VARIANT.has(call)) return this.#take(variant.length, `variant_text(${variant.sql})`);
    this.#refuseUncast(variant.length, call);
    return this.#take(variant.length, variant.sql);
  }

  /** Snowflake orders and compares a VARIANT by its value; here it is JSON text, so a query must say its type. */
  #refuseUncast(length: number, call: string): void {
    const [before, after] = [this.#text(-1), this.#text(length)];
    const compared = COMPARISONS.has(before) || COMPARISONS.has(after) || (CONDITIONS.has(before) && after !== 'IS');
    const passed = call !== '' && !TAKES_VARIANT.has(call);
    if (!compared && !passed && this.#frame.clause !== 'ORDER') return;
    throw unsupported(
      'VARIANT without a cast',
      'Cast it where it is compared, ordered or passed on: PAYLOAD:total::NUMBER(38,2).',
    );
  }

  /** `"payload"` is no PAYLOAD in Snowflake, and DuckDB would take it for one. */
  #checkQuoted(at: number, length: number): void {
    for (const token of this.#tokens.slice(at, at + Math.max(1, length))) {
      const name = identifierName(token);
      if (token.kind !== 'quoted' || name === name.toUpperCase() || this.#aliases.has(name)) continue;
      if (this.#scope.columns.has(name.toUpperCase()))
        throw new SqlError('000904', '42000', `SQL compilation error: invalid identifier '${token.text}'.`);
    }
  }

  /** Names an item of the outermost select list as Snowflake would: by its own text, in upper case. */
  #endItem(): void {
    const start = this.#item;
    this.#item = undefined;
    if (start === undefined || start >= this.#at) return;
    const item = this.#tokens.slice(start, this.#at);
    if (!hasName(item)) this.#out.push(`AS ${duckName(item.map(upperText).join(''))}`);
  }
}

/** The AS of the CAST whose operand begins here. */
function closingAs(tokens: readonly Token[], from: number): number {
  let depth = 0;
  for (let at = from; at < tokens.length; at++) {
    const text = tokens[at]?.text.toUpperCase();
    if (text === '(') depth++;
    else if (text === ')') depth--;
    else if (text === 'AS' && depth === 0) return at;
    if (depth < 0) break;
  }
  throw syntaxError('CAST without AS');
}

function unknownFunction(name: string): SqlError {
  return new SqlError(
    '002140',
    '42601',
    `SQL compilation error: Unknown function ${name}. The Snowflake stand-in does not support it; it covers ` +
      'aggregates, ROUND, DATE_TRUNC, DATEADD, TO_DATE, IFF, COALESCE, simple text functions and casts.',
  );
}
