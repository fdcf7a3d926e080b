import { isUtf8 } from 'node:buffer';
import { addRow, type Scanner } from './batches.ts';
import { DecodeError } from './codes.ts';
import type { DecodeLimits } from './format.ts';
import { firstInvalid } from './json-row.ts';
import type { Window } from './window.ts';
import { type ElementRows, rejectElement, scanElements } from './xml-elements.ts';
import { localName } from './xml-names.ts';
import { outlineRoot } from './xml-root.ts';
import { listPaths, parseXmlRow, type XmlShape } from './xml-row.ts';

export interface XmlOptions {
  /**
   * The element that is a row: its name, `'order'`, or the innermost names of its path, `'orders.order'`. The root's
   * repeated child unless given.
   */
  readonly row?: string;
  /** What names of attributes begin with: `'@'` unless given. */
  readonly attributes?: string;
  /** Name of the text of elements that have attributes or children too: `'#text'` unless given. */
  readonly text?: string;
  /** Prefixes of names are taken off (unless given) or kept. */
  readonly namespaces?: 'strip' | 'keep';
  /** Paths from the row to elements that are a list even when there is one: `'lines.line'`. */
  readonly list?: readonly string[];
  /** A name of the Encoding Standard, such as `'iso-8859-2'`. What the document says unless given. */
  readonly encoding?: string;
}

export interface XmlFormat extends XmlOptions {
  readonly name: 'xml';
}

/**
 * XML with an element that occurs once a row. An element with nothing but text is its text, empty ones `''`; one with
 * `xsi:nil` is null; any other an object of its children and attributes. Children of one name are a list. Nothing is
 * converted: numbers are text with all their digits. Declarations of namespaces and attributes of the prefix `xsi` are
 * left out unless prefixes are kept. No DTD is read, so no entities but the five that XML itself has.
 *
 * Throws DecodeError `decode.badFormat` for a path with an empty name and for an encoding that does not exist.
 */
export function xml(options: XmlOptions = {}): XmlFormat {
  for (const path of [options.row, ...(options.list ?? [])]) {
    if (path === undefined || !path.split('.').includes('')) continue;
    throw badFormat(`xml: a path is names joined by dots, such as 'orders.order', not '${path}'`);
  }
  try {
    new TextDecoder(options.encoding);
  } catch {
    throw badFormat(`xml: there is no encoding '${options.encoding}'`);
  }
  return { name: 'xml', ...options };
}

/** As much of the document as its rows are found from. */
const HEAD_BYTES = 64 * 1024;

/** Elements as rows, by position: the row's ordinal. The document must be UTF-8 by now. */
export function scanXml(format: XmlFormat, limits: DecodeLimits): Scanner {
  const keepsPrefixes = format.namespaces === 'keep';
  const shape: XmlShape = {
    attributePrefix: format.attributes ?? '@',
    textName: format.text ?? '#text',
    keepsPrefixes,
    lists: listPaths(format.list ?? []),
    maxDepth: limits.maxDepth,
  };
  const known = (name: string) => (keepsPrefixes ? name : localName(name));
  let wanted = format.row?.split('.');
  let mayHold = false;
  let hasChildren = false;
  const rows: ElementRows = {
    begin(window) {
      if (wanted) return true;
      if (window.view.length - window.at < HEAD_BYTES && !window.done) return false;
      wanted = repeatedChild(window)?.map(known) ?? [];
      return true;
    },
    isRow(path) {
      const names = wanted ?? [];
      mayHold ||= names.length > 1 && endsWith(path, names.slice(0, -1), known);
      hasChildren ||= path.length > 1;
      return names.length > 0 && endsWith(path, names, known);
    },
    whyNone() {
      if (!format.row || mayHold || (wanted?.length === 1 && !hasChildren)) return undefined;
      return `there is no element '${format.row}' in the document, nor one that would hold it: see the source's row`;
    },
    take(batch, view, element) {
      const { start, end, position } = element;
      const text = view.toString('utf8', start, end);
      if (text.includes('\ufffd') && !isUtf8(view.subarray(start, end))) {
        const message = `not UTF-8 at byte ${firstInvalid(view.subarray(start, end), text)}`;
        return rejectElement(batch, view, element, { code: 'decode.invalidUtf8', message }, limits);
      }
      const row = parseXmlRow(text, shape);
      if ('row' in row) return addRow(batch, row.row, position, start, end);
      const message = `${row.what} at byte ${Buffer.byteLength(text.slice(0, row.at))}`;
      rejectElement(batch, view, element, { code: row.code, message }, limits);
    },
  };
  return scanElements(rows, limits);
}

/** From the innermost name outwards, because most paths differ in that one. */
function endsWith(path: readonly string[], names: readonly string[], known: (name: string) => string): boolean {
  for (let back = 1; back <= names.length; back++) {
    const name = path.at(-back);
    if (name === undefined || known(name) !== names.at(-back)) return false;
  }
  return true;
}

/** Path of the root's repeated child; undefined for a document that is whole and has no children. */
function repeatedChild(window: Window): readonly string[] | undefined {
  const { root, repeated, isEmpty, deeper } = outlineRoot(window.view.subarray(window.at, window.at + HEAD_BYTES));
  if (root === undefined || isEmpty) return undefined;
  if (repeated !== undefined) return [root, repeated];
  const such = deeper ? deeper.map(localName).join('.').slice(0, 200) : '…';
  throw new DecodeError('decode.unknownFormat', noRows(such));
}

export function noRows(such: string): string {
  return `no child of the root element is repeated, so it is open which element is a row: say xml({ row: '${such}' })`;
}

function badFormat(message: string): DecodeError {
  return new DecodeError('decode.badFormat', message);
}
