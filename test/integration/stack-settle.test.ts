import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Cloud } from '../../local/stack/boot.ts';
import { bundle } from './lambda-support.ts';
import { createStacks, functionResource, type Resources } from './stack-support.ts';

/** What happens to a message at one stage: it fails so often, then becomes so many, each delayed by so much. */
interface Step {
  readonly fails: number;
  readonly fan: number;
  readonly delay: number;
}

const HOPS = 3;
const stacks = createStacks();
let cloud: Cloud;

const FORWARD = `
  import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
  const sqs = new SQSClient({});
  export const handler = async (event) => {
    const batchItemFailures = [];
    for (const { messageId, body, attributes } of event.Records) {
      const { id, steps: [step, ...steps] } = JSON.parse(body);
      if (Number(attributes.ApproximateReceiveCount) <= step.fails) {
        if (step.fails === 2) throw new Error('asked to');
        batchItemFailures.push({ itemIdentifier: messageId });
        continue;
      }
      const Entries = Array.from({ length: step.fan }, (_, index) => ({
        Id: String(index), DelaySeconds: step.delay, MessageBody: JSON.stringify({ id: id + '.' + index, steps }),
      }));
      if (step.fan > 0) await sqs.send(new SendMessageBatchCommand({ QueueUrl: process.env.NEXT, Entries }));
    }
    return { batchItemFailures };
  };`;

function chain(): Resources {
  const resources: Resources = { [`Queue${HOPS}`]: { Type: 'AWS::SQS::Queue' } };
  for (let hop = 0; hop < HOPS; hop += 1) {
    resources[`Queue${hop}`] = { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 360 } };
    resources[`Forward${hop}`] = functionResource('forward', {
      FunctionName: `forward-${hop}`,
      Environment: { Variables: { NEXT: { Ref: `Queue${hop + 1}` } } },
    });
    resources[`Mapping${hop}`] = {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        EventSourceArn: { 'Fn::GetAtt': [`Queue${hop}`, 'Arn'] },
        FunctionName: { Ref: `Forward${hop}` },
        BatchSize: hop + 1,
        MaximumBatchingWindowInSeconds: hop * 30,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ScalingConfig: { MaximumConcurrency: 2 },
      },
    };
  }
  return resources;
}

beforeAll(async () => {
  cloud = await stacks.boot(chain(), { forward: await bundle(FORWARD) });
});
afterAll(() => stacks.close());

const step = fc.record({
  fails: fc.integer({ min: 0, max: 2 }),
  fan: fc.integer({ min: 0, max: 3 }),
  delay: fc.constantFrom(0, 0, 45, 900),
});
const messages = fc.array(fc.array(step, { minLength: HOPS, maxLength: HOPS }), { minLength: 1, maxLength: 4 });

function expectedOf(id: string, [first, ...rest]: readonly Step[]): string[] {
  if (first === undefined) return [id];
  return Array.from({ length: first.fan }, (_, index) => expectedOf(`${id}.${index}`, rest)).flat();
}

test('settling ends when every message has gone through the whole chain, never before', {
  timeout: 60_000,
}, async () => {
  const end = cloud.attribute(`Queue${HOPS}`, 'Arn');
  const start = cloud.attribute('Queue0', 'Arn');
  await fc.assert(
    fc.asyncProperty(messages, async (plans) => {
      plans.forEach((steps, index) => {
        cloud.sqs.send(start, JSON.stringify({ id: String(index), steps }));
      });
      await cloud.settle();
      const arrived = cloud.sqs.receive(end, 1_000);
      for (const { receiptHandle } of arrived) cloud.sqs.remove(end, receiptHandle);
      // A batch that throws repeats what its other messages did already, so a copy may come twice; none may be missing.
      const seen = new Set(arrived.map(({ body }) => JSON.parse(body).id as string));
      expect([...seen].sort()).toEqual(plans.flatMap((steps, index) => expectedOf(String(index), steps)).sort());
      expect(cloud.idle()).toBe(true);
    }),
    { numRuns: 12 },
  );
});

test('settling waits for whoever else says that he is not done', async () => {
  let asked = 0;
  await cloud.settle(() => {
    asked += 1;
    return asked > 3;
  });
  expect(asked).toBeGreaterThanOrEqual(4);
});
