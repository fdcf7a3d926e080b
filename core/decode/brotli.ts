import { createBrotliDecompress } from 'node:zlib';
import type { Codec } from './codec.ts';

/** Brotli has no mark of its own at the beginning (RFC 7932): only the name tells. */
export const brotli: Codec = {
  name: 'brotli',
  title: 'Brotli',
  code: 'decode.corruptBrotli',
  claims: (head, name) => head.length > 0 && isBrotliName(name),
  open: createBrotliDecompress,
  trailerBytes: 0,
  follows: 'nothing',
};

export function isBrotliName(name: string): boolean {
  return /\.br$/i.test(name);
}
