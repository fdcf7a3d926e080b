import { TextDecoder } from 'node:util';
import { DecodeError } from './codes.ts';
import { noRows, type XmlFormat, xml } from './xml.ts';
import { localName } from './xml-names.ts';
import { outlineRoot } from './xml-root.ts';
import { encodingOf } from './xml-text.ts';

/**
 * The format of an object whose first bytes are those of an XML document, with the element that is a row; undefined for
 * everything else. Throws DecodeError `decode.unknownFormat` for HTML, and where it is open what a row is.
 */
export function sniffXml(head: Uint8Array): XmlFormat | undefined {
  const text = headText(head);
  if (text === undefined || !/^<[?!\p{L}_:]/u.test(text)) return undefined;
  const { root, repeated, isEmpty, deeper } = outlineRoot(Buffer.from(text));
  if (isHtml(text, root)) throw unknown('this is HTML');
  // A document type that declares things: the decoder refuses it, and says why.
  if (root === undefined) return /^(<\?xml\s[^>]*>\s*)?<!doctype\s/i.test(text) ? xml() : undefined;
  if (isEmpty) return xml();
  const path = repeated === undefined ? deeper : [root, repeated];
  const row = path?.map(localName).join('.').slice(0, 200);
  if (repeated === undefined) throw unknown(`this is XML, and ${noRows(row ?? '…')}`);
  // A dot in a name would be taken for a step of the path: such rows are found again as they are read.
  return row?.split('.').length === 2 ? xml({ row }) : xml();
}

/** The first element deeper inside than the root's children that is repeated, as `row` names it; undefined without one. */
export function findXmlRow(head: Uint8Array): string | undefined {
  const text = headText(head);
  if (text === undefined || !text.startsWith('<')) return undefined;
  const { root, repeated, deeper } = outlineRoot(Buffer.from(text));
  if (isHtml(text, root)) return undefined;
  const names = deeper?.map(localName);
  return repeated !== undefined || names?.some((name) => name.includes('.')) ? undefined : names?.join('.');
}

function isHtml(text: string, root: string | undefined): boolean {
  return /^<!doctype\s+html/i.test(text) || root?.toLowerCase() === 'html';
}

/** The head in its own encoding, from its first character that is no white space on. */
function headText(head: Uint8Array): string | undefined {
  try {
    return new TextDecoder(encodingOf(head)).decode(head).trimStart();
  } catch {
    return undefined;
  }
}

function unknown(message: string): DecodeError {
  return new DecodeError('decode.unknownFormat', message);
}
