import { DecodeError } from './codes.ts';
import type { DecodeLimits, RowBatch } from './format.ts';
import { type RowState, RowTooHeavy, rowReader } from './parquet-assemble.ts';
import { type ColumnBytes, columnOpener, type Range } from './parquet-bytes.ts';
import { type Column, openColumn } from './parquet-column.ts';
import { type ColumnChunk, corrupt, type ParquetFooter, readFooter, unsupported } from './parquet-footer.ts';
import { checkCodec } from './parquet-page.ts';
import type { OpenBytes } from './parquet-pages.ts';
import { type Leaf, readSchema, type SchemaNode } from './parquet-schema.ts';
import { type BinaryAs, valueReader } from './parquet-value.ts';
import type { RandomAccess } from './random-access.ts';
import { newValueBatch, type ValueBatch } from './value-batch.ts';

export interface ParquetOptions {
  /** What columns of bytes hold that no logical type says to be text: `'text'` for writers that never say so. */
  readonly binary?: BinaryAs;
}

export interface ParquetFormat extends ParquetOptions {
  readonly name: 'parquet';
}

/** Parquet files. Rows are objects by column name; lists, structs and maps are lists and objects inside them. */
export function parquet(options: ParquetOptions = {}): ParquetFormat {
  const { binary } = options;
  if (binary !== undefined && binary !== 'base64' && binary !== 'text') {
    throw new DecodeError('decode.badFormat', `parquet: binary is 'base64' or 'text', not '${binary}'`);
  }
  return { name: 'parquet', ...options };
}

/** Old writers left their dictionary's header out of a column's size: so many bytes behind it are looked at too. */
const SIZE_SLACK = 100;

interface Group {
  readonly chunks: readonly Chunk[];
  readonly rows: number;
  /** Ordinal of its first row in the file. */
  readonly first: number;
}

interface Chunk {
  readonly leaf: Leaf;
  readonly range: Range;
  readonly codec: number;
  readonly entries: number;
}

/**
 * Decodes a Parquet file, by position: the row's ordinal, from `from` on. Row groups before it are not read, and pages
 * before it not unpacked where their headers tell how many rows they hold.
 *
 * Memory: one page of every column, 1 GiB at most, and up to 64 MiB that are read ahead; whatever the size of a row
 * group. Throws DecodeError `decode.corruptParquet`, `decode.unsupportedParquet` and `decode.tooLarge` (footer, or
 * pages), after every row that came before. Errors of `file` are thrown on unchanged.
 */
export async function* decodeParquet(
  file: RandomAccess,
  format: ParquetFormat,
  limits: DecodeLimits,
  from: number,
): AsyncGenerator<RowBatch, void, undefined> {
  const { footer, end } = await readFooter(file);
  const { root, leaves } = readSchema(footer);
  if (depthOf(root) > limits.maxDepth)
    throw unsupported(`its columns are nested deeper than ${limits.maxDepth} levels`);
  const values = leaves.map(({ element }) => valueReader(element, format.binary ?? 'base64'));
  const groups = groupsOf(footer, leaves, end).filter(({ first, rows }) => rows > 0 && first + rows > from);
  if (groups.length > 0 && leaves.length === 0) throw unsupported('it has rows, but no columns');
  const openBytes = columnOpener(file);
  const open: OpenBytes = { bytes: 0 };
  const batch = newValueBatch(limits);
  try {
    for (const { group, bytes } of readAhead(groups, openBytes)) {
      const columns = group.chunks.map((chunk, index) => {
        const [of, at] = [values[index], bytes[index]];
        if (!of || !at) throw corrupt('a row group lacks a column');
        return openColumn({ ...chunk, bytes: at, open, values: of });
      });
      yield* rowsOf(group, root, columns, { batch, limits, from });
      for (const column of columns) column.close();
    }
  } catch (error) {
    const last = batch.take();
    if (last) yield last;
    throw error;
  }
  const last = batch.take();
  if (last) yield last;
}

/** Row groups with the bytes of their columns, the next one's being read while this one is decoded. */
function* readAhead(
  groups: readonly Group[],
  openBytes: (ranges: readonly Range[]) => readonly ColumnBytes[],
): Generator<{ readonly group: Group; readonly bytes: readonly ColumnBytes[] }, void, undefined> {
  const started = (group: Group) => ({ group, bytes: openBytes(group.chunks.map(({ range }) => range)) });
  let [ahead] = groups.slice(0, 1).map(started);
  for (const after of [...groups.slice(1), undefined]) {
    const now = ahead;
    ahead = after && started(after);
    if (now) yield now;
  }
}

