/** The functions that reach for sources' buckets, each in a role of its own. */
export type ReadingFunction = 'copy' | 'poll';

/**
 * The name of the role in which a function of a stage reads sources. It is fixed, so that the owner of a bucket can
 * name it, and goes on naming it when the stack is made anew. IAM takes 64 characters; a stage has at most 14.
 */
export function readingRoleName(stage: string, reading: ReadingFunction, region: string): string {
  return `firn-${stage}-${reading}-${region}`;
}

/** Where a stack lies, as its ARNs tell. */
export interface Home {
  readonly stage: string;
  readonly region: string;
  /** 12 digits, or what stands for an account that is not known. */
  readonly account: string;
}

export function readingRoleArn({ stage, region, account }: Home, reading: ReadingFunction): string {
  return `arn:${partitionOf(region)}:iam::${account}:role/${readingRoleName(stage, reading, region)}`;
}

/** The part of AWS that a region belongs to: ARNs begin with it. */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}
