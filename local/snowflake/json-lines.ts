import { NUMBER_MARK, needsMark, STRING_MARK } from './number-text.ts';

/** Why a document of a file cannot be loaded. */
export class JsonError extends Error {
  /** Characters from the start of the line, from 0. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.name = 'JsonError';
    this.at = at;
  }
}

/** A member of a row's document. `text` is its JSON as written, `exact` the same with its numbers kept (number-text.ts). */
export interface Member {
  readonly text: string;
  readonly exact: string;
}

const QUOTE = 34;
const BACKSLASH = 92;

/**
 * Reads the documents of one line, usually one. A line break inside a document cannot occur, as MULTI_LINE = FALSE
 * makes it an error; duplicate members are one at any depth; only RFC 8259 is JSON, so NaN is not.
 * A document that is no object has no members. Throws JsonError.
 */
export function readLine(line: string): Map<string, Member>[] {
  const documents: Map<string, Member>[] = [];
  const reader = new Reader(line);
  for (reader.skipSpace(); !reader.ended; reader.skipSpace()) documents.push(reader.document());
  return documents;
}

/** A position in a line, and the stretches of it that are being rewritten. */
class Reader {
  readonly #line: string;
  #at = 0;
  /** The current member, rewritten up to `#from`; undefined as long as nothing had to be. */
  #exact = '';
  #from = 0;

  constructor(line: string) {
    this.#line = line;
  }

  get ended(): boolean {
    return this.#at >= this.#line.length;
  }

  skipSpace(): void {
    for (;;) {
      const code = this.#line.charCodeAt(this.#at);
      if (code !== 32 && code !== 9 && code !== 13 && code !== 10) return;
      this.#at++;
    }
  }

  document(): Map<string, Member> {
    const members = new Map<string, Member>();
    if (this.#line[this.#at] !== '{') this.#value();
    else
      this.#object((key) => {
        if (members.has(key)) throw this.#duplicate(key);
        const start = this.#at;
        this.#exact = '';
        this.#from = start;
        this.#value();
        const text = this.#line.slice(start, this.#at);
        members.set(key, {
          text,
          exact: this.#from === start ? text : this.#exact + this.#line.slice(this.#from, this.#at),
        });
      });
    return members;
  }

  #duplicate(key: string): JsonError {
    return new JsonError(`Error parsing JSON: duplicate object attribute "${key}"`, this.#at);
  }

  #expect(character: string): void {
    if (this.#line[this.#at] !== character) throw this.#unexpected(`expected "${character}"`);
    this.#at++;
  }

  #unexpected(why: string): JsonError {
    return new JsonError(
      `Error parsing JSON: ${this.ended ? 'unexpected end of the line' : why}, pos ${this.#at}`,
      this.#at,
    );
  }

  /** Calls `member` at the start of each value. */
  #object(member: (key: string) => void): void {
    this.#at++;
    this.skipSpace();
    if (this.#line[this.#at] === '}') {
      this.#at++;
      return;
    }
    for (;;) {
      this.skipSpace();
      if (this.#line[this.#at] !== '"') throw this.#unexpected('expected a member name');
      const start = this.#at;
      const key = this.#string()
        ? JSON.parse(this.#line.slice(start, this.#at))
        : this.#line.slice(start + 1, this.#at - 1);
      this.skipSpace();
      this.#expect(':');
      this.skipSpace();
      member(key);
      this.skipSpace();
      if (this.#line[this.#at] === '}') break;
      this.#expect(',');
    }
    this.#at++;
  }

  #array(): void {
    this.#at++;
    this.skipSpace();
    if (this.#line[this.#at] === ']') {
      this.#at++;
      return;
    }
    for (;;) {
      this.skipSpace();
      this.#value();
      this.skipSpace();
      if (this.#line[this.#at] === ']') break;
      this.#expect(',');
    }
    this.#at++;
  }

  #value(): void {
    const character = this.#line[this.#at];
    if (character === '"') {
      const start = this.#at;
      this.#string();
      if (this.#line.startsWith('\\u0001', start + 1)) this.#rewrite(start + 1, start + 1, STRING_MARK);
    } else if (character === '{') {
      const keys = new Set<string>();
      this.#object((key) => {
        if (keys.has(key)) throw this.#duplicate(key);
        keys.add(key);
        this.#value();
      });
    } else if (character === '[') this.#array();
    else if (character === 't') this.#word('true');
    else if (character === 'f') this.#word('false');
    else if (character === 'n') this.#word('null');
    else this.#number();
  }

  #word(word: string): void {
    if (!this.#line.startsWith(word, this.#at)) throw this.#unexpected('unknown keyword');
    this.#at += word.length;
  }

  #number(): void {
    NUMBER.lastIndex = this.#at;
    const number = NUMBER.exec(this.#line)?.[0];
    if (number === undefined) throw this.#unexpected('no value');
    const start = this.#at;
    this.#at += number.length;
    if (needsMark(number)) this.#rewrite(start, this.#at, `"${NUMBER_MARK}${number}"`);
  }

  #rewrite(start: number, end: number, text: string): void {
    this.#exact += this.#line.slice(this.#from, start) + text;
    this.#from = end;
  }

  /** Moves behind a string; whether it holds an escape. */
  #string(): boolean {
    let escaped = false;
    for (this.#at++; ; this.#at++) {
      const code = this.#line.charCodeAt(this.#at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) {
        escaped = true;
        this.#escape();
      } else if (!(code >= 32)) throw this.#unexpected('control character in a string');
    }
    this.#at++;
    return escaped;
  }

  /** Leaves the position on the last character of the escape. Half of a surrogate pair is no UTF-8 and no character. */
  #escape(): void {
    ESCAPE.lastIndex = this.#at;
    const length = ESCAPE.exec(this.#line)?.[0].length;
    if (length === undefined) throw this.#unexpected('invalid escape in a string');
    this.#at += length - 1;
  }
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPE =
  /\\(?:["\\/bfnrt]|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})/y;
