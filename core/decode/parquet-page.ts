import { brotliDecompressSync, crc32, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { lz4Block, lz4Hadoop } from './lz4.ts';
import { corrupt, unsupported } from './parquet-footer.ts';
import { levelWidth, readHybrid, type Span } from './parquet-levels.ts';
import type { Leaf } from './parquet-schema.ts';
import { flag, integer, readStruct, struct, ThriftError } from './parquet-thrift.ts';
import { snappy } from './snappy.ts';

const header = struct({
  type: [1, integer],
  unpackedBytes: [2, integer],
  packedBytes: [3, integer],
  crc: [4, integer],
  data: [
    5,
    struct({ values: [1, integer], encoding: [2, integer], definition: [3, integer], repetition: [4, integer] }),
  ],
  dictionary: [7, struct({ values: [1, integer], encoding: [2, integer] })],
  dataV2: [
    8,
    struct({
      values: [1, integer],
      rows: [3, integer],
      encoding: [4, integer],
      definitionBytes: [5, integer],
      repetitionBytes: [6, integer],
      isPacked: [7, flag],
    }),
  ],
});

/** What stands before a page. Sizes and counts are whole numbers from 0. */
export interface PageHeader {
  readonly kind: 'data' | 'dataV2' | 'dictionary' | 'other';
  readonly bytes: number;
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  readonly crc: number | undefined;
  readonly values: number;
  /** Rows that begin in the page, where the header says so. */
  readonly rows: number | undefined;
  readonly encoding: number | undefined;
  readonly levels: ReturnType<typeof header>;
}

const kinds = ['data', 'other', 'dictionary', 'dataV2'] as const;

/** The header at the beginning of `bytes`; undefined when it goes on behind their end. */
export function readPageHeader(bytes: Buffer): PageHeader | undefined {
  const input = { bytes, at: 0 };
  try {
    const read = readStruct(input, header);
    const kind = kinds[read.type ?? -1];
    const of = kind === 'data' ? read.data : kind === 'dataV2' ? read.dataV2 : read.dictionary;
    if (!kind || (kind !== 'other' && !of)) throw corrupt('a page is of no known kind');
    return {
      kind,
      bytes: input.at,
      packedBytes: size(read.packedBytes),
      unpackedBytes: size(read.unpackedBytes),
      crc: read.crc === undefined ? undefined : read.crc >>> 0,
      values: size(of?.values ?? 0),
      rows: kind === 'dataV2' ? size(read.dataV2?.rows) : undefined,
      encoding: of?.encoding,
      levels: read,
    };
  } catch (error) {
    if (!(error instanceof ThriftError)) throw error;
    if (error.isCutOff) return undefined;
    throw corrupt(`a page header cannot be read: ${error.message}`);
  }
}

function size(value: number | undefined): number {
  if (value === undefined || value < 0 || value > 0x7fffffff) throw corrupt('a page has no size');
  return value;
}

export function checkPage(page: PageHeader, packed: Buffer): void {
  if (page.crc !== undefined && crc32(packed) !== page.crc) throw corrupt('the checksum of a page is wrong');
}

/** Levels of a data page, and where its values begin. Levels that are always the same are left out. */
export interface PageLevels {
  readonly repetitions: Uint8Array | undefined;
  readonly definitions: Uint8Array | undefined;
  readonly values: Span;
}

/** Unpacks a data page and reads its levels. */
export function readLevels(page: PageHeader, packed: Buffer, leaf: Leaf, codec: number): PageLevels {
  return page.kind === 'dataV2' ? levelsV2(page, packed, leaf, codec) : levelsV1(page, packed, leaf, codec);
}

function levelsV1(page: PageHeader, packed: Buffer, leaf: Leaf, codec: number): PageLevels {
  const bytes = unpack(packed, codec, page.unpackedBytes);
  const values = { bytes, at: 0, end: bytes.length };
  const read = (maximum: number, encoding: number | undefined): Uint8Array | undefined => {
    if (maximum === 0) return undefined;
    if (encoding !== undefined && encoding !== 3) throw unsupported(`levels in encoding ${encoding}`);
    if (values.at + 4 > values.end) throw corrupt('a page ends before its levels');
    const start = values.at + 4;
    const end = start + bytes.readUInt32LE(values.at);
    if (end > values.end) throw corrupt('a page ends inside its levels');
    const levels = new Uint8Array(page.values);
    readHybrid({ bytes, at: start, end }, levelWidth(maximum), levels);
    values.at = end;
    return levels;
  };
  const repetitions = read(leaf.repetition, page.levels.data?.repetition);
  const definitions = read(leaf.definition, page.levels.data?.definition);
  return { repetitions, definitions, values };
}

function levelsV2(page: PageHeader, packed: Buffer, leaf: Leaf, codec: number): PageLevels {
  const repetitionBytes = size(page.levels.dataV2?.repetitionBytes);
  const definitionBytes = size(page.levels.dataV2?.definitionBytes);
  const start = repetitionBytes + definitionBytes;
  if (start > packed.length || start > page.unpackedBytes) throw corrupt('a page ends inside its levels');
  const read = (maximum: number, at: number, end: number): Uint8Array | undefined => {
    if (maximum === 0) return undefined;
    const levels = new Uint8Array(page.values);
    readHybrid({ bytes: packed, at, end }, levelWidth(maximum), levels);
    return levels;
  };
  const repetitions = read(leaf.repetition, 0, repetitionBytes);
  const definitions = read(leaf.definition, repetitionBytes, start);
  const rest = packed.subarray(start);
  const length = page.unpackedBytes - start;
  // A page of nothing but nulls has no values, and some writers then pack nothing at all.
  const isPacked = page.levels.dataV2?.isPacked !== false && rest.length > 0;
  const bytes = isPacked ? unpack(rest, codec, length) : rest;
  return { repetitions, definitions, values: { bytes, at: 0, end: bytes.length } };
}

type Unpack = (packed: Buffer, length: number) => Uint8Array;

/** By their numbers in parquet.thrift. LZO is the one that is missing. */
const codecs: Readonly<Record<number, Unpack>> = {
  0: (packed) => packed,
  1: snappy,
  2: (packed, length) => gunzipSync(packed, { maxOutputLength: length + 1 }),
  4: (packed, length) => brotliDecompressSync(packed, { maxOutputLength: length + 1 }),
  5: lz4Hadoop,
  6: (packed, length) => zstdDecompressSync(packed, { maxOutputLength: length + 1 }),
  7: lz4Block,
};

/** Refuses a column whose compression nothing here can unpack, before anything of it is read. */
export function checkCodec(codec: number): void {
  if (codes(codec) === undefined) {
    throw unsupported(`${codec === 3 ? 'LZO' : `codec ${codec}`} is not supported: write it with Snappy, zstd or gzip`);
  }
}

function codes(codec: number): Unpack | undefined {
  return Object.hasOwn(codecs, codec) ? codecs[codec] : undefined;
}

/** A page's bytes, `length` of them. */
export function unpack(packed: Buffer, codec: number, length: number): Buffer {
  checkCodec(codec);
  let bytes: Uint8Array | undefined;
  try {
    bytes = length === 0 && packed.length === 0 ? packed : codes(codec)?.(packed, length);
  } catch (error) {
    throw corrupt(`a page cannot be unpacked: ${(error as Error).message}`);
  }
  if (bytes?.length !== length) throw corrupt('a page unpacks to another length than it says');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
