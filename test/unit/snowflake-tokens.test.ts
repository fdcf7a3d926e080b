import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { literal } from '../../core/snowflake/identifier.ts';
import { duckString } from '../../local/snowflake/engine.ts';
import { type QueryScope, translateQuery } from '../../local/snowflake/select-query.ts';
import {
  identifierName,
  significant,
  stringValue,
  type TokenKind,
  tokenize,
} from '../../local/snowflake/sql-tokens.ts';

const scope: QueryScope = {
  table: (name) => name.join('/'),
  tableFunction: () => ({ sql: 'history', length: 1 }),
  variants: new Set(['PAYLOAD']),
  columns: new Set(['PAYLOAD', 'ID']),
  bind: (index) => `bind${index}`,
  constants: new Map(),
};
const translate = (sql: string) => translateQuery(significant(tokenize(sql)), scope);

interface Piece {
  readonly kind: TokenKind;
  readonly text: string;
}
/** Text that would be taken for all sorts of things, were it looked into. */
const nasty = fc.string({ unit: fc.constantFrom(...'ab:?.[]()"\'\\$-/*; \n\té🧊'), maxLength: 12 });
const piece = fc.oneof(
  nasty.map((text): Piece => ({ kind: 'string', text: literal(text) })),
  nasty.filter((text) => !text.includes('$')).map((text): Piece => ({ kind: 'string', text: `$$${text}$$` })),
  nasty.map((text): Piece => ({ kind: 'quoted', text: `"${text.replaceAll('"', '""')}"` })),
  nasty
    .filter((text) => !text.includes('*/'))
    .map((text): Piece => ({ kind: 'comment', text: `/*${text.replace(/\*$/, '')}*/` })),
  nasty.map((text): Piece => ({ kind: 'comment', text: `--${text.replaceAll('\n', ' ')}` })),
  fc.constantFrom('select', 'PAYLOAD', '_x1', 'SYSTEM$PIPE_STATUS').map((text): Piece => ({ kind: 'word', text })),
  fc.constantFrom('0', '12.5', '.5', '1e-7', '38').map((text): Piece => ({ kind: 'number', text })),
  fc.constantFrom('::', ':', '=>', '<>', '(', ')', '?', ';', '@').map((text): Piece => ({ kind: 'operator', text })),
);

describe('the tokenizer', () => {
  test('loses no character of any text it accepts', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab1.:?()"\'\\$-/* \n🧊'), maxLength: 40 }), (sql) => {
        let tokens: ReturnType<typeof tokenize>;
        try {
          tokens = tokenize(sql);
        } catch (error) {
          expect(String(error)).toMatch(/never closed/);
          return;
        }
        expect(tokens.map(({ text }) => text).join('')).toBe(sql);
      }),
    );
  });

  test('strings, quoted names and comments come out as they went in, whatever they hold', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        // A line break ends a comment of one line and separates everything else.
        const tokens = tokenize(pieces.map(({ text }) => text).join('\n'));
        expect(tokens.filter(({ kind }) => kind !== 'space')).toEqual(pieces);
      }),
    );
  });

  test('a literal that core writes is read back as the same text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
        const [token, ...more] = tokenize(literal(text));
        expect(more).toEqual([]);
        expect(stringValue(token ?? { kind: 'space', text: '' })).toBe(text);
      }),
    );
  });

  test('an unquoted name is upper-case, a quoted one is as written', () => {
    const names = significant(tokenize('orders "Or""ders"')).map(identifierName);
    expect(names).toEqual(['ORDERS', 'Or"ders']);
  });

  test.each(["SELECT 'a", 'SELECT "a', 'SELECT /* a', 'SELECT $$ a'])('%s is never closed', (sql) => {
    expect(() => tokenize(sql)).toThrow(/never closed/);
  });
});

describe('the translation', () => {
  test('keeps the value of every string, and never looks into one', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(translate(`SELECT ${literal(text)} AS V`)).toBe(`SELECT ${duckString(text)} AS V`);
      }),
    );
  });

  test('reads nothing out of comments', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const comment = `-- ${text.replaceAll('\n', ' ')}\n`;
        expect(translate(`SELECT ${comment} ID ${comment} FROM T`)).toBe(translate('SELECT ID FROM T'));
      }),
    );
  });

  test('keeps every quoted alias', () => {
    fc.assert(
      fc.property(
        nasty.filter((text) => text !== ''),
        (text) => {
          const alias = `"${text.replaceAll('"', '""')}"`;
          expect(translate(`SELECT ID AS ${alias} FROM T`)).toBe(`SELECT ID AS ${alias} FROM T`);
        },
      ),
    );
  });

  test.each([
    [
      'SELECT PAYLOAD:a.b[0]."x y" FROM T',
      `SELECT json_extract("PAYLOAD", '$."a"."b"[0]."x y"') AS "PAYLOAD:A.B[0].""x y""" FROM T`,
    ],
    ['SELECT t.PAYLOAD:a::VARCHAR v FROM T t', `SELECT variant_text(json_extract("T"."PAYLOAD", '$."a"')) V FROM T T`],
    [
      'SELECT PAYLOAD:a::NUMBER(38, 2) v FROM T',
      `SELECT CAST(variant_text(json_extract("PAYLOAD", '$."a"')) AS DECIMAL(38,2)) V FROM T`,
    ],
    ['SELECT ID::STRING AS v, ? AS b FROM a.b.c', 'SELECT ID ::VARCHAR AS V , bind1 AS B FROM A/B/C'],
    ['SELECT x.v::INT AS v FROM (SELECT PAYLOAD:v AS v FROM T) x', undefined],
    [
      'SELECT COUNT(DISTINCT PAYLOAD:a) AS n FROM T',
      `SELECT COUNT( DISTINCT json_extract("PAYLOAD", '$."a"') ) AS N FROM T`,
    ],
  ])('%s', (sql, expected) => {
    if (expected) expect(translate(sql)).toBe(expected);
    else expect(translate(sql)).toContain('CAST(variant_text("X"."V") AS DECIMAL(38,0))');
  });
});
