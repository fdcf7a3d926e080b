import type { Complete } from '../source/source.ts';
import type { CopyStore, ObjectFacts } from '../upload/copy.ts';

/** The whole keys that a manifest lists, or why it cannot be read. */
export type Delivery = { readonly keys: ReadonlySet<string> } | { readonly problem: string };

/** A manifest of a hundred thousand files with long names is half of this; it is held in memory. */
export const largestManifestBytes = 32 * 1024 * 1024;

/** Reads a manifest that has been found at its source. */
export async function readDelivery(
  store: Pick<CopyStore, 'read'>,
  found: ObjectFacts,
  by: Extract<Complete, { readonly manifest: string }>,
): Promise<Delivery> {
  const place = `s3://${found.bucket}/${found.key}`;
  const unreadable = (why: string): Delivery => ({ problem: `waits for a readable manifest: ${place} ${why}` });
  if (found.archived) return unreadable('is archived, restore it');
  if (found.sizeBytes > largestManifestBytes) return unreadable(`is larger than ${largestManifestBytes} bytes`);
  const bytes = await store.read(found, 0, Math.max(found.sizeBytes - 1, 0));
  if (bytes === 'archived') return unreadable('is archived, restore it');
  if (bytes === 'precondition') return unreadable('is being replaced');
  const content = textOf(bytes);
  if (content === undefined) return unreadable('is no UTF-8 text');
  const names = by.files === undefined ? listedLines(content) : listedValues(content, by.files);
  if (typeof names === 'string') return unreadable(names);
  return { keys: new Set(names.map((name) => keyOf(name, found))) };
}

/** Undefined for what is no UTF-8: a compressed list would read as one that lists none of the objects there are. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Names in a plain text, one a line; empty lines and those that begin with `#` say nothing. */
function listedLines(content: string): readonly string[] {
  const lines = content.split(/\r\n|[\r\n]/).map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

/** `a.b[].c` as its steps; undefined when it is no such path. `[]` is every element of a list. */
export function filesPath(path: string): readonly string[] | undefined {
  if (!/^(\[\]|[^.[\]]+)(\[\]|\.[^.[\]]+)*$/.test(path)) return undefined;
  return path.match(/\[\]|[^.[\]]+/g) ?? undefined;
}

/** The texts that lie under a path in JSON, or what is wrong. An empty list is fine: nothing belongs to the delivery. */
function listedValues(content: string, path: string): readonly string[] | string {
  let values: readonly unknown[];
  try {
    values = [JSON.parse(content)];
  } catch {
    return 'is no JSON';
  }
  for (const step of filesPath(path) ?? []) {
    if (step === '[]') {
      if (!values.every(Array.isArray)) return `has no list where '${path}' says`;
      values = values.flat();
    } else values = values.map((value) => (Object(value) as Record<string, unknown>)[step]);
  }
  return values.every((value) => typeof value === 'string') ? values : `does not have a text everywhere '${path}' says`;
}

/**
 * What a manifest calls an object, as its whole key: an s3:// address of this bucket, a key from the top of the bucket
 * (it begins with the manifest's folder, or with `/`), or else a name from the manifest's folder on. What lies in another
 * bucket stays an address, which is no key here, so that it is told as missing.
 */
function keyOf(name: string, { bucket, key }: ObjectFacts): string {
  const [, listedBucket, listedKey = ''] = /^s3[an]?:\/\/([^/]+)\/(.+)$/s.exec(name) ?? [];
  if (listedBucket !== undefined) return listedBucket === bucket ? listedKey : name;
  const folder = key.slice(0, key.lastIndexOf('/') + 1);
  if (name.startsWith('/')) return name.slice(1);
  return folder !== '' && name.startsWith(folder) ? name : folder + name.replace(/^\.\//, '');
}
