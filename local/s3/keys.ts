/**
 * Object keys: their order, their url form, and a map that lists them in order.
 */

/** S3 lists keys by their UTF-8 bytes. JavaScript compares UTF-16 units, which puts U+E000…U+FFFF after surrogates. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}

/** The form of keys in notifications and in listings with `encoding-type=url`: a space is `+`, a slash stays. */
export function formUrlEncode(key: string): string {
  return encodeURIComponent(key)
    .replace(/%20/g, '+')
    .replace(/%2F/g, '/')
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Up to this many new keys are inserted one by one; more are sorted in together. */
const INSERT_SINGLY = 64;

export interface SortedMap<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
  readonly size: number;
  /** All keys in UTF-8 byte order; valid until the next change. */
  sorted(): readonly string[];
}

/** A map whose keys are put in order only when somebody lists them, so that a run of puts stays cheap. */
export function createSortedMap<V>(): SortedMap<V> {
  const values = new Map<string, V>();
  let ordered: string[] = [];
  let fresh: string[] = [];

  const settle = () => {
    if (fresh.length > INSERT_SINGLY) ordered = ordered.concat(fresh).sort(compareUtf8);
    else for (const key of fresh) ordered.splice(lowerBound(ordered, key), 0, key);
    fresh = [];
    return ordered;
  };
  return {
    get: (key) => values.get(key),
    set(key, value) {
      if (!values.has(key)) fresh.push(key);
      values.set(key, value);
    },
    delete(key) {
      if (!values.delete(key)) return;
      settle();
      ordered.splice(lowerBound(ordered, key), 1);
    },
    get size() {
      return values.size;
    },
    sorted: settle,
  };
}

/** The index of the first key that is not before `key`. */
export function lowerBound(keys: readonly string[], key: string): number {
  return firstIndex(keys, 0, (each) => compareUtf8(each, key) >= 0);
}

/** The first index from `from` on where `holds` is true, given that it stays true from there on. */
export function firstIndex(keys: readonly string[], from: number, holds: (key: string) => boolean): number {
  let low = from;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(keys[middle] ?? '')) high = middle;
    else low = middle + 1;
  }
  return low;
}
