import { bucketNamed, type Operation, xmlReply } from './context.ts';
import { invalidArgument } from './errors.ts';
import { compareUtf8, firstIndex, formUrlEncode, lowerBound } from './keys.ts';
import type { Bucket, Version } from './state.ts';
import { latestVersion } from './write.ts';
import { element, xmlDocument } from './xml.ts';

/** A page has at most this many keys and common prefixes together (S3 API reference, ListObjectsV2). */
const MAX_KEYS = 1000;

interface Ask {
  readonly prefix: string;
  readonly delimiter: string;
  readonly limit: number;
  /** Where the page before ended: at a key, or at a common prefix whose keys are all behind us. */
  readonly after: { readonly kind: 'key' | 'prefix'; readonly text: string } | undefined;
}

type Found =
  | { readonly kind: 'key'; readonly text: string; readonly version: Version }
  | { readonly kind: 'prefix'; readonly text: string };

export const listObjects: Operation = (context, request) => {
  const { query } = request;
  const bucket = bucketNamed(context, request.bucket);
  const ask = readAsk(query);
  const { found, truncated } = page(bucket, ask);
  const encode = encoder(query.get('encoding-type'));
  const last = found.at(-1);
  const owner = query.get('fetch-owner') === 'true' ? context.accountId : undefined;
  const restoreStatus = (request.header('x-amz-optional-object-attributes') ?? '').includes('RestoreStatus');
  const echo = (name: string, parameter: string, value: string | null = query.get(parameter)) =>
    value === null ? [] : [element(name, value)];
  const encoded = (parameter: string) => {
    const value = query.get(parameter);
    return value === null ? null : encode(value);
  };
  const document = xmlDocument('ListBucketResult', [
    element('Name', bucket.name),
    element('Prefix', encode(ask.prefix)),
    ...echo('Delimiter', 'delimiter', encoded('delimiter')),
    ...echo('StartAfter', 'start-after', encoded('start-after')),
    ...echo('EncodingType', 'encoding-type'),
    ...echo('ContinuationToken', 'continuation-token'),
    element('KeyCount', found.length),
    element('MaxKeys', ask.limit),
    element('IsTruncated', String(truncated)),
    ...(truncated && last !== undefined ? [element('NextContinuationToken', writeToken(last))] : []),
    ...found.map((each) =>
      each.kind === 'prefix'
        ? element('CommonPrefixes', [element('Prefix', encode(each.text))])
        : contents(encode(each.text), each.version, owner, restoreStatus),
    ),
  ]);
  return xmlReply(document, { 'x-amz-bucket-region': context.region });
};

function contents(key: string, version: Version, owner: string | undefined, restoreStatus: boolean): string {
  return element('Contents', [
    element('Key', key),
    element('LastModified', new Date(version.lastModifiedMs).toISOString()),
    element('ETag', `"${version.etag}"`),
    element('Size', version.size),
    ...(owner === undefined ? [] : [element('Owner', [element('ID', owner)])]),
    element('StorageClass', version.storageClass),
    ...(restoreStatus && version.restoredUntilMs !== undefined ? [restored(version.restoredUntilMs)] : []),
  ]);
}

function restored(untilMs: number): string {
  const date = new Date(untilMs).toISOString();
  return element('RestoreStatus', [element('IsRestoreInProgress', 'false'), element('RestoreExpiryDate', date)]);
}

function readAsk(query: URLSearchParams): Ask {
  const limit = query.get('max-keys') ?? String(MAX_KEYS);
  if (!/^\d{1,9}$/.test(limit)) throw invalidArgument('max-keys must be an integer that is not negative');
  const token = query.get('continuation-token');
  const start = query.get('start-after');
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    limit: Math.min(MAX_KEYS, Number(limit)),
    // A token wins over start-after, which clients repeat on every page.
    after: token !== null ? readToken(token) : start ? { kind: 'key', text: start } : undefined,
  };
}

function page(bucket: Bucket, { prefix, delimiter, limit, after }: Ask): { found: Found[]; truncated: boolean } {
  const keys = bucket.keys.sorted();
  const found: Found[] = [];
  let at = lowerBound(keys, prefix);
  if (after?.kind === 'key')
    at = Math.max(
      at,
      firstIndex(keys, 0, (key) => compareUtf8(key, after.text) > 0),
    );
  if (after?.kind === 'prefix') at = Math.max(at, behind(keys, lowerBound(keys, after.text), after.text));
  while (at < keys.length) {
    const key = keys[at] ?? '';
    if (!key.startsWith(prefix)) break;
    const version = latestVersion(bucket, key);
    if (version === undefined || version.deleteMarker) {
      at++;
      continue;
    }
    if (found.length === limit) return { found, truncated: limit > 0 };
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    if (cut < 0) {
      found.push({ kind: 'key', text: key, version });
      at++;
    } else {
      const text = key.slice(0, cut + delimiter.length);
      found.push({ kind: 'prefix', text });
      at = behind(keys, at, text);
    }
  }
  return { found, truncated: false };
}

/** The first index from `from` on whose key does not start with `prefix`; `from` must be where such keys begin. */
function behind(keys: readonly string[], from: number, prefix: string): number {
  return firstIndex(keys, from, (key) => !key.startsWith(prefix));
}

function encoder(type: string | null): (text: string) => string {
  if (type === null) return (text) => text;
  if (type === 'url') return formUrlEncode;
  throw invalidArgument('Invalid Encoding Method specified in Request');
}

function writeToken({ kind, text }: Found): string {
  return Buffer.from(`${kind}:${text}`).toString('base64');
}

function readToken(token: string): { kind: 'key' | 'prefix'; text: string } {
  const [, kind, text] = /^(key|prefix):(.*)$/s.exec(Buffer.from(token, 'base64').toString()) ?? [];
  if (text === undefined) throw invalidArgument('The continuation token provided is incorrect');
  return { kind: kind === 'key' ? 'key' : 'prefix', text };
}
