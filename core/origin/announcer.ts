import type { Origin } from '../source/source.ts';

/**
 * An announcer is the object that says that a delivery is complete: a marker or a manifest. A marker that carries an
 * object's name speaks for that object, any other announcer for its folder and all folders below it.
 */
type From = Pick<Origin, 'prefix' | 'complete'>;

const placeholder = /\{name\}|\{stem\}/;

/** True for a key that announces deliveries of this origin and is no data itself. */
export function isAnnouncer({ complete }: From, key: string): boolean {
  if (!complete) return false;
  const name = key.slice(key.lastIndexOf('/') + 1);
  if (complete.manifest !== undefined) return name === complete.manifest;
  const [before = '', after] = complete.marker.split(placeholder);
  if (after === undefined) return name === complete.marker;
  return name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after);
}

/**
 * The keys of the announcers that may speak for an object, the nearest first: one is enough. None lies above the
 * origin's prefix. Empty when the origin's objects come by themselves.
 */
export function announcersOf({ prefix = '', complete }: From, key: string): readonly string[] {
  if (!complete) return [];
  const slash = key.lastIndexOf('/') + 1;
  if (complete.marker !== undefined && placeholder.test(complete.marker)) {
    const name = key.slice(slash);
    const dot = name.lastIndexOf('.');
    const stem = dot > 0 ? name.slice(0, dot) : name;
    return [key.slice(0, slash) + complete.marker.replace('{name}', () => name).replace('{stem}', () => stem)];
  }
  const name = complete.manifest ?? complete.marker;
  const found: string[] = [];
  for (let folder = key.slice(0, slash); folder.startsWith(prefix); folder = folderAbove(folder)) {
    found.push(folder + name);
    if (folder === '') break;
  }
  return found;
}

/** A key may begin with '/', so the bucket is not the only folder of that length. */
function folderAbove(folder: string): string {
  return folder === '/' ? '' : folder.slice(0, folder.lastIndexOf('/', folder.length - 2) + 1);
}

/** Every object that an announcer speaks for begins so. */
export function deliveryPrefix({ complete }: From, announcer: string): string {
  const slash = announcer.lastIndexOf('/') + 1;
  const folder = announcer.slice(0, slash);
  if (complete?.marker === undefined) return folder;
  const [before = '', after] = complete.marker.split(placeholder);
  if (after === undefined) return folder;
  return folder + announcer.slice(slash + before.length, announcer.length - after.length);
}
