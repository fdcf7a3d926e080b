import { afterEach, beforeEach, expect, test } from 'vitest';
import { getAtt, mapping, queue } from './stack-layers.ts';
import { createStacks, functionResource, type Resources } from './stack-support.ts';

let stacks: ReturnType<typeof createStacks>;

beforeEach(() => {
  stacks = createStacks();
});
afterEach(() => stacks.close());

test.each<[string, Resources, string | RegExp]>([
  [
    'a type it does not know',
    { Stream: { Type: 'AWS::Kinesis::Stream' } },
    /Stream: resources of type AWS::Kinesis::Stream/,
  ],
  ['a property it does not know', { Q: queue({ Colour: 'red' }) }, 'Q (AWS::SQS::Queue): the property Colour'],
  [
    'a function without its package',
    { F: functionResource('nowhere') },
    /F \(AWS::Lambda::Function\): its package .*nowhere.zip/,
  ],
  ['a runtime other than Node', { F: functionResource('f', { Runtime: 'python3.13' }) }, 'runtime python3.13'],
  ['a FIFO queue', { Q: queue({ FifoQueue: true }) }, 'FIFO queues'],
  [
    'a queue whose visibility is shorter than the function may run',
    {
      Q: queue({ VisibilityTimeout: 59 }),
      F: functionResource('f'),
      M: mapping('F', getAtt('Q')),
    },
    /visibility timeout \(59 s\) is shorter than the timeout of firn-dev-f \(60 s\)/,
  ],
  [
    'variables that Lambda sets itself',
    { F: functionResource('f', { Environment: { Variables: { AWS_REGION: 'x' } } }) },
    'AWS_REGION is set by Lambda',
  ],
  [
    'variables beyond 4 KB',
    { F: functionResource('f', { Environment: { Variables: { BIG: 'x'.repeat(4096) } } }) },
    'its variables take 4099 bytes',
  ],
  [
    'overlapping notifications of a bucket',
    {
      Q: queue(),
      B: {
        Type: 'AWS::S3::Bucket',
        Properties: {
          NotificationConfiguration: {
            QueueConfigurations: [1, 2].map(() => ({ Event: 's3:ObjectCreated:*', Queue: getAtt('Q') })),
          },
        },
      },
    },
    /B \(AWS::S3::Bucket\): .*overlap/i,
  ],
  [
    'an attribute that a resource does not have',
    { Q: queue({ QueueName: getAtt('Role', 'Colour') }) },
    'Role (AWS::IAM::Role) has no attribute Colour',
  ],
])('the embedded cloud refuses %s', async (_, resources, message) => {
  await expect(stacks.boot(resources, { f: 'export const handler = async () => {};' })).rejects.toThrow(message);
});
