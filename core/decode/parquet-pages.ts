import { DecodeError } from './codes.ts';
import type { ColumnBytes } from './parquet-bytes.ts';
import { dictionaryEncodings, type Physical, type RawValues, readValues } from './parquet-encoding.ts';
import { corrupt, unsupported } from './parquet-footer.ts';
import { readHybrid } from './parquet-levels.ts';
import { checkPage, type PageHeader, readLevels, readPageHeader, unpack } from './parquet-page.ts';
import type { Leaf } from './parquet-schema.ts';
import type { ValueAt } from './parquet-value.ts';

/** Pages that are unpacked at a time, all columns together; a Lambda of 3 GB holds them, and what rows of them take. */
export const MAX_OPEN_BYTES = 1024 * 1024 * 1024;
/** Levels, and places of values: what an entry of a page takes besides its bytes. */
const ENTRY_BYTES = 10;
const FIRST_HEADER_BYTES = 512;
const MAX_HEADER_BYTES = 16 * 1024 * 1024;

/** What the open pages of a file take, in bytes. */
export interface OpenBytes {
  bytes: number;
}

export interface ColumnOptions {
  readonly leaf: Leaf;
  readonly codec: number;
  /** Entries of the column, nulls counted. */
  readonly entries: number;
  readonly bytes: ColumnBytes;
  readonly open: OpenBytes;
  readonly values: (raw: RawValues) => ValueAt;
}

/** An unpacked page: levels of its entries, and the values of those that are there. */
export interface Page {
  readonly repetitions: Uint8Array | undefined;
  readonly definitions: Uint8Array | undefined;
  readonly entries: number;
  /** Rows that begin in it. */
  readonly rows: number;
  readonly valueAt: ValueAt;
  /** What it takes of {@link OpenBytes}, to be given back. */
  readonly cost: number;
}

/** The data pages of one column of one row group, in order. */
export interface Pages {
  /** The next one, passed over if it has no more rows than are `unwanted`; undefined at the end. */
  next(unwanted: number): Promise<Page | { readonly passedRows: number } | undefined>;
  isAtEnd(): boolean;
  /** Gives back what the dictionary takes. */
  close(): void;
}

interface Dictionary {
  readonly at: ValueAt;
  readonly cost: number;
}

export function openPages(options: ColumnOptions): Pages {
  const { leaf, bytes, open } = options;
  let dictionary: Dictionary | undefined;
  let entriesLeft = options.entries;

  return {
    async next(unwanted) {
      while (entriesLeft > 0) {
        const header = await readHeader(bytes, leaf);
        if (header.kind === 'dictionary') {
          if (dictionary) throw corrupt(`${nameOf(leaf)} has two dictionaries`);
          dictionary = await readDictionary(header, options);
          continue;
        }
        if (header.kind === 'other') {
          bytes.pass(header.bytes + header.packedBytes);
          continue;
        }
        if (header.values > entriesLeft) throw corrupt(`${nameOf(leaf)} has more values than it says`);
        entriesLeft -= header.values;
        const rows = leaf.repetition === 0 ? header.values : header.rows;
        if (unwanted > 0 && rows !== undefined && rows <= unwanted) {
          bytes.pass(header.bytes + header.packedBytes);
          return { passedRows: rows };
        }
        const page = await readPage(header, options, dictionary);
        if (page.entries > 0) return page;
        open.bytes -= page.cost;
      }
      return undefined;
    },
    isAtEnd: () => entriesLeft === 0,
    close() {
      open.bytes -= dictionary?.cost ?? 0;
      dictionary = undefined;
    },
  };
}

async function readHeader(bytes: ColumnBytes, leaf: Leaf): Promise<PageHeader> {
  for (let count = FIRST_HEADER_BYTES; ; count *= 8) {
    const header = readPageHeader(await bytes.peek(count));
    if (header) return header;
    if (count >= bytes.left() || count > MAX_HEADER_BYTES) throw corrupt(`${nameOf(leaf)} ends early`);
  }
}

async function readPacked(header: PageHeader, bytes: ColumnBytes, leaf: Leaf): Promise<Buffer> {
  bytes.pass(header.bytes);
  if (header.packedBytes > bytes.left()) throw corrupt(`${nameOf(leaf)} ends inside a page`);
  const packed = (await bytes.peek(header.packedBytes)).subarray(0, header.packedBytes);
  bytes.pass(header.packedBytes);
  checkPage(header, packed);
  return packed;
}

async function readDictionary(header: PageHeader, options: ColumnOptions): Promise<Dictionary> {
  const { leaf, codec, bytes, values } = options;
  const cost = spend(header, options);
  const unpacked = unpack(await readPacked(header, bytes, leaf), codec, header.unpackedBytes);
  const span = { bytes: unpacked, at: 0, end: unpacked.length };
  const valueAt = values(readValues(span, 0, physicalOf(leaf), header.values, MAX_OPEN_BYTES));
  const known: unknown[] = [];
  return {
    cost,
    at: (index) => {
      if (!(index >= 0 && index < header.values)) throw corrupt('a value points behind the dictionary');
      // Most values come many times, and the same text need not be made again.
      known[index] ??= valueAt(index);
      return known[index];
    },
  };
}

async function readPage(header: PageHeader, options: ColumnOptions, dictionary: Dictionary | undefined): Promise<Page> {
  const { leaf, codec, bytes, values } = options;
  const cost = spend(header, options);
  const packed = await readPacked(header, bytes, leaf);
  const { repetitions, definitions, values: span } = readLevels(header, packed, leaf, codec);
  const count = definitions ? countOf(definitions, leaf.definition) : header.values;
  const rows = repetitions ? countOf(repetitions, 0) : header.values;
  const page = { repetitions, definitions, entries: header.values, rows, cost };
  if (!dictionaryEncodings.has(header.encoding)) {
    const raw = readValues(span, header.encoding, physicalOf(leaf), count, MAX_OPEN_BYTES);
    return { ...page, valueAt: values(raw) };
  }
  if (!dictionary && count > 0) throw corrupt(`${nameOf(leaf)} has no dictionary`);
  const indexes = new Int32Array(count);
  const width = span.at < span.end ? (span.bytes[span.at++] as number) : 0;
  if (count > 0 && width > 0) readHybrid(span, width, indexes);
  return { ...page, valueAt: (index) => dictionary?.at(indexes[index] as number) };
}

/** Counts a page in before there is room made for it. */
function spend({ packedBytes, unpackedBytes, values }: PageHeader, { open, leaf }: ColumnOptions): number {
  const cost = packedBytes + unpackedBytes + values * ENTRY_BYTES;
  if (open.bytes + cost > MAX_OPEN_BYTES) {
    throw new DecodeError(
      'decode.tooLarge',
      `the pages of the Parquet file that must be open at a time take more than ${MAX_OPEN_BYTES} bytes (at ${nameOf(leaf)}): write smaller pages`,
    );
  }
  open.bytes += cost;
  return cost;
}

function physicalOf({ element }: Leaf): Physical {
  const { type = -1, length = 0 } = element;
  if (type < 0 || type > 7) throw unsupported(`a column of type ${type}`);
  return { type, length: Math.max(0, length) };
}

function nameOf({ path }: Leaf): string {
  return `column ${path.join('.')}`;
}

function countOf(levels: Uint8Array, level: number): number {
  let count = 0;
  for (let index = 0; index < levels.length; index++) if (levels[index] === level) count++;
  return count;
}
