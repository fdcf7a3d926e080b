import { createGunzip } from 'node:zlib';
import { isBrotliName } from './brotli.ts';
import type { Codec } from './codec.ts';

/** DEFLATE, and none of the flags that are reserved (RFC 1952). */
const METHOD = 0x08;
const RESERVED_FLAGS = 0xe0;

/** The engine reads one member after another by itself, and stops at zeros, which may fill a file up. */
export const gzip: Codec = {
  name: 'gzip',
  title: 'gzip',
  code: 'decode.corruptGzip',
  claims([first, second, method, flags = 0], name) {
    if (first !== 0x1f || second !== 0x8b) return false;
    // Brotli may begin with these two bytes as well.
    return !isBrotliName(name) || (method === METHOD && (flags & RESERVED_FLAGS) === 0);
  },
  open: createGunzip,
  // CRC and length.
  trailerBytes: 8,
  follows: 'zeros',
};
