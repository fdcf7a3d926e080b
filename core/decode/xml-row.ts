import type { RowFault } from './codes.ts';
import { localName, resolveReferences, xmlNameEnd } from './xml-names.ts';

/** How an element becomes an object. */
export interface XmlShape {
  /** What attribute names begin with. */
  readonly attributePrefix: string;
  /** Name of the text of an element that has attributes or children as well. */
  readonly textName: string;
  readonly keepsPrefixes: boolean;
  /** See {@link listPaths}. */
  readonly lists: ReadonlyMap<string, boolean>;
  readonly maxDepth: number;
}

/**
 * Paths from the row whose elements are a list however many there are, and the paths that lead there, which are not:
 * `lines.line` is `.lines` and `.lines.line`.
 */
export function listPaths(paths: readonly string[]): ReadonlyMap<string, boolean> {
  const lists = new Map<string, boolean>();
  for (const path of paths) {
    const names = path.split('.');
    for (let count = 1; count < names.length; count++) {
      const above = `.${names.slice(0, count).join('.')}`;
      lists.set(above, lists.get(above) ?? false);
    }
    lists.set(`.${path}`, true);
  }
  return lists;
}

export interface XmlFault {
  readonly code: RowFault;
  readonly what: string;
  /** Index into the text. */
  readonly at: number;
}

export type XmlValue = string | null | XmlObject | readonly XmlValue[];
export interface XmlObject {
  [name: string]: XmlValue;
}

interface Open {
  readonly name: string;
  /** From the row, as in {@link listPaths}; undefined where no list is. */
  readonly path: string | undefined;
  text: string;
  value: XmlObject | undefined;
  isNil: boolean;
}

/** Control characters and the two code points that no XML document holds (XML 1.0 §2.2). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const forbidden = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;

const BANG = 0x21;
const SLASH = 0x2f;
const EQUALS = 0x3d;
const GT = 0x3e;
const QUESTION = 0x3f;

/** Where in the text the parser is. */
interface Cursor {
  readonly text: string;
  /** It holds no references, so that what stands in it is what is meant. */
  readonly isPlain: boolean;
  at: number;
}

/** Text from `<` to the matching `>` of one element, as an object. Checks all that XML asks of an element. */
export function parseXmlRow(text: string, shape: XmlShape): { readonly row: XmlObject } | XmlFault {
  const bad = forbidden.exec(text);
  if (bad) return fault('a character that XML does not allow', bad.index);
  const cursor: Cursor = { text, isPlain: !text.includes('&'), at: 0 };
  const open: Open[] = [];
  for (;;) {
    const top = open.at(-1);
    const lt = text.indexOf('<', cursor.at);
    if (lt < 0) return fault('an end tag is missing', text.length);
    if (lt > cursor.at && top) {
      const found = resolved(cursor, lines(text.slice(cursor.at, lt)));
      if (found === undefined) return fault(unknownReference, cursor.at);
      top.text += found;
    }
    const second = text.charCodeAt(lt + 1);
    if (second === BANG || second === QUESTION) {
      cursor.at = passSpan(text, lt, top);
      if (cursor.at < 0) return fault('markup that is no comment, CDATA section or instruction', lt);
      continue;
    }
    if (second !== SLASH || !top) {
      if (open.length >= shape.maxDepth) return tooDeep(shape.maxDepth, lt);
      const element = openElement(cursor, lt, top, shape);
      if ('code' in element) return element;
      open.push(element);
      // Behind `/>` the element is closed already.
      if (text.charCodeAt(cursor.at - 2) !== SLASH) continue;
    } else {
      cursor.at = closesAt(text, lt, top.name);
      if (cursor.at < 0) return fault('an end tag that does not match the start tag', lt);
    }
    const closed = open.pop() as Open;
    const parent = open.at(-1);
    if (!parent) return { row: rowOf(closed, shape) };
    parent.value ??= {};
    const isList = closed.path !== undefined && shape.lists.get(closed.path) === true;
    put(parent.value, nameOf(closed.name, shape), xmlValueOf(closed, shape), isList);
  }
}

