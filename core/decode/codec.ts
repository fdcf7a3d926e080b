import type { Duplex } from 'node:stream';
import { brotli } from './brotli.ts';
import { bzip2 } from './bzip2.ts';
import type { DecodeErrorCode } from './codes.ts';
import { gzip } from './gzip.ts';
import { zstd } from './zstd.ts';

/** What one compression needs to say about itself. */
export interface Codec {
  readonly name: 'deflate' | 'gzip' | 'zstd' | 'bzip2' | 'brotli';
  /** In messages. */
  readonly title: string;
  readonly code: DecodeErrorCode;
  /** Whether data that begins with these bytes (10, or all there are) is of this kind, in an object of this name. */
  readonly claims: (head: Uint8Array, name: string) => boolean;
  readonly open: (options: EngineOptions) => Engine;
  /** Bytes at the end of the data that only check it. */
  readonly trailerBytes: number;
  /** What may stand behind data at whose end the engine has stopped; anything else is damage. */
  readonly follows: 'more' | 'zeros' | 'nothing';
}

export interface EngineOptions {
  readonly chunkSize: number;
  readonly readableHighWaterMark: number;
}

/** A stream like those of node:zlib. It stops reading where the data ends, and says nothing about it. */
export type Engine = Duplex & { readonly bytesWritten: number };

const codecs: readonly Codec[] = [zstd, gzip, bzip2, brotli];

/** The compression of data that begins with these bytes; undefined for what is not compressed. */
export function codecOf(head: Uint8Array, name: string): Codec | undefined {
  return codecs.find((codec) => codec.claims(head, name));
}

const suffix = /\.(?:gz|gzip|zst|zstd|bz2|bzip2|br)$/i;

/** The name of what comes out of an object of this name: without the last suffix that is a compression's. */
export function innerName(name: string): string {
  return name.replace(suffix, '');
}
