import { S3Error } from './errors.ts';

/**
 * The aws-chunked transfer form: `<hex size>[;chunk-signature=…]\r\n<bytes>\r\n`, a chunk of size 0, trailers, and an
 * empty line. Pieces handed out are views on the input, not copies.
 */
export interface ChunkedDecoder {
  /** The payload pieces inside these bytes. Throws IncompleteBody on anything that is not the format. */
  push(bytes: Buffer): Generator<Buffer>;
  /** The trailers, names in lower case. Throws IncompleteBody when the last chunk has not been seen. */
  finish(): ReadonlyMap<string, string>;
}

/** A chunk header or trailer line longer than this is no aws-chunked body. */
const MAX_LINE = 8192;

export function createChunkedDecoder(): ChunkedDecoder {
  const trailers = new Map<string, string>();
  let state: 'size' | 'data' | 'dataEnd' | 'trailer' | 'done' = 'size';
  let line = '';
  let left = 0;

  const takeLine = (text: string) => {
    if (state === 'size') {
      if (!/^[0-9a-fA-F]{1,8}(;.*)?$/.test(text)) throw incomplete();
      left = Number.parseInt(text, 16);
      state = left === 0 ? 'trailer' : 'data';
    } else if (state === 'dataEnd') {
      if (text !== '') throw incomplete();
      state = 'size';
    } else if (text === '') state = 'done';
    else {
      const colon = text.indexOf(':');
      if (colon < 1) throw incomplete();
      trailers.set(text.slice(0, colon).trim().toLowerCase(), text.slice(colon + 1).trim());
    }
  };

  return {
    *push(bytes) {
      for (let at = 0; at < bytes.length; ) {
        if (state === 'data') {
          const end = Math.min(bytes.length, at + left);
          left -= end - at;
          yield bytes.subarray(at, end);
          at = end;
          if (left === 0) state = 'dataEnd';
          continue;
        }
        if (state === 'done') throw incomplete();
        const newline = bytes.indexOf(10, at);
        const end = newline < 0 ? bytes.length : newline;
        line += bytes.toString('latin1', at, end);
        at = end + 1;
        if (line.length > MAX_LINE) throw incomplete();
        if (newline < 0) continue;
        const whole = line.endsWith('\r') ? line.slice(0, -1) : line;
        line = '';
        takeLine(whole);
      }
    },
    finish() {
      // Some clients end right after the trailers, without the empty line.
      if (state !== 'done' && (state !== 'trailer' || line !== '')) throw incomplete();
      return trailers;
    },
  };
}

function incomplete(): S3Error {
  return new S3Error(400, 'IncompleteBody', 'The request body is not a complete aws-chunked stream');
}
