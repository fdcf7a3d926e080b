import { type BucketNaming, bucketName } from './buckets.ts';
import type { RegisteredSource, Registry } from './registry.ts';

/** Finds the source of an object by bucket, longest prefix and suffix; undefined when no source claims it. */
export type Route = (bucket: string, key: string) => RegisteredSource | undefined;

/**
 * Compiles routing once. A bucket is one look-up, then prefixes are tried longest first, so the cost of a message
 * depends on the sources of its bucket only.
 */
export function compileRoutes(registry: Registry, naming: BucketNaming): Route {
  const buckets = Map.groupBy(registry.sources, (each) => bucketName(each.source.config.from, naming));
  for (const sources of buckets.values()) sources.sort((a, b) => specificity(b) - specificity(a));
  return (bucket, key) => buckets.get(bucket)?.find((each) => claims(each, key));
}

// A longer prefix wins; under one prefix a longer suffix does.
function specificity({ source: { config } }: RegisteredSource): number {
  return (config.from.prefix?.length ?? 0) * 2048 + (config.from.suffix?.length ?? 0);
}

function claims({ source: { config } }: RegisteredSource, key: string): boolean {
  return key.startsWith(config.from.prefix ?? '') && key.endsWith(config.from.suffix ?? '');
}
