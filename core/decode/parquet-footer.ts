import { DecodeError } from './codes.ts';
import { flag, integer, list, present, readStruct, struct, ThriftError, text } from './parquet-thrift.ts';
import type { RandomAccess } from './random-access.ts';

/**
 * The footer of a Parquet file: its schema and where its columns lie
 * (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift). Numbers of enums stay numbers.
 */
const unit = struct({ milliseconds: [1, present], microseconds: [2, present], nanoseconds: [3, present] });
const instant = struct({ isUtc: [1, flag], unit: [2, unit] });
const element = struct({
  type: [1, integer],
  length: [2, integer],
  repetition: [3, integer],
  name: [4, text],
  children: [5, integer],
  converted: [6, integer],
  scale: [7, integer],
  logical: [
    10,
    struct({
      text: [1, present],
      map: [2, present],
      list: [3, present],
      enumeration: [4, present],
      decimal: [5, struct({ scale: [1, integer] })],
      date: [6, present],
      time: [7, instant],
      timestamp: [8, instant],
      integer: [10, struct({ bits: [1, integer], isSigned: [2, flag] })],
      json: [12, present],
      uuid: [14, present],
      float16: [15, present],
    }),
  ],
});
const column = struct({
  file: [1, text],
  metadata: [
    3,
    struct({
      type: [1, integer],
      path: [3, list(text)],
      codec: [4, integer],
      values: [5, integer],
      compressedBytes: [7, integer],
      dataOffset: [9, integer],
      dictionaryOffset: [11, integer],
    }),
  ],
  encryption: [8, present],
});
const footer = struct({
  schema: [2, list(element)],
  rows: [3, integer],
  groups: [4, list(struct({ columns: [1, list(column)], rows: [3, integer] }))],
  encryption: [8, present],
});

export type ParquetFooter = ReturnType<typeof footer>;
export type SchemaElement = ReturnType<typeof element>;
export type ColumnChunk = ReturnType<typeof column>;

/** What most footers fit in, so that one read does. */
const FIRST_READ_BYTES = 256 * 1024;
/** Footers grow with columns times row groups: 1,000 columns in 300 groups take about this. */
const MAX_FOOTER_BYTES = 64 * 1024 * 1024;
/** Length of the footer and the mark, at the end of the file. */
const TRAILER_BYTES = 8;

/** Reads and parses the footer. `end` is where it begins, and so the end of all columns. */
export async function readFooter(
  file: RandomAccess,
): Promise<{ readonly footer: ParquetFooter; readonly end: number }> {
  const { sizeBytes } = file;
  if (sizeBytes < TRAILER_BYTES + 4) throw corrupt(`${sizeBytes} bytes are too few for a Parquet file`);
  const tail = buffer(await file.read(Math.max(0, sizeBytes - FIRST_READ_BYTES), sizeBytes));
  const mark = tail.toString('latin1', tail.length - 4);
  if (mark === 'PARE') throw unsupported('its footer is encrypted: write it without encryption');
  if (mark !== 'PAR1') {
    const begin = buffer(await file.read(0, 4)).toString('latin1');
    const isCut = begin === 'PAR1' || begin === 'PARE';
    throw corrupt(isCut ? 'it does not end with its mark: it was not written completely' : 'it is no Parquet file');
  }
  const length = tail.readUInt32LE(tail.length - TRAILER_BYTES);
  const end = sizeBytes - TRAILER_BYTES - length;
  if (end < 4) throw corrupt('its footer is longer than the file');
  if (length > MAX_FOOTER_BYTES) {
    throw new DecodeError(
      'decode.tooLarge',
      `the Parquet footer takes ${length} bytes, more than the ${MAX_FOOTER_BYTES} that are read: write fewer row groups a file`,
    );
  }
  const whole = length + TRAILER_BYTES <= tail.length ? tail : buffer(await file.read(end, sizeBytes));
  const start = whole.length - TRAILER_BYTES - length;
  try {
    const parsed = readStruct({ bytes: whole.subarray(start, whole.length - TRAILER_BYTES), at: 0 }, footer);
    if (parsed.encryption) throw unsupported('its columns are encrypted: write it without encryption');
    return { footer: parsed, end };
  } catch (error) {
    if (error instanceof ThriftError) throw corrupt(`its footer cannot be read: ${error.message}`);
    throw error;
  }
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Damage; `why` goes on after "the Parquet file is damaged:". */
export function corrupt(why: string): DecodeError {
  return new DecodeError('decode.corruptParquet', `the Parquet file is damaged: ${why}`);
}

/** What is no damage and still cannot be read; `why` goes on after "the Parquet file cannot be read:". */
export function unsupported(why: string): DecodeError {
  return new DecodeError('decode.unsupportedParquet', `the Parquet file cannot be read: ${why}`);
}
