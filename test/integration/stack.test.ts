import { join } from 'node:path';
import { DescribeTimeToLiveCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Cloud } from '../../local/stack/boot.ts';
import { startServices } from '../../local/stack/services.ts';
import { REGION } from './lambda-support.ts';
import { bundleLayers, getAtt, LAYERS, queue } from './stack-layers.ts';
import { createStacks, functionResource, type Resources } from './stack-support.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
let functions: Record<string, string>;
let stacks: ReturnType<typeof createStacks>;

beforeAll(async () => {
  functions = await bundleLayers();
});
beforeEach(() => {
  stacks = createStacks();
});
afterEach(() => stacks.close());

const s3Of = (cloud: Cloud) =>
  new S3Client({ region: REGION, endpoint: cloud.endpoints.s3, forcePathStyle: true, credentials });
const put = (s3: S3Client, Bucket: string, Key: string, Body: string) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body }));
const keysOf = async (s3: S3Client, Bucket: string) =>
  ((await s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map((object) => object.Key);

describe('a packaged stack', () => {
  test('carries an object through every layer, and settles only when it has arrived', async () => {
    const cloud = await stacks.boot(LAYERS, functions, { stackName: 'firn-dev' });
    const s3 = s3Of(cloud);
    await put(s3, 'firn-dev-source', 'in/a.txt', 'one\ntwo\npoison\nthree');
    await put(s3, 'firn-dev-source', 'out/b.txt', 'not asked for');
    await cloud.settle();
    expect(await keysOf(s3, cloud.physicalId('Exports'))).toEqual(['R#order#one', 'R#order#three', 'R#order#two']);
    const [failure, ...others] = await keysOf(s3, cloud.physicalId('Failures'));
    expect(others).toEqual([]);
    expect(failure).toMatch(/^aws\/lambda\/[0-9a-f-]{36}\/shardId-/);
    expect(new Set(cloud.failures.map((each) => each.functionName))).toEqual(new Set(['firn-dev-export']));
    expect(cloud.deadLetters()).toEqual([]);
    expect(cloud.idle()).toBe(true);

    await put(s3, 'firn-dev-source', 'in/broken.txt', 'x');
    expect(cloud.idle()).toBe(false);
    await cloud.settle();
    expect(cloud.deadLetters()).toEqual([{ queue: expect.stringMatching(/CopyDeadLetters/), count: 1 }]);
    expect(cloud.idle()).toBe(true);
    s3.destroy();
  });

  test('has names, attributes and outputs as the template says', async () => {
    const outputs = {
      Landing: { Value: { 'Fn::Join': [':', ['s3', { Ref: 'Landing' }]] } },
      CopyVersion: { Value: { Ref: 'CopyVersion' }, Export: { Name: 'x' } },
    };
    const cloud = await stacks.boot(LAYERS, functions, { stackName: 'firn-dev' }, outputs);
    expect(cloud.outputs).toEqual({
      Landing: `s3:${cloud.physicalId('Landing')}`,
      CopyVersion: `arn:aws:lambda:${REGION}:111122223333:function:firn-dev-copy:1`,
    });
    expect(cloud.physicalId('Landing')).toMatch(/^firn-dev-landing-[0-9a-f]{12}$/);
    expect(cloud.attribute('CopyQueue', 'Arn')).toMatch(/^arn:aws:sqs:eu-central-1:111122223333:firn-dev-CopyQueue-/);
    expect(cloud.attribute('Table', 'StreamArn')).toBe(cloud.dynamodb.stream(cloud.physicalId('Table')).arn);
    expect(cloud.attribute('Role', 'Arn')).toMatch(/^arn:aws:iam::111122223333:role\//);
    expect(() => cloud.physicalId('Nothing')).toThrow('no resource Nothing');
    const dynamodb = new DynamoDBClient({ region: REGION, endpoint: cloud.endpoints.dynamodb, credentials });
    const ttl = await dynamodb.send(new DescribeTimeToLiveCommand({ TableName: cloud.physicalId('Table') }));
    expect(ttl.TimeToLiveDescription?.AttributeName).toBe('expiresAt');
    dynamodb.destroy();
  });

  test('lets a test tune properties and add variables, and calls functions by any of their names', async () => {
    const logs: string[] = [];
    const echo = `export const handler = async (event, context) => {
      console.log('called');
      if (event.bad) throw new RangeError('bad');
      return [event.value, process.env.EXTRA, process.env.OWN, context.memoryLimitInMB];
    };`;
    const cloud = await stacks.boot(
      { EchoLambdaFunction: functionResource('echo', { Environment: { Variables: { OWN: 7, EXTRA: 'own' } } }) },
      { echo },
      {
        environment: { EXTRA: 'extra' },
        onLog: (name, line) => logs.push(`${name}: ${line}`),
        overrides: (id, properties) => (id === 'EchoLambdaFunction' ? { ...properties, MemorySize: 512 } : properties),
      },
    );
    for (const name of ['echo', 'EchoLambdaFunction', 'firn-dev-echo']) {
      expect(await cloud.invoke(name, { value: name })).toEqual([name, 'extra', '7', '512']);
    }
    await expect(cloud.invoke('echo', { bad: true })).rejects.toMatchObject({
      name: 'RangeError',
      message: 'firn-dev-echo: bad',
    });
    await expect(cloud.invoke('other', {})).rejects.toThrow('no function other; the stack has firn-dev-echo');
    expect(logs).toEqual(Array(4).fill('firn-dev-echo: called'));
  });

  test('sends to a queue of another account that was there before the stack', async () => {
    const services = await startServices({ dataDir: join(stacks.root, 'shared') });
    const foreign = services.sqs.createQueue({ name: 'sf-snowpipe', accountId: '999900001111' });
    const notify = (Queue: string) => ({
      Exports: {
        Type: 'AWS::S3::Bucket',
        Properties: { NotificationConfiguration: { QueueConfigurations: [{ Event: 's3:ObjectCreated:*', Queue }] } },
      },
    });
    const cloud = await stacks.boot(notify(foreign.arn), {}, { services });
    const s3 = s3Of(cloud);
    await put(s3, cloud.physicalId('Exports'), 'export/a.ndjson', 'x');
    const bodies = services.sqs.receive(foreign.arn, 10).map((message) => JSON.parse(message.body));
    expect(bodies.map((body) => body.Event ?? body.Records[0].s3.object.key)).toEqual([
      's3:TestEvent',
      'export/a.ndjson',
    ]);
    s3.destroy();

    const elsewhere = 'arn:aws:sqs:eu-central-1:999900001111:elsewhere';
    await expect(stacks.boot(notify(elsewhere), {}, { services })).rejects.toThrow(
      `the queue ${elsewhere} of a notification`,
    );
    await stacks.boot(notify(elsewhere), {}, { services, foreignQueue: (arn) => arn === elsewhere });
    await services.close();
  });

  test('delivers events of foreign buckets by a rule, and holds the secrets it was given', async () => {
    const cloud = await stacks.boot(
      {
        Queue: queue(),
        Rule: {
          Type: 'AWS::Events::Rule',
          Properties: {
            EventPattern: { source: ['aws.s3'], detail: { bucket: { name: ['partner-out'] } } },
            Targets: [{ Id: 'q', Arn: getAtt('Queue') }],
          },
        },
        Key: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'firn/key' } },
        Other: {
          Type: 'AWS::SecretsManager::Secret',
          Properties: { Name: 'firn/other', SecretString: 'from template' },
        },
      },
      {},
      { foreignBuckets: [{ name: 'partner-out' }, { name: 'partner-else' }], secrets: { 'firn/key': 'given' } },
    );
    const s3 = s3Of(cloud);
    await put(s3, 'partner-else', 'a.csv', 'x');
    await put(s3, 'partner-out', 'red flower.csv', 'x');
    const [message, ...others] = cloud.sqs.receive(cloud.attribute('Queue', 'Arn'), 10);
    expect(others).toEqual([]);
    expect(JSON.parse(message?.body ?? '').detail.object.key).toBe('red flower.csv');
    const secrets = new SecretsManagerClient({ region: REGION, endpoint: cloud.endpoints.secrets, credentials });
    const secretValue = async (SecretId: string) =>
      (await secrets.send(new GetSecretValueCommand({ SecretId }))).SecretString;
    expect(await secretValue('firn/key')).toBe('given');
    expect(await secretValue(cloud.physicalId('Key'))).toBe('given');
    expect(await secretValue('firn/other')).toBe('from template');
    s3.destroy();
    secrets.destroy();
  });

  test('runs what is scheduled when the clock gets there, and nothing when schedules are off', async () => {
    const tick = functionResource('tick');
    const resources: Resources = {
      TickLambdaFunction: tick,
      Rule: {
        Type: 'AWS::Events::Rule',
        Properties: {
          ScheduleExpression: 'rate(10 minutes)',
          State: 'ENABLED',
          Targets: [{ Id: 't', Arn: getAtt('TickLambdaFunction') }],
        },
      },
      Schedule: {
        Type: 'AWS::Scheduler::Schedule',
        Properties: {
          ScheduleExpression: 'rate(1 hour)',
          FlexibleTimeWindow: { Mode: 'OFF' },
          Target: { Arn: getAtt('TickLambdaFunction'), RoleArn: getAtt('Role'), Input: '{"poll":true}' },
        },
      },
    };
    const functions = {
      tick: 'export const handler = async (event) => console.log(event.source ?? JSON.stringify(event));',
    };
    const lines: string[] = [];
    for (const schedules of [true, false]) {
      const cloud = await stacks.boot(resources, functions, { schedules, onLog: (_, line) => lines.push(line) });
      for (const minutes of [11, 55]) {
        cloud.clock.skipTo(cloud.clock.now() + minutes * 60_000);
        await cloud.settle();
      }
      expect(cloud.idle()).toBe(true);
    }
    expect(lines.sort()).toEqual(['aws.events', 'aws.events', '{"poll":true}']);
  });
});
