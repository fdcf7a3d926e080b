import { isUtf8 } from 'node:buffer';

/** A text whose bytes are not UTF-8, with U+FFFD where they are not. */
export class NotUtf8 {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** The text of these bytes. */
export function textOf(bytes: Buffer): string | NotUtf8 {
  const text = bytes.toString('utf8');
  // Decoding puts U+FFFD wherever bytes are not UTF-8, and looking for it is cheaper than checking all bytes.
  return text.includes('\ufffd') && !isUtf8(bytes) ? new NotUtf8(text) : text;
}
