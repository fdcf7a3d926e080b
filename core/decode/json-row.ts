import { isUtf8 } from 'node:buffer';
import { addBad, addRow, type Batch, headOf } from './batches.ts';
import type { RowFault } from './codes.ts';
import { mayLoseDigits, parseExactJson } from './exact-json.ts';
import { ExactNumber } from './exact-number.ts';
import type { DecodeLimits } from './format.ts';
import { deeperThan } from './json-element.ts';
import { explainJsonFault } from './json-machine.ts';

/** Where a JSON text lies in the view, and the position it gets as a row. */
export interface JsonText {
  readonly start: number;
  readonly end: number;
  readonly position: number;
}

/**
 * Parses one JSON text that must be an object and adds it to the batch, as a row or as a bad row. Returns the code of
 * a bad row.
 */
export function takeJsonRow(batch: Batch, view: Buffer, row: JsonText, limits: DecodeLimits): RowFault | undefined {
  const { start, end } = row;
  const text = view.toString('utf8', start, end);
  // Decoding puts U+FFFD wherever bytes are not UTF-8, and looking for it is cheaper than checking every row's bytes.
  if (text.includes('\ufffd') && !isUtf8(view.subarray(start, end))) {
    const message = `not UTF-8 at byte ${firstInvalid(view.subarray(start, end), text)}`;
    return rejectRow(batch, view, row, { code: 'decode.invalidUtf8', message }, limits);
  }
  if (hasOpeners(text, limits.maxDepth) && deeperThan(view, start, end, limits.maxDepth)) {
    return rejectRow(batch, view, row, tooDeep(limits), limits);
  }
  let value: unknown;
  try {
    value = mayLoseDigits(view, start, end) ? parseExactJson(text) : JSON.parse(text);
  } catch {
    const message = explainJsonFault(view.subarray(start, end));
    return rejectRow(batch, view, row, { code: 'decode.invalidJson', message }, limits);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof ExactNumber) {
    const message = `expected a JSON object, found ${kindOf(value)}`;
    return rejectRow(batch, view, row, { code: 'decode.notAnObject', message }, limits);
  }
  addRow(batch, value, row.position, start, end);
  return undefined;
}

/** Adds a row that is wholly in the view as a bad row. */
export function rejectRow(
  batch: Batch,
  view: Buffer,
  { start, end, position }: JsonText,
  fault: { readonly code: RowFault; readonly message: string },
  limits: DecodeLimits,
): RowFault {
  addBad(batch, fault, { position, length: end - start, raw: headOf(view.subarray(start, end), limits) });
  return fault.code;
}

export function tooDeep(limits: DecodeLimits): { readonly code: RowFault; readonly message: string } {
  return { code: 'decode.tooDeep', message: `more than ${limits.maxDepth} objects and arrays inside each other` };
}

/** Whether the text has more opening brackets than `count`, a sign that it may be nested that deep: 4 % of JSON.parse. */
function hasOpeners(text: string, count: number): boolean {
  let found = 0;
  for (let at = text.indexOf('{'); at >= 0 && found <= count; at = text.indexOf('{', at + 1)) found++;
  for (let at = text.indexOf('['); at >= 0 && found <= count; at = text.indexOf('[', at + 1)) found++;
  return found > count;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'string' || typeof value === 'boolean' ? `a ${typeof value}` : 'a number';
}

/** Index of the first byte that is not UTF-8. `text` is what `bytes` decode to; a genuine U+FFFD is passed over. */
export function firstInvalid(bytes: Uint8Array, text: string): number {
  let offset = 0;
  let from = 0;
  for (;;) {
    const mark = text.indexOf('\ufffd', from);
    if (mark < 0) return bytes.length;
    offset += Buffer.byteLength(text.slice(from, mark));
    if (bytes[offset] !== 0xef || bytes[offset + 1] !== 0xbf || bytes[offset + 2] !== 0xbd) return offset;
    offset += 3;
    from = mark + 1;
  }
}
