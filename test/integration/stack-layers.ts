// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how CloudFormation writes Fn::Sub.
/** A stack of three layers, small but whole: its template, and its functions. */
import { bundle } from './lambda-support.ts';
import { functionResource, type Resources } from './stack-support.ts';

export const getAtt = (id: string, name = 'Arn') => ({ 'Fn::GetAtt': [id, name] });
export const queue = (properties: object = {}) => ({
  Type: 'AWS::SQS::Queue',
  Properties: { VisibilityTimeout: 90, ...properties },
});
export const mapping = (fn: string, source: object, properties: object = {}) => ({
  Type: 'AWS::Lambda::EventSourceMapping',
  Properties: { EventSourceArn: source, FunctionName: getAtt(fn), Enabled: true, ...properties },
});

/** Two buckets, two queues, a table and its stream: an object becomes items, and the items become an object. */
export const LAYERS: Resources = {
  Source: {
    Type: 'AWS::S3::Bucket',
    DependsOn: 'CopyQueuePolicy',
    Properties: {
      BucketName: { 'Fn::Sub': '${AWS::StackName}-source' },
      VersioningConfiguration: { Status: 'Enabled' },
      PublicAccessBlockConfiguration: { BlockPublicAcls: true },
      NotificationConfiguration: {
        QueueConfigurations: [
          {
            Event: 's3:ObjectCreated:*',
            Queue: getAtt('CopyQueue'),
            Filter: { S3Key: { Rules: [{ Name: 'prefix', Value: 'in/' }] } },
          },
        ],
      },
    },
  },
  CopyQueue: queue({ RedrivePolicy: { deadLetterTargetArn: getAtt('CopyDeadLetters'), maxReceiveCount: 2 } }),
  CopyDeadLetters: queue(),
  CopyQueuePolicy: { Type: 'AWS::SQS::QueuePolicy', Properties: { Queues: [{ Ref: 'CopyQueue' }] } },
  CopyLambdaFunction: functionResource('copy', { Environment: { Variables: { LANDING: { Ref: 'Landing' } } } }),
  CopyMapping: mapping('CopyLambdaFunction', getAtt('CopyQueue'), {
    BatchSize: 10,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ScalingConfig: { MaximumConcurrency: 2 },
  }),
  Landing: {
    Type: 'AWS::S3::Bucket',
    Properties: { NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } } },
  },
  LandingRule: {
    Type: 'AWS::Events::Rule',
    Properties: {
      EventPattern: {
        source: ['aws.s3'],
        'detail-type': ['Object Created'],
        detail: { bucket: { name: [{ Ref: 'Landing' }] }, object: { key: [{ prefix: 'landing/' }] } },
      },
      Targets: [{ Id: 'normalize', Arn: getAtt('NormalizeQueue') }],
    },
  },
  NormalizeQueue: queue(),
  NormalizeLambdaFunction: functionResource('normalize', {
    Environment: { Variables: { TABLE: { Ref: 'Table' } } },
  }),
  NormalizeMapping: mapping('NormalizeLambdaFunction', getAtt('NormalizeQueue'), { BatchSize: 1 }),
  Table: {
    Type: 'AWS::DynamoDB::Table',
    Properties: {
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk', 'gsi1pk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'gsi1',
          KeySchema: [{ AttributeName: 'gsi1pk', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
      StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    },
  },
  ExportLambdaFunction: functionResource('export', { Environment: { Variables: { EXPORTS: { Ref: 'Exports' } } } }),
  ExportMapping: mapping('ExportLambdaFunction', getAtt('Table', 'StreamArn'), {
    BatchSize: 100,
    MaximumBatchingWindowInSeconds: 60,
    StartingPosition: 'TRIM_HORIZON',
    MaximumRetryAttempts: 1,
    BisectBatchOnFunctionError: true,
    FilterCriteria: { Filters: [{ Pattern: '{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"R#"}]}}}}' }] },
    DestinationConfig: { OnFailure: { Destination: getAtt('Failures') } },
  }),
  Exports: { Type: 'AWS::S3::Bucket' },
  Failures: { Type: 'AWS::S3::Bucket' },
  CopyVersion: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'CopyLambdaFunction' } } },
};

const copySource = `
  import { CopyObjectCommand, S3Client } from '@aws-sdk/client-s3';
  const s3 = new S3Client({});
  export const handler = async (event) => {
    const batchItemFailures = [];
    for (const { messageId, body } of event.Records) {
      for (const { s3: { bucket, object } } of JSON.parse(body).Records ?? []) {
        if (object.key.includes('broken')) { batchItemFailures.push({ itemIdentifier: messageId }); continue; }
        await s3.send(new CopyObjectCommand({ Bucket: process.env.LANDING, Key: 'landing/' + object.key,
          CopySource: bucket.name + '/' + object.key }));
      }
    }
    return { batchItemFailures };
  };`;
const normalizeSource = `
  import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
  import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
  const s3 = new S3Client({});
  const dynamodb = new DynamoDBClient({});
  export const handler = async (event) => {
    const { detail } = JSON.parse(event.Records[0].body);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: detail.bucket.name, Key: detail.object.key }));
    const put = (pk) => dynamodb.send(new PutItemCommand({ TableName: process.env.TABLE,
      Item: { pk: { S: pk }, sk: { S: 'test' } } }));
    await put('U#upload');
    for (const line of (await Body.transformToString()).split('\\n')) await put('R#order#' + line);
  };`;
const exportSource = `
  import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
  const s3 = new S3Client({});
  export const handler = async (event) => {
    const names = event.Records.map((record) => record.dynamodb.Keys.pk.S);
    if (names.some((name) => name.includes('poison'))) throw new Error('poison');
    for (const name of names) await s3.send(new PutObjectCommand({ Bucket: process.env.EXPORTS, Key: name, Body: '' }));
  };`;

/** The functions' packages, by name. */
export async function bundleLayers(): Promise<Record<string, string>> {
  const [copy = '', normalize = '', exporter = ''] = await Promise.all(
    [copySource, normalizeSource, exportSource].map(bundle),
  );
  return { copy, normalize, export: exporter };
}
