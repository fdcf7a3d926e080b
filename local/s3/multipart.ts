import { randomBytes } from 'node:crypto';
import { attributesOf } from './attributes.ts';
import { cut } from './blobs.ts';
import { bucketNamed, type Operation, type S3Context, wholeSeconds, xmlReply } from './context.ts';
import { checkCopySize, copySource, copySourceHeader } from './copy.ts';
import { invalidArgument, invalidRequest, noSuchUpload } from './errors.ts';
import { digestStored, receiveBody } from './receive.ts';
import type { S3Request } from './request.ts';
import type { OpenUpload, Part, Version } from './state.ts';
import { element, xmlDocument } from './xml.ts';

/** Parts are numbered 1 to this (S3 user guide, "Multipart upload limits"). */
const MAX_PARTS = 10_000;
const LIST_PARTS = 1000;

export const createMultipartUpload: Operation = (context, request) => {
  bucketNamed(context, request.bucket);
  const upload = {
    ...attributesOf(request),
    id: randomBytes(48).toString('base64url'),
    bucket: request.bucket,
    key: request.key,
    startedMs: wholeSeconds(context.clock),
  };
  context.store.commit({ do: 'startUpload', upload });
  const result = [element('Bucket', upload.bucket), element('Key', upload.key), element('UploadId', upload.id)];
  return xmlReply(xmlDocument('InitiateMultipartUploadResult', result), {
    'x-amz-server-side-encryption': upload.encryption,
  });
};

export const uploadPart: Operation = async (context, request) => {
  const number = partNumber(request);
  uploadOf(context, request);
  const body = await receiveBody(request, context.store.blobs);
  const part = keepPart(context, request, {
    number,
    etag: body.md5,
    crc32: body.crc32,
    size: body.bytes,
    segments: body.segments,
  });
  return {
    status: 200,
    headers: { etag: `"${part.etag}"`, ...(body.crc32Sent ? { 'x-amz-checksum-crc32': part.crc32 } : {}) },
  };
};

export const uploadPartCopy: Operation = async (context, request) => {
  const number = partNumber(request);
  uploadOf(context, request);
  const { bucket, version } = copySource(context, request);
  const { start, end } = copyRange(context, request, version);
  checkCopySize(end - start, context.maximumCopyBytes);
  const { blobs } = context.store;
  const segments = cut(version.segments, start, end);
  blobs.hold(segments);
  const digest = await digestStored(blobs, segments, 0, end - start).catch((error: unknown) => {
    blobs.release(segments);
    throw error;
  });
  const part = keepPart(context, request, {
    number,
    etag: digest.md5,
    crc32: digest.crc32,
    size: end - start,
    segments,
  });
  const result = xmlDocument('CopyPartResult', [
    element('LastModified', new Date(part.lastModifiedMs).toISOString()),
    element('ETag', `"${part.etag}"`),
  ]);
  return xmlReply(result, copySourceHeader(bucket, version));
};

/** Makes the part one of the upload's and lets go of the caller's hold. The upload may be over by now. */
function keepPart(context: S3Context, request: S3Request, part: Omit<Part, 'lastModifiedMs'>): Part {
  try {
    const upload = uploadOf(context, request);
    const kept = { ...part, lastModifiedMs: wholeSeconds(context.clock) };
    context.store.commit({ do: 'part', uploadId: upload.id, part: kept });
    return kept;
  } finally {
    context.store.blobs.release(part.segments);
  }
}

/** The bytes `x-amz-copy-source-range` names (there: inclusive), or the whole source; end exclusive. */
function copyRange(context: S3Context, request: S3Request, { size }: Version): { start: number; end: number } {
  const header = request.header('x-amz-copy-source-range');
  if (header === undefined) return { start: 0, end: size };
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(header) ?? [];
  if (from === undefined || to === undefined)
    throw invalidArgument('The x-amz-copy-source-range value must be of the form bytes=first-last');
  if (Number(from) > Number(to) || Number(to) >= size)
    throw invalidArgument(`Range specified is not valid for source object of size: ${size}`);
  // AWS documents ranges only for sources larger than the smallest part, 5 MB (S3 API reference, UploadPartCopy).
  if (size <= context.minimumPartBytes)
    throw invalidRequest('The specified copy source is not supported as a byte-range copy source');
  return { start: Number(from), end: Number(to) + 1 };
}

export const abortMultipartUpload: Operation = (context, request) => {
  const upload = uploadOf(context, request);
  context.store.commit({ do: 'endUpload', uploadId: upload.id });
  return { status: 204, headers: {} };
};

export const listParts: Operation = (context, request) => {
  const upload = uploadOf(context, request);
  const after = Number(request.query.get('part-number-marker') ?? 0);
  const limit = Math.min(LIST_PARTS, Number(request.query.get('max-parts') ?? LIST_PARTS));
  if (!Number.isInteger(after) || !Number.isInteger(limit) || limit < 0)
    throw invalidArgument('part-number-marker and max-parts must be integers');
  const rest = [...upload.parts.values()].filter((part) => part.number > after).sort((a, b) => a.number - b.number);
  const parts = rest.slice(0, limit);
  const result = xmlDocument('ListPartsResult', [
    element('Bucket', upload.bucket),
    element('Key', upload.key),
    element('UploadId', upload.id),
    element('StorageClass', upload.storageClass),
    element('PartNumberMarker', after),
    element('NextPartNumberMarker', parts.at(-1)?.number ?? after),
    element('MaxParts', limit),
    element('IsTruncated', String(rest.length > parts.length)),
    ...parts.map((part) =>
      element('Part', [
        element('PartNumber', part.number),
        element('LastModified', new Date(part.lastModifiedMs).toISOString()),
        element('ETag', `"${part.etag}"`),
        element('Size', part.size),
      ]),
    ),
  ]);
  return xmlReply(result);
};

function partNumber(request: S3Request): number {
  const number = Number(request.query.get('partNumber') ?? Number.NaN);
  if (Number.isInteger(number) && number >= 1 && number <= MAX_PARTS) return number;
  throw invalidArgument(`Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`);
}

/** The open upload a request names. Throws NoSuchBucket or NoSuchUpload. */
export function uploadOf(context: S3Context, request: S3Request): OpenUpload {
  bucketNamed(context, request.bucket);
  const id = request.query.get('uploadId') ?? '';
  const upload = context.store.state.uploads.get(id);
  if (upload === undefined || upload.bucket !== request.bucket || upload.key !== request.key) throw noSuchUpload(id);
  return upload;
}