interface Wanted {
  readonly batch: ValueBatch;
  readonly limits: DecodeLimits;
  readonly from: number;
}

/** The rows of a group, from the file's row `from` on. Leaves in `batch` what does not fill it. */
async function* rowsOf(
  group: Group,
  root: SchemaNode,
  columns: readonly Column[],
  { batch, limits, from }: Wanted,
): AsyncGenerator<RowBatch, void, undefined> {
  const state: RowState = { weight: 0, invalid: undefined };
  const read = rowReader(root, columns, state, limits.maxRowBytes);
  const take = (row: number) => {
    const position = group.first + row;
    state.weight = 0;
    state.invalid = undefined;
    try {
      const value = read();
      if (state.invalid === undefined) batch.add(value, position, state.weight);
      else batch.reject('decode.invalidUtf8', `the text in ${state.invalid} is not UTF-8`, position, value);
    } catch (error) {
      if (!(error instanceof RowTooHeavy)) throw error;
      for (const column of columns) while (column.row() <= row) column.take();
      batch.reject('decode.rowTooLong', `the row is longer than ${limits.maxRowBytes} bytes`, position);
    }
  };

  let row = Math.max(0, from - group.first);
  for (const column of columns) await column.pass(row);
  while (row < group.rows) {
    const ready = await loadRows(columns);
    for (const after = Math.min(group.rows, row + ready); row < after; row++) {
      take(row);
      if (!batch.isFull()) continue;
      const full = batch.take();
      if (full) yield full;
    }
  }
  // Rows that a wrong count would hide.
  if (!columns.every((column) => column.isAtEnd())) throw corrupt('a row group has more rows than it says');
}

/** Loads pages until every column has a whole row, and says how many of them there are. */
async function loadRows(columns: readonly Column[]): Promise<number> {
  let ready = Number.POSITIVE_INFINITY;
  for (const column of columns) {
    while (column.ready() <= 0) {
      if (!(await column.load())) throw corrupt('a column has fewer rows than its row group');
    }
    ready = Math.min(ready, column.ready());
  }
  return ready;
}

function groupsOf(footer: ParquetFooter, leaves: readonly Leaf[], end: number): readonly Group[] {
  let first = 0;
  return (footer.groups ?? []).map((group) => {
    const { columns = [], rows = 0 } = group;
    if (columns.length !== leaves.length) throw corrupt('a row group has other columns than the schema');
    if (!(rows >= 0)) throw corrupt('a row group has no number of rows');
    const chunks = leaves.map((leaf, index) => chunkOf(columns[index], leaf, end));
    const made = { chunks, rows, first };
    first += rows;
    return made;
  });
}

function chunkOf(column: ColumnChunk | undefined, leaf: Leaf, end: number): Chunk {
  const name = leaf.path.join('.');
  if (column?.encryption) throw unsupported(`column ${name} is encrypted`);
  if (column?.file) throw unsupported(`column ${name} lies in another file`);
  const {
    codec = 0,
    values = -1,
    compressedBytes = -1,
    dataOffset = -1,
    dictionaryOffset = 0,
    path,
    type,
  } = column?.metadata ?? {};
  if (path?.join('.') !== name || type !== leaf.element.type) throw corrupt(`column ${name} is not where it belongs`);
  checkCodec(codec);
  const start = dictionaryOffset > 0 ? Math.min(dictionaryOffset, dataOffset) : dataOffset;
  const after = start + compressedBytes;
  if (!(start >= 4 && compressedBytes >= 0 && values >= 0 && after <= end)) {
    throw corrupt(`column ${name} lies outside the file`);
  }
  return { leaf, codec, entries: values, range: { start, end: Math.min(end, after + SIZE_SLACK) } };
}

function depthOf(node: SchemaNode): number {
  if (node.kind === 'leaf') return 0;
  if (node.kind === 'list') return 1 + depthOf(node.element);
  if (node.kind === 'map') return 1 + (node.value ? depthOf(node.value) : 0);
  return 1 + Math.max(0, ...node.members.map((member) => depthOf(member.node)));
}
