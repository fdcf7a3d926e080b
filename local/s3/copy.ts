import { type Attributes, attributesOf, replaces, singlePartEtag } from './attributes.ts';
import { checkCopySource } from './conditions.ts';
import { bucketNamed, type Operation, type S3Context, xmlReply } from './context.ts';
import { invalidRequest, noSuchKey } from './errors.ts';
import { checkRestored, findVersion } from './read.ts';
import { digestStored } from './receive.ts';
import { type CopySource, readCopySource, type S3Request } from './request.ts';
import type { Bucket, Version } from './state.ts';
import { type Draft, versionHeader, writeVersion } from './write.ts';
import { element, xmlDocument } from './xml.ts';

export const copyObject: Operation = async (context, request) => {
  const target = bucketNamed(context, request.bucket);
  const { bucket, version } = copySource(context, request);
  checkCopySize(version.size, context.maximumCopyBytes);
  const attributes = copiedAttributes(request, version);
  checkSelfCopy(request, version, attributes);
  const copy = await writeVersion(context, request, { event: 'ObjectCreated:Copy' }, () =>
    draftOf(context, version, attributes),
  );
  const result = xmlDocument('CopyObjectResult', [
    element('LastModified', new Date(copy.lastModifiedMs).toISOString()),
    element('ETag', `"${copy.etag}"`),
    ...(copy.crc32 === undefined ? [] : [element('ChecksumCRC32', copy.crc32)]),
  ]);
  return xmlReply(result, {
    'x-amz-server-side-encryption': copy.encryption,
    ...copySourceHeader(bucket, version),
    ...versionHeader(target, copy),
  });
};

/** The copy shares the source's bytes, but is one part whatever the source was, so its ETag can differ. */
async function draftOf(context: S3Context, source: Version, attributes: Attributes): Promise<Draft> {
  const { blobs } = context.store;
  const { segments, size } = source;
  blobs.hold(segments);
  try {
    const known = source.md5 === undefined ? undefined : { md5: source.md5, crc32: source.crc32 };
    const { md5, crc32 } = known ?? (await digestStored(blobs, segments, 0, size));
    const etag = singlePartEtag(md5, attributes.encryption);
    return { ...attributes, etag, size, segments, md5, ...(crc32 === undefined ? {} : { crc32 }) };
  } catch (error) {
    blobs.release(segments);
    throw error;
  }
}

function copiedAttributes(request: S3Request, source: Version): Attributes {
  const given = attributesOf(request);
  return {
    ...given,
    headers: replaces(request, 'x-amz-metadata-directive') ? given.headers : source.headers,
    tags: replaces(request, 'x-amz-tagging-directive') ? given.tags : source.tags,
  };
}

function checkSelfCopy(request: S3Request, source: Version, attributes: Attributes): void {
  const from = readCopySource(request);
  const same = from.bucket === request.bucket && from.key === request.key && from.versionId === undefined;
  const changes =
    replaces(request, 'x-amz-metadata-directive') ||
    attributes.storageClass !== source.storageClass ||
    attributes.encryption !== source.encryption;
  if (same && !changes)
    throw invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
}

/** Throws InvalidRequest when one request may not copy so much: 5 GiB at AWS (S3 API reference, CopyObject). */
export function checkCopySize(bytes: number, maximum: number): void {
  if (bytes > maximum)
    throw invalidRequest(
      `The specified copy source is larger than the maximum allowable size for a copy source: ${maximum}`,
    );
}

/** The version named by `x-amz-copy-source`, readable and with its conditions checked. */
export function copySource(context: S3Context, request: S3Request): { bucket: Bucket; version: Version } {
  const source: CopySource = readCopySource(request);
  const bucket = bucketNamed(context, source.bucket);
  const version = findVersion(bucket, source.key, source.versionId);
  if (version.deleteMarker)
    throw source.versionId === undefined
      ? noSuchKey(source.key)
      : invalidRequest('The source of a copy request may not specifically refer to a delete marker by version id.');
  checkCopySource(request, version);
  checkRestored(context, version);
  return { bucket, version };
}

/** `x-amz-copy-source-version-id`, when the source has versions. */
export function copySourceHeader(bucket: Bucket, version: Version): Record<string, string> {
  return bucket.settings.versioning === 'off' ? {} : { 'x-amz-copy-source-version-id': version.id };
}
