import type { Origin } from './source.ts';

/** How this deployment names its own buckets: `<prefix><name><suffix>`. */
export interface BucketNaming {
  readonly prefix: string;
  readonly suffix: string;
}

/** The physical name of a source's bucket in this deployment. */
export function bucketName(origin: Origin, naming: BucketNaming): string {
  return typeof origin.bucket === 'string' ? origin.bucket : `${naming.prefix}${origin.bucket.ours}${naming.suffix}`;
}
