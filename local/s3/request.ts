import type { IncomingMessage } from 'node:http';
import { principalOf } from '../faults.ts';
import { invalidArgument, S3Error } from './errors.ts';

/** One request, path-style, taken apart. */
export interface S3Request {
  readonly message: IncomingMessage;
  readonly id: string;
  readonly method: string;
  /** Empty for a request to the service itself. */
  readonly bucket: string;
  /** Empty for a request to a bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly principal: string;
  header(name: string): string | undefined;
  headerNames(): readonly string[];
}

/** Keys are at most this many bytes of UTF-8 (S3 user guide, "Object key naming"). */
const MAX_KEY_BYTES = 1024;

/** Reads method, path, query and signer. The path is taken literally: `..`, `//` and a leading slash are part of keys. */
export function readRequest(message: IncomingMessage, id: string): S3Request {
  const url = message.url ?? '/';
  const mark = url.indexOf('?');
  const path = (mark < 0 ? url : url.slice(0, mark)).slice(1);
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
  const slash = path.indexOf('/');
  const header = (name: string) => {
    const value = message.headers[name];
    return Array.isArray(value) ? value.join(',') : value;
  };
  return {
    message,
    id,
    method: message.method ?? 'GET',
    bucket: decodeUrl(slash < 0 ? path : path.slice(0, slash)),
    key: slash < 0 ? '' : checkedKey(decodeUrl(path.slice(slash + 1))),
    query,
    principal: principalOf(header('authorization') ?? `Credential=${query.get('X-Amz-Credential') ?? ''}`),
    header,
    headerNames: () => Object.keys(message.headers),
  };
}

function decodeUrl(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error(400, 'InvalidURI', "Couldn't parse the specified URI.");
  }
}

function checkedKey(key: string): string {
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw new S3Error(400, 'KeyTooLongError', 'Your key is too long');
  return key;
}

export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

/** Reads `x-amz-copy-source`. S3 decodes it as a form value: an unescaped `+` means a space. */
export function readCopySource(request: S3Request): CopySource {
  const raw = request.header('x-amz-copy-source') ?? '';
  const [, encoded = '', , version] = /^\/?(.*?)(\?versionId=([^?]*))?$/.exec(raw) ?? [];
  const path = decodeUrl(encoded.replace(/\+/g, '%20')).replace(/^\//, '');
  const slash = path.indexOf('/');
  if (slash < 1 || slash === path.length - 1)
    throw invalidArgument('Copy Source must mention the source bucket and key: sourcebucket/sourcekey');
  return {
    bucket: path.slice(0, slash),
    key: checkedKey(path.slice(slash + 1)),
    versionId: version === undefined ? undefined : decodeUrl(version),
  };
}

/** Query parameters that say who asks, or repeat the operation's name, but not what is asked. */
const ASIDE = /^x-(id|amz-.*)$/i;

/** The API's name for the request, whether or not it is implemented. */
export function operationOf(request: S3Request): string {
  const { method, bucket, key, query } = request;
  const asks = [...query.keys()].filter((name) => !ASIDE.test(name));
  if (bucket === '') return method === 'GET' ? 'ListBuckets' : `${method} on the service`;
  const copies = request.header('x-amz-copy-source') !== undefined;
  return key === '' ? bucketOperation(method, asks, query) : objectOperation(method, asks, copies);
}

const PLAIN_BUCKET: Readonly<Record<string, string>> = {
  PUT: 'CreateBucket',
  DELETE: 'DeleteBucket',
  HEAD: 'HeadBucket',
  POST: 'PostObject',
};

const BUCKET_QUERIES: Readonly<Record<string, string>> = {
  'GET location': 'GetBucketLocation',
  'GET notification': 'GetBucketNotificationConfiguration',
  'PUT notification': 'PutBucketNotificationConfiguration',
  'POST delete': 'DeleteObjects',
  'GET uploads': 'ListMultipartUploads',
  'GET versions': 'ListObjectVersions',
};

const LIST_PARAMETERS = [
  'list-type',
  'prefix',
  'delimiter',
  'start-after',
  'continuation-token',
  'max-keys',
  'encoding-type',
  'fetch-owner',
];

function bucketOperation(method: string, asks: readonly string[], query: URLSearchParams): string {
  const other = asks.find((name) => !LIST_PARAMETERS.includes(name));
  if (other !== undefined) return BUCKET_QUERIES[`${method} ${other}`] ?? derivedName(method, 'Bucket', other);
  if (method === 'GET') return query.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects';
  return PLAIN_BUCKET[method] ?? `${method} on a bucket`;
}

const PLAIN_OBJECT: Readonly<Record<string, string>> = {
  GET: 'GetObject',
  HEAD: 'HeadObject',
  PUT: 'PutObject',
  DELETE: 'DeleteObject',
};

const OBJECT_QUERIES: Readonly<Record<string, string>> = {
  'GET tagging': 'GetObjectTagging',
  'PUT tagging': 'PutObjectTagging',
  'POST restore': 'RestoreObject',
  'POST uploads': 'CreateMultipartUpload',
  'PUT uploadId': 'UploadPart',
  'POST uploadId': 'CompleteMultipartUpload',
  'DELETE uploadId': 'AbortMultipartUpload',
  'GET uploadId': 'ListParts',
};

/** Parameters that go with an operation rather than naming one. */
const OBJECT_PARAMETERS = ['versionId', 'partNumber', 'max-parts', 'part-number-marker', 'encoding-type'];

function objectOperation(method: string, asks: readonly string[], copies: boolean): string {
  const other = asks.find((name) => !OBJECT_PARAMETERS.includes(name));
  if (other === undefined) {
    // A part of an assembled object: these keep no boundaries to read one by.
    if (asks.includes('partNumber')) return `${PLAIN_OBJECT[method] ?? method} with partNumber`;
    return copies && method === 'PUT' ? 'CopyObject' : (PLAIN_OBJECT[method] ?? `${method} on an object`);
  }
  const name = OBJECT_QUERIES[`${method} ${other}`] ?? derivedName(method, 'Object', other);
  return name === 'UploadPart' && copies ? 'UploadPartCopy' : name;
}

function derivedName(method: string, on: 'Bucket' | 'Object', subresource: string): string {
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  const camel = subresource.replace(/(^|-)(\w)/g, (_, __, first: string) => first.toUpperCase());
  return `${verb}${on}${camel}`;
}
