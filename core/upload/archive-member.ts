import type { ArchiveEntry } from '../decode/archive.ts';
import { memberUploadId } from './identity.ts';
import { type LandingName, landingKey, safeBaseName } from './landing-key.ts';
import { type LandingFacts, landingMetadata } from './landing-metadata.ts';
import type { NewUpload } from './manifest.ts';

/** An archive, as the metadata of its copy tells of it. */
export interface ParentArchive {
  readonly name: LandingName;
  readonly facts: LandingFacts;
}

/** A member of an archive on its way to be an upload. */
export interface Member {
  readonly ordinal: number;
  readonly uploadId: string;
  /** As it is shown: without `.` and empty segments. */
  readonly path: string;
  readonly sizeBytes: number;
}

/** S3 takes 2 KB of names and values (UserGuide, "Working with object metadata"). */
const MAX_METADATA_BYTES = 2048;
const metadataPrefix = 'x-amz-meta-';

/** UTF-16 units. No longer path fits into that; a tar may have one of a mebibyte, and an item has 400 KB (DynamoDB). */
const MAX_PATH = 2048;
export const tooLongPath = 'its path is too long to be kept with its copy';

/** What holds no data of anyone: folders, and what macOS adds (of `a.csv` it keeps attributes in `._a.csv`). */
export function isPassedOver({ isFolder, path }: ArchiveEntry): boolean {
  const segments = path.split('/').filter((each) => each !== '' && each !== '.');
  const last = segments.at(-1) ?? '';
  return isFolder || last === '' || segments[0] === '__MACOSX' || last === '.DS_Store' || last.startsWith('._');
}

export function memberOf(parent: ParentArchive, { ordinal, path, sizeBytes }: ArchiveEntry): Member {
  const segments = path.split('/').filter((each) => each !== '' && each !== '.');
  const uploadId = memberUploadId(parent.name.uploadId, ordinal, path);
  return { ordinal, uploadId, path: segments.join('/'), sizeBytes };
}

/** Why a path cannot be part of a key that people trust, or undefined: it leads out of the archive, or is endless. */
export function pathRefusal(path: string): string | undefined {
  if (path.length > MAX_PATH) return tooLongPath;
  if (path.startsWith('/')) return 'its path is absolute';
  if (/^[A-Za-z]:/.test(path)) return 'its path begins with a drive';
  if (path.includes('\\')) return 'its path holds a backslash';
  if (path.split('/').includes('..')) return "its path holds '..'";
  return path.includes('\0') ? 'its path holds a zero character' : undefined;
}

/**
 * The member as an upload; `contentMark` stands for its ETag: equal for equal bytes, whatever archive they came in. Of a
 * path that was refused for its length, the key has the beginning.
 */
export function memberUpload(
  { name, facts }: ParentArchive,
  member: Member,
  contentMark: string | undefined,
): NewUpload {
  const { bucket, key, versionId, lastModifiedMs } = facts.object;
  const object = { bucket, key: memberKey(key, member.path.slice(0, MAX_PATH)), versionId, lastModifiedMs };
  const content = contentMark === undefined ? {} : { etag: contentMark };
  return {
    ...{ sourceId: name.sourceId, uploadId: member.uploadId, parentId: name.uploadId },
    object: { ...object, ...content, sizeBytes: member.sizeBytes },
  };
}

/** The object key that a member's rows know: below that of its archive. */
function memberKey(archive: string, path: string): string {
  return `${archive}/${path}`;
}

export function memberLandingKey({ name }: ParentArchive, member: Member): string {
  return landingKey({ ...name, uploadId: member.uploadId, baseName: safeBaseName(member.path) });
}

/** Metadata of a member's landing object, or undefined when its path is too long for it. */
export function memberMetadata(
  { name, facts }: ParentArchive,
  { ordinal, path, sizeBytes }: Member,
  contentMark: string,
): Readonly<Record<string, string>> | undefined {
  const object = { ...facts.object, key: memberKey(facts.object.key, path), etag: contentMark, sizeBytes };
  const metadata = landingMetadata({
    sourceId: name.sourceId,
    object,
    member: { parentId: name.uploadId, ordinal, archiveKey: facts.object.key, path },
  });
  const bytes = Object.entries(metadata).map(([key, value]) => metadataPrefix.length + key.length + value.length);
  return bytes.reduce((sum, each) => sum + each, 0) > MAX_METADATA_BYTES ? undefined : metadata;
}
