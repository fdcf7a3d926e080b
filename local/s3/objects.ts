import { attributesOf, checkTags, singlePartEtag } from './attributes.ts';
import { checkWrite, writeCondition } from './conditions.ts';
import { bucketNamed, type Operation, type S3Context, wholeSeconds, xmlReply } from './context.ts';
import { malformedXml } from './errors.ts';
import { readableVersion } from './read.ts';
import { receiveBody, receiveXml } from './receive.ts';
import type { S3Request } from './request.ts';
import type { Bucket, Tag } from './state.ts';
import { commitChange, newVersionId, versionHeader, writeVersion } from './write.ts';
import { childrenOf, element, textOf, xmlDocument } from './xml.ts';

/** DeleteObjects takes at most this many keys (S3 API reference). */
const MAX_DELETES = 1000;
/** What a delete marker has for a body: nothing, and this is its MD5. */
const EMPTY_MD5 = 'd41d8cd98f00b204e9800998ecf8427e';

export const putObject: Operation = async (context, request) => {
  const bucket = bucketNamed(context, request.bucket);
  const attributes = attributesOf(request);
  const version = await writeVersion(context, request, { event: 'ObjectCreated:Put' }, async () => {
    const body = await receiveBody(request, context.store.blobs);
    return {
      ...attributes,
      etag: singlePartEtag(body.md5, attributes.encryption),
      size: body.bytes,
      segments: body.segments,
      md5: body.md5,
      ...(body.crc32Sent ? { crc32: body.crc32 } : {}),
    };
  });
  return {
    status: 200,
    headers: {
      etag: `"${version.etag}"`,
      'x-amz-server-side-encryption': version.encryption,
      ...(version.crc32 === undefined ? {} : { 'x-amz-checksum-crc32': version.crc32 }),
      ...versionHeader(bucket, version),
    },
  };
};

export const deleteObject: Operation = (context, request) => {
  const bucket = bucketNamed(context, request.bucket);
  const removed = remove(context, request, bucket, request.key, request.query.get('versionId') ?? undefined);
  return {
    status: 204,
    headers: {
      ...(removed.versionId === undefined ? {} : { 'x-amz-version-id': removed.versionId }),
      ...(removed.deleteMarker ? { 'x-amz-delete-marker': 'true' } : {}),
    },
  };
};

export const deleteObjects: Operation = async (context, request) => {
  const bucket = bucketNamed(context, request.bucket);
  const root = await receiveXml(request, 'Delete');
  const objects = childrenOf(root, 'Object');
  if (objects.length === 0 || objects.length > MAX_DELETES) throw malformedXml(`1 to ${MAX_DELETES} keys are expected`);
  const quiet = textOf(root, 'Quiet') === 'true';
  const results = objects.map((each) => {
    const key = textOf(each, 'Key') ?? '';
    const versionId = textOf(each, 'VersionId');
    const removed = remove(context, request, bucket, key, versionId);
    return element('Deleted', [
      element('Key', key),
      ...(versionId === undefined ? [] : [element('VersionId', versionId)]),
      ...(removed.deleteMarker ? [element('DeleteMarker', 'true')] : []),
      ...(removed.deleteMarker && removed.versionId !== undefined
        ? [element('DeleteMarkerVersionId', removed.versionId)]
        : []),
    ]);
  });
  return xmlReply(xmlDocument('DeleteResult', quiet ? [] : results));
};

interface Removed {
  /** The marker that was made, or the version that was removed; undefined without versioning. */
  readonly versionId?: string;
  readonly deleteMarker: boolean;
}

/** Removes a version for good, or hides the key behind a delete marker. What is not there is no error. */
function remove(
  context: S3Context,
  request: S3Request,
  bucket: Bucket,
  key: string,
  versionId: string | undefined,
): Removed {
  const versions = bucket.keys.get(key) ?? [];
  if (request.key !== '') checkWrite(writeCondition(request), key, versions.at(-1));
  const unversioned = bucket.settings.versioning === 'off';
  if (versionId !== undefined || unversioned) {
    const id = versionId ?? 'null';
    const gone = versions.find((each) => each.id === id);
    if (gone !== undefined)
      commitChange(
        context,
        request,
        bucket,
        { id: gone.id },
        'ObjectRemoved:Delete',
        [{ do: 'remove', bucket: bucket.name, key, versionId: id }],
        key,
      );
    return { deleteMarker: gone?.deleteMarker ?? false, ...(unversioned ? {} : { versionId: id }) };
  }
  const marker = {
    id: newVersionId(bucket),
    deleteMarker: true,
    lastModifiedMs: wholeSeconds(context.clock),
    etag: EMPTY_MD5,
    size: 0,
    segments: [],
    headers: {},
    storageClass: 'STANDARD',
    encryption: 'AES256',
    tags: [],
  };
  const told = { id: marker.id, etag: marker.etag };
  const change = { do: 'put', bucket: bucket.name, key, version: marker } as const;
  commitChange(context, request, bucket, told, 'ObjectRemoved:DeleteMarkerCreated', [change], key);
  return { deleteMarker: true, versionId: marker.id };
}

export const getObjectTagging: Operation = (context, request) => {
  const { bucket, version } = readableVersion(context, request);
  const tags = version.tags.map(({ key, value }) => element('Tag', [element('Key', key), element('Value', value)]));
  return xmlReply(xmlDocument('Tagging', [element('TagSet', tags)]), versionHeader(bucket, version));
};

/** Tags belong to a version but change without a new one: LastModified and ETag stay. */
export const putObjectTagging: Operation = async (context, request) => {
  const root = await receiveXml(request, 'Tagging');
  const tags: Tag[] = childrenOf(root, 'TagSet')
    .flatMap((each) => childrenOf(each, 'Tag'))
    .map((each) => ({ key: textOf(each, 'Key') ?? '', value: textOf(each, 'Value') ?? '' }));
  checkTags(tags);
  const { bucket, version } = readableVersion(context, request);
  context.store.commit({ do: 'tag', bucket: bucket.name, key: request.key, versionId: version.id, tags });
  return { status: 200, headers: versionHeader(bucket, version) };
};
