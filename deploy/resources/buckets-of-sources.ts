import { bucketName } from '../../core/source/buckets.ts';
import { outermostPrefixes } from '../../core/source/prefixes.ts';
import type { Registry } from '../../core/source/registry.ts';
import { type Origin, ownerOf } from '../../core/source/source.ts';

/** A bucket that sources read, with what they say of it together. */
export interface SourceBucket {
  /** The name in `ours(…)`; undefined for a bucket that is there already. */
  readonly ours: string | undefined;
  /** Physical name, for `sub`: `${AWS::AccountId}` and `${AWS::Region}` may stand in it. */
  readonly name: string;
  /** The account that owns it when it is not the stack's, 12 digits. */
  readonly owner: string | undefined;
  /** Prefixes of the sources that wait for events: sorted, none inside another, `['']` is every key. */
  readonly pushed: readonly string[];
  /** Prefixes that each function reads in its own role, not in one of the owner's; as above. */
  readonly read: { readonly copy: readonly string[]; readonly poll: readonly string[] };
  /** ARNs of the keys that decrypt what is read so. */
  readonly kmsKeys: readonly string[];
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
  const origins = registry.sources.map(({ source }) => source.config.from);
  const grouped = Map.groupBy(origins, (origin) => bucketName(origin, naming));
  const buckets = [...grouped].map(([name, group]) => bucketOf(name, group));
  const problems = buckets.flatMap((bucket) => problemsOf(bucket, stage));
  if (problems.length > 0) throw new Error(`Buckets that cannot be:\n${problems.join('\n')}`);
  return buckets.sort((a, b) => order(a) - order(b) || (a.name < b.name ? -1 : 1));
}

function bucketOf(name: string, origins: readonly Origin[]): SourceBucket {
  const [first] = origins;
  const direct = origins.filter(({ role }) => role === undefined);
  return {
    ours: typeof first?.bucket === 'object' ? first.bucket.ours : undefined,
    name,
    owner: origins.map(ownerOf).find((owner) => owner !== undefined),
    pushed: outermostPrefixes(origins.filter(({ poll }) => poll === undefined)),
    read: { copy: outermostPrefixes(direct), poll: outermostPrefixes(direct.filter(({ poll }) => poll !== undefined)) },
    kmsKeys: [...new Set(direct.flatMap(({ kmsKey }) => kmsKey ?? []))].sort(),
  };
}

function order(bucket: SourceBucket): number {
  return bucket.ours === undefined ? 1 : 0;
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
