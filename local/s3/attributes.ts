import { randomBytes } from 'node:crypto';
import { invalidArgument, notImplemented, S3Error } from './errors.ts';
import type { S3Request } from './request.ts';
import type { Tag, Version } from './state.ts';

/** What the headers of a write say about the object, besides its body. */
export interface Attributes {
  readonly headers: Readonly<Record<string, string>>;
  readonly storageClass: string;
  readonly encryption: string;
  readonly tags: readonly Tag[];
}

/** User metadata, names and values together, is at most 2 KB (S3 user guide, "Working with object metadata"). */
const MAX_METADATA_BYTES = 2048;
const MAX_TAGS = 10;
const ECHOED = [
  'content-type',
  'content-disposition',
  'content-language',
  'cache-control',
  'expires',
  'x-amz-website-redirect-location',
];
const STORAGE_CLASSES = [
  'STANDARD',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'REDUCED_REDUNDANCY',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
];

/** Reads the headers. Throws on customer-provided keys, object locks and anything else that would change the object. */
export function attributesOf(request: S3Request): Attributes {
  refuseUnsupported(request);
  const storageClass = request.header('x-amz-storage-class') ?? 'STANDARD';
  if (!STORAGE_CLASSES.includes(storageClass))
    throw new S3Error(400, 'InvalidStorageClass', 'The storage class you specified is not valid');
  return {
    headers: echoedHeaders(request),
    storageClass,
    encryption: request.header('x-amz-server-side-encryption') ?? 'AES256',
    tags: parseTags(request.header('x-amz-tagging') ?? ''),
  };
}

function refuseUnsupported(request: S3Request): void {
  for (const name of request.headerNames())
    if (/^x-amz-(copy-source-)?server-side-encryption-customer-|^x-amz-object-lock-|^x-amz-write-offset/.test(name))
      throw notImplemented(`The header ${name}`);
  const acl = request.header('x-amz-acl');
  if (acl !== undefined && acl !== 'bucket-owner-full-control')
    throw new S3Error(400, 'AccessControlListNotSupported', 'The bucket does not allow ACLs');
}

function echoedHeaders(request: S3Request): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'binary/octet-stream' };
  let metadataBytes = 0;
  for (const name of request.headerNames()) {
    const value = request.header(name) ?? '';
    if (ECHOED.includes(name)) headers[name] = value;
    if (!name.startsWith('x-amz-meta-')) continue;
    headers[name] = value;
    metadataBytes += Buffer.byteLength(name.slice('x-amz-meta-'.length)) + Buffer.byteLength(value);
  }
  if (metadataBytes > MAX_METADATA_BYTES)
    throw new S3Error(400, 'MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size');
  // aws-chunked is how the body travelled, not what it is.
  const encoding = (request.header('content-encoding') ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '' && each !== 'aws-chunked');
  if (encoding.length > 0) headers['content-encoding'] = encoding.join(',');
  return headers;
}

/** Tags in the form of the header: `a=1&b=2`. */
function parseTags(text: string): Tag[] {
  const tags = [...new URLSearchParams(text)].map(([key, value]) => ({ key, value }));
  checkTags(tags);
  return tags;
}

/** Ten tags at most, each key once (S3 user guide, "Categorizing your objects using tags"). Throws InvalidTag. */
export function checkTags(tags: readonly Tag[]): void {
  if (tags.length > MAX_TAGS) throw new S3Error(400, 'BadRequest', 'Object tags cannot be greater than 10');
  if (new Set(tags.map((tag) => tag.key)).size < tags.length)
    throw new S3Error(400, 'InvalidTag', 'Cannot provide multiple Tags with the same key');
}

/** The headers that describe a version, on HEAD and GET; size and range are not among them. */
export function headersOf(version: Version): Record<string, string> {
  return {
    ...version.headers,
    etag: `"${version.etag}"`,
    'last-modified': new Date(version.lastModifiedMs).toUTCString(),
    'accept-ranges': 'bytes',
    'x-amz-server-side-encryption': version.encryption,
    ...(version.storageClass === 'STANDARD' ? {} : { 'x-amz-storage-class': version.storageClass }),
    ...(version.restoredUntilMs === undefined ? {} : { 'x-amz-restore': restoreText(version.restoredUntilMs) }),
    ...(version.tags.length === 0 ? {} : { 'x-amz-tagging-count': String(version.tags.length) }),
  };
}

function restoreText(untilMs: number): string {
  return `ongoing-request="false", expiry-date="${new Date(untilMs).toUTCString()}"`;
}

/** The ETag of a body that was written in one go: its MD5, except under KMS, where it says nothing about the bytes. */
export function singlePartEtag(md5: string, encryption: string): string {
  return encryption.startsWith('aws:kms') ? randomBytes(16).toString('hex') : md5;
}

/** Whether the directive header asks to replace. Throws on anything but COPY and REPLACE. */
export function replaces(request: S3Request, header: string): boolean {
  const directive = request.header(header) ?? 'COPY';
  if (directive !== 'COPY' && directive !== 'REPLACE') throw invalidArgument(`Unknown ${header}: ${directive}`);
  return directive === 'REPLACE';
}
