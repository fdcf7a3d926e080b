import type { Batch, Scanner } from './batches.ts';
import { isFull } from './batches.ts';
import { DecodeError } from './codes.ts';
import type { DecodeLimits } from './format.ts';
import { isJsonSpace } from './json-machine.ts';
import { leaveRows, newPathWalk } from './json-path.ts';
import { beginRow, followPath, giveUp, type JsonReader, newJsonReader, notJson, readRow } from './json-reader.ts';
import type { Window } from './window.ts';

export interface JsonOptions {
  /** Names that lead from the document to the array of rows, joined by dots: `'payload.items'`. */
  readonly rows?: string;
}

export interface JsonFormat extends JsonOptions {
  readonly name: 'json';
}

/**
 * JSON documents, one or several after another. An array's elements are the rows; an object is one row, or, with
 * `rows`, holds the array of rows at that path (given twice in one document, both arrays count). Never more than one
 * row is held in memory. Throws DecodeError `decode.badFormat` for an empty name in the path.
 */
export function json(options: JsonOptions = {}): JsonFormat {
  if (options.rows?.split('.').includes('')) {
    throw new DecodeError(
      'decode.badFormat',
      `json: rows is a path of names such as 'payload.items', not '${options.rows}'`,
    );
  }
  return { name: 'json', ...options };
}

const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;

/** First bytes of a JSON value. */
const valueStarts: ReadonlySet<number | undefined> = new Set(Buffer.from('{["-0123456789tfn'));

const expected = {
  document: 'a JSON document',
  firstElement: "a value or ']'",
  element: 'a value',
  afterElement: "',' or ']'",
} as const;

/** Elements or documents as rows, by position: the row's ordinal. */
export function scanJson(format: JsonFormat, limits: DecodeLimits): Scanner {
  const reader = newJsonReader(format.rows?.split('.'), limits);
  return {
    scan(window, batch) {
      while (reader.place !== 'nothing') {
        if (isFull(batch, limits)) return 'full';
        const step = takeStep(reader, window, batch);
        if (step === 'taken') continue;
        if (!window.done) return 'more';
        endOfObject(reader, batch);
      }
      return 'end';
    },
  };
}

/** Takes one token or row; `starved` when the window holds no more of it. */
function takeStep(reader: JsonReader, window: Window, batch: Batch): 'taken' | 'starved' {
  const { place } = reader;
  if (place === 'row') return readRow(reader, window, batch) ? 'taken' : 'starved';
  if (place === 'path') return followPath(reader, window, batch) ? 'taken' : 'starved';
  while (window.at < window.view.length && isJsonSpace(window.view[window.at])) window.at++;
  if (window.at === window.view.length || place === 'nothing') return 'starved';
  const byte = window.view[window.at];
  if (place === 'document') beginDocument(reader, window, batch);
  else if (byte === CLOSE_ARRAY && place !== 'element') {
    window.at++;
    reader.place = reader.path ? 'path' : 'document';
    if (reader.path) leaveRows(reader.route);
  } else if (place === 'afterElement') {
    if (byte === COMMA) {
      window.at++;
      reader.place = 'element';
    } else giveUp(reader, batch, 'decode.invalidJson', notJson(expected[place], window));
  } else if (endsValue(byte)) giveUp(reader, batch, 'decode.invalidJson', notJson(expected[place], window));
  else beginRow(reader, window, 'afterElement');
  return 'taken';
}

function beginDocument(reader: JsonReader, window: Window, batch: Batch): void {
  const byte = window.view[window.at];
  reader.documents++;
  if (reader.path && (byte === OPEN_OBJECT || byte === OPEN_ARRAY)) {
    reader.route = newPathWalk(reader.path);
    reader.foundRows = false;
    reader.place = 'path';
  } else if (reader.path) {
    giveUp(reader, batch, 'decode.invalidJson', notJson('a JSON object', window));
  } else if (byte === OPEN_ARRAY) {
    window.at++;
    reader.place = 'firstElement';
  } else if (valueStarts.has(byte)) beginRow(reader, window, 'document');
  else giveUp(reader, batch, 'decode.invalidJson', notJson(expected.document, window));
}

function endOfObject(reader: JsonReader, batch: Batch): void {
  const { place } = reader;
  if (place === 'document' && reader.documents > 0) reader.place = 'nothing';
  else if (place === 'document') giveUp(reader, batch, 'decode.truncated', 'there is no JSON document in the object');
  else giveUp(reader, batch, 'decode.truncated', 'the object ends inside the document');
}

/** `,` `:` `]` `}`: no value begins with them, not even one that is wrong inside. */
function endsValue(byte: number | undefined): boolean {
  return byte === COMMA || byte === 0x3a || byte === CLOSE_ARRAY || byte === 0x7d;
}
