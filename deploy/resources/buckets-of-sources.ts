import { bucketName } from '../../core/source/buckets.ts';
import type { Registry } from '../../core/source/registry.ts';

/** A bucket that sources read, with the prefixes they claim in it. */
export interface SourceBucket {
  /** The name in `ours(…)`; undefined for a bucket that is there already. */
  readonly ours: string | undefined;
  /** Physical name, for `sub`: `${AWS::AccountId}` and `${AWS::Region}` may stand in it. */
  readonly name: string;
  /** Sorted, none inside another. `['']` is every key. */
  readonly prefixes: readonly string[];
}

// S3: 3 to 63 characters. Twelve of them are the account, up to fourteen the region (ap-southeast-1).
const maximumLength = 63;
const accountAndRegion = '-123456789012-ap-southeast-1';
const stackBuckets = ['landing', 'export', 'stream-failures'];

/**
 * The buckets of all sources, own ones first, by name.
 *
 * @throws naming every bucket whose name S3 or this stack cannot take
 */
export function bucketsOfSources(registry: Registry, stage: string): readonly SourceBucket[] {
  const naming = { prefix: `firn-${stage}-`, suffix: `-\${AWS::AccountId}-\${AWS::Region}` };
  const grouped = Map.groupBy(registry.sources, ({ source }) => bucketName(source.config.from, naming));
  const buckets = [...grouped].map(([name, sources]) => {
    const bucket = sources[0]?.source.config.from.bucket;
    const prefixes = sources.map(({ source }) => source.config.from.prefix ?? '');
    return { ours: typeof bucket === 'object' ? bucket.ours : undefined, name, prefixes: outermost(prefixes) };
  });
  const problems = buckets.flatMap((bucket) => problemsOf(bucket, stage));
  if (problems.length > 0) throw new Error(`Buckets that cannot be:\n${problems.join('\n')}`);
  return buckets.sort((a, b) => order(a) - order(b) || (a.name < b.name ? -1 : 1));
}

function order(bucket: SourceBucket): number {
  return bucket.ours === undefined ? 1 : 0;
}

function outermost(prefixes: readonly string[]): readonly string[] {
  const sorted = [...new Set(prefixes)].sort();
  return sorted.filter((prefix) => !sorted.some((other) => other !== prefix && prefix.startsWith(other)));
}

function problemsOf({ ours, name }: SourceBucket, stage: string): string[] {
  if (ours === undefined) {
    if (/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) return [];
    return [`'${name}': an S3 bucket has 3 to 63 lower-case letters, digits, dots and dashes`];
  }
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(ours)) {
    return [`ours('${ours}'): a name is lower-case letters and digits, joined by single dashes`];
  }
  if (stackBuckets.includes(ours))
    return [`ours('${ours}'): the stack has a bucket of that name for itself, choose another`];
  const tooLong = `firn-${stage}-${ours}${accountAndRegion}`.length - maximumLength;
  return tooLong > 0 ? [`ours('${ours}'): too long by ${tooLong} for the name of a bucket in stage ${stage}`] : [];
}
