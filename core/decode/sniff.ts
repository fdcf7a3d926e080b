import { isUtf8 } from 'node:buffer';
import { avro } from './avro.ts';
import { DecodeError } from './codes.ts';
import { csv } from './csv.ts';
import type { CsvEncoding } from './csv-text.ts';
import type { Format } from './format.ts';
import { json } from './json.ts';
import { feed, isComplete, isJsonSpace, newJsonMachine } from './json-machine.ts';
import { ndjson } from './ndjson.ts';
import { parquet } from './parquet.ts';
import { sniffCsv } from './sniff-csv.ts';
import { xlsx } from './xlsx.ts';
import { looksLikeXlsx } from './xlsx-head.ts';
import { sniffXml } from './xml-head.ts';

/** How much of an object is looked at; a shorter head is the whole object. */
const HEAD_BYTES = 64 * 1024;

/** First bytes of binary formats, and how their names end. */
const binaries: readonly { readonly mark: string; readonly extension: string; readonly format: Format }[] = [
  { mark: 'PAR1', extension: 'parquet', format: parquet() },
  // Encrypted: its decoder says so.
  { mark: 'PARE', extension: 'parquet', format: parquet() },
  { mark: 'Obj\x01', extension: 'avro', format: avro() },
];

/** First bytes of what is often put into a bucket and is no text. */
const knownBinaries: readonly (readonly [string, string])[] = [
  ['ORC', 'ORC'],
  ['PK\x03\x04', 'a zip archive that is compressed once more, or whose source does not unpack it'],
  ['\xd0\xcf\x11\xe0', 'an Office document of before 2007, or one with a password'],
  ['%PDF', 'PDF'],
  ['\x1f\x8b', 'gzip'],
  ['\x28\xb5\x2f\xfd', 'Zstandard'],
  ['\x04\x22\x4d\x18', 'LZ4'],
  ['\xfd7zXZ', 'xz'],
];

/** Of so many bytes of UTF-16 one or more are zeros, those of delimiters, digits and line ends; few are others. */
const MIN_ZEROS = 20;

const LF = 0x0a;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;

/**
 * Finds the format of an object from its first bytes, decompressed (64 KiB of them, or all), and only where these
 * leave it open from its name. A single line with one JSON object is a JSON document unless the name says `.ndjson` or
 * `.jsonl`; text that is not UTF-8 is taken for windows-1252.
 *
 * Throws DecodeError `decode.unknownFormat` for what is no text, and for text without a shape. The message does not
 * name the object.
 */
export function sniffFormat(head: Uint8Array, name: string): Format {
  const extension = /\.([a-z0-9]+)(?:\.(?:gz|gzip|zst|zstd|bz2|bzip2|br))*$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  const magic = Buffer.from(head.subarray(0, 4)).toString('latin1');
  const binary = binaries.find(({ mark }) => magic.startsWith(mark));
  if (binary) return binary.format;
  try {
    return sniffOther(head, extension);
  } catch (error) {
    const named = binaries.find((each) => each.extension === extension);
    if (!named || !(error instanceof DecodeError)) throw error;
    return refuse(`${error.message}. Its name says .${extension}, but it does not begin like such a file`);
  }
}

function sniffOther(head: Uint8Array, extension: string): Format {
  if (looksLikeXlsx(head)) return xlsx();
  const document = sniffXml(head);
  if (document) return document;
  const isWhole = head.length < HEAD_BYTES;
  const { encoding, view } = textOf(Buffer.from(head.buffer, head.byteOffset, head.length), isWhole);
  let start = 0;
  while (start < view.length && isJsonSpace(view[start])) start++;
  if (start === view.length) return isCsvName(extension) ? csv() : ndjson();
  const first = view[start];
  if (first === OPEN_OBJECT || first === OPEN_ARRAY) {
    const format = sniffJson(view.subarray(start), extension);
    if (format && encoding === 'utf-8') return format;
    if (format) return refuse(`this is JSON in ${encoding}, and JSON must be UTF-8`);
  }
  if (/^<[?!a-z]/i.test(view.toString('latin1', start, start + 2))) return refuse('this looks like XML or HTML');
  const found = sniffCsv(view, isWhole, extension);
  if (found) return csv({ ...found, ...(encoding !== 'utf-8' && { encoding }) });
  const remedy = 'Say what it is in the source: format: csv({ … }), fixedWidth({ … }), jsonDocument({ … }) or ndjson()';
  return refuse(`this is text, but neither JSON nor rows with equally many cells. ${remedy}`);
}

