import { S3Client } from '@aws-sdk/client-s3';
import { Failure } from '../core/failure.ts';
import { type Asked, accessDenied } from '../core/origin/denied.ts';
import type { RegisteredSource } from '../core/source/registry.ts';
import { ownerOf } from '../core/source/source.ts';
import { assumeRole } from './assume-role.ts';
import { isAccessDenied, isExpiredToken } from './aws-error.ts';

/** What every request to a source's bucket carries. */
export interface SentAlong {
  readonly RequestPayer?: 'requester';
  readonly ExpectedBucketOwner?: string;
}

/** A source's bucket, reached the way its origin says: in its region, in its owner's role, at whose cost. */
export interface SourceAccess {
  /** True when a role of the owner reads the bucket: it cannot write into landing, so nothing is copied server-side. */
  readonly inRole: boolean;
  readonly sentAlong: SentAlong;
  /**
   * Makes a request of the bucket, once more with new credentials when those of the role were over. What is denied is
   * thrown as `copy.accessDenied`; `place` is `s3://bucket/key`.
   */
  ask<T>(asked: Asked, place: string, request: (s3: S3Client, sentAlong: SentAlong) => Promise<T>): Promise<T>;
}

/** Makes the access of each source once. All their clients share the sockets and settings of this one. */
export function sourceAccess(s3: S3Client): (source: RegisteredSource) => SourceAccess {
  const made = new Map<string, SourceAccess>();
  return (source) => {
    const known = made.get(source.id);
    if (known) return known;
    const access = accessOf(source, s3);
    made.set(source.id, access);
    return access;
  };
}

function accessOf(source: RegisteredSource, s3: S3Client): SourceAccess {
  const { region, role, requesterPays } = source.source.config.from;
  const owner = ownerOf(source.source.config.from);
  const sentAlong: SentAlong = {
    ...(requesterPays ? { RequestPayer: 'requester' } : {}),
    ...(owner === undefined ? {} : { ExpectedBucketOwner: owner }),
  };
  const credentials = role && deniedIn(source, assumeRole(role, source.id));
  const newClient = () => {
    if (region === undefined && !credentials) return s3;
    const { requestHandler, forcePathStyle, endpoint } = s3.config;
    return new S3Client({
      requestHandler,
      forcePathStyle: forcePathStyle === true,
      followRegionRedirects: true,
      region: region ?? s3.config.region,
      credentials: credentials ?? s3.config.credentials,
      ...(endpoint && s3.config.isCustomEndpoint ? { endpoint } : {}),
    });
  };
  let client = newClient();
  return {
    inRole: role !== undefined,
    sentAlong,
    async ask(asked, place, request) {
      const used = client;
      try {
        return await request(used, sentAlong);
      } catch (error) {
        if (!role || !isExpiredToken(error)) throw denied(error, source, asked, place);
        // Whoever finds it first makes the new one, which knows no credentials yet.
        if (client === used) client = newClient();
      }
      return request(client, sentAlong).catch((error: unknown) => {
        throw denied(error, source, asked, place);
      });
    },
  };
}

function denied(error: unknown, source: RegisteredSource, asked: Asked, place: string): unknown {
  return isAccessDenied(error) ? accessDenied(source, asked, place, error) : error;
}

function deniedIn<T>(source: RegisteredSource, assume: () => Promise<T>): () => Promise<T> {
  const { bucket } = source.source.config.from;
  return () =>
    assume().catch((error: unknown) => {
      if (error instanceof Failure) throw error;
      throw denied(error, source, 'assume', `s3://${String(bucket)}`);
    });
}
