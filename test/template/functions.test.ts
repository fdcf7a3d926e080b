import { beforeAll, describe, expect, test } from 'vitest';
import { ofType, packagedTemplate, properties, type Template, targetOf } from './packaged.ts';

let template: Template;

beforeAll(async () => {
  template = await packagedTemplate('functions', true);
}, 60_000);

const layers = ['Copy', 'Poll', 'Unpack', 'Normalize', 'Export', 'Reconcile'];

describe('the functions', () => {
  test('run on Node 24 and arm64, and each has its log group with an end to it', () => {
    const functions = ofType(template, 'AWS::Lambda::Function');
    expect(functions.map(([id]) => id)).toEqual(layers.map((layer) => `${layer}LambdaFunction`));
    for (const [, { Properties }] of functions) {
      expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'], Handler: 'index.handler' });
    }
    const retention = ofType(template, 'AWS::Logs::LogGroup').map(
      ([, { Properties }]) => Properties['RetentionInDays'],
    );
    expect(retention).toEqual(layers.map(() => 30));
  });

  test('get the settings they need and no others', () => {
    const common = ['FIRN_ENVIRONMENT', 'NODE_OPTIONS', 'FIRN_TABLE'];
    const snowflake = ['ACCOUNT', 'USER', 'ROLE', 'WAREHOUSE', 'SECRET_ARN'].map((name) => `FIRN_SNOWFLAKE_${name}`);
    const settings: Record<string, string[]> = {
      Copy: ['FIRN_LANDING_BUCKET', 'FIRN_BUCKET_PREFIX', 'FIRN_BUCKET_SUFFIX', 'FIRN_COPY_QUEUE_URL'],
      Poll: ['FIRN_LANDING_BUCKET', 'FIRN_BUCKET_PREFIX', 'FIRN_BUCKET_SUFFIX', 'FIRN_COPY_QUEUE_URL'],
      Unpack: ['FIRN_LANDING_BUCKET', 'FIRN_UNPACK_QUEUE_URL'],
      Normalize: ['FIRN_LANDING_BUCKET', 'FIRN_NORMALIZE_QUEUE_URL', 'FIRN_PART_BYTES'],
      Export: ['FIRN_EXPORT_BUCKET'],
      Reconcile: [
        ...['FIRN_LANDING_BUCKET', 'FIRN_EXPORT_BUCKET'],
        ...['FIRN_COPY_QUEUE_URL', 'FIRN_UNPACK_QUEUE_URL', 'FIRN_NORMALIZE_QUEUE_URL'],
        ...snowflake,
      ],
    };
    for (const layer of layers) {
      const { Variables } = properties(template, `${layer}LambdaFunction`)['Environment'];
      expect(Object.keys(Variables).sort(), layer).toEqual([...common, ...(settings[layer] ?? [])].sort());
    }
  });

  test('name the buckets of sources as the stack names them', () => {
    const { Variables } = properties(template, 'CopyLambdaFunction')['Environment'];
    const { BucketName } = properties(template, 'SourceBucketOrders');
    expect(BucketName['Fn::Sub']).toBe(
      `${Variables.FIRN_BUCKET_PREFIX}orders${Variables.FIRN_BUCKET_SUFFIX['Fn::Sub']}`,
    );
  });

  test('are stopped when they send themselves messages in a loop, but for unpack and normalize, whose loops end by themselves', () => {
    const loops = layers.map((layer) => properties(template, `${layer}LambdaFunction`)['RecursiveLoop']);
    expect(loops).toEqual([undefined, undefined, 'Allow', 'Allow', undefined, undefined]);
  });
});

describe('a queue that feeds a function', () => {
  const feeds = () =>
    ofType(template, 'AWS::Lambda::EventSourceMapping')
      .filter(([id]) => id.includes('SQS'))
      .map(([, { Properties }]) => {
        const queue = properties(template, targetOf(Properties['EventSourceArn']));
        return { mapping: Properties, queue, lambda: properties(template, targetOf(Properties['FunctionName'])) };
      });

  test('feeds copy ten messages at a time, unpack and normalize one', () => {
    expect(feeds().map(({ mapping }) => mapping['BatchSize'])).toEqual([10, 1, 1]);
  });

  test('takes back single messages of a batch', () => {
    for (const { mapping } of feeds()) expect(mapping['FunctionResponseTypes']).toEqual(['ReportBatchItemFailures']);
  });

  test('runs a bounded number of functions', () => {
    for (const { mapping } of feeds()) expect(mapping['ScalingConfig'].MaximumConcurrency).toBeGreaterThanOrEqual(2);
  });

  test('hides a message for six times as long as the function may take, and at most the 12 hours of SQS', () => {
    for (const { queue, lambda } of feeds()) {
      expect(queue['VisibilityTimeout']).toBeGreaterThanOrEqual(6 * lambda['Timeout']);
      expect(queue['VisibilityTimeout']).toBeLessThanOrEqual(12 * 60 * 60);
    }
  });

  test('gives a message five tries and then to dead letters that keep it for as long as SQS can', () => {
    for (const { queue } of feeds()) {
      const { deadLetterTargetArn, maxReceiveCount } = queue['RedrivePolicy'];
      expect(maxReceiveCount).toBe(5);
      expect(properties(template, targetOf(deadLetterTargetArn))['MessageRetentionPeriod']).toBe(14 * 24 * 60 * 60);
    }
  });
});

