import { nameEnd, newTagWalk, nextToken } from './xml-tags.ts';

/** What the head of a document says about its rows. */
export interface RootOutline {
  readonly root: string | undefined;
  /** Name of the root's repeated child, as it stands in the tags. */
  readonly repeated: string | undefined;
  /** The root has ended within the head, without a child. */
  readonly isEmpty: boolean;
  /** Path of the first element further inside that is repeated. */
  readonly deeper: readonly string[] | undefined;
}

/**
 * Looks through the head of a document for the root's children that occur more than once, and takes the one whose
 * elements fill most of it, so that a few links in front of the entries of a feed do not count.
 */
export function outlineRoot(head: Buffer): RootOutline {
  const window = { view: head, at: 0, base: 0, done: true, until: Number.POSITIVE_INFINITY };
  const walk = newTagWalk(0);
  const open: string[] = [];
  const children = new Map<string, { count: number; bytes: number }>();
  const siblings: Set<string>[] = [new Set()];
  let root: string | undefined;
  let deeper: readonly string[] | undefined;
  let isWhole = false;
  let begun = 0;
  const count = (until: number): void => {
    const child = children.get(open[1] ?? '') ?? { count: 0, bytes: 0 };
    children.set(open[1] ?? '', { count: child.count + 1, bytes: child.bytes + until - begun });
  };
  while (!isWhole) {
    const token = nextToken(walk, window);
    if (token === undefined || token === 'fault' || token === 'subset') break;
    if (token === 'passed' || token === 'doctype') continue;
    if (token !== 'close') {
      const name = head.toString('utf8', walk.start + 1, nameEnd(head, walk.start + 1));
      if (open.length === 1) begun = walk.start;
      root ??= name;
      const known = siblings[open.length];
      open.push(name);
      if (known?.has(name) && open.length > 2) deeper ??= [...open];
      known?.add(name);
      siblings[open.length] = new Set();
    }
    if (token === 'open') continue;
    if (open.length === 2) count(walk.at);
    open.pop();
    isWhole = open.length === 0;
  }
  // The child that the head cuts off counts as far as it goes.
  if (open.length > 1) count(head.length);
  const repeated = [...children].filter(([, { count }]) => count > 1).sort(([, a], [, b]) => b.bytes - a.bytes);
  return { root, repeated: repeated[0]?.[0], isEmpty: isWhole && children.size === 0, deeper };
}
