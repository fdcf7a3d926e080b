import { addBad, type Batch, headOf, isFull, type Scanner } from './batches.ts';
import { DecodeError, type RowFault } from './codes.ts';
import type { DecodeLimits } from './format.ts';
import { addLongRow, type LongRow, longRow } from './long-row.ts';
import type { Window } from './window.ts';
import { corruptXml, declaresThings, shownName } from './xml-faults.ts';
import { nameEnd, newTagWalk, nextToken, passTags, type TagWalk, type Token } from './xml-tags.ts';

/** Where an element lies in the view, and the position it gets as a row. */
export interface ElementAt {
  readonly start: number;
  readonly end: number;
  readonly position: number;
}

/** Which elements are rows, and what is made of one. */
export interface ElementRows {
  /** Called once, with the first bytes, before anything else; false while it needs more of them. */
  begin?(window: Window): boolean;
  /** Whether the element at this path from the root is a row. Names are as they stand in the tags. */
  isRow(path: readonly string[]): boolean;
  /** Adds the element in the view, as a row or a bad one, or leaves it out. */
  take(batch: Batch, view: Buffer, element: ElementAt): void;
  /** Position of the element by its start tag (its first 1,000 bytes); its ordinal among the rows unless given. */
  positionOf?(tag: string): number;
  /** Called before an element that is too long becomes a bad row. */
  tooLong?(): void;
  /** Why a document without a row is not as it should be; undefined when it may have none. */
  whyNone?(): string | undefined;
  columns?(): readonly string[];
  original?(bytes: Uint8Array): Uint8Array;
}

interface Reader {
  readonly rows: ElementRows;
  readonly limits: DecodeLimits;
  readonly walk: TagWalk;
  /** Names of the open elements around rows. */
  readonly open: string[];
  begun: boolean;
  /** The root has ended. */
  closed: boolean;
  /** The row that is being read, and the offset in the object at which it begins. */
  row: { readonly start: number; readonly name: string } | undefined;
  /** Elements open in it, itself counted. */
  depth: number;
  count: number;
  long: LongRow | undefined;
  failure: DecodeError | undefined;
}

/** Tags around rows, and end tags, are held in memory; no real one comes near this. */
const MAX_TAG_BYTES = 1024 * 1024;

/**
 * Rows of an XML document, by position: the row's ordinal, which bad rows have as well. Around rows tags must match,
 * and a row must end with a tag of its own name. Where they do not the next row cannot be found: throws DecodeError
 * `decode.corruptXml`, once all rows before it are delivered, and `decode.unsupportedXml` for a document type that
 * declares things itself.
 */
export function scanElements(rows: ElementRows, limits: DecodeLimits): Scanner {
  const state = {
    begun: false,
    closed: false,
    row: undefined,
    depth: 0,
    count: 0,
    long: undefined,
    failure: undefined,
  };
  const reader: Reader = { rows, limits, walk: newTagWalk(0), open: [], ...state };
  return {
    scan(window, batch) {
      for (;;) {
        if (isFull(batch, limits)) return 'full';
        if (reader.failure && batch.rows.length + batch.bad.length > 0) return 'full';
        if (reader.failure) throw reader.failure;
        try {
          const step = takeStep(reader, window, batch);
          if (step !== 'taken') return step;
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
          reader.failure = error;
        }
      }
    },
    ...(rows.columns && { columns: rows.columns }),
    ...(rows.original && { original: rows.original }),
  };
}

/** Adds an element that is wholly in the view as a bad row. */
export function rejectElement(
  batch: Batch,
  view: Buffer,
  { start, end, position }: ElementAt,
  fault: { readonly code: RowFault; readonly message: string },
  limits: DecodeLimits,
): void {
  addBad(batch, fault, { position, length: end - start, raw: headOf(view.subarray(start, end), limits) });
}

function takeStep(reader: Reader, window: Window, batch: Batch): 'taken' | 'more' | 'end' {
  const { walk } = reader;
  if (!reader.begun) {
    if (reader.rows.begin?.(window) === false) return 'more';
    reader.begun = true;
    walk.at = window.base + window.at;
  }
  const wasContent = walk.place === 'content';
  if (wasContent && reader.depth > 0) reader.depth = passTags(walk, window, reader.depth);
  const from = walk.at;
  const token = nextToken(walk, window);
  const isOutside = !reader.row && reader.open.length === 0;
  if (isOutside && wasContent) {
    const hasBegun = token !== undefined || walk.place !== 'content';
    checkBlank(reader, window, from, hasBegun ? walk.start : walk.at);
  }
  if (token === undefined) return starved(reader, window, batch);
  if (token === 'fault') throw corrupt(reader, 'there is markup that XML does not have');
  if (token === 'subset') throw declaresThings();
  if (!reader.row && (token === 'open' || token === 'empty')) beginRow(reader, window);
  if (reader.row) inRow(reader, window, batch, token);
  else aroundRows(reader, window, token);
  return 'taken';
}

