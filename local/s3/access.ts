import { bucketNamed, type S3Context } from './context.ts';
import { S3Error } from './errors.ts';
import { RefusedWithHeaders } from './read.ts';
import { readCopySource, type S3Request } from './request.ts';
import type { Bucket } from './state.ts';

/** Who a request comes from, when it is a function or a session of a role. Everybody else is taken for the owner. */
export interface Caller {
  readonly roleArn: string;
  /** When its credentials end, in milliseconds since the epoch. */
  readonly expiresMs?: number | undefined;
}

/** What sets a bucket apart from the stack's own. */
export interface BucketAccess {
  /** The account that owns it, when it is not this one. Roles of another account reach it only as `readers`. */
  readonly owner?: string;
  /** The region it lies in: requests that are signed for another one are sent there. */
  readonly region?: string;
  /** Callers of other accounts must say that they pay. */
  readonly requesterPays?: boolean;
  /** ARNs of roles of other accounts that may read it. */
  readonly readers?: readonly string[];
}

/** Throws what S3 answers when this request may not reach its bucket, or the one it copies from. */
export function checkAccess(context: S3Context, request: S3Request): void {
  const caller = context.callerOf(request.principal);
  if (caller?.expiresMs !== undefined && caller.expiresMs <= context.clock.now())
    throw new S3Error(400, 'ExpiredToken', 'The provided token has expired.');
  const bucket = context.store.state.buckets.get(request.bucket);
  if (bucket !== undefined) {
    // Whoever puts objects into it by hand need not know where it lies.
    if (caller !== undefined) checkRegion(request, bucket);
    checkOwner(context, bucket, request.header('x-amz-expected-bucket-owner'));
    checkCaller(context, request, bucket, caller, request.method === 'GET' || request.method === 'HEAD');
  }
  if (request.header('x-amz-copy-source') === undefined) return;
  const source = bucketNamed(context, readCopySource(request).bucket);
  checkOwner(context, source, request.header('x-amz-source-expected-bucket-owner'));
  checkCaller(context, request, source, caller, true);
}

function checkRegion(request: S3Request, { settings }: Bucket): void {
  const region = settings.access?.region;
  const signedFor = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.header('authorization') ?? '')?.[1];
  if (region === undefined || signedFor === undefined || signedFor === region) return;
  const moved = 'The bucket you are attempting to access must be addressed using the specified endpoint.';
  throw new RefusedWithHeaders(new S3Error(301, 'PermanentRedirect', moved), { 'x-amz-bucket-region': region });
}

function checkOwner(context: S3Context, bucket: Bucket, expected: string | undefined): void {
  if (expected !== undefined && expected !== ownerOf(context, bucket)) throw denied();
}

function checkCaller(
  context: S3Context,
  request: S3Request,
  bucket: Bucket,
  caller: Caller | undefined,
  reads: boolean,
): void {
  if (caller === undefined || caller.roleArn.split(':')[4] === ownerOf(context, bucket)) return;
  const { readers = [], requesterPays } = bucket.settings.access ?? {};
  if (!reads || !readers.includes(caller.roleArn)) throw denied();
  if (requesterPays && request.header('x-amz-request-payer') !== 'requester') throw denied();
}

function ownerOf(context: S3Context, bucket: Bucket): string {
  return bucket.settings.access?.owner ?? context.accountId;
}

const denied = () => new S3Error(403, 'AccessDenied', 'Access Denied');
