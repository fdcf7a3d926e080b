import { generatedBucketName } from '../names.ts';
import { flag, record, records, refuse, refuseUnknown, text } from '../properties.ts';
import type { Create, World } from '../world.ts';

const KNOWN = {
  used: ['BucketName', 'NotificationConfiguration', 'VersioningConfiguration'],
  ignored: [
    'AccelerateConfiguration',
    'AccessControl',
    'BucketEncryption',
    'CorsConfiguration',
    'IntelligentTieringConfigurations',
    'InventoryConfigurations',
    'LifecycleConfiguration',
    'LoggingConfiguration',
    'MetricsConfigurations',
    'OwnershipControls',
    'PublicAccessBlockConfiguration',
    'Tags',
  ],
};
const KNOWN_DESTINATIONS = ['QueueConfigurations', 'EventBridgeConfiguration'];

interface QueueNotification {
  readonly queueArn: string;
  readonly events: string[];
  readonly prefix?: string;
  readonly suffix?: string;
}

/** AWS::S3::Bucket with its versioning and its notifications to queues and to the event bus. */
export const createBucket: Create = async (declaration, world) => {
  refuseUnknown(declaration, KNOWN);
  const { properties, logicalId } = declaration;
  const name = text(properties, 'BucketName') ?? generatedBucketName(world.stackName, logicalId);
  const notification = record(properties, 'NotificationConfiguration');
  const other = Object.keys(notification).filter((each) => !KNOWN_DESTINATIONS.includes(each));
  if (other.length > 0) refuse(`notifications by ${other.join(', ')} are not supported in the embedded cloud`);

  await world.services.s3.createBucket(name, {
    versioning: text(record(properties, 'VersioningConfiguration'), 'Status') === 'Enabled',
    notifications: records(notification, 'QueueConfigurations').map((each) => queueNotification(each, world)),
    eventBridge:
      notification['EventBridgeConfiguration'] !== undefined &&
      (flag(record(notification, 'EventBridgeConfiguration'), 'EventBridgeEnabled') ?? true),
  });
  return {
    ref: name,
    attributes: {
      Arn: `arn:aws:s3:::${name}`,
      DomainName: `${name}.s3.amazonaws.com`,
      RegionalDomainName: `${name}.s3.${world.region}.amazonaws.com`,
    },
  };
};

function queueNotification(configuration: Record<string, unknown>, world: World): QueueNotification {
  const queueArn = text(configuration, 'Queue') ?? refuse('a queue configuration has no Queue');
  // S3 validates its destinations when it stores the configuration, and refuses one that it cannot send to.
  const known = world.services.sqs.queues().includes(queueArn);
  if (!known && !world.foreignQueue(queueArn)) refuse(`the queue ${queueArn} of a notification does not exist`);
  const event = text(configuration, 'Event') ?? refuse('a queue configuration has no Event');
  const parts: { prefix?: string; suffix?: string } = {};
  for (const rule of records(record(record(configuration, 'Filter'), 'S3Key'), 'Rules')) {
    const kind = text(rule, 'Name')?.toLowerCase();
    if (kind !== 'prefix' && kind !== 'suffix') refuse(`a notification filter knows prefix and suffix, not ${kind}`);
    parts[kind] = text(rule, 'Value') ?? '';
  }
  return { queueArn, events: [event], ...parts };
}