/** Begins a row if the tag at the walk's start is one's. The tag's name must be in the window. */
function beginRow(reader: Reader, window: Window): void {
  const { walk, open, rows } = reader;
  const name = tagName(window, walk.start + 1);
  if (name === undefined || reader.closed || !rows.isRow([...open, name])) return;
  reader.row = { start: walk.start, name };
  reader.depth = 0;
}

function inRow(reader: Reader, window: Window, batch: Batch, token: Token): void {
  const { walk, row, limits } = reader;
  if (token === 'open') reader.depth++;
  if (token === 'close') reader.depth--;
  if (token === 'doctype') throw corrupt(reader, 'a document type stands inside of a row');
  if (reader.depth > 0 || token === 'passed' || !row) return;
  if (token === 'close' && tagName(window, walk.start + 2) !== row.name) {
    throw corrupt(reader, `element '${shownName(row.name)}' is not closed`);
  }
  const position = reader.long?.position ?? positionAt(reader, window);
  reader.count++;
  if (reader.long) addLongRow(batch, reader.long, walk.at, limits);
  else {
    const [start, end] = [row.start - window.base, walk.at - window.base];
    window.at = start;
    if (end - start > limits.maxRowBytes) {
      reader.rows.tooLong?.();
      addLongRow(batch, longRow(window, position, limits), walk.at, limits);
    } else reader.rows.take(batch, window.view, { start, end, position });
  }
  reader.long = undefined;
  reader.row = undefined;
  window.at = walk.at - window.base;
  if (reader.open.length === 0) reader.closed = true;
}

function aroundRows(reader: Reader, window: Window, token: Token): void {
  const { walk, open, limits } = reader;
  window.at = walk.at - window.base;
  if (token === 'passed') return;
  if (walk.at - walk.start > MAX_TAG_BYTES) throw tagTooLong(reader);
  if (token === 'doctype') {
    if (open.length > 0 || reader.closed) throw corrupt(reader, 'a document type does not stand at the beginning');
    return;
  }
  const name = tagName(window, walk.start + (token === 'close' ? 2 : 1)) ?? '';
  if (token === 'close') {
    if (open.pop() !== name) throw corrupt(reader, `the end tag of '${shownName(name)}' does not match what is open`);
  } else {
    if (reader.closed) throw corrupt(reader, 'something follows the root element');
    if (token === 'open') open.push(name);
    if (open.length > limits.maxDepth)
      throw corrupt(reader, `there are more than ${limits.maxDepth} elements inside each other`);
  }
  if (open.length === 0) reader.closed = true;
}

/** Lets go of what need not be kept, until more bytes come. */
function starved(reader: Reader, window: Window, batch: Batch): 'more' | 'end' {
  const { walk, limits } = reader;
  const { base, view } = window;
  if (window.done) {
    if (reader.closed && walk.place === 'content' && walk.at === base + view.length) {
      tellNone(reader, batch);
      return 'end';
    }
    throw corrupt(
      reader,
      reader.closed || reader.open.length > 0 || reader.row ? 'it ends too early' : 'it holds no element',
    );
  }
  if (!reader.row && walk.place === 'tag') beginRow(reader, window);
  const isHeld = walk.place === 'close' || (walk.place === 'tag' && !reader.row);
  window.at = (isHeld ? walk.start : walk.at) - base;
  if (isHeld && view.length - window.at > MAX_TAG_BYTES) throw tagTooLong(reader);
  const { row } = reader;
  if (!row || reader.long) return 'more';
  const keepFrom = window.at;
  window.at = row.start - base;
  if (view.length - window.at > limits.maxRowBytes) {
    reader.long = longRow(window, positionAt(reader, window), limits);
    reader.rows.tooLong?.();
    window.at = keepFrom;
  }
  return 'more';
}

/** A document in which no row was found may be one of which nothing was understood. */
function tellNone(reader: Reader, batch: Batch): void {
  const message = reader.count === 0 ? reader.rows.whyNone?.() : undefined;
  if (message === undefined) return;
  addBad(batch, { code: 'decode.noRows', message }, { position: reader.count++, length: 0, raw: new Uint8Array() });
}

/** The name that begins at this offset; undefined when the window ends before it does. */
function tagName({ view, base }: Window, offset: number): string | undefined {
  const end = nameEnd(view, offset - base);
  return end < 0 ? undefined : view.toString('utf8', offset - base, end);
}

/** Position of the row that is being read, of which at least the start tag is in the window. */
function positionAt({ rows, row, count }: Reader, { view, base }: Window): number {
  if (!rows.positionOf || !row) return count;
  const start = row.start - base;
  return rows.positionOf(view.toString('latin1', start, start + 1000));
}

/** Outside of the root there is nothing but white space. */
function checkBlank(reader: Reader, { view, base }: Window, from: number, until: number): void {
  for (let at = from - base; at < until - base; at++) {
    const byte = view[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) {
      throw corrupt(reader, reader.closed ? 'something follows the root element' : 'it does not begin with markup');
    }
  }
}

function tagTooLong(reader: Reader): DecodeError {
  return corrupt(reader, `a tag is longer than ${MAX_TAG_BYTES} bytes`);
}

function corrupt({ count }: Reader, reason: string): DecodeError {
  return corruptXml(count, reason);
}
