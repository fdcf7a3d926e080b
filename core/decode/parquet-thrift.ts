/**
 * Thrift's compact protocol, as much of it as Parquet's metadata needs
 * (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md). What a shape does not name is
 * passed over without being kept. Everything read takes a byte of the input at least, so that hostile counts cost
 * nothing.
 */
export interface ThriftInput {
  readonly bytes: Buffer;
  at: number;
}

/** Reads one value of a wire type. */
export type Read<T> = (input: ThriftInput, type: number, depth: number) => T;

/** Input that stops in the middle, or is no Thrift of the shape that was expected. */
export class ThriftError extends Error {
  readonly isCutOff: boolean;

  constructor(message: string, isCutOff = false) {
    super(message);
    this.name = 'ThriftError';
    this.isCutOff = isCutOff;
  }
}

const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const I64 = 6;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const SET = 10;
const MAP = 11;
const STRUCT = 12;
const MAX_DEPTH = 32;

function byte(input: ThriftInput): number {
  const value = input.bytes[input.at++];
  if (value === undefined) throw new ThriftError('it ends in the middle', true);
  return value;
}

/** Above 2^53 not exact: no size or count that is true is that large. */
function varint(input: ThriftInput): number {
  let value = 0;
  for (let factor = 1; factor < 2 ** 70; factor *= 128) {
    const next = byte(input);
    value += (next & 0x7f) * factor;
    if (next < 0x80) return value;
  }
  throw new ThriftError('a number is longer than ten bytes');
}

/** An integer of 8 to 64 bits. */
export const integer: Read<number> = (input, type) => {
  if (type === BYTE) return (byte(input) << 24) >> 24;
  if (type < BYTE || type > I64) throw new ThriftError('a number was expected');
  const value = varint(input);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
};

export const flag: Read<boolean> = (_input, type) => {
  if (type !== TRUE && type !== FALSE) throw new ThriftError('true or false was expected');
  return type === TRUE;
};

export const text: Read<string> = (input, type) => {
  if (type !== BINARY) throw new ThriftError('a text was expected');
  const length = varint(input);
  pass(input, length);
  return input.bytes.toString('utf8', input.at - length, input.at);
};

/** Whatever stands there, which only has to be there. */
export const present: Read<true> = (input, type, depth) => {
  skip(input, type, depth);
  return true;
};

export function list<T>(read: Read<T>): Read<T[]> {
  return (input, type, depth) => {
    if (type !== LIST && type !== SET) throw new ThriftError('a list was expected');
    const { count, of } = listHeader(input);
    const items: T[] = [];
    for (let index = 0; index < count; index++) items.push(read(input, of, depth + 1));
    return items;
  };
}

type Shape = Readonly<Record<string, readonly [id: number, read: Read<unknown>]>>;
export type Struct<S extends Shape> = { readonly [K in keyof S]?: S[K][1] extends Read<infer T> ? T : never };

/** A struct by the names and ids of its fields; any of them may be missing. */
export function struct<const S extends Shape>(shape: S): Read<Struct<S>> {
  const fields = new Map(Object.entries(shape).map(([name, [id, read]]) => [id, { name, read }]));
  return (input, type, depth) => {
    if (type !== STRUCT) throw new ThriftError('a struct was expected');
    const value: Record<string, unknown> = {};
    eachField(input, depth, (id, fieldType) => {
      const field = fields.get(id);
      if (field) value[field.name] = field.read(input, fieldType, depth + 1);
      else skip(input, fieldType, depth + 1);
    });
    return value as Struct<S>;
  };
}

/** One struct from the input's place on. */
export function readStruct<T>(input: ThriftInput, read: Read<T>): T {
  return read(input, STRUCT, 0);
}

function eachField(input: ThriftInput, depth: number, take: (id: number, type: number) => void): void {
  if (depth > MAX_DEPTH) throw new ThriftError(`it is nested deeper than ${MAX_DEPTH} levels`);
  let id = 0;
  for (;;) {
    const head = byte(input);
    const type = head & 0x0f;
    if (type === 0) return;
    id = head >> 4 === 0 ? integer(input, I64, depth) : id + (head >> 4);
    take(id, type);
  }
}

function listHeader(input: ThriftInput): { readonly count: number; readonly of: number } {
  const head = byte(input);
  const short = head >> 4;
  const of = head & 0x0f;
  // Flags in a list take a byte each.
  return { count: short === 15 ? varint(input) : short, of: of === TRUE || of === FALSE ? BYTE : of };
}

function skip(input: ThriftInput, type: number, depth: number): void {
  if (depth > MAX_DEPTH) throw new ThriftError(`it is nested deeper than ${MAX_DEPTH} levels`);
  if (type === TRUE || type === FALSE) return;
  if (type === BYTE) byte(input);
  else if (type > BYTE && type <= I64) varint(input);
  else if (type === DOUBLE) pass(input, 8);
  else if (type === BINARY) pass(input, varint(input));
  else if (type === LIST || type === SET) {
    const { count, of } = listHeader(input);
    for (let index = 0; index < count; index++) skip(input, of, depth + 1);
  } else if (type === MAP) {
    const count = varint(input);
    const types = count === 0 ? 0 : byte(input);
    for (let index = 0; index < count; index++) {
      skip(input, types >> 4, depth + 1);
      skip(input, types & 0x0f, depth + 1);
    }
  } else if (type === STRUCT) eachField(input, depth, (_id, of) => skip(input, of, depth + 1));
  else throw new ThriftError(`there is no type ${type}`);
}

function pass(input: ThriftInput, count: number): void {
  if (count > input.bytes.length - input.at) throw new ThriftError('it ends in the middle', true);
  input.at += count;
}
