import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  type GlobalSecondaryIndex,
  type StreamViewType,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { generatedName } from '../names.ts';
import { flag, record, records, refuseUnknown, requiredText, text } from '../properties.ts';
import type { Create, World } from '../world.ts';

const KNOWN = {
  used: [
    'TableName',
    'AttributeDefinitions',
    'KeySchema',
    'BillingMode',
    'ProvisionedThroughput',
    'GlobalSecondaryIndexes',
    'LocalSecondaryIndexes',
    'StreamSpecification',
    'TimeToLiveSpecification',
  ],
  ignored: [
    'ContributorInsightsSpecification',
    'DeletionProtectionEnabled',
    'OnDemandThroughput',
    'PointInTimeRecoverySpecification',
    'ResourcePolicy',
    'SSESpecification',
    'TableClass',
    'Tags',
    'WarmThroughput',
  ],
};
const INDEX_PARTS = ['IndexName', 'KeySchema', 'Projection', 'ProvisionedThroughput'];

/** AWS::DynamoDB::Table, created over the wire as any client would. */
export const createTable: Create = async (declaration, world) => {
  refuseUnknown(declaration, KNOWN);
  const { properties, logicalId } = declaration;
  const name = text(properties, 'TableName') ?? generatedName(world.stackName, logicalId);
  const view = text(record(properties, 'StreamSpecification'), 'StreamViewType');
  const client = clientOf(world);
  try {
    await client.send(new CreateTableCommand(tableInput(name, properties, view)));
    const timeToLive = record(properties, 'TimeToLiveSpecification');
    if (flag(timeToLive, 'Enabled')) {
      const AttributeName = requiredText({ ...declaration, properties: timeToLive }, 'AttributeName');
      const TimeToLiveSpecification = { Enabled: true, AttributeName };
      await client.send(new UpdateTimeToLiveCommand({ TableName: name, TimeToLiveSpecification }));
    }
  } finally {
    client.destroy();
  }
  const arn = `arn:aws:dynamodb:${world.region}:${world.accountId}:table/${name}`;
  if (view === undefined) return { ref: name, attributes: { Arn: arn } };
  const streamArn = world.services.dynamodb.stream(name).arn;
  world.streams.set(streamArn, name);
  return { ref: name, attributes: { Arn: arn, StreamArn: streamArn } };
};

function tableInput(
  TableName: string,
  properties: Readonly<Record<string, unknown>>,
  view: string | undefined,
): CreateTableCommandInput {
  const indexes = (name: string) =>
    records(properties, name).map((index) => pick(index, INDEX_PARTS)) as unknown as GlobalSecondaryIndex[];
  return {
    ...pick(properties, ['AttributeDefinitions', 'KeySchema', 'BillingMode', 'ProvisionedThroughput']),
    TableName,
    ...(properties['GlobalSecondaryIndexes'] !== undefined && {
      GlobalSecondaryIndexes: indexes('GlobalSecondaryIndexes'),
    }),
    ...(properties['LocalSecondaryIndexes'] !== undefined && {
      LocalSecondaryIndexes: indexes('LocalSecondaryIndexes'),
    }),
    ...(view !== undefined && {
      StreamSpecification: { StreamEnabled: true, StreamViewType: view as StreamViewType },
    }),
  } as CreateTableCommandInput;
}

function pick(from: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]));
}

const clientOf = ({ services, region }: World): DynamoDBClient =>
  new DynamoDBClient({
    endpoint: services.dynamodb.endpoint,
    region,
    credentials: { accessKeyId: 'cloudformation', secretAccessKey: 'local' },
  });
