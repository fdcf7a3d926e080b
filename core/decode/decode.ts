import { decodeAvro } from './avro.ts';
import { batches } from './batches.ts';
import { DecodeError } from './codes.ts';
import { scanCsv } from './csv.ts';
import { withEncoding } from './csv-text.ts';
import { scanFixedWidth } from './fixed-width.ts';
import type { DecodeLimits, Format, RowBatch } from './format.ts';
import { scanJson } from './json.ts';
import { scanNdjson } from './ndjson.ts';
import { scanXml } from './xml.ts';
import { utf8Xml } from './xml-text.ts';

export const defaultLimits: DecodeLimits = {
  maxRowBytes: 16 * 1024 * 1024,
  maxDepth: 64,
  batchRows: 1000,
  batchBytes: 1024 * 1024,
  rawLimitBytes: 64 * 1024,
};

/** Blocks of this size stay in the processor's cache: 16 KiB and 1 MiB take a third longer (Node 24.21, 2026-11). */
export const blockBytes = 64 * 1024;

/**
 * Decodes a decompressed object into batches of rows, in order. The rows, their positions and the bad rows depend on
 * the bytes and the format alone, never on how the bytes were cut into chunks; where batches end may.
 *
 * Memory: about `batchBytes`, or twice the longest row up to `maxRowBytes`, whichever is more. Chunks are copied, so a
 * producer may reuse its buffer. Stopping early closes `bytes`. An error of `bytes` is thrown on unchanged, after
 * every row that was complete before it has been delivered.
 *
 * Throws DecodeError `decode.badFormat` at once when the format's options contradict each other, and
 * `decode.badHeader` from the first batch. Never throws for a bad row.
 */
export function decode(
  bytes: AsyncIterable<Uint8Array>,
  format: Format,
  limits: Partial<DecodeLimits> = {},
): AsyncIterable<RowBatch> {
  return decodeInBlocks(bytes, format, limits, blockBytes);
}

/** {@link decode} that looks at this many bytes at a time, at least: small blocks bring out what lies at their edges. */
export function decodeInBlocks(
  bytes: AsyncIterable<Uint8Array>,
  format: Format,
  limits: Partial<DecodeLimits>,
  blockBytes: number,
): AsyncIterable<RowBatch> {
  const all = { ...defaultLimits, ...limits };
  switch (format.name) {
    case 'ndjson':
      return batches(bytes, all, scanNdjson(all), blockBytes);
    case 'json':
      return batches(bytes, all, scanJson(format, all), blockBytes);
    case 'csv':
      return batches(withEncoding(bytes, format), all, scanCsv(format, all), blockBytes);
    case 'fixedWidth':
      return batches(withEncoding(bytes, format), all, scanFixedWidth(format, all), blockBytes);
    case 'xml':
      return batches(utf8Xml(bytes, format.encoding), all, scanXml(format, all), blockBytes);
    case 'avro':
      return decodeAvro(bytes, all);
    case 'parquet':
    case 'xlsx':
      throw new DecodeError('decode.badFormat', `${format.name}: it is read by range, so decodeFile decodes it`);
  }
}
