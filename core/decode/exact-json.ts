import { exactNumber, survives } from './exact-number.ts';

type SourceReviver = (key: string, value: unknown, context: { readonly source: string }) => unknown;

/** Every fourth byte is looked at. */
const STRIDE = 4;
/** As many of these lie in 16 bytes. */
const RUN_STOPS = 4;
/** Enough to see that a number is too long to survive. */
const MAX_NUMBER_BYTES = 2000;

/** All bits for digits and the point, none for other bytes. */
const inRun = new Int32Array(256);
const DIGIT = 1;
const MARK = 2;
const SIGN = 4;
/** What a byte can be in an exponent, and what can follow it there. */
const kind = new Uint8Array(256);
const follow = new Uint8Array(256);
for (const byte of Buffer.from('0123456789')) {
  kind[byte] = DIGIT;
  follow[byte] = DIGIT | MARK;
  inRun[byte] = -1;
}
for (const byte of Buffer.from('eE')) {
  kind[byte] = MARK;
  follow[byte] = DIGIT | SIGN;
}
for (const byte of Buffer.from('+-')) {
  kind[byte] = SIGN;
  follow[byte] = DIGIT;
}
inRun[0x2e] = -1;

/**
 * `JSON.parse` that loses no digits (see {@link exactNumber}). It is slow, so it is only for texts that
 * {@link mayLoseDigits} points out. Throws SyntaxError like `JSON.parse`.
 */
export function parseExactJson(text: string): unknown {
  const reviver: SourceReviver = (_key, value, context) =>
    typeof value === 'number' ? exactNumber(context.source) : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}

/**
 * Whether the JSON object in `bytes[start, end)` may hold a number that `JSON.parse` would change. Never false for one
 * that does; true for a few that do not (digits inside a string that look like a number).
 *
 * A number that cannot survive has 16 digits, so that four of the bytes looked at are digits or the point, one after
 * another; or an exponent of three digits, and then one of these bytes and its neighbours are a part of it. Takes 11 % of
 * the time of JSON.parse on 530-byte rows full of hexadecimal text; regular expressions took 15 (Node 24.21, 2026-11).
 */
export function mayLoseDigits(bytes: Uint8Array, start: number, end: number): boolean {
  // No number begins before the fifth byte of an object, and none ends with its last.
  let at = nextSuspect(bytes, start + 4, end - 1, 0);
  while (at >= 0) {
    if (isRun(bytes, at) || isInExponent(bytes, at)) {
      // Go on behind what is checked: a megabyte of digits is then looked at once, not once for each of its bytes.
      const next = afterSafeNumber(bytes, start, end, at);
      if (next < 0) return true;
      at = nextSuspect(bytes, next, end - 1, 0);
    } else at = nextSuspect(bytes, at + STRIDE, end - 1, RUN_STOPS - 1);
  }
  return false;
}

/** Index of the next byte looked at that ends a run, when `run` of them in a row came before, or may be in an exponent; else -1. */
function nextSuspect(bytes: Uint8Array, from: number, to: number, run: number): number {
  let stops = run;
  for (let at = from; at < to; at += STRIDE) {
    const byte = bytes[at] as number;
    stops = (stops + 1) & (inRun[byte] as number);
    if (stops >= RUN_STOPS) return at;
    const first = kind[byte] as number;
    const second = kind[bytes[at + 1] as number] as number;
    if (((follow[byte] as number) & second) === 0) continue;
    const before = (kind[bytes[at - 1] as number] as number) | (kind[bytes[at - 2] as number] as number);
    if (((first | second | before) & MARK) !== 0) return at;
  }
  return -1;
}

/** Whether the bytes between the last four that were looked at are digits and points too. */
function isRun(bytes: Uint8Array, at: number): boolean {
  const first = at - (RUN_STOPS - 1) * STRIDE;
  for (let index = at; index >= first; index--) if (inRun[bytes[index] ?? 0] === 0) return false;
  return true;
}

/** Whether a digit, `e`, perhaps a sign and three digits stand where `at` is one of the first four of these bytes. */
function isInExponent(bytes: Uint8Array, at: number): boolean {
  return isExponent(bytes, at - 2) || isExponent(bytes, at - 1) || isExponent(bytes, at) || isExponent(bytes, at + 1);
}

function isExponent(bytes: Uint8Array, mark: number): boolean {
  if (kind[bytes[mark] as number] !== MARK || !isDigit(bytes[mark - 1])) return false;
  const first = kind[bytes[mark + 1] as number] === SIGN ? mark + 2 : mark + 1;
  return isDigit(bytes[first]) && isDigit(bytes[first + 1]) && isDigit(bytes[first + 2]);
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && kind[byte] === DIGIT;
}

/**
 * -1 if the byte at `at` belongs to a number that does not survive, else the index behind what looks like a number
 * there. What stands before it tells numbers from strings: a string's digits follow a quote or a letter.
 */
function afterSafeNumber(bytes: Uint8Array, start: number, end: number, at: number): number {
  let first = at;
  while (first > start && isNumberByte(bytes[first - 1])) first--;
  let last = at + 1;
  while (last < end && isNumberByte(bytes[last])) last++;
  if (!precedesValue(bytes[first - 1])) return last;
  let text = '';
  const cut = Math.min(last, first + MAX_NUMBER_BYTES);
  for (let index = first; index < cut; index++) text += String.fromCharCode(bytes[index] as number);
  return survives(text) ? last : -1;
}

/** Digits, `.`, `-`, `+`, `e`, `E`. */
function isNumberByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (byte >= 48 && byte <= 57) || byte === 46 || byte === 45 || byte === 43 || (byte | 32) === 101;
}

/** `:`, `,`, `[` and white space: what can stand directly before a value inside a container. */
function precedesValue(byte: number | undefined): boolean {
  return byte === 58 || byte === 44 || byte === 91 || byte === 32 || byte === 9 || byte === 10 || byte === 13;
}
