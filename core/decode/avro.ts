import { expectSync, passBlock, readBlock, readBlockHead, readHeader } from './avro-blocks.ts';
import { corrupt } from './avro-fault.ts';
import { type AvroInput, avroInput, beginRecord, takeElements } from './avro-input.ts';
import { compileAvro, type Read } from './avro-schema.ts';
import { openByteStream } from './byte-stream.ts';
import { ExactNumber } from './exact-number.ts';
import type { DecodeLimits, RowBatch } from './format.ts';
import { newValueBatch, type ValueBatch } from './value-batch.ts';

export interface AvroFormat {
  readonly name: 'avro';
}

/** Avro object container files, which hold their schema themselves. Rows are objects by field name. */
export function avro(): AvroFormat {
  return { name: 'avro' };
}

/**
 * Decodes an Avro file, by position: the record's ordinal, from `from` on. Blocks before it are neither unpacked nor
 * decoded.
 *
 * Memory: one block, packed and unpacked, up to 256 MiB each. Throws DecodeError `decode.corruptAvro`,
 * `decode.unsupportedAvro` and `decode.tooLarge` (a block), after every record that came before. Stopping early closes
 * `bytes`; an error of `bytes` is thrown on unchanged.
 */
export async function* decodeAvro(
  bytes: AsyncIterable<Uint8Array>,
  limits: DecodeLimits,
  from = 0,
): AsyncGenerator<RowBatch, void, undefined> {
  const stream = openByteStream(bytes);
  const batch = newValueBatch(limits);
  try {
    const { schema, unpack, sync } = await readHeader(stream);
    const read = compileAvro(schema);
    let first = 0;
    for (;;) {
      const block = await readBlockHead(stream);
      if (!block) break;
      const after = first + block.records;
      const packed = after > from ? await readBlock(stream, block) : await passBlock(stream, block);
      // Before its rows are used: a block that is not whole may still unpack to something.
      await expectSync(stream, sync);
      if (packed) yield* rowsOf(avroInput(unpack(packed), limits), read, { first, after, from }, batch, limits);
      first = after;
    }
  } catch (error) {
    const last = batch.take();
    if (last) yield last;
    throw error;
  } finally {
    await stream.close();
  }
  const last = batch.take();
  if (last) yield last;
}

/** The records of a block, from the file's record `from` on. Leaves in `batch` what does not fill it. */
function* rowsOf(
  input: AvroInput,
  read: Read,
  { first, after, from }: { readonly first: number; readonly after: number; readonly from: number },
  batch: ValueBatch,
  limits: DecodeLimits,
): Generator<RowBatch, void, undefined> {
  takeElements(input, after - first);
  for (let position = first; position < after; position++) {
    beginRecord(input);
    const row = read(input);
    if (position < from) continue;
    add(batch, row, position, input, limits);
    if (!batch.isFull()) continue;
    const full = batch.take();
    if (full) yield full;
  }
  if (input.at !== input.bytes.length) throw corrupt('a block holds more than its records');
}

function add(batch: ValueBatch, row: unknown, position: number, input: AvroInput, limits: DecodeLimits): void {
  if (input.isTooLong) {
    batch.reject('decode.rowTooLong', `the row is longer than ${limits.maxRowBytes} bytes`, position);
  } else if (input.isTooDeep) {
    const message = `more than ${limits.maxDepth} objects and arrays inside each other`;
    batch.reject('decode.tooDeep', message, position, row);
  } else if (input.isNotUtf8) batch.reject('decode.invalidUtf8', 'a text in it is not UTF-8', position, row);
  else if (typeof row !== 'object' || row === null || Array.isArray(row) || row instanceof ExactNumber) {
    batch.reject('decode.notAnObject', 'expected a record, found another value', position, row);
  } else batch.add(row, position, input.weight);
}
