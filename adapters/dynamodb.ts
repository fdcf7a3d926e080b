import { type AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { mapBounded } from '../core/bounded.ts';
import { retryable } from '../core/failure.ts';
import type { Key } from '../core/table/key.ts';
import type { Condition, Conditional, Item, Table, Update } from '../core/table/table.ts';
import { errorName, isThrottling } from './aws-error.ts';
import { defaultRecordLimits, type RecordLimits, writeRecords } from './dynamodb-records.ts';

/** One client an execution environment. */
export function createDynamoDb(): DynamoDBClient {
  return new DynamoDBClient({});
}

/** The single table behind core's port. */
export function openTable(
  client: DynamoDBClient,
  tableName: string,
  limits: RecordLimits = defaultRecordLimits,
): Table {
  const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  return {
    async get(key) {
      const found = await documents.send(
        new GetCommand({ TableName: tableName, Key: keyOf(key), ConsistentRead: true }),
      );
      return found.Item as Item | undefined;
    },
    getMany: (keys) => getMany(documents, tableName, keys, limits),
    put: (item, condition) => put(documents, tableName, item, condition),
    putMany: (items) => putMany(documents, tableName, items, limits),
    update: (key, update) => applyUpdate(documents, tableName, key, update),
    query: (pk, prefix) => query(documents, tableName, pk, prefix),
    queryIndex: (pk) => queryIndex(documents, tableName, pk),
    writeRecords: (puts, mode) => writeRecords(client, tableName, puts, mode, limits),
  };
}

function keyOf({ pk, sk }: Key): Key {
  return { pk, sk };
}

function expressions(condition: Condition | undefined) {
  if (!condition) return {};
  return {
    ConditionExpression: condition.expression,
    ...(condition.values ? { ExpressionAttributeValues: { ...condition.values } } : {}),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
  };
}

/** The item in the way of a conditional write. The document client leaves what errors carry as attribute values. */
function refused(error: unknown): Conditional {
  if (errorName(error) !== 'ConditionalCheckFailedException') throw error;
  const { Item: item } = error as { Item?: Record<string, AttributeValue> };
  return { done: false, item: item && (unmarshall(item) as Item) };
}

async function put(
  documents: DynamoDBDocumentClient,
  tableName: string,
  item: Item,
  condition?: Condition,
): Promise<Conditional> {
  try {
    await documents.send(new PutCommand({ TableName: tableName, Item: item, ...expressions(condition) }));
    return { done: true };
  } catch (error) {
    return refused(error);
  }
}

async function applyUpdate(
  documents: DynamoDBDocumentClient,
  tableName: string,
  key: Key,
  update: Update,
): Promise<Conditional> {
  const { set, onlyIfAbsent = {}, condition } = update;
  const values: Record<string, unknown> = { ...condition?.values };
  const assignments: string[] = [];
  for (const [name, value] of Object.entries(set)) {
    if (value === undefined) continue;
    values[`:set_${name}`] = value;
    assignments.push(`${name} = :set_${name}`);
  }
  for (const [name, value] of Object.entries(onlyIfAbsent)) {
    if (value === undefined || name in set) continue;
    values[`:absent_${name}`] = value;
    assignments.push(`${name} = if_not_exists(${name}, :absent_${name})`);
  }
  try {
    const done = await documents.send(
      new UpdateCommand({
        TableName: tableName,
        Key: keyOf(key),
        UpdateExpression: `SET ${assignments.join(', ')}`,
        ...expressions(condition),
        ExpressionAttributeValues: values,
        ReturnValues: 'ALL_NEW',
      }),
    );
    return { done: true, item: done.Attributes as Item };
  } catch (error) {
    return refused(error);
  }
}

/** BatchGetItem takes 100 keys, BatchWriteItem 25 puts. */
const getBatch = 100;
const putBatch = 25;

async function getMany(
  documents: DynamoDBDocumentClient,
  tableName: string,
  keys: readonly Key[],
  limits: RecordLimits,
): Promise<readonly Item[]> {
  const unique = [...new Map(keys.map((key) => [`${key.pk}\n${key.sk}`, keyOf(key)])).values()];
  const pages = await mapBounded(chunks(unique, getBatch), limits.batches, async (chunk) => {
    const items: Item[] = [];
    let left: readonly Key[] = chunk;
    await untilNothingIsLeft(limits, `Reading ${chunk.length} items of table ${tableName}`, async () => {
      const request = { RequestItems: { [tableName]: { Keys: left.map(keyOf), ConsistentRead: true } } };
      const found = await documents.send(new BatchGetCommand(request));
      items.push(...((found.Responses?.[tableName] ?? []) as Item[]));
      left = (found.UnprocessedKeys?.[tableName]?.Keys ?? []) as Key[];
      return left.length;
    });
    return items;
  });
  return pages.flat();
}

async function putMany(
  documents: DynamoDBDocumentClient,
  tableName: string,
  items: readonly Item[],
  limits: RecordLimits,
): Promise<void> {
  await mapBounded(chunks(items, putBatch), limits.batches, async (chunk) => {
    let left = chunk.map((item) => ({ PutRequest: { Item: item as Record<string, unknown> } }));
    await untilNothingIsLeft(limits, `Writing ${chunk.length} items to table ${tableName}`, async () => {
      const { UnprocessedItems } = await documents.send(new BatchWriteCommand({ RequestItems: { [tableName]: left } }));
      left = (UnprocessedItems?.[tableName] ?? []) as typeof left;
      return left.length;
    });
  });
}

async function untilNothingIsLeft(limits: RecordLimits, what: string, step: () => Promise<number>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      if ((await step()) === 0) return;
    } catch (error) {
      if (!isThrottling(error) || attempt >= limits.tries) throw error;
    }
    if (attempt >= limits.tries)
      throw retryable('table.unprocessed', `${what} failed: some still unprocessed after ${attempt + 1} tries.`);
    await new Promise((resolve) => setTimeout(resolve, limits.pauseMs(attempt)));
  }
}

async function* query(
  documents: DynamoDBDocumentClient,
  tableName: string,
  pk: string,
  prefix?: string,
): AsyncIterable<readonly Item[]> {
  let start: Record<string, unknown> | undefined;
  do {
    const page = await documents.send(
      new QueryCommand({
        TableName: tableName,
        ConsistentRead: true,
        KeyConditionExpression: prefix === undefined ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: prefix === undefined ? { ':pk': pk } : { ':pk': pk, ':prefix': prefix },
        ...(start ? { ExclusiveStartKey: start } : {}),
      }),
    );
    if (page.Items && page.Items.length > 0) yield page.Items as Item[];
    start = page.LastEvaluatedKey;
  } while (start);
}

async function* queryIndex(
  documents: DynamoDBDocumentClient,
  tableName: string,
  gsi1pk: string,
): AsyncIterable<readonly Key[]> {
  let start: Record<string, unknown> | undefined;
  do {
    const page = await documents.send(
      new QueryCommand({
        TableName: tableName,
        IndexName: 'gsi1',
        KeyConditionExpression: 'gsi1pk = :pk',
        ExpressionAttributeValues: { ':pk': gsi1pk },
        ...(start ? { ExclusiveStartKey: start } : {}),
      }),
    );
    if (page.Items && page.Items.length > 0) yield page.Items.map((item) => keyOf(item as Item));
    start = page.LastEvaluatedKey;
  } while (start);
}

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size));
}
