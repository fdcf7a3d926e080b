import type { Clock } from '../clock.ts';
import type { Caller } from './access.ts';
import type { Segment } from './blobs.ts';
import type { WritesInProgress } from './conditions.ts';
import { noSuchBucket } from './errors.ts';
import type { Happening } from './events.ts';
import type { Store } from './journal.ts';
import type { S3Request } from './request.ts';
import type { Bucket } from './state.ts';

/** What every operation works with. */
export interface S3Context {
  readonly clock: Clock;
  readonly region: string;
  /** Owns every bucket that names no other owner. */
  readonly accountId: string;
  readonly store: Store;
  readonly writes: WritesInProgress;
  readonly minimumPartBytes: number;
  readonly maximumCopyBytes: number;
  /** Who signs with this access key id; undefined for whoever is no function and no session of a role. */
  readonly callerOf: (principal: string) => Caller | undefined;
  /** Tells whoever listens to the bucket; called after the commit. */
  readonly announce: (bucket: Bucket, happening: Happening) => void;
  /** Tells each queue of the bucket that it is connected. */
  readonly announceTest: (bucket: Bucket) => void;
}

export interface StoredBytes {
  /** Held for the reply; the server releases them once it is sent or has failed. */
  readonly segments: readonly Segment[];
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | StoredBytes;
}

export type Operation = (context: S3Context, request: S3Request) => Reply | Promise<Reply>;

/** The bucket a request names. Throws NoSuchBucket. */
export function bucketNamed(context: S3Context, name: string): Bucket {
  const bucket = context.store.state.buckets.get(name);
  if (bucket === undefined) throw noSuchBucket(name);
  return bucket;
}

/** An answer that carries an XML document. */
export function xmlReply(xml: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, headers: { 'content-type': 'application/xml', ...headers }, body: xml };
}

/** The present moment as objects carry it: whole seconds, in milliseconds since the epoch. */
export function wholeSeconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000) * 1000;
}
