/**
 * The grammar of RFC 8259 as a machine that is fed one byte at a time. It is slow next to JSON.parse and is used where
 * that cannot be: to say where a text breaks the grammar, and to walk through a document that is never held in memory.
 * It takes every byte from 0x80 on inside a string; whether they are UTF-8 is for others to check.
 */
export interface JsonMachine {
  state: State;
  /** The opening bytes (`{`, `[`) of the containers that are open, outermost first. */
  readonly open: number[];
  /** What is left of `true`, `false`, `null`. */
  literal: string;
  /** Hexadecimal digits that are left of `\u0000`. */
  hex: number;
  isName: boolean;
}

export type State =
  | 'value'
  | 'firstElement'
  | 'firstName'
  | 'name'
  | 'colon'
  | 'after'
  | 'string'
  | 'escape'
  | 'hex'
  | 'minus'
  | 'zero'
  | 'integer'
  | 'point'
  | 'fraction'
  | 'exponent'
  | 'exponentSign'
  | 'exponentDigits'
  | 'literal';

const expected: Record<State, string> = {
  value: 'a value',
  firstElement: "a value or ']'",
  firstName: "a name in double quotes or '}'",
  name: 'a name in double quotes',
  colon: "':'",
  after: 'the end',
  string: "'\"' or a character that is not a control character",
  escape: 'one of "\\/bfnrtu after the backslash',
  hex: 'four hexadecimal digits after \\u',
  minus: 'a digit',
  zero: 'no digit after a leading zero',
  integer: 'a digit',
  point: 'a digit after the point',
  fraction: 'a digit',
  exponent: 'a digit or a sign after the e',
  exponentSign: 'a digit after the sign',
  exponentDigits: 'a digit',
  literal: 'true, false or null',
};

const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;
const QUOTE = 0x22;
const literals: Readonly<Record<number, string>> = { 116: 'rue', 102: 'alse', 110: 'ull' };

export function newJsonMachine(): JsonMachine {
  return { state: 'value', open: [], literal: '', hex: 0, isName: false };
}

export function isJsonSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Whether what was fed so far is a complete text: one value, with nothing open. */
export function isComplete({ state, open }: JsonMachine): boolean {
  return open.length === 0 && (state === 'after' || endsNumber(state));
}

/** Feeds one byte. False when the grammar has no place for it here; the machine is then as it was before. */
export function feed(machine: JsonMachine, byte: number): boolean {
  switch (machine.state) {
    case 'value':
    case 'firstElement':
      if (byte === 0x5d && machine.state === 'firstElement') return close(machine);
      return isJsonSpace(byte) || beginValue(machine, byte);
    case 'firstName':
    case 'name':
      if (byte === 0x7d && machine.state === 'firstName') return close(machine);
      if (byte === QUOTE) machine.isName = true;
      return isJsonSpace(byte) || (byte === QUOTE && go(machine, 'string'));
    case 'colon':
      return isJsonSpace(byte) || (byte === 0x3a && go(machine, 'value'));
    case 'after':
      return isJsonSpace(byte) || afterValue(machine, byte);
    case 'string':
    case 'escape':
    case 'hex':
      return inString(machine, byte);
    case 'literal':
      if (byte !== machine.literal.charCodeAt(0)) return false;
      machine.literal = machine.literal.slice(1);
      return machine.literal !== '' || endValue(machine);
    default:
      return inNumber(machine, byte);
  }
}

/** Closes a value that was read past by other means: the machine stands after it. */
export function endValue(machine: JsonMachine): true {
  return go(machine, 'after');
}

/**
 * Says what is wrong with a text that is not one JSON value: what was expected, at which byte (counted from 0).
 * Never quotes the text.
 */
export function explainJsonFault(bytes: Uint8Array): string {
  const machine = newJsonMachine();
  for (let at = 0; at < bytes.length; at++) {
    if (!feed(machine, bytes[at] as number)) return `not JSON: expected ${expectation(machine)} at byte ${at}`;
  }
  return `not JSON: it ends at byte ${bytes.length}, where ${expectation(machine)} was expected`;
}

/** What the grammar allows next. */
export function expectation({ state, open }: JsonMachine): string {
  const container = open.at(-1);
  if (container === undefined || (state !== 'after' && !endsNumber(state))) return expected[state];
  const end = container === OPEN_OBJECT ? "',' or '}'" : "',' or ']'";
  return state === 'after' ? end : `${expected[state]}, ${end}`;
}

function go(machine: JsonMachine, state: State): true {
  machine.state = state;
  return true;
}

function close(machine: JsonMachine): true {
  machine.open.pop();
  return endValue(machine);
}

function beginValue(machine: JsonMachine, byte: number): boolean {
  if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
    machine.open.push(byte);
    return go(machine, byte === OPEN_OBJECT ? 'firstName' : 'firstElement');
  }
  if (byte === QUOTE) return go(machine, 'string');
  if (byte === 0x2d) return go(machine, 'minus');
  if (isDigit(byte)) return go(machine, byte === 0x30 ? 'zero' : 'integer');
  const literal = literals[byte];
  if (literal === undefined) return false;
  machine.literal = literal;
  return go(machine, 'literal');
}

function afterValue(machine: JsonMachine, byte: number): boolean {
  const container = machine.open.at(-1);
  if (container === undefined) return false;
  if (byte === 0x2c) return go(machine, container === OPEN_OBJECT ? 'name' : 'value');
  return byte === (container === OPEN_OBJECT ? 0x7d : 0x5d) && close(machine);
}

function inString(machine: JsonMachine, byte: number): boolean {
  if (machine.state === 'escape') {
    if (byte === 0x75) machine.hex = 4;
    return byte === 0x75
      ? go(machine, 'hex')
      : '"\\/bfnrt'.includes(String.fromCharCode(byte)) && go(machine, 'string');
  }
  if (machine.state === 'hex') {
    const lower = byte | 0x20;
    if (!isDigit(byte) && !(lower >= 0x61 && lower <= 0x66)) return false;
    machine.hex--;
    return machine.hex > 0 || go(machine, 'string');
  }
  if (byte === 0x5c) return go(machine, 'escape');
  if (byte !== QUOTE) return byte >= 0x20;
  if (!machine.isName) return endValue(machine);
  machine.isName = false;
  return go(machine, 'colon');
}

function inNumber(machine: JsonMachine, byte: number): boolean {
  const { state } = machine;
  if (isDigit(byte) && state !== 'zero') {
    if (state === 'minus') return go(machine, byte === 0x30 ? 'zero' : 'integer');
    if (state === 'point') return go(machine, 'fraction');
    return state === 'exponent' || state === 'exponentSign' ? go(machine, 'exponentDigits') : true;
  }
  if (state === 'exponent' && (byte === 0x2b || byte === 0x2d)) return go(machine, 'exponentSign');
  if (!endsNumber(state)) return false;
  if (byte === 0x2e && (state === 'zero' || state === 'integer')) return go(machine, 'point');
  if ((byte | 0x20) === 0x65 && state !== 'exponentDigits') return go(machine, 'exponent');
  if (!isJsonSpace(byte) && !afterValue(machine, byte)) return false;
  if (isJsonSpace(byte)) endValue(machine);
  return true;
}

/** Whether a number may end here. */
function endsNumber(state: State): boolean {
  return state === 'zero' || state === 'integer' || state === 'fraction' || state === 'exponentDigits';
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
