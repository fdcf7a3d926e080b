import { createBucket } from './resources/bucket.ts';
import { createEventInvokeConfig } from './resources/event-invoke-config.ts';
import { createEventSourceMapping } from './resources/event-source-mapping.ts';
import { createFunction } from './resources/function.ts';
import { createQueue } from './resources/queue.ts';
import { createRule } from './resources/rule.ts';
import { createSchedule } from './resources/schedule.ts';
import { createSecret } from './resources/secret.ts';
import { createTable } from './resources/table.ts';
import { WITHOUT_EFFECT } from './resources/without-effect.ts';
import type { Create } from './world.ts';

const RESOURCE_TYPES: Readonly<Record<string, Create>> = {
  'AWS::S3::Bucket': createBucket,
  'AWS::SQS::Queue': createQueue,
  'AWS::DynamoDB::Table': createTable,
  'AWS::Lambda::Function': createFunction,
  'AWS::Lambda::EventSourceMapping': createEventSourceMapping,
  'AWS::Lambda::EventInvokeConfig': createEventInvokeConfig,
  'AWS::Events::Rule': createRule,
  'AWS::Scheduler::Schedule': createSchedule,
  'AWS::SecretsManager::Secret': createSecret,
  ...WITHOUT_EFFECT,
};

/** How resources of a type are created; throws, naming the type, when the embedded cloud does not know it. */
export function creatorOf(logicalId: string, type: string): Create {
  const create = Object.hasOwn(RESOURCE_TYPES, type) ? RESOURCE_TYPES[type] : undefined;
  if (create !== undefined) return create;
  throw new Error(
    `${logicalId}: resources of type ${type} are not supported in the embedded cloud. ` +
      'If the type has no effect on one machine, add it to local/stack/resources/without-effect.ts; ' +
      'otherwise it needs a file of its own beside it.',
  );
}
