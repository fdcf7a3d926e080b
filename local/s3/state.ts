import type { BucketAccess } from './access.ts';
import type { Blobs, Segment } from './blobs.ts';
import type { Happening } from './events.ts';
import { createSortedMap, type SortedMap } from './keys.ts';

/** One version of one object, or a delete marker. */
export interface Version {
  /** `null` when it was written without versioning. */
  readonly id: string;
  readonly deleteMarker: boolean;
  /** Whole seconds, in milliseconds since the epoch. */
  readonly lastModifiedMs: number;
  /** Without quotes. */
  readonly etag: string;
  readonly size: number;
  readonly segments: readonly Segment[];
  /** Hex MD5 of the body; absent on an assembled upload, where nobody has read the body as a whole. */
  readonly md5?: string;
  /** Base64, when the writer sent a CRC32 over the whole body. */
  readonly crc32?: string;
  /** What GET and HEAD echo: content-type, content-encoding, …, x-amz-meta-*; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly storageClass: string;
  readonly encryption: string;
  readonly tags: readonly Tag[];
  /** Until when an archived version can be read; absent when it was never restored. */
  readonly restoredUntilMs?: number;
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

export interface Rule {
  readonly id: string;
  readonly queueArn: string;
  readonly events: readonly string[];
  readonly prefix: string;
  readonly suffix: string;
}

export interface BucketSettings {
  readonly createdMs: number;
  /** `off` until versioning was first switched on; from then on `on` or `suspended`, as with S3. */
  readonly versioning: 'off' | 'on' | 'suspended';
  readonly rules: readonly Rule[];
  readonly eventBridge: boolean;
  readonly access?: BucketAccess | undefined;
}

export interface Bucket {
  readonly name: string;
  settings: BucketSettings;
  /** The versions of each key, oldest first; never an empty list. */
  readonly keys: SortedMap<readonly Version[]>;
}

export interface Part {
  readonly number: number;
  readonly lastModifiedMs: number;
  readonly etag: string;
  readonly crc32: string;
  readonly size: number;
  readonly segments: readonly Segment[];
}

/** What CreateMultipartUpload fixed for the object to come. */
export interface Upload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly startedMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly storageClass: string;
  readonly encryption: string;
  readonly tags: readonly Tag[];
}

export interface OpenUpload extends Upload {
  readonly parts: Map<number, Part>;
}

/** One change. The journal is a list of them, and applying them in order gives the state back. */
export type Change =
  | { readonly do: 'bucket'; readonly name: string; readonly settings: BucketSettings }
  | { readonly do: 'dropBucket'; readonly name: string }
  | { readonly do: 'put'; readonly bucket: string; readonly key: string; readonly version: Version }
  | { readonly do: 'remove'; readonly bucket: string; readonly key: string; readonly versionId: string }
  | {
      readonly do: 'tag';
      readonly bucket: string;
      readonly key: string;
      readonly versionId: string;
      readonly tags: readonly Tag[];
    }
  | {
      readonly do: 'restore';
      readonly bucket: string;
      readonly key: string;
      readonly versionId: string;
      readonly untilMs: number;
    }
  | { readonly do: 'startUpload'; readonly upload: Upload }
  | { readonly do: 'part'; readonly uploadId: string; readonly part: Part }
  | { readonly do: 'endUpload'; readonly uploadId: string }
  | { readonly do: 'sequence'; readonly sequence: number; readonly told?: Told };

/** What the bucket's listeners are told of a change, once it is committed. */
export interface Told {
  readonly bucket: string;
  readonly happening: Happening;
}

export interface State {
  readonly buckets: Map<string, Bucket>;
  readonly uploads: Map<string, OpenUpload>;
  /** The newest sequencer handed out. */
  sequence: number;
  /** The newest change that listeners are told of: of all, the only one a killed process may not have told. */
  told: Told | undefined;
}

export function createState(): State {
  return { buckets: new Map(), uploads: new Map(), sequence: 0, told: undefined };
}

