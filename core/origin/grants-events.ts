import { outermostPrefixes } from '../source/prefixes.ts';
import type { ForeignBucket, Grant } from './grant.ts';
import { partitionOf } from './reading-role.ts';
import { claimedKeys, copyQueueArn, eventTypes, notifiedEvents, ownersRule, ownersRuleRole } from './senders.ts';

/** How the copy queue hears of a bucket's objects; nothing for a bucket that is polled alone. */
export function eventGrants(bucket: ForeignBucket): readonly Grant[] {
  const prefixes = outermostPrefixes(bucket.origins.filter(({ poll }) => poll === undefined));
  if (prefixes.length === 0) return [];
  if (bucket.owner === undefined)
    return [eventBridgeSwitch(bucket, 'A rule of our stack, in this account, does the rest.')];
  return [notification(bucket, prefixes), rule(bucket, bucket.owner, prefixes)];
}

function notification({ name, home }: ForeignBucket, prefixes: readonly string[]): Grant {
  const QueueConfigurations = prefixes.map((prefix, index) => ({
    Id: `firn-${home.stage}-${index + 1}`,
    QueueArn: copyQueueArn(home),
    Events: [...notifiedEvents],
    ...(prefix === '' ? {} : { Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: prefix }] } } }),
  }));
  return {
    kind: 'bucketNotification',
    title: `Event notifications of ${name}`,
    text:
      'So that we hear of new objects. PutBucketNotificationConfiguration replaces all notifications of a bucket: add these ' +
      'to those that are there (GetBucketNotificationConfiguration). S3 asks our queue when it stores them: we deploy first. ' +
      'If a notification of yours overlaps with them, S3 refuses both; then take the rule below instead.',
    document: { QueueConfigurations },
  };
}

function rule(bucket: ForeignBucket, owner: string, prefixes: readonly string[]): Grant {
  const { name, home, region } = bucket;
  const queue = copyQueueArn(home);
  const allow = { Version: '2012-10-17' };
  return {
    kind: 'eventBridgeRule',
    title: `Instead of notifications: an EventBridge rule for ${name}`,
    text:
      `Only where notifications cannot be used. Switch on EventBridge for the bucket, make the rule in ${region}, and give ` +
      `its target the role ${ownersRuleRole}: our queue lets in this name alone.`,
    document: {
      BucketNotification: { EventBridgeConfiguration: {} },
      EventPattern: {
        source: ['aws.s3'],
        'detail-type': [...eventTypes],
        detail: { bucket: { name: [name] }, ...claimedKeys(prefixes) },
      },
      Targets: [{ Id: 'firn', Arn: queue, RoleArn: ownersRule(partitionOf(region), owner) }],
      RoleTrust: {
        ...allow,
        Statement: [{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sts:AssumeRole' }],
      },
      RolePolicy: { ...allow, Statement: [{ Effect: 'Allow', Action: 'sqs:SendMessage', Resource: queue }] },
    },
  };
}

function eventBridgeSwitch({ name }: ForeignBucket, rest: string): Grant {
  return {
    kind: 'eventBridgeSwitch',
    title: `EventBridge of ${name}`,
    text:
      `So that we hear of new objects, switch on the bucket's EventBridge delivery. ${rest} It adds to the notifications of ` +
      'the bucket, but PutBucketNotificationConfiguration replaces all of them: send those that are there along.',
    document: { EventBridgeConfiguration: {} },
  };
}
