import { rights } from '../../core/origin/rights.ts';
import { ownersRule } from '../../core/origin/senders.ts';
import type { SourceBucket } from './buckets-of-sources.ts';
import { characters } from './reading-policies.ts';
import { absent, arnOf, sub, type Value } from './template.ts';

// SQS: a queue's policy has at most 8,192 characters and names 50 principals. Its other statements take under 1,500.
const mostCharacters = 6_500;
const mostOwners = 50;

/** Statements of the copy queue's policy, `absent` where there is nobody to name. */
export interface ForeignSenders {
  /** Buckets that tell the queue by their own notification. */
  readonly buckets: Value;
  /** Roles in which owners' EventBridge rules send. */
  readonly rules: Value;
}

/**
 * Lets the buckets of other owners tell the copy queue of their objects. One statement for all of them, so that a
 * hundred fit: a bucket has one owner, so listing both names exactly these pairs, and copy asks for the owner again.
 *
 * @throws when the queue's policy could not hold them
 */
export function foreignSenders(buckets: readonly SourceBucket[]): ForeignSenders {
  const pushing = buckets.filter(({ owner, pushed }) => owner !== undefined && pushed.length > 0);
  if (pushing.length === 0) return { buckets: absent, rules: absent };
  const owners = [...new Set(pushing.flatMap(({ owner }) => owner ?? []))].sort();
  const send = { Effect: 'Allow', Action: rights.notify, Resource: arnOf('CopyQueue') };
  const arns = pushing.map(({ name }) => sub(`arn:\${AWS::Partition}:s3:::${name}`));
  const statements = {
    buckets: {
      Sid: 'BucketsOfOthers',
      ...send,
      Principal: { Service: 's3.amazonaws.com' },
      Condition: { StringEquals: { 'aws:SourceAccount': owners }, ArnEquals: { 'aws:SourceArn': arns } },
    },
    rules: {
      Sid: 'RulesOfOthers',
      ...send,
      Principal: { AWS: owners },
      Condition: {
        ArnEquals: { 'aws:PrincipalArn': owners.map((owner) => sub(ownersRule(`\${AWS::Partition}`, owner))) },
      },
    },
  };
  const length = characters([statements.buckets, statements.rules]);
  if (owners.length > mostOwners || length > mostCharacters) {
    throw new Error(
      `${pushing.length} buckets of ${owners.length} other owners tell the copy queue of their objects: ` +
        `${length} characters, and a queue's policy takes about ${mostCharacters} and ${mostOwners} owners. ` +
        'Give some of their sources `poll: {}`, or let owners deliver into a bucket of the stack.',
    );
  }
  return statements;
}
