import { syntaxError, unsupported } from './sql-error.ts';
import { stringValue } from './sql-tokens.ts';
import type { TokenCursor } from './token-cursor.ts';

/** The value of `KEY = value`: a word (upper-case), a string, a number, or a list of values, each maybe with a key. */
export type PropertyValue =
  | { readonly kind: 'word' | 'string' | 'number'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly { readonly key?: string; readonly value: PropertyValue }[] };

/** Reads `KEY = value` pairs as long as they come. */
export function parseProperties(cursor: TokenCursor): Map<string, PropertyValue> {
  const properties = new Map<string, PropertyValue>();
  while (cursor.peek()?.kind === 'word' && cursor.peek(1)?.text === '=') {
    const key = cursor.next().text.toUpperCase();
    cursor.expect('=');
    if (properties.has(key)) throw syntaxError(`duplicate property '${key}'`);
    properties.set(key, parseValue(cursor));
  }
  return properties;
}

function parseValue(cursor: TokenCursor): PropertyValue {
  if (cursor.accept('(')) return { kind: 'list', items: parseItems(cursor) };
  const token = cursor.next();
  if (token.kind === 'string') return { kind: 'string', text: stringValue(token) };
  if (token.kind === 'number') return { kind: 'number', text: token.text };
  if (token.kind === 'word') return { kind: 'word', text: token.text.toUpperCase() };
  if (token.kind === 'quoted') return { kind: 'word', text: token.text.slice(1, -1).replaceAll('""', '"') };
  throw syntaxError(`unexpected '${token.text}' as the value of a property`);
}

function parseItems(cursor: TokenCursor) {
  const items: { key?: string; value: PropertyValue }[] = [];
  while (!cursor.accept(')')) {
    if (cursor.peek(1)?.text === '=') {
      const key = cursor.next().text.toUpperCase();
      cursor.expect('=');
      items.push({ key, value: parseValue(cursor) });
    } else items.push({ value: parseValue(cursor) });
    cursor.accept(',');
  }
  return items;
}

/** Refuses properties that are not listed, and listed ones whose value is not among those the stand-in acts on. */
export function checkProperties(
  what: string,
  properties: ReadonlyMap<string, PropertyValue>,
  allowed: Readonly<Record<string, readonly string[] | 'any'>>,
): void {
  for (const [key, value] of properties) {
    const values = allowed[key];
    if (!values) throw unsupported(`${key} in ${what}`);
    const text = value.kind === 'list' ? '(…)' : value.text.toUpperCase();
    if (values !== 'any' && !values.includes(text)) throw unsupported(`${key} = ${text} in ${what}`);
  }
}

/** The text of a single value, undefined when the property is absent. */
export function textProperty(properties: ReadonlyMap<string, PropertyValue>, key: string): string | undefined {
  const value = properties.get(key);
  if (value?.kind === 'list') throw syntaxError(`property '${key}' takes one value, not a list`);
  return value?.text;
}

export function requiredText(what: string, properties: ReadonlyMap<string, PropertyValue>, key: string): string {
  const text = textProperty(properties, key);
  if (text === undefined) throw syntaxError(`${what} needs the property ${key}`);
  return text;
}

/** The strings of a list. */
export function listProperty(properties: ReadonlyMap<string, PropertyValue>, key: string): string[] | undefined {
  const value = properties.get(key);
  if (!value) return undefined;
  if (value.kind !== 'list') throw syntaxError(`property '${key}' takes a list in parentheses`);
  return value.items.map((item) => (item.value.kind === 'list' ? '' : item.value.text));
}

/** The `key = value` pairs of a list. */
export function pairsProperty(
  properties: ReadonlyMap<string, PropertyValue>,
  key: string,
): Map<string, PropertyValue> | undefined {
  const value = properties.get(key);
  if (!value) return undefined;
  if (value.kind !== 'list') throw syntaxError(`property '${key}' takes a list in parentheses`);
  return new Map(value.items.map((item) => [item.key ?? '', item.value]));
}