/** The head as bytes that can be read as ASCII where it matters, without a byte order mark. */
function textOf(head: Buffer, isWhole: boolean): { readonly encoding: CsvEncoding; readonly view: Buffer } {
  const magic = head.toString('latin1', 0, 8);
  const utf16 = utf16Of(head, magic);
  if (utf16) return utf16;
  const known = knownBinaries.find(([bytes]) => magic.startsWith(bytes));
  if (known) return refuse(`this is ${known[1]}, which cannot be read`);
  if (head.includes(0)) return refuse('this is no text: it holds zero bytes');
  const view = magic.startsWith('\xef\xbb\xbf') ? head.subarray(3) : head;
  return { encoding: isUtf8Head(view, isWhole) ? 'utf-8' : 'windows-1252', view };
}

/** UTF-16 by its byte order mark, or without one by the zeros in every other byte that its ASCII characters have. */
function utf16Of(head: Buffer, magic: string): { readonly encoding: CsvEncoding; readonly view: Buffer } | undefined {
  const pairs = Buffer.from(head.subarray(0, head.length & ~1));
  const zeros = (parity: number) =>
    pairs.reduce((sum, byte, at) => sum + (byte === 0 && (at & 1) === parity ? 1 : 0), 0);
  const isMarked = /^(\xff\xfe|\xfe\xff)/.test(magic);
  const [even, odd] = isMarked || !head.includes(0) ? [0, 0] : [zeros(0), zeros(1)];
  const isBig = isMarked ? magic.startsWith('\xfe') : even > odd;
  const [few, most] = even < odd ? [even, odd] : [odd, even];
  if (!isMarked && (head.length % 2 > 0 || most * MIN_ZEROS < head.length || few * 4 > most)) return undefined;
  const text = (isBig ? pairs.swap16() : pairs).toString('utf16le', isMarked ? 2 : 0);
  // Bytes that are no text make control characters, too.
  const isText = text.split('').every((character) => character >= ' ' || /\s/.test(character));
  if (!isMarked && !(isText && /[\r\n]/.test(text))) return undefined;
  return { encoding: isBig ? 'utf-16be' : 'utf-16le', view: Buffer.from(text) };
}

/**
 * Whether the bytes are UTF-8; a head may end inside a character. A few damaged ones among others that are well-formed
 * do not make another encoding: that would change the letters of every row.
 */
function isUtf8Head(view: Buffer, isWhole: boolean): boolean {
  const cuts = isWhole ? [0] : [0, 1, 2, 3];
  if (cuts.some((cut) => isUtf8(view.subarray(0, view.length - cut)))) return true;
  const text = view.toString();
  const damaged = text.split('\ufffd').length - 1;
  const others = text.match(/[\u0080-\ufffc]/g)?.length ?? 0;
  return others > damaged;
}

/** JSON as documents or lines; undefined when this is no JSON, such as a log line that begins with a bracket. */
function sniffJson(view: Buffer, extension: string): Format | undefined {
  const isLinesName = /^(nd|ld)json$|^jsonl(ines)?$/.test(extension);
  const { at, hasFault } = firstValue(view);
  const lineEnd = view.indexOf(LF);
  if (hasFault) {
    // One bad row at the top must not hide that the next lines are rows.
    const second = lineEnd < 0 ? view.subarray(0, 0) : view.subarray(lineEnd + 1);
    if (view[0] === OPEN_OBJECT && second[0] === OPEN_OBJECT && !firstValue(second).hasFault) return ndjson();
    if (isLinesName) return ndjson();
    return /json$/.test(extension) ? json() : undefined;
  }
  if (view[0] === OPEN_ARRAY || (lineEnd >= 0 && lineEnd < at)) return json();
  let next = at;
  while (next < view.length && isJsonSpace(view[next])) next++;
  if (next === view.length) return isLinesName ? ndjson() : json();
  return lineEnd >= 0 && lineEnd < next ? ndjson() : json();
}

/** Where the first JSON value ends, and whether a fault ends it. */
function firstValue(view: Buffer): { readonly at: number; readonly hasFault: boolean } {
  const machine = newJsonMachine();
  let at = 0;
  while (at < view.length && !isComplete(machine) && feed(machine, view[at] as number)) at++;
  return { at, hasFault: at < view.length && !isComplete(machine) };
}

function isCsvName(extension: string): boolean {
  return ['csv', 'tsv', 'tab', 'psv', 'txt'].includes(extension);
}

function refuse(message: string): never {
  throw new DecodeError('decode.unknownFormat', message);
}
