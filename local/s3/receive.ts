import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { crc32 } from 'node:zlib';
import type { Blobs, Segment } from './blobs.ts';
import { createChunkedDecoder } from './chunked.ts';
import { invalidRequest, malformedXml, notImplemented, S3Error } from './errors.ts';
import type { S3Request } from './request.ts';
import { type Element, parseXml } from './xml.ts';

export interface Received {
  readonly bytes: number;
  /** Hex. */
  readonly md5: string;
  /** Base64 of the four bytes, most significant first, as S3 writes it. */
  readonly crc32: string;
  /** The client named the CRC32 of the body, and it was right. */
  readonly crc32Sent: boolean;
}

export interface StoredBody extends Received {
  /** Held for the caller, who must release them. */
  readonly segments: readonly Segment[];
}

/** The largest object one PUT or one part may carry: 5 GiB (S3 user guide, "Uploading objects"). */
const MAX_BODY_BYTES = 5 * 1024 ** 3;
/** Ten thousand parts with a checksum each stay well below. */
const MAX_XML_BYTES = 8 * 1024 * 1024;

const CHECKED_HASHES = ['sha1', 'sha256'] as const;

/** Streams the body to disk, whatever its framing, and verifies every checksum the client sent. */
export async function receiveBody(request: S3Request, blobs: Blobs): Promise<StoredBody> {
  const writer = blobs.writer();
  try {
    const received = await receive(request, (piece) => writer.append(piece), MAX_BODY_BYTES);
    return { ...received, segments: await writer.finish() };
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/** The XML document in the body. Throws MalformedXML when it is none, or its root has another name. */
export async function receiveXml(request: S3Request, root: string): Promise<Element> {
  const text = await receiveText(request);
  let document: Element;
  try {
    document = parseXml(text);
  } catch (error) {
    throw malformedXml(error instanceof Error ? error.message : String(error));
  }
  if (document.name !== root) throw malformedXml(`a <${root}> document is expected`);
  return document;
}

/** The body as text. */
export async function receiveText(request: S3Request): Promise<string> {
  const pieces: Buffer[] = [];
  await receive(request, (piece) => void pieces.push(piece), MAX_XML_BYTES);
  return Buffer.concat(pieces).toString('utf8');
}

async function receive(
  request: S3Request,
  sink: (piece: Buffer) => Promise<void> | undefined,
  limit: number,
): Promise<Received> {
  refuseUncheckable(request);
  const declared = Number(request.header('x-amz-decoded-content-length') ?? request.header('content-length') ?? 0);
  if (declared > limit) throw tooLarge();
  const chunked = isChunked(request) ? createChunkedDecoder() : undefined;
  const md5 = createHash('md5');
  const hashes = expectedHashes(request);
  let bytes = 0;
  let crc = 0;
  for await (const chunk of piecesOf(request.message)) {
    for (const piece of chunked === undefined ? [chunk] : chunked.push(chunk)) {
      bytes += piece.length;
      if (bytes > limit) throw tooLarge();
      const written = sink(piece);
      md5.update(piece);
      crc = crc32(piece, crc);
      for (const { hash } of hashes) hash.update(piece);
      if (written !== undefined) await written;
    }
  }
  const trailers = chunked?.finish() ?? new Map<string, string>();
  if (bytes !== declared && request.header('content-length') !== undefined)
    throw new S3Error(400, 'IncompleteBody', `The body has ${bytes} bytes where the headers declare ${declared}`);

  const sent = (name: string) => trailers.get(name) ?? request.header(name);
  const digests = { md5: md5.digest(), crc32: crcBytes(crc) };
  const crcSent = sent('x-amz-checksum-crc32');
  verify('CRC32', crcSent, digests.crc32);
  verify('Content-MD5', request.header('content-md5'), digests.md5);
  for (const { name, hash } of hashes) verify(name.toUpperCase(), sent(`x-amz-checksum-${name}`), hash.digest());
  return {
    bytes,
    md5: digests.md5.toString('hex'),
    crc32: digests.crc32.toString('base64'),
    crc32Sent: crcSent !== undefined,
  };
}

/** The body as it arrives. Leaving the loop early leaves the connection open, so that the refusal can be sent. */
export function piecesOf(message: IncomingMessage): AsyncIterable<Buffer> {
  return message.iterator({ destroyOnReturn: false });
}

function isChunked(request: S3Request): boolean {
  return (
    (request.header('x-amz-content-sha256') ?? '').startsWith('STREAMING-') ||
    /(^|,)\s*aws-chunked\s*(,|$)/i.test(request.header('content-encoding') ?? '')
  );
}

/** Checksums that Node's crypto cannot compute are refused rather than believed. */
function refuseUncheckable(request: S3Request): void {
  const known = ['crc32', ...CHECKED_HASHES].map((name) => `x-amz-checksum-${name}`);
  const announced = [...request.headerNames(), ...(request.header('x-amz-trailer') ?? '').split(',')];
  for (const name of announced.map((each) => each.trim().toLowerCase()))
    if (name.startsWith('x-amz-checksum-') && !/-(type|mode|algorithm)$/.test(name) && !known.includes(name))
      throw notImplemented(`The checksum in ${name}`);
}

function expectedHashes(request: S3Request) {
  const trailer = request.header('x-amz-trailer') ?? '';
  return CHECKED_HASHES.filter(
    (name) => request.header(`x-amz-checksum-${name}`) !== undefined || trailer.includes(`x-amz-checksum-${name}`),
  ).map((name) => ({ name, hash: createHash(name) }));
}

function verify(algorithm: string, expected: string | undefined, actual: Buffer): void {
  if (expected === undefined) return;
  if (Buffer.from(expected, 'base64').length !== actual.length)
    throw algorithm === 'Content-MD5'
      ? new S3Error(400, 'InvalidDigest', 'The Content-MD5 you specified is not valid.')
      : invalidRequest(`Value for x-amz-checksum-${algorithm.toLowerCase()} header is invalid.`);
  if (Buffer.from(expected, 'base64').equals(actual)) return;
  throw new S3Error(400, 'BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
}

function crcBytes(crc: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc >>> 0);
  return bytes;
}

function tooLarge(): S3Error {
  return new S3Error(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size');
}

/** MD5 (hex) and CRC32 (base64) of part of a stored body. The caller must hold the segments. */
export async function digestStored(blobs: Blobs, segments: readonly Segment[], start: number, end: number) {
  const md5 = createHash('md5');
  let crc = 0;
  for await (const piece of blobs.read(segments, start, end)) {
    md5.update(piece);
    crc = crc32(piece, crc);
  }
  return { md5: md5.digest('hex'), crc32: crcBytes(crc).toString('base64') };
}
