import { addBad, type Batch, headOf, tooLong } from './batches.ts';
import type { RowFault } from './codes.ts';
import type { DecodeLimits } from './format.ts';
import { beginElement, type Element, newElement, scanElement } from './json-element.ts';
import { expectation } from './json-machine.ts';
import { newPathWalk, type PathWalk, walk } from './json-path.ts';
import { rejectRow, takeJsonRow, tooDeep } from './json-row.ts';
import { addLongRow, type LongRow, longRow } from './long-row.ts';
import type { Window } from './window.ts';

/** What comes next in a stream of documents, white space aside. */
export type Place =
  /** A document, or the end. */
  | 'document'
  /** Any token on the way to the array of rows, or behind it. */
  | 'path'
  | 'firstElement'
  | 'element'
  | 'afterElement'
  /** More bytes of a row. */
  | 'row'
  | 'nothing';

/** Where a reader of JSON documents stands; survives from one block of bytes to the next. */
export interface JsonReader {
  readonly limits: DecodeLimits;
  /** Names that lead to the array of rows; undefined when the document is the array. */
  readonly path: readonly string[] | undefined;
  place: Place;
  documents: number;
  /** Position of the next row. */
  ordinal: number;
  route: PathWalk;
  foundRows: boolean;
  readonly element: Element;
  /** Of the row being read: its offset in the object, bytes of it scanned from `window.at` on, what follows it. */
  rowOffset: number;
  scanned: number;
  next: Place;
  long: LongRow | undefined;
}

export function newJsonReader(path: readonly string[] | undefined, limits: DecodeLimits): JsonReader {
  return {
    limits,
    path,
    place: 'document',
    documents: 0,
    ordinal: 0,
    route: newPathWalk(path ?? []),
    foundRows: false,
    element: newElement(),
    rowOffset: 0,
    scanned: 0,
    next: 'document',
    long: undefined,
  };
}

/** Adds a bad row at the next ordinal, of which there are no bytes unless they are given. */
export function reject(
  reader: JsonReader,
  batch: Batch,
  fault: { readonly code: RowFault; readonly message: string },
  bytes: { readonly raw: Uint8Array; readonly length: number } = { raw: new Uint8Array(), length: 0 },
): void {
  addBad(batch, fault, { position: reader.ordinal, ...bytes });
  reader.ordinal++;
}

/** As {@link reject}, for a fault of the document itself, behind which nothing can be read. */
export function giveUp(reader: JsonReader, batch: Batch, code: RowFault, message: string): void {
  reject(reader, batch, { code, message });
  reader.place = 'nothing';
}

export function beginRow(reader: JsonReader, window: Window, next: Place): void {
  beginElement(reader.element, window.view, window.at);
  reader.rowOffset = window.base + window.at;
  reader.scanned = 0;
  reader.next = next;
  reader.place = 'row';
}

/** Reads on in a row. False when its end is not in the window. */
export function readRow(reader: JsonReader, window: Window, batch: Batch): boolean {
  const { element, limits } = reader;
  element.at = window.at + reader.scanned;
  const result = scanElement(element, window.view);
  const endsWithObject = element.bare && window.done && reader.next === 'document';
  if (result === 'ended' || (result === 'open' && endsWithObject)) {
    finishRow(reader, window, batch);
    return true;
  }
  const length = window.base + element.at - reader.rowOffset;
  if (result === 'open' && !window.done) {
    if (length > limits.maxRowBytes) reader.long ??= longRow(window, reader.ordinal, limits);
    if (reader.long) window.at = element.at;
    reader.scanned = element.at - window.at;
    return false;
  }
  const raw = reader.long?.raw ?? headOf(window.view.subarray(window.at, element.at), limits);
  const fault =
    result === 'open'
      ? ({ code: 'decode.truncated', message: 'the object ends inside the row' } as const)
      : ({ code: 'decode.invalidJson', message: `not JSON: mismatched bracket at byte ${length - 1}` } as const);
  reject(reader, batch, fault, { raw, length });
  reader.place = 'nothing';
  return true;
}

function finishRow(reader: JsonReader, window: Window, batch: Batch): void {
  const { element, limits, long } = reader;
  const text = { start: window.at, end: element.at, position: reader.ordinal };
  let fault: RowFault | undefined;
  if (long) addLongRow(batch, long, window.base + element.at, limits);
  else if (text.end - text.start > limits.maxRowBytes) rejectRow(batch, window.view, text, tooLong(limits), limits);
  else fault = takeJsonRow(batch, window.view, text, limits);
  window.at = element.at;
  reader.long = undefined;
  reader.ordinal++;
  // A bare word that is no JSON, outside of any document: this is not JSON at all, and every word of it would fail.
  const hopeless = fault === 'decode.invalidJson' && element.bare && reader.next === 'document';
  reader.place = hopeless ? 'nothing' : reader.next;
}

/** Walks towards the array of rows, or on from it. False when the walk does not end in the window. */
export function followPath(reader: JsonReader, window: Window, batch: Batch): boolean {
  const { route, limits } = reader;
  while (window.at < window.view.length) {
    const result = walk(route, window.view[window.at] as number);
    if (result === 'fault') {
      giveUp(reader, batch, 'decode.invalidJson', notJson(expectation(route.machine), window));
      return true;
    }
    window.at++;
    if (route.machine.open.length > limits.maxDepth) {
      const { code, message } = tooDeep(limits);
      giveUp(reader, batch, code, message);
      return true;
    }
    if (result === 'on') continue;
    if (result === 'rows') reader.foundRows = true;
    else if (!reader.foundRows) {
      reject(reader, batch, {
        code: 'decode.noRows',
        message: `the document has no array at '${route.path.join('.')}'`,
      });
    }
    reader.place = result === 'rows' ? 'firstElement' : 'document';
    return true;
  }
  return false;
}

export function notJson(what: string, window: Window): string {
  return `not JSON: expected ${what} at byte ${window.base + window.at} of the object`;
}
