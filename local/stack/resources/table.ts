import { isDeepStrictEqual } from 'node:util';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  type GlobalSecondaryIndex,
  type GlobalSecondaryIndexDescription,
  ResourceInUseException,
  type StreamViewType,
  type TableDescription,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { generatedName } from '../names.ts';
import { flag, record, records, refuse, refuseUnknown, requiredText, text } from '../properties.ts';
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

/** AWS::DynamoDB::Table, created over the wire as any client would. One that an earlier run left must have the same keys. */
export const createTable: Create = async (declaration, world) => {
  refuseUnknown(declaration, KNOWN);
  const { properties, logicalId } = declaration;
  const name = text(properties, 'TableName') ?? generatedName(world.stackName, logicalId);
  const view = text(record(properties, 'StreamSpecification'), 'StreamViewType');
  const client = clientOf(world);
  try {
    await ensure(client, tableInput(name, properties, view));
    const timeToLive = record(properties, 'TimeToLiveSpecification');
    if (flag(timeToLive, 'Enabled')) {
      const AttributeName = requiredText({ ...declaration, properties: timeToLive }, 'AttributeName');
      await ensureTimeToLive(client, name, AttributeName);
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

async function ensure(client: DynamoDBClient, input: CreateTableCommandInput): Promise<void> {
  try {
    await client.send(new CreateTableCommand(input));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
    const { Table = {} } = await client.send(new DescribeTableCommand({ TableName: input.TableName }));
    if (isDeepStrictEqual(keysOf(Table), keysOf(input))) return;
    refuse(
      `the table ${input.TableName} of an earlier run has other keys or indexes. Keep this one in another folder, or delete that`,
    );
  }
}

/** What of a table cannot be changed under its items. */
function keysOf({ KeySchema, GlobalSecondaryIndexes = [], LocalSecondaryIndexes = [] }: TableDescription) {
  const shape = ({ IndexName, KeySchema: keys, Projection }: GlobalSecondaryIndexDescription) => [
    IndexName,
    keys?.map(({ AttributeName, KeyType }) => `${KeyType} ${AttributeName}`),
    [Projection?.ProjectionType, ...(Projection?.NonKeyAttributes ?? [])],
  ];
  return [{ KeySchema }, ...GlobalSecondaryIndexes, ...LocalSecondaryIndexes].map(shape);
}

async function ensureTimeToLive(client: DynamoDBClient, TableName: string, AttributeName: string): Promise<void> {
  const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
  if (TimeToLiveDescription?.AttributeName === AttributeName) return;
  const TimeToLiveSpecification = { Enabled: true, AttributeName };
  await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
}

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
