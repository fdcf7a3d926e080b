import { constants, createZstdDecompress } from 'node:zlib';
import type { Codec } from './codec.ts';

/**
 * 128 MiB, the default of the zstd library: what its own levels write. Frames made with `--long=28` and above need
 * more memory than that to be read, and are refused.
 */
const MAX_WINDOW_LOG = 27;

/** A frame, or one that holds no data and is skipped, as parallel writers put in front (RFC 8878, 3.1.1 and 3.1.2). */
export const zstd: Codec = {
  name: 'zstd',
  title: 'Zstandard',
  code: 'decode.corruptZstd',
  claims([first = 0, second, third, fourth]) {
    if (first === 0x28) return second === 0xb5 && third === 0x2f && fourth === 0xfd;
    return (first & 0xf0) === 0x50 && second === 0x2a && third === 0x4d && fourth === 0x18;
  },
  open: (options) => createZstdDecompress({ ...options, params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG } }),
  trailerBytes: 4,
  follows: 'more',
};
