/**
 * Finds the end of one value in a stream of JSON bytes. It knows strings, escapes and which bracket closes which, and
 * leaves everything else to JSON.parse, so that a value that is wrong inside still has an end and its neighbours live.
 */
export interface Element {
  /** Index in the view up to which it has been scanned. */
  at: number;
  depth: number;
  inString: boolean;
  escaped: boolean;
  /** A number, literal or anything else that ends where another token begins. */
  bare: boolean;
  /** Whether the open container of each depth, from 1, is an object. */
  readonly objects: Uint8Array;
}

/** Containers beyond this depth are only counted, so that a gigabyte of `[` needs no memory. */
const MAX_TRACKED_DEPTH = 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

export function newElement(): Element {
  return { at: 0, depth: 0, inString: false, escaped: false, bare: false, objects: new Uint8Array(MAX_TRACKED_DEPTH) };
}

/** Begins a value whose first byte, no white space, is at index `at`. */
export function beginElement(element: Element, view: Uint8Array, at: number): void {
  const first = view[at];
  element.at = at;
  element.depth = 0;
  element.inString = false;
  element.escaped = false;
  element.bare = first !== OPEN_OBJECT && first !== OPEN_ARRAY && first !== QUOTE;
}

/**
 * Scans on. `ended`: `at` is behind the value's last byte. `crossed`: the bracket before `at` closes one of the other
 * kind. `open`: all of the view belongs to the value so far.
 */
export function scanElement(element: Element, view: Uint8Array): 'ended' | 'crossed' | 'open' {
  if (element.bare) return scanBare(element, view);
  let { at, inString, escaped } = element;
  let result: 'ended' | 'crossed' | 'open' = 'open';
  while (at < view.length && result === 'open') {
    const byte = view[at++] as number;
    if (inString) {
      if (escaped) escaped = false;
      else if (byte === BACKSLASH) escaped = true;
      else if (byte === QUOTE) {
        inString = false;
        if (element.depth === 0) result = 'ended';
      }
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) open(element, byte === OPEN_OBJECT);
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) result = close(element, byte === CLOSE_OBJECT);
  }
  element.at = at;
  element.inString = inString;
  element.escaped = escaped;
  return result;
}

/** Whether containers in `view[start, end)` stand deeper in each other than `limit`. Any bytes will do. */
export function deeperThan(view: Uint8Array, start: number, end: number, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = start; at < end; at++) {
    const byte = view[at];
    if (byte === QUOTE) inString = !inString;
    else if (inString) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      depth++;
      if (depth > limit) return true;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) depth--;
  }
  return false;
}

function open(element: Element, isObject: boolean): void {
  element.depth++;
  if (element.depth < MAX_TRACKED_DEPTH) element.objects[element.depth] = isObject ? 1 : 0;
}

function close(element: Element, isObject: boolean): 'ended' | 'crossed' | 'open' {
  const { depth, objects } = element;
  if (depth < MAX_TRACKED_DEPTH && objects[depth] !== (isObject ? 1 : 0)) return 'crossed';
  element.depth--;
  return element.depth === 0 ? 'ended' : 'open';
}

function scanBare(element: Element, view: Uint8Array): 'ended' | 'open' {
  while (element.at < view.length) {
    const byte = view[element.at] as number;
    // White space, a comma or a colon; then quotes and brackets.
    if (byte <= 0x20 || byte === 0x2c || byte === 0x3a) return 'ended';
    if (byte === QUOTE || byte === OPEN_ARRAY || byte === CLOSE_ARRAY) return 'ended';
    if (byte === OPEN_OBJECT || byte === CLOSE_OBJECT) return 'ended';
    element.at++;
  }
  return 'open';
}
