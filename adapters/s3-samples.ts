import type { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { ObjectBytes } from '../core/normalize/open.ts';
import { errorName, httpStatus, isMissing } from './aws-error.ts';

/** An object that a person names as a sample. */
export interface SampleObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly lastModifiedMs: number;
}

/** A client with a person's own credentials, for buckets in any region. */
export function createSampleS3(): S3Client {
  const forcePathStyle = Boolean(process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL']);
  return new S3Client({ forcePathStyle, followRegionRedirects: true });
}

/**
 * The object of this key, or else the first 1,000 objects whose keys begin so; none when there are none. One or two
 * requests. Throws what S3 answers, such as AccessDenied.
 */
export async function findObjects(s3: S3Client, bucket: string, key: string): Promise<readonly SampleObject[]> {
  if (key !== '' && !key.endsWith('/')) {
    const one = await headObject(s3, bucket, key);
    if (one) return [one];
  }
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key }));
  return Contents.map((each) => ({
    key: each.Key ?? '',
    sizeBytes: each.Size ?? 0,
    lastModifiedMs: each.LastModified?.getTime() ?? 0,
  }));
}

async function headObject(s3: S3Client, bucket: string, key: string): Promise<SampleObject | undefined> {
  try {
    const { ContentLength = 0, LastModified } = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return { key, sizeBytes: ContentLength, lastModifiedMs: LastModified?.getTime() ?? 0 };
  } catch (error) {
    // Without the right to list, S3 answers 403 for what is not there.
    if (isMissing(error) || httpStatus(error) === 403) return undefined;
    throw error;
  }
}

/** Opens an object for decoders: nothing is asked for before it is read. */
export function openObject(s3: S3Client, bucket: string, { key, sizeBytes }: SampleObject): ObjectBytes {
  let opened: Readable | undefined;
  async function* body() {
    opened = (await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))).Body as Readable;
    yield* opened as AsyncIterable<Uint8Array>;
  }
  return {
    sizeBytes,
    body: body(),
    discard: () => void opened?.destroy(),
    async read(start, end) {
      if (end <= start) return new Uint8Array();
      const range = new GetObjectCommand({ Bucket: bucket, Key: key, Range: `bytes=${start}-${end - 1}` });
      return (await (await s3.send(range)).Body?.transformToByteArray()) ?? new Uint8Array();
    },
  };
}

/** Why S3 did not answer, and what to do, in a sentence for a person. */
export function whyNot(error: unknown): string {
  const name = errorName(error);
  if (name === 'NoSuchBucket') return 'there is no such bucket: look for a typing mistake';
  if (/CredentialsProviderError|ExpiredToken|InvalidAccessKeyId|SignatureDoesNotMatch/.test(name))
    return `${name}: set AWS_PROFILE, or log in again`;
  if (name === 'AccessDenied' || httpStatus(error) === 403)
    return 'access is denied: s3:GetObject on the keys and s3:ListBucket on the bucket are needed';
  return `${name}: ${error instanceof Error ? error.message : String(error)}`;
}
