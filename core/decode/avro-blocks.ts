import { crc32, inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { corrupt, unsupported } from './avro-fault.ts';
import type { ByteStream } from './byte-stream.ts';
import { bunzip2 } from './bzip2.ts';
import { DecodeError } from './codes.ts';
import { snappy } from './snappy.ts';

/** A block is held in memory as a whole, packed and unpacked. Writers make blocks of 16 KiB to a few MiB. */
const MAX_BLOCK_BYTES = 256 * 1024 * 1024;
/** Schemas of thousands of fields take a few hundred KiB. */
const MAX_METADATA_BYTES = 16 * 1024 * 1024;
const SYNC_BYTES = 16;

export interface AvroHeader {
  /** The schema's JSON, parsed. */
  readonly schema: unknown;
  readonly unpack: (packed: Buffer) => Buffer;
  readonly sync: Buffer;
}

/** Reads what stands before the first block. */
export async function readHeader(stream: ByteStream): Promise<AvroHeader> {
  const magic = await stream.take(4);
  if (magic?.toString('latin1') !== 'Obj\x01') throw corrupt('it does not begin with its mark');
  const metadata = new Map<string, Buffer>();
  let left = MAX_METADATA_BYTES;
  const takeText = async () => {
    const length = await takeLong(stream);
    left -= length;
    if (length < 0 || left < 0) throw corrupt(`its header is longer than ${MAX_METADATA_BYTES} bytes`);
    return whole(await stream.take(length));
  };
  for (;;) {
    let count = await takeLong(stream);
    if (count === 0) break;
    if (count < 0) {
      count = -count;
      await takeLong(stream);
    }
    for (let index = 0; index < count; index++) {
      // Empty names and values must not go on for ever.
      left--;
      const name = (await takeText()).toString('utf8');
      metadata.set(name, await takeText());
    }
  }
  const sync = Buffer.from(whole(await stream.take(SYNC_BYTES)));
  const codec = metadata.get('avro.codec')?.toString('utf8') ?? 'null';
  const unpack = Object.hasOwn(codecs, codec) ? codecs[codec] : undefined;
  if (!unpack)
    throw unsupported(`its codec is ${JSON.stringify(codec.slice(0, 40))}: write it with deflate, snappy or zstandard`);
  return { schema: parseSchema(metadata.get('avro.schema')), unpack: (packed) => unpacked(unpack, packed), sync };
}

function parseSchema(bytes: Buffer | undefined): unknown {
  try {
    return JSON.parse(bytes?.toString('utf8') ?? '');
  } catch {
    throw corrupt('its schema is no JSON');
  }
}

export interface AvroBlock {
  readonly records: number;
  readonly packedBytes: number;
}

/** What stands before a block; undefined at the end. */
export async function readBlockHead(stream: ByteStream): Promise<AvroBlock | undefined> {
  if (await stream.isAtEnd()) return undefined;
  const records = await takeLong(stream);
  const packedBytes = await takeLong(stream);
  if (records < 0 || packedBytes < 0) throw corrupt('a block has no size');
  if (packedBytes > MAX_BLOCK_BYTES) throw tooLarge();
  return { records, packedBytes };
}

/** The block's bytes, packed. */
export async function readBlock(stream: ByteStream, block: AvroBlock): Promise<Buffer> {
  return whole(await stream.take(block.packedBytes));
}

/** Passes over the block's bytes. */
export async function passBlock(stream: ByteStream, block: AvroBlock): Promise<undefined> {
  if (!(await stream.pass(block.packedBytes))) throw cutOff();
}

/** Reads the mark behind a block. */
export async function expectSync(stream: ByteStream, sync: Buffer): Promise<void> {
  if (!whole(await stream.take(SYNC_BYTES)).equals(sync)) throw corrupt('a block does not end where it says');
}

/** A long in the container itself, where all of them are sizes and counts. */
async function takeLong(stream: ByteStream): Promise<number> {
  let value = 0;
  for (let factor = 1; factor < 2 ** 63; factor *= 128) {
    const byte = whole(await stream.take(1))[0] as number;
    value += (byte & 0x7f) * factor;
    if (byte >= 0x80) continue;
    const long = value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    if (!Number.isSafeInteger(long)) break;
    return long;
  }
  throw corrupt('a size is out of bounds');
}

type Unpack = (packed: Buffer) => Uint8Array;

const codecs: Readonly<Record<string, Unpack>> = {
  null: (packed) => packed,
  deflate: (packed) => inflateRawSync(packed, { maxOutputLength: MAX_BLOCK_BYTES }),
  zstandard: (packed) => zstdDecompressSync(packed, { maxOutputLength: MAX_BLOCK_BYTES }),
  bzip2: (packed) => bunzip2(packed, MAX_BLOCK_BYTES),
  snappy: (packed) => {
    if (packed.length < 4) throw new Error('it is cut off');
    const end = packed.length - 4;
    const bytes = snappy(packed.subarray(0, end), MAX_BLOCK_BYTES);
    if (crc32(bytes) !== packed.readUInt32BE(end)) throw new Error('its checksum is wrong');
    return bytes;
  },
};

function unpacked(unpack: Unpack, packed: Buffer): Buffer {
  try {
    const bytes = unpack(packed);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  } catch (error) {
    if (error instanceof RangeError || (error instanceof DecodeError && error.code === 'decode.bomb')) throw tooLarge();
    throw corrupt(`a block cannot be unpacked: ${(error as Error).message}`);
  }
}

function tooLarge(): DecodeError {
  return new DecodeError(
    'decode.tooLarge',
    `a block of the Avro file takes more than ${MAX_BLOCK_BYTES} bytes: write smaller blocks`,
  );
}

function whole(bytes: Buffer | undefined): Buffer {
  if (!bytes) throw cutOff();
  return bytes;
}

function cutOff(): DecodeError {
  return corrupt('it ends in the middle: it was not written completely');
}