/** Carries out one change. Changes that name what is not there are refused: they cannot have been committed. */
export function applyChange(state: State, blobs: Blobs, change: Change): void {
  switch (change.do) {
    case 'bucket': {
      const bucket = state.buckets.get(change.name);
      if (bucket !== undefined) bucket.settings = change.settings;
      else state.buckets.set(change.name, { name: change.name, settings: change.settings, keys: createSortedMap() });
      return;
    }
    case 'dropBucket':
      state.buckets.delete(change.name);
      return;
    case 'put':
      putVersion(state, blobs, change);
      return;
    case 'remove':
      dropVersion(bucketIn(state, change.bucket), blobs, change.key, change.versionId);
      return;
    case 'restore': {
      const { keys } = bucketIn(state, change.bucket);
      const restored = { restoredUntilMs: change.untilMs };
      const restore = (each: Version) => (each.id === change.versionId ? { ...each, ...restored } : each);
      keys.set(change.key, (keys.get(change.key) ?? []).map(restore));
      return;
    }
    case 'tag': {
      const { keys } = bucketIn(state, change.bucket);
      const retag = (each: Version) => (each.id === change.versionId ? { ...each, tags: change.tags } : each);
      keys.set(change.key, (keys.get(change.key) ?? []).map(retag));
      return;
    }
    case 'startUpload':
      state.uploads.set(change.upload.id, { ...change.upload, parts: new Map() });
      return;
    case 'part': {
      const { parts } = uploadIn(state, change.uploadId);
      const replaced = parts.get(change.part.number);
      blobs.hold(change.part.segments);
      parts.set(change.part.number, change.part);
      if (replaced !== undefined) blobs.release(replaced.segments);
      return;
    }
    case 'endUpload': {
      for (const part of uploadIn(state, change.uploadId).parts.values()) blobs.release(part.segments);
      state.uploads.delete(change.uploadId);
      return;
    }
    case 'sequence':
      state.sequence = Math.max(state.sequence, change.sequence);
      state.told = change.told ?? state.told;
      return;
    default:
      change satisfies never;
  }
}

/** Adds the newest version of a key; a version of the same id (`null`, that is) gives way. */
function putVersion(state: State, blobs: Blobs, { bucket: name, key, version }: Extract<Change, { do: 'put' }>): void {
  const bucket = bucketIn(state, name);
  blobs.hold(version.segments);
  dropVersion(bucket, blobs, key, version.id);
  bucket.keys.set(key, [...(bucket.keys.get(key) ?? []), version]);
}

function dropVersion(bucket: Bucket, blobs: Blobs, key: string, versionId: string): void {
  const versions = bucket.keys.get(key) ?? [];
  const gone = versions.find((each) => each.id === versionId);
  if (gone === undefined) return;
  const left = versions.filter((each) => each !== gone);
  if (left.length > 0) bucket.keys.set(key, left);
  else bucket.keys.delete(key);
  blobs.release(gone.segments);
}

function bucketIn(state: State, name: string): Bucket {
  const bucket = state.buckets.get(name);
  if (bucket === undefined) throw new Error(`no bucket "${name}"`);
  return bucket;
}

function uploadIn(state: State, id: string): OpenUpload {
  const upload = state.uploads.get(id);
  if (upload === undefined) throw new Error(`no upload "${id}"`);
  return upload;
}

/** The changes that make this state from nothing. */
export function* changesOf(state: State): Generator<Change> {
  yield { do: 'sequence', sequence: state.sequence, ...(state.told && { told: state.told }) };
  for (const bucket of state.buckets.values()) {
    yield { do: 'bucket', name: bucket.name, settings: bucket.settings };
    for (const key of bucket.keys.sorted())
      for (const version of bucket.keys.get(key) ?? []) yield { do: 'put', bucket: bucket.name, key, version };
  }
  for (const { parts, ...upload } of state.uploads.values()) {
    yield { do: 'startUpload', upload };
    for (const part of parts.values()) yield { do: 'part', uploadId: upload.id, part };
  }
}
