export type CsvEncoding = 'utf-8' | 'latin1' | 'windows-1252' | 'utf-16le' | 'utf-16be';

/** UTF-16 is read as UTF-8: offsets in the object are not known then. */
export function isUtf16(encoding: CsvEncoding | undefined): encoding is 'utf-16le' | 'utf-16be' {
  return encoding === 'utf-16le' || encoding === 'utf-16be';
}

/** What windows-1252 has at 0x80 to 0x9f, where latin1 has control characters (https://encoding.spec.whatwg.org). */
const windows1252 =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
  '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178';

/** Text of `view[start, end)`; bytes that are not UTF-8 become U+FFFD. UTF-16 is UTF-8 by now: see {@link withEncoding}. */
export function textOf(view: Buffer, start: number, end: number, encoding: CsvEncoding): string {
  if (encoding === 'utf-8' || isUtf16(encoding)) return view.toString('utf8', start, end);
  const text = view.toString('latin1', start, end);
  if (encoding === 'latin1') return text;
  return text.replace(/[\x80-\x9f]/g, (character) => windows1252[character.charCodeAt(0) - 0x80] ?? character);
}

/** Bytes of a delimiter or prefix as they stand in the view; undefined when the encoding lacks a character of it. */
export function bytesOf(text: string, encoding: CsvEncoding): Buffer | undefined {
  const bytes =
    encoding === 'utf-8' || isUtf16(encoding)
      ? Buffer.from(text)
      : Buffer.from(Array.from(text, (character) => byteOf(character, encoding)));
  return textOf(bytes, 0, bytes.length, encoding) === text ? bytes : undefined;
}

function byteOf(character: string, encoding: 'latin1' | 'windows-1252'): number {
  const index = encoding === 'windows-1252' ? windows1252.indexOf(character) : -1;
  return index < 0 ? character.charCodeAt(0) : 0x80 + index;
}

/** The object as the scanner reads it: UTF-16 converted to UTF-8, everything else as it is. */
export function withEncoding(
  bytes: AsyncIterable<Uint8Array>,
  format: { readonly encoding?: CsvEncoding },
): AsyncIterable<Uint8Array> {
  if (format.encoding === 'utf-16be') return fromUtf16(swapped(bytes));
  return format.encoding === 'utf-16le' ? fromUtf16(bytes) : bytes;
}

async function* fromUtf16(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let rest = Buffer.alloc(0);
  for await (const chunk of bytes) {
    const known = Buffer.concat([rest, chunk]);
    let end = known.length & ~1;
    // The first half of a surrogate pair waits for the second.
    if (end >= 2 && ((known[end - 1] as number) & 0xfc) === 0xd8) end -= 2;
    rest = known.subarray(end);
    yield utf8Of(known.toString('utf16le', 0, end));
  }
  // What is left is half a character: any half of a pair stands for it.
  if (rest.length > 0) yield utf8Of('\ud800');
}

/** UTF-8 of a text; half a surrogate pair becomes a byte that UTF-8 never has, so that its row is found invalid. */
function utf8Of(text: string): Uint8Array {
  if (text.isWellFormed()) return Buffer.from(text);
  const parts = text.split(/\p{Surrogate}/u).flatMap((part) => [Buffer.from(part), Buffer.of(0xff)]);
  return Buffer.concat(parts.slice(0, -1));
}

/** Pairs of bytes the other way round. */
async function* swapped(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of bytes) {
    const known = Buffer.concat([rest, chunk]);
    const end = known.length & ~1;
    rest = new Uint8Array(known.subarray(end));
    yield known.subarray(0, end).swap16();
  }
  if (rest.length > 0) yield rest;
}

/** UTF-16 of a row that was read as UTF-8. */
export function utf16Of(bytes: Uint8Array, encoding: 'utf-16le' | 'utf-16be'): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  const pairs = Buffer.from(text, 'utf16le');
  return new Uint8Array(encoding === 'utf-16be' ? pairs.swap16() : pairs);
}
