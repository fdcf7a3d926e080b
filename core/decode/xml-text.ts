import { TextDecoder } from 'node:util';
import { DecodeError } from './codes.ts';
import { withEncoding } from './csv-text.ts';

/** An XML declaration that is longer has no business being one. */
const HEAD_BYTES = 1024;

/**
 * An XML document as UTF-8. The encoding is `given`, or what a byte order mark, the shape of the first characters or
 * the declaration says (XML 1.0 appendix F), or UTF-8. A document that declares UTF-16 and is not is UTF-8: programs
 * that write strings into files make those. What an encoding has no character for becomes a byte that UTF-8 never has,
 * so that its row is found invalid.
 *
 * Throws DecodeError `decode.unsupportedXml` for an encoding that is not known.
 */
export async function* utf8Xml(
  bytes: AsyncIterable<Uint8Array>,
  given: string | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const head = await headOf(bytes[Symbol.asyncIterator]());
  const whole = wholeOf(head);
  const decoder = decoderOf(given ?? encodingOf(head.bytes));
  switch (decoder.encoding) {
    case 'utf-8':
      yield* whole;
      return;
    case 'utf-16le':
    case 'utf-16be':
      yield* withEncoding(whole, { encoding: decoder.encoding });
      return;
    default:
      for await (const chunk of whole) yield utf8Of(decoder.decode(chunk, { stream: true }));
      yield utf8Of(decoder.decode());
  }
}

interface Head {
  readonly bytes: Uint8Array;
  readonly rest: AsyncIterator<Uint8Array>;
  /** What reading on threw: it counts once the bytes before it are used. */
  readonly failure: { readonly error: unknown } | undefined;
}

async function headOf(rest: AsyncIterator<Uint8Array>): Promise<Head> {
  let bytes: Uint8Array = new Uint8Array();
  try {
    while (bytes.length < HEAD_BYTES) {
      const next = await rest.next();
      if (next.done) break;
      bytes = Buffer.concat([bytes, next.value]);
    }
  } catch (error) {
    return { bytes, rest, failure: { error } };
  }
  return { bytes, rest, failure: undefined };
}

async function* wholeOf({ bytes, rest, failure }: Head): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield bytes;
    if (failure) throw failure.error;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

function decoderOf(label: string): TextDecoder {
  try {
    return new TextDecoder(label);
  } catch {
    const remedy = "If it is wrong about itself, name its encoding in the source: xml({ encoding: '…' })";
    throw new DecodeError('decode.unsupportedXml', `the document's encoding '${label}' is not known. ${remedy}`);
  }
}

/** The decoder gives U+FFFD for what it does not know, and none of the encodings that come here have that themselves. */
function utf8Of(text: string): Uint8Array {
  if (!text.includes('\ufffd')) return Buffer.from(text);
  const parts = text.split('\ufffd').flatMap((part) => [Buffer.from(part), Buffer.of(0xff)]);
  return Buffer.concat(parts.slice(0, -1));
}

/** The encoding a document is in, by its own word. */
export function encodingOf(head: Uint8Array): string {
  const start = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, HEAD_BYTES)).toString('latin1');
  if (start.startsWith('\xef\xbb\xbf')) return 'utf-8';
  if (start.startsWith('\xff\xfe') || start.startsWith('<\0')) return 'utf-16le';
  if (start.startsWith('\xfe\xff') || start.startsWith('\0<')) return 'utf-16be';
  const declared = /^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.:-]{0,40})["']/.exec(start)?.[1] ?? 'utf-8';
  return /^(utf-?16|ucs-?2)/i.test(declared) ? 'utf-8' : declared;
}
