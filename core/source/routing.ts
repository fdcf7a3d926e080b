import { isAnnouncer } from '../origin/announcer.ts';
import { type BucketNaming, bucketName } from './buckets.ts';
import { compileGlob } from './glob.ts';
import type { RegisteredSource, Registry } from './registry.ts';

/**
 * Finds the source of an object by bucket, longest prefix and suffix; undefined when no source claims it, `excluded`
 * when the only ones that would have it leave it alone.
 */
export type Route = (bucket: string, key: string) => RegisteredSource | 'excluded' | undefined;

interface Claim {
  readonly source: RegisteredSource;
  readonly excludes: (key: string) => boolean;
}

/**
 * Compiles routing once. A message costs one look-up for its bucket and one for each length that prefixes and suffixes
 * have there, so it does not grow with the number of sources.
 */
export function compileRoutes(registry: Registry, naming: BucketNaming): Route {
  const buckets = new Map(
    [...Map.groupBy(registry.sources, (each) => bucketName(each.source.config.from, naming))].map(
      ([bucket, sources]) => [bucket, claimsOf(sources)] as const,
    ),
  );
  return (bucket, key) => {
    let excluded = false;
    for (const { source, excludes } of buckets.get(bucket)?.(key) ?? []) {
      if (!excludes(key)) return source;
      excluded = true;
    }
    return excluded ? 'excluded' : undefined;
  };
}

/** The claims on a key, a longer prefix before a shorter one, under one prefix a longer suffix. */
function claimsOf(sources: readonly RegisteredSource[]): (key: string) => Iterable<Claim> {
  const byPrefix = longestFirst(
    Map.groupBy(sources, ({ source }) => source.config.from.prefix ?? ''),
    (key, length) => key.slice(0, length),
    (group) => {
      const bySuffix = longestFirst(
        Map.groupBy(group, ({ source }) => source.config.from.suffix ?? ''),
        (key, length) => key.slice(key.length - length),
        // Two sources that claim the same are a mistake that is found before; the first has it until then.
        ([source]) => claimOf(source as RegisteredSource),
      );
      return announcersFirst(group, bySuffix);
    },
  );
  return function* (key) {
    for (const bySuffix of byPrefix(key)) yield* bySuffix(key);
  };
}

/** A marker or a manifest belongs to the sources it speaks for, whatever it ends in and whatever they exclude. */
function announcersFirst(
  sources: readonly RegisteredSource[],
  claims: (key: string) => Iterable<Claim>,
): (key: string) => Iterable<Claim> {
  const announced = sources.filter(({ source }) => source.config.from.complete !== undefined);
  if (announced.length === 0) return claims;
  return function* (key) {
    for (const source of announced) {
      if (isAnnouncer(source.source.config.from, key)) yield { source, excludes: () => false };
    }
    yield* claims(key);
  };
}

/** What the affixes of a key lead to, the longest affix first: one probe for each length that there is. */
function longestFirst<G, T>(
  groups: ReadonlyMap<string, G>,
  affix: (key: string, length: number) => string,
  compile: (group: G) => T,
): (key: string) => Iterable<T> {
  const compiled = new Map([...groups].map(([text, group]) => [text, compile(group)]));
  const lengths = [...new Set([...compiled.keys()].map((text) => text.length))].sort((a, b) => b - a);
  return function* (key) {
    for (const length of lengths) {
      if (length > key.length) continue;
      const found = compiled.get(affix(key, length));
      if (found !== undefined) yield found;
    }
  };
}

function claimOf(source: RegisteredSource): Claim {
  const patterns = (source.source.config.from.exclude ?? []).map(compileGlob);
  return { source, excludes: (key) => patterns.some((matches) => matches(key)) };
}
