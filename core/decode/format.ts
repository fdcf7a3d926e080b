import type { AvroFormat } from './avro.ts';
import type { RowFault } from './codes.ts';
import type { CsvFormat } from './csv.ts';
import type { FixedWidthFormat } from './fixed-width.ts';
import type { JsonFormat } from './json.ts';
import type { NdjsonFormat } from './ndjson.ts';
import type { ParquetFormat } from './parquet.ts';
import type { XlsxFormat } from './xlsx.ts';
import type { XmlFormat } from './xml.ts';

/** Formats that are read from front to back. */
export type StreamFormat = AvroFormat | NdjsonFormat | JsonFormat | CsvFormat | FixedWidthFormat | XmlFormat;

/** Formats with their index at the end or in the middle: `decodeFile` reads them. */
export type FileFormat = ParquetFormat | XlsxFormat;

/** What one format needs to say about itself; a source config holds one: such as `csv({ … })`. */
export type Format = StreamFormat | FileFormat;

/** A row that could not be decoded. */
export interface BadRow {
  /** As in {@link RowBatch.positions}. */
  readonly position: number;
  readonly code: RowFault;
  /** What is wrong and at which byte of the row (counted from 0); never a byte of the row itself. */
  readonly message: string;
  /** Bytes of the whole row, however many of them `raw` holds. */
  readonly length: number;
  /** The row's first bytes, a copy: at most `rawLimitBytes` and `maxRowBytes`. */
  readonly raw: Uint8Array;
}

export interface RowBatch {
  /** CSV, fixed width and xlsx: the cells, a list as long as `columns`. All others: an object. */
  readonly rows: readonly unknown[];
  /**
   * As long as `rows`. Line formats: offset of the row's first byte in the decompressed object, a byte order mark
   * counted. All others, and UTF-16 text: the row's ordinal, from 0 (xlsx: in the sheet); bad rows have one too.
   */
  readonly positions: readonly number[];
  /** CSV, fixed width and xlsx only: the names of the cells. The same array in every batch. */
  readonly columns?: readonly string[];
  /**
   * Where positions are offsets: offset of the first byte behind the batch. No row begins between its last row and
   * there, and none is cut by it, so decoding may begin there another time.
   */
  readonly next?: number;
  /** In the order in which they stand in the object. */
  readonly bad: readonly BadRow[];
  /**
   * The bytes of `rows[index]` as they stand in the object, without the row's end; in binary formats, its JSON text. A
   * view, valid until the next batch is asked for: copy what is kept.
   */
  raw(index: number): Uint8Array;
}

export interface DecodeLimits {
  /** A longer row becomes one bad row without being held in memory. */
  readonly maxRowBytes: number;
  /** Containers inside each other in one row, the row's own object counted. */
  readonly maxDepth: number;
  /** A batch ends with this many rows, good and bad together. It may end sooner. */
  readonly batchRows: number;
  /** A batch ends when its rows take this many bytes; only a single row can be larger. */
  readonly batchBytes: number;
  /** How much of a bad row is kept. */
  readonly rawLimitBytes: number;
}
