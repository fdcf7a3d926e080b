import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Pool } from '../../lambda/pool.ts';
import { startSqsMapping } from '../../lambda/sqs-mapping.ts';
import type { PutFailure } from '../../lambda/stream-failure.ts';
import { startStreamMapping } from '../../lambda/stream-mapping.ts';
import { generatedUuid } from '../names.ts';
import {
  type Declaration,
  flag,
  record,
  records,
  refuse,
  refuseUnknown,
  requiredText,
  text,
  texts,
  whole,
} from '../properties.ts';
import type { Create, World } from '../world.ts';

const COMMON = [
  'EventSourceArn',
  'FunctionName',
  'Enabled',
  'BatchSize',
  'MaximumBatchingWindowInSeconds',
  'FunctionResponseTypes',
];
const WITHOUT_EFFECT = ['MetricsConfig', 'Tags', 'KmsKeyArn'];
const KNOWN_FOR_QUEUES = { used: [...COMMON, 'ScalingConfig'], ignored: WITHOUT_EFFECT };
const KNOWN_FOR_STREAMS = {
  used: [
    ...COMMON,
    'BisectBatchOnFunctionError',
    'DestinationConfig',
    'FilterCriteria',
    'MaximumRecordAgeInSeconds',
    'MaximumRetryAttempts',
    'ParallelizationFactor',
    'StartingPosition',
  ],
  ignored: WITHOUT_EFFECT,
};

/** AWS::Lambda::EventSourceMapping of a queue or of a table's stream. */
export const createEventSourceMapping: Create = (declaration, world) => {
  const { properties, logicalId } = declaration;
  const sourceArn = requiredText(declaration, 'EventSourceArn');
  const pool = poolOf(declaration, world);
  const uuid = generatedUuid(world.stackName, logicalId);
  const created = {
    ref: uuid,
    attributes: {
      Id: uuid,
      EventSourceMappingArn: `arn:aws:lambda:${world.region}:${world.accountId}:event-source-mapping:${uuid}`,
    },
  };
  const service = sourceArn.split(':')[2];
  if (service !== 'sqs' && service !== 'dynamodb')
    refuse(`events of ${sourceArn} are not supported in the embedded cloud`);
  refuseUnknown(declaration, service === 'sqs' ? KNOWN_FOR_QUEUES : KNOWN_FOR_STREAMS);
  if (flag(properties, 'Enabled') === false) return created;
  if (service === 'sqs') mapQueue(declaration, world, sourceArn, pool);
  else mapStream(declaration, world, sourceArn, pool, uuid);
  return created;
};

function mapQueue(declaration: Declaration, world: World, queueArn: string, pool: Pool): void {
  const { properties } = declaration;
  const visibility = world.visibility.get(queueArn) ?? refuse(`the queue ${queueArn} does not exist`);
  if (visibility < pool.spec.timeoutSeconds) {
    refuse(
      `the queue's visibility timeout (${visibility} s) is shorter than the timeout of ${pool.spec.name} ` +
        `(${pool.spec.timeoutSeconds} s), which Lambda refuses`,
    );
  }
  const mapping = startSqsMapping({
    queues: world.services.sqs,
    queueArn,
    pool,
    clock: world.clock,
    batchSize: whole(properties, 'BatchSize'),
    windowSeconds: whole(properties, 'MaximumBatchingWindowInSeconds'),
    maximumConcurrency: whole(record(properties, 'ScalingConfig'), 'MaximumConcurrency'),
    reportBatchItemFailures: reportsFailures(declaration),
  });
  world.mappings.push(mapping);
}

function mapStream(declaration: Declaration, world: World, streamArn: string, pool: Pool, id: string): void {
  const { properties } = declaration;
  const table = world.streams.get(streamArn) ?? refuse(`the stream ${streamArn} does not exist`);
  if ((whole(properties, 'ParallelizationFactor') ?? 1) !== 1)
    refuse('ParallelizationFactor must be 1 in the embedded cloud');
  if (text(properties, 'StartingPosition') !== 'TRIM_HORIZON') {
    refuse('StartingPosition must be TRIM_HORIZON: LATEST may miss writes while the mapping is created');
  }
  const mapping = startStreamMapping({
    id,
    stream: world.services.dynamodb.stream(table),
    pool,
    clock: world.clock,
    batchSize: whole(properties, 'BatchSize'),
    windowSeconds: whole(properties, 'MaximumBatchingWindowInSeconds'),
    filters: records(record(properties, 'FilterCriteria'), 'Filters').map((filter) => patternOf(filter)),
    maximumRetryAttempts: whole(properties, 'MaximumRetryAttempts'),
    maximumRecordAgeSeconds: whole(properties, 'MaximumRecordAgeInSeconds'),
    bisectOnError: flag(properties, 'BisectBatchOnFunctionError'),
    reportBatchItemFailures: reportsFailures(declaration),
    putFailure: failureDestination(declaration, world),
    retryEdge: world.retryEdge,
    positions: world.positions,
  });
  world.mappings.push(mapping);
}

function failureDestination(declaration: Declaration, world: World): PutFailure | undefined {
  const arn = text(record(record(declaration.properties, 'DestinationConfig'), 'OnFailure'), 'Destination');
  if (arn === undefined) return undefined;
  const [, bucket] = /^arn:aws:s3:::(.+)$/.exec(arn) ?? [];
  if (bucket === undefined) refuse(`the failure destination ${arn} is not supported, only buckets are`);
  const client = new S3Client({
    endpoint: world.services.s3.endpoint,
    region: world.region,
    forcePathStyle: true,
    credentials: { accessKeyId: 'lambda', secretAccessKey: 'local' },
  });
  return async (Key, Body) => {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ContentType: 'application/json' }));
  };
}

/** The pool of a function named by name or by ARN, with or without a version at its end. */
function poolOf(declaration: Declaration, world: World): Pool {
  const target = requiredText(declaration, 'FunctionName');
  const name = target.startsWith('arn:') ? (target.split(':')[6] ?? '') : target;
  return world.pools.get(name) ?? refuse(`the function ${target} does not exist`);
}

function patternOf(filter: Record<string, unknown>): string {
  return text(filter, 'Pattern') ?? refuse('a filter has no Pattern');
}

const reportsFailures = ({ properties }: Declaration): boolean =>
  texts(properties, 'FunctionResponseTypes').includes('ReportBatchItemFailures');
