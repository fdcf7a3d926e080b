import { generatedName } from '../names.ts';
import { flag, record, refuse, refuseUnknown, text, whole } from '../properties.ts';
import type { Create } from '../world.ts';

const KNOWN = {
  used: ['QueueName', 'VisibilityTimeout', 'MessageRetentionPeriod', 'DelaySeconds', 'RedrivePolicy', 'FifoQueue'],
  ignored: [
    'KmsDataKeyReusePeriodSeconds',
    'KmsMasterKeyId',
    'MaximumMessageSize',
    'ReceiveMessageWaitTimeSeconds',
    'RedriveAllowPolicy',
    'SqsManagedSseEnabled',
    'Tags',
  ],
};
const DEFAULT_VISIBILITY_SECONDS = 30;
const DEFAULT_RETENTION_SECONDS = 345_600;

/** AWS::SQS::Queue, standard, with its redrive policy. */
export const createQueue: Create = (declaration, world) => {
  refuseUnknown(declaration, KNOWN);
  const { properties, deployed, logicalId } = declaration;
  if (flag(properties, 'FifoQueue')) refuse('FIFO queues are not supported in the embedded cloud');
  const name = text(properties, 'QueueName') ?? generatedName(world.stackName, logicalId);
  const redrive = record(properties, 'RedrivePolicy');
  const deadLetterArn = text(redrive, 'deadLetterTargetArn');
  if (deadLetterArn !== undefined) world.deadLetterArns.add(deadLetterArn);

  const { arn, url } = world.services.sqs.createQueue({
    name,
    visibilityTimeoutSeconds: whole(properties, 'VisibilityTimeout') ?? DEFAULT_VISIBILITY_SECONDS,
    retentionSeconds: whole(properties, 'MessageRetentionPeriod') ?? DEFAULT_RETENTION_SECONDS,
    delaySeconds: whole(properties, 'DelaySeconds') ?? 0,
    ...(deadLetterArn !== undefined && {
      redrive: {
        deadLetterArn,
        maxReceiveCount: whole(redrive, 'maxReceiveCount') ?? refuse('RedrivePolicy has no maxReceiveCount'),
      },
    }),
  });
  world.visibility.set(arn, whole(deployed, 'VisibilityTimeout') ?? DEFAULT_VISIBILITY_SECONDS);
  return { ref: url, attributes: { Arn: arn, QueueName: name, QueueUrl: url } };
};
