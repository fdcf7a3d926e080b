import { headersOf } from './attributes.ts';
import { checkRead } from './conditions.ts';
import { bucketNamed, type Operation, type Reply, type S3Context } from './context.ts';
import { invalidArgument, noSuchKey, noSuchVersion, S3Error } from './errors.ts';
import type { S3Request } from './request.ts';
import type { Bucket, Version } from './state.ts';
import { latestVersion, versionHeader } from './write.ts';

/** Storage classes whose objects must be restored before anything reads them. */
const ARCHIVED = ['GLACIER', 'DEEP_ARCHIVE'];

export const getObject: Operation = (context, request) => {
  const { bucket, version } = readableVersion(context, request);
  checkRestored(context, version);
  const reply = describe(request, bucket, version);
  if (reply.range === undefined) return reply;
  context.store.blobs.hold(version.segments);
  return { ...reply, body: { segments: version.segments, ...reply.range } };
};

export const headObject: Operation = (context, request) => {
  const { bucket, version } = readableVersion(context, request);
  return describe(request, bucket, version);
};

interface Described extends Reply {
  /** The bytes asked for; absent when the answer is 304. */
  readonly range?: { readonly start: number; readonly end: number };
}

function describe(request: S3Request, bucket: Bucket, version: Version): Described {
  const headers = { ...headersOf(version), ...versionHeader(bucket, version) };
  if (checkRead(request, version)) return { status: 304, headers };
  const range = readRange(request.header('range'), version.size);
  const whole = range === undefined;
  const { start, end } = range ?? { start: 0, end: version.size };
  const checksum =
    whole && version.crc32 !== undefined && request.header('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED'
      ? { 'x-amz-checksum-crc32': version.crc32, 'x-amz-checksum-type': 'FULL_OBJECT' }
      : {};
  return {
    status: whole ? 200 : 206,
    headers: {
      ...headers,
      ...checksum,
      'content-length': String(end - start),
      ...(whole ? {} : { 'content-range': `bytes ${start}-${end - 1}/${version.size}` }),
    },
    range: { start, end },
  };
}

/**
 * The range of one `bytes=a-b`, `bytes=a-` or `bytes=-n`, end exclusive. Like S3, ignores (undefined) what it cannot
 * read and several ranges at once. Throws InvalidRange when no byte of the object lies in it.
 */
export function readRange(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? [];
  if (from === undefined || to === undefined || (from === '' && to === '')) return undefined;
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size : Math.min(size, Number(to) + 1);
  if (start < end) return { start, end };
  throw new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable', {
    RangeRequested: header ?? '',
    ActualObjectSize: String(size),
  });
}

/** The version a GET, HEAD or tagging request names, never a delete marker. */
export function readableVersion(context: S3Context, request: S3Request): { bucket: Bucket; version: Version } {
  const bucket = bucketNamed(context, request.bucket);
  const versionId = request.query.get('versionId') ?? undefined;
  const version = findVersion(bucket, request.key, versionId);
  if (!version.deleteMarker) return { bucket, version };
  const marked = { 'x-amz-delete-marker': 'true', ...versionHeader(bucket, version) };
  if (versionId === undefined) throw new RefusedWithHeaders(noSuchKey(request.key), marked);
  throw new RefusedWithHeaders(
    new S3Error(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.'),
    marked,
  );
}

/** A refusal that says more in its headers: a delete marker names itself there. */
export class RefusedWithHeaders extends S3Error {
  readonly headers: Readonly<Record<string, string>>;

  constructor(error: S3Error, headers: Readonly<Record<string, string>>) {
    super(error.status, error.code, error.message, error.details);
    this.headers = headers;
  }
}

/** The version of that id, or the newest; may be a delete marker. Throws NoSuchKey or NoSuchVersion. */
export function findVersion(bucket: Bucket, key: string, versionId: string | undefined): Version {
  if (versionId === undefined) {
    const latest = latestVersion(bucket, key);
    if (latest === undefined) throw noSuchKey(key);
    return latest;
  }
  if (versionId === '') throw invalidArgument('Version id cannot be the empty string');
  const found = bucket.keys.get(key)?.find((each) => each.id === versionId);
  if (found === undefined) throw noSuchVersion(key, versionId);
  return found;
}

function invalidObjectState(storageClass: string): S3Error {
  return new S3Error(
    403,
    'InvalidObjectState',
    "The operation is not valid for the object's storage class: restore the object first",
    { StorageClass: storageClass },
  );
}

export function isArchived(version: Version): boolean {
  return ARCHIVED.includes(version.storageClass);
}

/** Throws when the object must be restored before anybody can read it. */
export function checkRestored({ clock }: S3Context, version: Version): void {
  const isRestored = (version.restoredUntilMs ?? 0) > clock.now();
  if (isArchived(version) && !isRestored) throw invalidObjectState(version.storageClass);
}