/** A start tag with its attributes; the cursor is behind its `>` then. */
function openElement(cursor: Cursor, lt: number, parent: Open | undefined, shape: XmlShape): Open | XmlFault {
  const { text } = cursor;
  let at = xmlNameEnd(text, lt + 1);
  if (at === lt + 1) return fault('a tag without a name', lt);
  const name = text.slice(lt + 1, at);
  const path = parent ? pathOf(parent.path, name, shape) : '';
  const element: Open = { name, path, text: '', value: undefined, isNil: false };
  let keys: Set<string> | undefined;
  for (;;) {
    const start = behindSpace(text, at);
    const code = text.charCodeAt(start);
    if (code === GT || (code === SLASH && text.charCodeAt(start + 1) === GT)) {
      cursor.at = start + (code === GT ? 1 : 2);
      return element;
    }
    const keyEnd = xmlNameEnd(text, start);
    const equals = behindSpace(text, keyEnd);
    const quote = behindSpace(text, equals + 1);
    const end = isQuote(text[quote]) ? text.indexOf(text[quote] as string, quote + 1) : -1;
    if (start === at || keyEnd === start || text.charCodeAt(equals) !== EQUALS || end < 0) {
      return fault('a tag that cannot be read', start);
    }
    const key = text.slice(start, keyEnd);
    if (keys?.has(key)) return fault('an attribute twice in one tag', start);
    keys ??= new Set();
    keys.add(key);
    const written = text.slice(quote + 1, end);
    if (written.includes('<')) return fault('an attribute with a < in it', quote);
    // White space is normalized before references are, so that one may stand for a line end (XML 1.0 §3.3.3).
    const value = resolved(cursor, lines(written).replace(/[\t\n]/g, ' '));
    if (value === undefined) return fault(unknownReference, quote);
    takeAttribute(element, key, value, shape);
    at = end + 1;
  }
}

function pathOf(parent: string | undefined, name: string, shape: XmlShape): string | undefined {
  if (parent === undefined || shape.lists.size === 0) return undefined;
  const path = `${parent}.${nameOf(name, shape)}`;
  return shape.lists.has(path) ? path : undefined;
}

const unknownReference = 'a reference that is none of &amp; &lt; &gt; &quot; &apos; and &#…;';

/** What a text means; undefined when it refers to something unknown. */
function resolved({ isPlain }: Cursor, text: string): string | undefined {
  return isPlain ? text : resolveReferences(text);
}

function behindSpace(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09; ) {
    code = text.charCodeAt(++at);
  }
  return at;
}

function isQuote(char: string | undefined): boolean {
  return char === '"' || char === "'";
}

function takeAttribute(element: Open, key: string, value: string, shape: XmlShape): void {
  if (/^[^:]+:nil$/.test(key) && (value === 'true' || value === '1')) {
    element.isNil = true;
    return;
  }
  // Where schemas lie and what prefixes mean is no data.
  if (!shape.keepsPrefixes && /^(xmlns$|xmlns:|xsi:|xml:space$)/.test(key)) return;
  element.value ??= {};
  put(element.value, shape.attributePrefix + nameOf(key, shape), value, false);
}

/** End of the end tag at `lt`; -1 when it is not that of `name`. */
function closesAt(text: string, lt: number, name: string): number {
  if (!text.startsWith(name, lt + 2)) return -1;
  const end = behindSpace(text, lt + 2 + name.length);
  return text.charCodeAt(end) === GT ? end + 1 : -1;
}

/** Passes over what is no tag, and takes the text of a CDATA section; -1 when it is none of these. */
function passSpan(text: string, lt: number, top: Open | undefined): number {
  const behind = (begin: string, end: string): number => {
    const found = text.startsWith(begin, lt) ? text.indexOf(end, lt + begin.length) : -1;
    return found < 0 ? -1 : found + end.length;
  };
  const section = behind('<![CDATA[', ']]>');
  if (section >= 0 && top) top.text += lines(text.slice(lt + 9, section - 3));
  return Math.max(section, behind('<!--', '-->'), behind('<?', '?>'));
}

function rowOf(row: Open, shape: XmlShape): XmlObject {
  const value = xmlValueOf(row, shape);
  if (typeof value === 'string') return value === '' ? {} : { [shape.textName]: value };
  return (value ?? {}) as XmlObject;
}

/** Text is kept as it is; between elements only what is more than white space. */
function xmlValueOf({ value, text, isNil }: Open, shape: XmlShape): XmlValue {
  if (isNil) return null;
  if (value === undefined) return text;
  if (text !== '' && /\S/.test(text)) put(value, shape.textName, text, false);
  return value;
}

/** What occurs again makes a list. */
function put(object: XmlObject, name: string, value: XmlValue, isList: boolean): void {
  // What every object has is asked about twice; nothing else needs to be.
  if (object[name] === undefined || !Object.hasOwn(object, name)) {
    const first = isList ? [value] : value;
    // Assigned, this one name would change the object's prototype.
    if (name === '__proto__') {
      Object.defineProperty(object, name, { value: first, enumerable: true, writable: true, configurable: true });
    } else object[name] = first;
    return;
  }
  const before = object[name] as XmlValue;
  if (Array.isArray(before)) before.push(value);
  else object[name] = [before, value];
}

function nameOf(name: string, shape: XmlShape): string {
  return shape.keepsPrefixes ? name : localName(name);
}

/** Line ends as XML has them (§2.11). */
function lines(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

function fault(what: string, at: number): XmlFault {
  return { code: 'decode.invalidXml', what, at };
}

function tooDeep(maxDepth: number, at: number): XmlFault {
  return { code: 'decode.tooDeep', what: `more than ${maxDepth} elements inside each other`, at };
}