test('every queue is encrypted, and every one that feeds a function has dead letters', () => {
  const queues = ofType(template, 'AWS::SQS::Queue');
  for (const [, { Properties }] of queues) expect(Properties['SqsManagedSseEnabled']).toBe(true);
  const withRedrive = queues.filter(([, { Properties }]) => Properties['RedrivePolicy']).map(([id]) => id);
  expect(withRedrive).toEqual(['CopyQueue', 'UnpackQueue', 'NormalizeQueue']);
  const deadLetters = queues.map(([id]) => id).filter((id) => !withRedrive.includes(id));
  expect(deadLetters).toEqual(['CopyDeadLetters', 'UnpackDeadLetters', 'NormalizeDeadLetters', 'ReconcileDeadLetters']);
});

describe('the stream that feeds export', () => {
  const mapping = () => properties(template, 'ExportEventSourceMappingDynamodbTable');

  test('starts with the oldest change and gathers changes for a minute', () => {
    expect(mapping()).toMatchObject({
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 10_000,
      MaximumBatchingWindowInSeconds: 60,
    });
    expect(mapping()['EventSourceArn']).toEqual({ 'Fn::GetAtt': ['Table', 'StreamArn'] });
  });

  test('gives up within the day that the stream remembers, halving what fails', () => {
    expect(mapping()).toMatchObject({ MaximumRetryAttempts: 20, BisectBatchOnFunctionError: true });
    expect(mapping()['MaximumRecordAgeInSeconds']).toBeLessThan(24 * 60 * 60);
  });

  test('keeps what it gave up, whole, in a bucket', () => {
    const destination = targetOf(mapping()['DestinationConfig'].OnFailure.Destination);
    expect(template.Resources[destination]?.Type).toBe('AWS::S3::Bucket');
  });

  test('passes on records only, so that what export notes in the table does not come back to it', () => {
    const patterns = mapping()['FilterCriteria'].Filters.map((each: { Pattern: string }) => JSON.parse(each.Pattern));
    expect(patterns).toEqual([{ dynamodb: { Keys: { pk: { S: [{ prefix: 'R#' }] } } } }]);
  });

  test('takes a batch as a whole', () => {
    expect(mapping()['FunctionResponseTypes']).toBeUndefined();
  });
});

test('reconcile runs every ten minutes and a run that failed for good is kept', () => {
  const [rule] = ofType(template, 'AWS::Events::Rule').filter(([id]) => id.startsWith('Reconcile'));
  expect(rule?.[1].Properties['ScheduleExpression']).toBe('rate(10 minutes)');
  expect(targetOf(rule?.[1].Properties['Targets'][0].Arn)).toBe('ReconcileLambdaFunction');
  expect(targetOf(properties(template, 'ReconcileLambdaFunction')['DeadLetterConfig'].TargetArn)).toBe(
    'ReconcileDeadLetters',
  );
});

test('poll runs every five minutes, and its schedule is off where no source is polled', () => {
  const [rule] = ofType(template, 'AWS::Events::Rule').filter(([id]) => id.startsWith('Poll'));
  expect(rule?.[1].Properties).toMatchObject({ ScheduleExpression: 'rate(5 minutes)', State: 'DISABLED' });
  expect(targetOf(rule?.[1].Properties['Targets'][0].Arn)).toBe('PollLambdaFunction');
});

test('the table is kept, can be restored, shows its changes and forgets what expired', () => {
  expect(template.Resources['Table']).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  expect(properties(template, 'Table')).toMatchObject({
    BillingMode: 'PAY_PER_REQUEST',
    StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
    TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    DeletionProtectionEnabled: true,
    GlobalSecondaryIndexes: [{ IndexName: 'gsi1', Projection: { ProjectionType: 'KEYS_ONLY' } }],
  });
});
