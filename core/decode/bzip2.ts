import { Duplex } from 'node:stream';
import { bzip2Reader } from './bzip2-reader.ts';
import type { Codec, Engine } from './codec.ts';
import { DecodeError } from './codes.ts';

/** Streams of bzip2, one after another, as parallel writers make them too. Node has no decoder of its own. */
export const bzip2: Codec = {
  name: 'bzip2',
  title: 'bzip2',
  code: 'decode.corruptBzip2',
  claims(head) {
    // Plain text may well begin with the first four letters.
    return /^425a683[1-9](314159265359|177245385090)/.test(Buffer.from(head).toString('hex'));
  },
  open,
  // The reader gives what it has before it looks at a checksum.
  trailerBytes: 0,
  follows: 'nothing',
};

/** Works on the main thread: between two pieces others get their turn. */
function open({ readableHighWaterMark }: { readonly readableHighWaterMark: number }): Engine {
  const reader = bzip2Reader();
  let bytesWritten = 0;
  let resume: (() => void) | undefined;
  const run = (done: (error?: Error) => void): void => {
    try {
      const piece = reader.next();
      const goOn = () => void setImmediate(() => engine.destroyed || run(done));
      if (piece === 'more') done();
      else if (engine.push(piece)) goOn();
      else resume = goOn;
    } catch (error) {
      done(error as Error);
    }
  };
  const engine = new Duplex({
    readableHighWaterMark,
    write(bytes: Uint8Array, _encoding, done) {
      reader.feed(bytes);
      bytesWritten += bytes.length;
      run(done);
    },
    final(done) {
      if (reader.isComplete()) engine.push(null);
      done(reader.isComplete() ? null : Object.assign(new Error('cut off'), { code: 'Z_BUF_ERROR' }));
    },
    read() {
      const go = resume;
      resume = undefined;
      go?.();
    },
  });
  return Object.defineProperty(engine, 'bytesWritten', { get: () => bytesWritten }) as Engine;
}

/** Bytes fed at a time, so that a piece of output is made as soon as it can be. */
const SLICE_BYTES = 64 * 1024;

/**
 * Unpacks a small piece of data at once, such as a block of another format. Throws DecodeError `decode.corruptBzip2`,
 * and `decode.bomb` for more than `maxBytes`.
 */
export function bunzip2(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const reader = bzip2Reader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      reader.feed(bytes.subarray(at, at + SLICE_BYTES));
      for (let piece = reader.next(); piece !== 'more'; piece = reader.next()) {
        length += piece.length;
        if (length > maxBytes) {
          throw new DecodeError(
            'decode.bomb',
            `the bzip2 data gives more than ${maxBytes} bytes, the most that is allowed`,
          );
        }
        pieces.push(piece);
      }
    }
    if (!reader.isComplete()) throw new Error('it ends before its end mark');
  } catch (error) {
    if (error instanceof DecodeError) throw error;
    throw new DecodeError('decode.corruptBzip2', `the bzip2 data is damaged (${(error as Error).message})`, {
      cause: error,
    });
  }
  return Buffer.concat(pieces, length);
}
