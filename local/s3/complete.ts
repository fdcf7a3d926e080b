import { createHash } from 'node:crypto';
import { conditionalConflict } from './conditions.ts';
import { bucketNamed, type Operation, type S3Context, xmlReply } from './context.ts';
import { invalidRequest, malformedXml, S3Error } from './errors.ts';
import { uploadOf } from './multipart.ts';
import { receiveXml } from './receive.ts';
import type { S3Request } from './request.ts';
import type { OpenUpload, Part } from './state.ts';
import { type Draft, versionHeader, writeVersion } from './write.ts';
import { childrenOf, type Element, element, textOf, xmlDocument } from './xml.ts';

/** Uploads that lost a conditional completion with 409: S3 wants these started again, so completing them stays 409. */
const lost = new WeakSet<OpenUpload>();

export const completeMultipartUpload: Operation = async (context, request) => {
  const bucket = bucketNamed(context, request.bucket);
  const upload = uploadOf(context, request);
  const options = { event: 'ObjectCreated:CompleteMultipartUpload', onConflict: () => void lost.add(upload) } as const;
  const version = await writeVersion(context, request, options, async () => {
    const wanted = await receiveXml(request, 'CompleteMultipartUpload');
    return assemble(context, request, uploadOf(context, request), wanted);
  });
  const result = xmlDocument('CompleteMultipartUploadResult', [
    element('Location', `/${request.bucket}/${request.key}`),
    element('Bucket', request.bucket),
    element('Key', request.key),
    element('ETag', `"${version.etag}"`),
  ]);
  return xmlReply(result, {
    'x-amz-server-side-encryption': version.encryption,
    ...versionHeader(bucket, version),
  });
};

/** The object made of the parts the client lists; parts it leaves out are dropped. No bytes move. */
function assemble(context: S3Context, request: S3Request, upload: OpenUpload, wanted: Element): Draft {
  if (lost.has(upload)) throw conditionalConflict(upload.key);
  const parts = wantedParts(context, upload, wanted);
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  const declared = request.header('x-amz-mp-object-size');
  if (declared !== undefined && Number(declared) !== size)
    throw invalidRequest(`The provided x-amz-mp-object-size ${declared} does not match the assembled size ${size}`);
  const md5s = createHash('md5');
  for (const part of parts) md5s.update(part.etag, 'hex');
  const segments = parts.flatMap((part) => part.segments);
  context.store.blobs.hold(segments);
  return {
    headers: upload.headers,
    storageClass: upload.storageClass,
    encryption: upload.encryption,
    tags: upload.tags,
    etag: `${md5s.digest('hex')}-${parts.length}`,
    size,
    segments,
    // S3 dates an assembled object by the start of its upload (S3 user guide, "Working with object metadata").
    lastModifiedMs: upload.startedMs,
    also: [{ do: 'endUpload', uploadId: upload.id }],
  };
}

function wantedParts(context: S3Context, upload: OpenUpload, wanted: Element): Part[] {
  const listed = childrenOf(wanted, 'Part').map((each) => ({
    number: Number(textOf(each, 'PartNumber')),
    etag: (textOf(each, 'ETag') ?? '').replaceAll('"', ''),
    crc32: textOf(each, 'ChecksumCRC32'),
  }));
  if (listed.length === 0) throw malformedXml('you must specify at least one part');
  return listed.map(({ number, etag, crc32 }, at) => {
    if (at > 0 && number <= (listed[at - 1]?.number ?? 0))
      throw new S3Error(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.');
    const part = upload.parts.get(number);
    if (part === undefined || part.etag !== etag || (crc32 !== undefined && crc32 !== part.crc32))
      throw new S3Error(
        400,
        'InvalidPart',
        'One or more of the specified parts could not be found: not uploaded, or with another entity tag.',
        { PartNumber: String(number), ETag: etag },
      );
    if (at < listed.length - 1 && part.size < context.minimumPartBytes)
      throw new S3Error(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
        PartNumber: String(number),
        ProposedSize: String(part.size),
        MinSizeAllowed: String(context.minimumPartBytes),
      });
    return part;
  });
}
