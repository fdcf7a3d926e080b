import { decodeAvro } from '../decode/avro.ts';
import { decode, defaultLimits } from '../decode/decode.ts';
import { decodeFile, isFileFormat } from '../decode/decode-file.ts';
import { decodeRange, isLineFormat } from '../decode/decode-range.ts';
import { decompress } from '../decode/decompress.ts';
import type { DecodeLimits, FileFormat, Format, RowBatch } from '../decode/format.ts';
import type { RandomAccess } from '../decode/random-access.ts';
import { resume } from '../decode/resume.ts';
import { sniffFormat } from '../decode/sniff.ts';
import { rowsFrom, timed, withoutFirst } from './pass-over.ts';
import { peek } from './peek.ts';

/** An object as decoders are opened over it: as a stream, and by range. */
export interface ObjectBytes extends RandomAccess {
  /** All of it, or from the byte on at which it was opened. To be read once. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Lets go of what is left of `body`. */
  discard(): void;
}

/** What came out of a compressed object, put where it can be read anywhere. `discard` takes it away again. */
export interface SpooledFile extends RandomAccess {
  discard(): Promise<void>;
}

/** Puts a stream into a temporary file. Throws DecodeError `decode.tooLarge` when it does not fit. */
export type Spool = (bytes: AsyncIterable<Uint8Array>) => Promise<SpooledFile>;

/** What an object was found to be. */
export interface Shape {
  /** Absent when the object is empty. */
  readonly format?: Format | undefined;
  /** As `decompress` tells it: 'none', 'gzip', … */
  readonly compression: string;
}

export interface Opened extends Shape {
  readonly format: Format | undefined;
  readonly batches: AsyncIterable<RowBatch>;
  /** The first of them; undefined when there is none. It comes among them, too. */
  readonly first: RowBatch | undefined;
  /** Closes what `batches` stand on, if they are not read to their end. */
  close(): Promise<void>;
}

/** As much of an object as formats are found from. */
const headBytes = 64 * 1024;

/**
 * Opens the decoders, up to the first batch: an object that nothing can be read of is rejected as a whole. `declared`
 * is the format that the source names, if any; the object's name counts where its bytes leave the format open.
 */
export async function openRows(
  object: ObjectBytes,
  declared: Format | undefined,
  name: string,
  spool: Spool,
  limits: Partial<DecodeLimits> = {},
): Promise<Opened | { readonly reason: string }> {
  try {
    const { bytes: plain, compression } = await decompress(object.body, { name });
    const { head, bytes } = await peek(plain, headBytes);
    if (head.length === 0) {
      return { format: undefined, compression, batches: noBatches(), first: undefined, close: async () => {} };
    }
    const format = declared ?? sniffFormat(head, name);
    const rows = isFileFormat(format)
      ? fileRows(object, format, compression === 'none' ? undefined : () => spool(bytes), 0, limits)
      : decode(bytes, format, limits);
    const { first, rest } = await firstOf(rows);
    const close = async () => void (await rest.return?.());
    return { format, compression, batches: resume(first ? [first] : [], rest), first, close };
  } catch (error) {
    const code = decodeCode(error);
    if (!code) throw error;
    return { reason: `${code}: ${(error as Error).message}` };
  }
}

/** Where in an object to go on: at a row, or, `seeking`, at the first row behind the byte `from`. */
export interface Place {
  readonly from: number;
  readonly seeking: boolean;
  /** Rows that begin at this offset or behind are not wanted. */
  readonly until: number;
  readonly columns: readonly string[];
}

/** Whether the object is read from the place on, and not from its beginning. */
export function isReadInPlace({ format, compression }: Shape): boolean {
  return format !== undefined && compression === 'none' && isLineFormat(format);
}

export interface Passing {
  readonly spool: Spool;
  readonly limits?: Partial<DecodeLimits>;
  /** Called again and again while what lies before the place is passed over; may throw. */
  readonly onPassed: () => void;
}

/** Goes on in an object whose shape is known. If it is read in place, it must have been opened at `place.from`. */
export async function* rowsAt(
  object: ObjectBytes,
  { format, compression }: Shape,
  name: string,
  place: Place,
  { spool, limits = {}, onPassed }: Passing,
): AsyncGenerator<RowBatch, void, undefined> {
  if (format === undefined) return;
  const unpacked = async () => (await decompress(object.body, { name })).bytes;
  if (isLineFormat(format)) {
    const bytes = compression === 'none' ? object.body : withoutFirst(await unpacked(), place.from, onPassed);
    yield* decodeRange(bytes, format, place, limits);
  } else if (isFileFormat(format)) {
    const spooled = async () => spool(timed(await unpacked(), onPassed));
    yield* fileRows(object, format, compression === 'none' ? undefined : spooled, place.from, limits);
  } else if (format.name === 'avro') {
    // It passes over whole blocks by itself, of which there are no batches.
    yield* decodeAvro(timed(await unpacked(), onPassed), { ...defaultLimits, ...limits }, place.from);
  } else yield* rowsFrom(decode(await unpacked(), format, limits), place.from, onPassed);
}

/** Rows of an object that is read by range: of the object itself, or of the file that it is put into first. */
async function* fileRows(
  object: ObjectBytes,
  format: FileFormat,
  spooled: (() => Promise<SpooledFile>) | undefined,
  from: number,
  limits: Partial<DecodeLimits>,
): AsyncGenerator<RowBatch, void, undefined> {
  if (!spooled) {
    object.discard();
    yield* decodeFile(object, format, limits, from);
    return;
  }
  const file = await spooled();
  try {
    yield* decodeFile(file, format, limits, from);
  } finally {
    await file.discard();
  }
}

/** Code of an error that says the bytes are at fault, not the way to them. */
export function decodeCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && code.startsWith('decode.') ? code : undefined;
}

async function* noBatches(): AsyncIterable<RowBatch> {}

async function firstOf(batches: AsyncIterable<RowBatch>) {
  const rest = batches[Symbol.asyncIterator]();
  const first = await rest.next();
  return { first: first.done ? undefined : first.value, rest };
}
