import { type Home, partitionOf } from './reading-role.ts';

/** What is worth a message of a bucket's own notification. */
export const notifiedEvents = ['s3:ObjectCreated:*', 's3:ObjectRestore:Completed'] as const;

/** The same as EventBridge calls it. */
export const eventTypes = ['Object Created', 'Object Restore Completed'] as const;

/** EventBridge takes patterns of 2,048 characters. */
const patternRoom = 1500;

/**
 * What of a bucket's keys a rule asks for, as a part of its pattern's `detail`: those under the prefixes, `['']` is every
 * key. With more prefixes than fit it asks for all, and copy sorts the keys out.
 */
export function claimedKeys(prefixes: readonly string[]): {
  readonly object?: { readonly key: readonly { readonly prefix: string }[] };
} {
  const key = prefixes.map((prefix) => ({ prefix }));
  return prefixes.includes('') || JSON.stringify(key).length > patternRoom ? {} : { object: { key } };
}

/** The copy queue, whose name is fixed so that owners of buckets can send to it. */
export function copyQueueArn({ stage, region, account }: Home): string {
  return `arn:${partitionOf(region)}:sqs:${region}:${account}:firn-${stage}-copy`;
}

/** The role in which a rule of an owner's EventBridge sends to the copy queue: the queue lets in this name alone. */
export const ownersRuleRole = 'firn-events';

export function ownersRule(partition: string, owner: string): string {
  return `arn:${partition}:iam::${owner}:role/${ownersRuleRole}`;
}
