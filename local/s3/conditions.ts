import { noSuchKey, notImplemented, preconditionFailed, S3Error } from './errors.ts';
import type { S3Request } from './request.ts';
import type { Version } from './state.ts';

/**
 * Conditional requests.
 *
 * A conditional write is checked when it starts and again when it is about to commit. In between, the first write to
 * finish wins and the condition of the next fails with 412; where the condition would still hold although something
 * was written and deleted meanwhile, or where a write that began earlier has not finished yet, the outcome is unclear
 * and S3 answers 409.
 */
export interface WritesInProgress {
  begin(bucket: string, key: string): Write;
  /** Something was written or deleted: every write of that key still in progress knows now. */
  changed(bucket: string, key: string): void;
}

export interface Write {
  /** Another write of the key was committed, or began earlier and goes on. */
  raced(): boolean;
  end(): void;
}

export function createWritesInProgress(): WritesInProgress {
  interface Entry {
    disturbed: boolean;
  }
  const open = new Map<string, Entry[]>();
  return {
    begin(bucket, key) {
      const id = `${bucket}/${key}`;
      const entry: Entry = { disturbed: false };
      const entries = open.get(id) ?? [];
      open.set(id, [...entries, entry]);
      return {
        raced: () => entry.disturbed || open.get(id)?.[0] !== entry,
        end() {
          const left = (open.get(id) ?? []).filter((each) => each !== entry);
          if (left.length > 0) open.set(id, left);
          else open.delete(id);
        },
      };
    },
    changed(bucket, key) {
      for (const entry of open.get(`${bucket}/${key}`) ?? []) entry.disturbed = true;
    },
  };
}

export interface WriteCondition {
  readonly ifNoneMatch: boolean;
  readonly ifMatch: string | undefined;
}

/** The conditions of a write on its destination; undefined when it has none. */
export function writeCondition(request: S3Request): WriteCondition | undefined {
  const none = request.header('if-none-match');
  const match = request.header('if-match');
  if (none !== undefined && none.trim() !== '*') throw notImplemented('A write with If-None-Match other than *');
  if (none === undefined && match === undefined) return undefined;
  if (none !== undefined && match !== undefined) throw notImplemented('A write with both If-Match and If-None-Match');
  return { ifNoneMatch: none !== undefined, ifMatch: match };
}

/** Throws 412, or 404 for If-Match on what does not exist. `latest` may be a delete marker. */
export function checkWrite(condition: WriteCondition | undefined, key: string, latest: Version | undefined): void {
  if (condition === undefined) return;
  const existing = latest?.deleteMarker ? undefined : latest;
  if (condition.ifNoneMatch && existing !== undefined) throw preconditionFailed('If-None-Match');
  if (condition.ifMatch === undefined) return;
  if (existing === undefined) throw noSuchKey(key);
  if (!etagListed(condition.ifMatch, existing.etag)) throw preconditionFailed('If-Match');
}

export function conditionalConflict(key: string): S3Error {
  return new S3Error(
    409,
    'ConditionalRequestConflict',
    'The conditional request cannot succeed due to a conflicting operation against this resource.',
    { Key: key },
  );
}

/** Checks a read's If-Match, If-None-Match and dates. Throws 412; true means 304 Not Modified. */
export function checkRead(request: S3Request, version: Version): boolean {
  return checkReadHeaders((name) => request.header(name), version);
}

/** The same conditions on the source of a copy; there, a 304 is a 412 too. */
export function checkCopySource(request: S3Request, version: Version): void {
  const prefix = 'x-amz-copy-source-';
  if (checkReadHeaders((name) => request.header(`${prefix}${name}`), version, prefix))
    throw preconditionFailed(`${prefix}If-None-Match`);
}

function checkReadHeaders(header: (name: string) => string | undefined, version: Version, prefix = ''): boolean {
  const match = header('if-match');
  if (match !== undefined && !etagListed(match, version.etag)) throw preconditionFailed(`${prefix}If-Match`);
  const unmodified = Date.parse(header('if-unmodified-since') ?? '');
  if (match === undefined && version.lastModifiedMs > unmodified)
    throw preconditionFailed(`${prefix}If-Unmodified-Since`);
  const none = header('if-none-match');
  if (none !== undefined) return etagListed(none, version.etag);
  return version.lastModifiedMs <= Date.parse(header('if-modified-since') ?? '');
}

function etagListed(header: string, etag: string): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some((each) => each.trim().replace(/^W\//, '').replace(/^"|"$/g, '') === etag);
}
