import type { Origin } from './source.ts';

/** The prefixes of these origins, sorted and none inside another; `['']` is every key, `[]` when there is no origin. */
export function outermostPrefixes(origins: readonly Origin[]): readonly string[] {
  const sorted = [...new Set(origins.map(({ prefix = '' }) => prefix))].sort();
  const kept: string[] = [];
  for (const prefix of sorted) {
    // What a prefix holds follows it in this order, so the last one that was kept is the only one to look at.
    const last = kept.at(-1);
    if (last === undefined || !prefix.startsWith(last)) kept.push(prefix);
  }
  return kept;
}
