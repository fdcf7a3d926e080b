import { hash } from 'node:crypto';

/** DynamoDB's names of the table's keys. Nowhere else are they spelt out but here and in the access patterns. */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** A key over 1 KB is replaced by its hash: DynamoDB allows 2,048 bytes of partition key and 1,024 of sort key. */
const longestKeyBytes = 1024;

const special = /[#%~]/;

/** One value inside a key: `#` separates, so it is escaped, and `~` at the start means a hash. */
export function escapeKey(value: string): string {
  if (!special.test(value)) return value;
  const escaped = value.replaceAll(/[#%]/g, (each) => (each === '#' ? '%23' : '%25'));
  return escaped.startsWith('~') ? `%7E${escaped.slice(1)}` : escaped;
}

/** The value that `escapeKey` wrote; a hashed one stays as it is. */
export function unescapeKey(text: string): string {
  return text.replaceAll(/%(23|25|7E)/g, (_all, code: string) => (code === '23' ? '#' : code === '25' ? '%' : '~'));
}

/** The key of a record from its key values in order: escaped, joined by `#`, hashed when too long. */
export function recordKey(values: readonly string[]): string {
  const key = values.length === 1 ? escapeKey(values[0] ?? '') : values.map(escapeKey).join('#');
  if (key.length * 3 <= longestKeyBytes || Buffer.byteLength(key) <= longestKeyBytes) return key;
  return `~${hash('sha256', key, 'base64url')}`;
}

/** Values of a record key, or undefined when the key is a hash of them. */
export function parseRecordKey(key: string): readonly string[] | undefined {
  return key.startsWith('~') ? undefined : key.split('#').map(unescapeKey);
}

export const recordPrefix = 'R#';

/** Partition key of all records of one entity and key, whatever their source. */
export function recordPartition(entity: string, key: string): string {
  return `${recordPrefix}${entity}#${key}`;
}

/** Entity and record key in a record's partition key; undefined for every other item. */
export function parseRecordPartition(pk: string): { readonly entity: string; readonly key: string } | undefined {
  const end = pk.startsWith(recordPrefix) ? pk.indexOf('#', recordPrefix.length) : -1;
  return end < 0 ? undefined : { entity: pk.slice(recordPrefix.length, end), key: pk.slice(end + 1) };
}

/** Sort key of a record that is kept for each row (append). */
export function appendSortKey(sourceId: string, contentId: string, position: number, output: number): string {
  return `${sourceId}#${contentId}#${position}#${output}`;
}

/** The record key of a row without a key of its own. */
export function rowKey(contentId: string, position: number, output: number): string {
  return `${contentId}.${position}.${output}`;
}

export function manifestKey(uploadId: string): Key {
  return { pk: `U#${uploadId}`, sk: 'META' };
}

export function partKey(uploadId: string, revision: number, part: number): Key {
  return { pk: `U#${uploadId}`, sk: `P#${revision}#${String(part).padStart(4, '0')}` };
}

/** What the sort keys of all parts of an upload under one revision begin with. */
export function partPrefix(uploadId: string, revision: number): Key {
  return { pk: `U#${uploadId}`, sk: `P#${revision}#` };
}

/** What became of one member of an archive, in the books of the archive. */
export function memberNoteKey(uploadId: string, ordinal: number): Key {
  return { pk: `U#${uploadId}`, sk: `M#${String(ordinal).padStart(6, '0')}` };
}

export function quarantineKey(uploadId: string, revision: number, position: number, output: number): Key {
  return { pk: `U#${uploadId}`, sk: `X#${revision}#${position}#${output}` };
}

export function uploadInFileKey(uploadId: string, revision: number, file: string): Key {
  return { pk: `U#${uploadId}`, sk: `B#${revision}#${file}` };
}

/** `load`: a batch that is tried again under a later load is another file, and the earlier one keeps its note. */
export function exportFileKey(entity: string, day: string, load: number, file: string): Key {
  return { pk: `E#${entity}#${day}`, sk: `${load}#${file}` };
}

export function sourceStateKey(sourceId: string): Key {
  return { pk: `S#${sourceId}`, sk: 'STATE' };
}

/** Where the poller keeps its lease and how far it has come, beside the source's state. */
export function pollStateKey(sourceId: string): Key {
  return { pk: `S#${sourceId}`, sk: 'POLL' };
}

/** Partition of gsi1 that lists a source's uploads of one UTC day, oldest first. */
export function uploadsOfDay(sourceId: string, day: string): string {
  return `UD#${sourceId}#${day}`;
}
