import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTagsOfResourceCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateContinuousBackupsCommand,
  UpdateItemCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, createClock } from '../../local/clock.ts';
import { type DynamoDbOptions, type LocalDynamoDb, startDynamoDb } from '../../local/dynamodb/server.ts';
import type { LocalStream } from '../../local/dynamodb/stream.ts';
import type { FaultHook } from '../../local/faults.ts';

type Item = Record<string, AttributeValue>;

const region = 'eu-west-1';
const accountId = '111122223333';
const table: CreateTableCommandInput = {
  TableName: 'records',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: ['pk', 'sk', 'gsi1pk', 'gsi1sk'].map((name) => ({ AttributeName: name, AttributeType: 'S' })),
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'gsi1',
      KeySchema: [
        { AttributeName: 'gsi1pk', KeyType: 'HASH' },
        { AttributeName: 'gsi1sk', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    },
  ],
  StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
};

let clock: Clock;
let fault: FaultHook;
let dynamo: LocalDynamoDb;
let client: DynamoDBClient;

const start = (extra: Partial<DynamoDbOptions> = {}) =>
  startDynamoDb({ clock, region, accountId, faults: (call, phase) => fault(call, phase), ...extra });
const clientOf = ({ endpoint }: LocalDynamoDb) =>
  new DynamoDBClient({ region, endpoint, credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' } });

beforeEach(async () => {
  clock = createClock();
  fault = () => undefined;
  dynamo = await start();
  client = clientOf(dynamo);
  await client.send(new CreateTableCommand(table));
});

afterEach(async () => {
  client.destroy();
  await dynamo.close();
});

const record = (key: string, attributes: Item = {}): Item => ({ pk: { S: key }, sk: { S: 'source' }, ...attributes });
const keyOf = (key: string) => record(key);
const put = (item: Item, extra: object = {}) =>
  client.send(new PutItemCommand({ TableName: 'records', Item: item, ...extra }));
const remove = (key: string, extra: object = {}) =>
  client.send(new DeleteItemCommand({ TableName: 'records', Key: keyOf(key), ...extra }));
const read = async (key: string) =>
  (await client.send(new GetItemCommand({ TableName: 'records', Key: keyOf(key), ConsistentRead: true }))).Item;
const batch = (requests: WriteRequest[]) =>
  client.send(new BatchWriteItemCommand({ RequestItems: { records: requests } }));

/** Everything in a stream: shard after shard, each in order. */
const all = (stream: LocalStream = dynamo.stream('records')): DynamoDBRecord[] =>
  stream.shards.flatMap((shard) => stream.read(shard, undefined, Number.POSITIVE_INFINITY));
const events = () => all().map(({ eventName }) => eventName);

describe('tables', () => {
  test('a table on demand with an index is active at once and answers by its index', async () => {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: 'records' }));
    await put(record('R#order#1', { gsi1pk: { S: 'day' }, gsi1sk: { S: '1' } }));
    const found = await client.send(
      new QueryCommand({
        TableName: 'records',
        IndexName: 'gsi1',
        KeyConditionExpression: 'gsi1pk = :day',
        ExpressionAttributeValues: { ':day': { S: 'day' } },
      }),
    );

    expect(Table).toMatchObject({
      TableStatus: 'ACTIVE',
      TableArn: `arn:aws:dynamodb:${region}:${accountId}:table/records`,
      GlobalSecondaryIndexes: [{ IndexName: 'gsi1', IndexStatus: 'ACTIVE' }],
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      LatestStreamArn: dynamo.stream('records').arn,
    });
    expect(found.Items).toEqual([{ ...keyOf('R#order#1'), gsi1pk: { S: 'day' }, gsi1sk: { S: '1' } }]);
  });

  test('protection, encryption, class and tags given at creation are kept and described', async () => {
    await client.send(
      new CreateTableCommand({
        ...table,
        TableName: 'guarded',
        DeletionProtectionEnabled: true,
        SSESpecification: { Enabled: true, SSEType: 'KMS', KMSMasterKeyId: 'arn:aws:kms:key' },
        TableClass: 'STANDARD_INFREQUENT_ACCESS',
        OnDemandThroughput: { MaxWriteRequestUnits: 8000 },
        Tags: [{ Key: 'project', Value: 'firn' }],
      }),
    );
    const { Table } = await client.send(new DescribeTableCommand({ TableName: 'guarded' }));
    const { Tags } = await client.send(new ListTagsOfResourceCommand({ ResourceArn: Table?.TableArn }));

    expect(Table).toMatchObject({
      DeletionProtectionEnabled: true,
      SSEDescription: { Status: 'ENABLED', SSEType: 'KMS', KMSMasterKeyArn: 'arn:aws:kms:key' },
      TableClassSummary: { TableClass: 'STANDARD_INFREQUENT_ACCESS' },
      OnDemandThroughput: { MaxWriteRequestUnits: 8000 },
    });
    expect(Tags).toEqual([{ Key: 'project', Value: 'firn' }]);
    const drop = () => client.send(new DeleteTableCommand({ TableName: 'guarded' }));
    await expect(drop()).rejects.toThrow(/protected against deletion/);
    await client.send(new UpdateTableCommand({ TableName: 'guarded', DeletionProtectionEnabled: false }));
    await drop();
    await expect(client.send(new DescribeTableCommand({ TableName: 'guarded' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  test('a deleted table can be made again, empty and with a new stream', async () => {
    await put(record('a'));
    const before = dynamo.stream('records').arn;
    await client.send(new DeleteTableCommand({ TableName: 'records' }));
    expect(() => dynamo.stream('records')).toThrow(/no stream/);
    clock.skipTo(clock.now() + 1_000);
    await client.send(new CreateTableCommand(table));

    expect(await read('a')).toBeUndefined();
    expect(dynamo.stream('records').arn).not.toBe(before);
    expect(all()).toEqual([]);
  });

  test('backups and TTL are switched on and described', async () => {
    const ttl = { TableName: 'records', TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true } };
    await client.send(new UpdateTimeToLiveCommand(ttl));
    await client.send(
      new UpdateContinuousBackupsCommand({
        TableName: 'records',
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 7 },
      }),
    );

    const described = await client.send(new DescribeTimeToLiveCommand({ TableName: 'records' }));
    const backups = await client.send(new DescribeContinuousBackupsCommand({ TableName: 'records' }));
    expect(described.TimeToLiveDescription).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' });
    expect(backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription).toMatchObject({
      PointInTimeRecoveryStatus: 'ENABLED',
      RecoveryPeriodInDays: 7,
    });
    await expect(client.send(new UpdateTimeToLiveCommand(ttl))).rejects.toThrow(/already enabled/);
  });

  test('what is not supported is refused by name', async () => {
    const write = { Put: { TableName: 'records', Item: record('a') } };
    await expect(client.send(new TransactWriteItemsCommand({ TransactItems: [write] }))).rejects.toThrow(
      /TransactWriteItems is not supported by the local DynamoDB/,
    );
    await expect(
      client.send(new CreateTableCommand({ ...table, TableName: 'other', ResourcePolicy: '{}' })),
    ).rejects.toThrow(/ResourcePolicy is not supported/);
    await expect(
      client.send(
        new UpdateTableCommand({
          TableName: 'records',
          GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: 'gsi1' } }],
        }),
      ),
    ).rejects.toThrow(/GlobalSecondaryIndexUpdates is not supported/);
  });

  test('reserved words stay refused in expressions', async () => {
    await expect(put(record('a'), { ConditionExpression: 'attribute_not_exists(status)' })).rejects.toThrow(
      /reserved keyword/,
    );
  });

  test('a table on disk is there again after a restart, its settings, indexes and stream too', async () => {
    const path = await mkdtemp(join(tmpdir(), 'firn-dynamodb-'));
    const file = join(path, 'journal.ndjson');
    const use = async (work: (there: DynamoDBClient, server: LocalDynamoDb) => Promise<void>) => {
      const server = await start({ file });
      const there = clientOf(server);
      try {
        await work(there, server);
      } finally {
        there.destroy();
        await server.close();
      }
    };
    const putThere = (there: DynamoDBClient, Item: Item) =>
      there.send(new PutItemCommand({ TableName: 'records', Item }));
    const indexed = { ...record('kept', { total: { N: '2' } }), gsi1pk: { S: 'day' }, gsi1sk: { S: '1' } };
    let before: ReturnType<typeof all> = [];
    let arn = '';
    try {
      await use(async (there, server) => {
        await there.send(new CreateTableCommand({ ...table, DeletionProtectionEnabled: true }));
        await putThere(there, record('kept'));
        await putThere(there, record('gone'));
        await putThere(there, indexed);
        await putThere(there, indexed);
        await there.send(new DeleteItemCommand({ TableName: 'records', Key: keyOf('gone') }));
        before = all(server.stream('records'));
        arn = server.stream('records').arn;
      });
      await appendFile(file, '{"do":"write","table":"records","keys":{"pk"');
      clock.skipTo(clock.now() + 1_000);
      await use(async (there, server) => {
        const { Item } = await there.send(new GetItemCommand({ TableName: 'records', Key: keyOf('kept') }));
        const { Table } = await there.send(new DescribeTableCommand({ TableName: 'records' }));
        const { Items } = await there.send(
          new QueryCommand({
            TableName: 'records',
            IndexName: 'gsi1',
            KeyConditionExpression: 'gsi1pk = :day',
            ExpressionAttributeValues: { ':day': { S: 'day' } },
          }),
        );
        expect(Item).toEqual(indexed);
        expect(Table?.DeletionProtectionEnabled).toBe(true);
        expect(Items).toHaveLength(1);
        expect(server.stream('records').arn).toBe(arn);
        expect(all(server.stream('records'))).toEqual(before);
        expect(before).toHaveLength(4);
      });
      clock.skipTo(clock.now() + 25 * 3_600_000);
      await use(async (there, server) => {
        expect(all(server.stream('records'))).toEqual([]);
        await putThere(there, record('later'));
        const [later] = all(server.stream('records'));
        expect(server.stream('records').count()).toBe(5);
        expect(before.map(({ eventID }) => eventID)).not.toContain(later?.eventID);
      });
      await use(async (there, server) => {
        const { Items } = await there.send(new ScanCommand({ TableName: 'records' }));
        expect(Items?.map(({ pk }) => pk?.S).sort()).toEqual(['kept', 'later']);
        expect(all(server.stream('records'))).toHaveLength(1);
      });
    } finally {
      await rm(path, { recursive: true });
    }
  });
});

describe('conditions', () => {
  const newer = {
    ConditionExpression: 'attribute_not_exists(pk) OR version < :version',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
  const upsert = (item: Item) => put(item, { ...newer, ExpressionAttributeValues: { ':version': item['version'] } });

  test('a failed condition returns the item that stood against it, and writes nothing', async () => {
    const stored = record('a', { version: { S: '2' }, fields: { M: { total: { N: '19.90' } } } });
    await upsert(stored);
    const stale = upsert(record('a', { version: { S: '1' } }));

    await expect(stale).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
      Item: { ...stored, fields: { M: { total: { N: '19.9' } } } },
    });
    expect(events()).toEqual(['INSERT']);
  });

  test('update and delete return the old item too; without the option, and without an item, nothing comes back', async () => {
    const never = { ConditionExpression: 'attribute_exists(nothing)' };
    const showing = { ...never, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;
    await put(record('a'));
    const update = client.send(new UpdateItemCommand({ TableName: 'records', Key: keyOf('a'), ...showing }));

    await expect(update).rejects.toMatchObject({ Item: record('a') });
    await expect(remove('a', showing)).rejects.toMatchObject({ Item: record('a') });
    await expect(remove('a', never)).rejects.not.toHaveProperty('Item', expect.anything());
    await expect(remove('missing', showing)).rejects.not.toHaveProperty('Item', expect.anything());
  });

  test('of many writers at once the highest version wins, and the stream shows each step up once', async () => {
    const versions = Array.from({ length: 60 }, (_, index) => String((index * 37) % 60).padStart(3, '0'));
    const outcomes = await Promise.allSettled(
      versions.map((version) => upsert(record('hot', { version: { S: version } }))),
    );

    const written = all().map(({ dynamodb }) => dynamodb?.NewImage?.['version']?.S ?? '');
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(await read('hot')).toEqual(record('hot', { version: { S: '059' } }));
    expect(written).toEqual(written.toSorted());
    expect(written.length + failures.length).toBe(60);
    expect(failures.every(({ name, Item }) => name === 'ConditionalCheckFailedException' && Item.version.S)).toBe(true);
  });
});

describe('the stream', () => {
  test('records have the shape that Lambda sees', async () => {
    await put(record('a', { total: { N: '1' } }));
    await put(record('a', { total: { N: '2' }, note: { B: Buffer.from('ice') } }));
    await remove('a');

    const stream = dynamo.stream('records');
    const [inserted, modified, removed] = all();

    expect(inserted).toEqual({
      eventID: expect.stringMatching(/^[0-9a-f]{32}$/),
      eventName: 'INSERT',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: region,
      dynamodb: {
        ApproximateCreationDateTime: expect.toSatisfy(Number.isInteger),
        Keys: keyOf('a'),
        NewImage: record('a', { total: { N: '1' } }),
        SequenceNumber: expect.stringMatching(/^[1-9]\d{20,39}$/),
        SizeBytes: 29,
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      },
      eventSourceARN: stream.arn,
    });
    expect(modified?.dynamodb?.NewImage?.['note']).toEqual({ B: Buffer.from('ice').toString('base64') });
    expect(modified?.dynamodb?.OldImage).toEqual(inserted?.dynamodb?.NewImage);
    expect(removed).toMatchObject({ eventName: 'REMOVE', dynamodb: { OldImage: modified?.dynamodb?.NewImage } });
    expect(removed?.dynamodb).not.toHaveProperty('NewImage');
    expect(stream.arn).toBe(`arn:aws:dynamodb:${region}:${accountId}:table/records/stream/${stream.label}`);
    expect(stream.label).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/);
  });

  test('a write that changes nothing leaves no record, whichever call makes it', async () => {
    const item = record('a', {
      total: { N: '100' },
      tags: { SS: ['x', 'y'] },
      lines: { L: [{ M: { sku: { S: '1' }, count: { N: '0.5' } } }] },
    });
    const same: Item = {
      lines: { L: [{ M: { count: { N: '5e-1' }, sku: { S: '1' } } }] },
      tags: { SS: ['y', 'x'] },
      total: { N: '1.00E2' },
      sk: { S: 'source' },
      pk: { S: 'a' },
    };
    await put(item);

    await put(item);
    await put(same);
    await batch([{ PutRequest: { Item: same } }, { DeleteRequest: { Key: keyOf('missing') } }]);
    await client.send(
      new UpdateItemCommand({
        TableName: 'records',
        Key: keyOf('a'),
        UpdateExpression: 'SET #total = :total',
        ExpressionAttributeNames: { '#total': 'total' },
        ExpressionAttributeValues: { ':total': { N: '100.0' } },
      }),
    );
    await remove('missing');

    expect(events()).toEqual(['INSERT']);
  });

  test.each<[string, AttributeValue, AttributeValue]>([
    ['another type', { S: '1' }, { N: '1' }],
    ['a list in another order', { L: [{ S: 'a' }, { S: 'b' }] }, { L: [{ S: 'b' }, { S: 'a' }] }],
    ['a shorter list', { L: [{ S: 'a' }, { S: 'b' }] }, { L: [{ S: 'a' }] }],
    ['another member of a set', { SS: ['a', 'b'] }, { SS: ['a', 'c'] }],
    ['a nested attribute', { M: { deep: { M: { x: { N: '1' } } } } }, { M: { deep: { M: { x: { N: '2' } } } } }],
    ['a nested attribute more', { M: { x: { NULL: true } } }, { M: { x: { NULL: true }, y: { NULL: true } } }],
    ['the other truth', { BOOL: true }, { BOOL: false }],
  ])('a write that changes %s leaves a record', async (_, before, after) => {
    await put(record('a', { value: before }));
    await put(record('a', { value: after }));

    expect(events()).toEqual(['INSERT', 'MODIFY']);
  });

  test('one key stays in one shard, in order; keys spread over all shards', async () => {
    const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);
    for (const round of ['1', '2', '3'])
      await Promise.all(keys.map((key) => put(record(key, { round: { N: round } }))));

    const stream = dynamo.stream('records');
    const seen = new Map<string, string[]>();
    for (const shard of stream.shards) {
      const records = stream.read(shard, undefined, 1_000);
      const sequences = records.map(({ dynamodb }) => BigInt(dynamodb?.SequenceNumber ?? 0));
      expect(records.length).toBeGreaterThan(0);
      expect(sequences).toEqual(sequences.toSorted((one, other) => (one < other ? -1 : 1)));
      for (const { dynamodb } of records) {
        const place = `${shard} ${dynamodb?.Keys?.['pk']?.S}`;
        seen.set(place, [...(seen.get(place) ?? []), dynamodb?.NewImage?.['round']?.N ?? '']);
      }
    }
    expect(stream.shards).toHaveLength(4);
    expect(seen.size).toBe(40);
    expect([...seen.values()].every((rounds) => rounds.join() === '1,2,3')).toBe(true);
  });

  test('reading goes on after a sequence number and never takes more than asked', async () => {
    for (let version = 0; version < 7; version += 1) await put(record('a', { version: { N: String(version) } }));
    const stream = dynamo.stream('records');
    const shard = stream.shards.find((each) => stream.read(each, undefined, 1).length > 0) ?? '';

    const pages: (string | undefined)[][] = [];
    let after: string | undefined;
    for (let page = stream.read(shard, after, 3); page.length > 0; page = stream.read(shard, after, 3)) {
      pages.push(page.map(({ dynamodb }) => dynamodb?.NewImage?.['version']?.N));
      after = page.at(-1)?.dynamodb?.SequenceNumber;
    }

    expect(pages).toEqual([['0', '1', '2'], ['3', '4', '5'], ['6']]);
    expect(() => stream.read('shardId-nowhere', undefined, 1)).toThrow(/no shard/);
  });

  test('a waiter wakes with the next record of its shard, and when it gives up', async () => {
    await put(record('a'));
    const stream = dynamo.stream('records');
    const shard = stream.shards.find((each) => stream.read(each, undefined, 1).length > 0) ?? '';
    const [first] = stream.read(shard, undefined, 1);
    const after = first?.dynamodb?.SequenceNumber;
    const giveUp = new AbortController();
    await stream.whenAvailable(shard, undefined, giveUp.signal);

    let woken = false;
    const waiting = stream.whenAvailable(shard, after, new AbortController().signal).then(() => {
      woken = true;
    });
    const bored = stream.whenAvailable(shard, after, giveUp.signal);
    giveUp.abort();
    await bored;
    expect(woken).toBe(false);
    await put(record('a', { total: { N: '1' } }));
    await waiting;

    expect(stream.read(shard, after, 10)).toHaveLength(1);
  });

  test('whoever hears of a record can already read the item', async () => {
    const stream = dynamo.stream('records');
    const heard = Promise.race(
      stream.shards.map((shard) => stream.whenAvailable(shard, undefined, new AbortController().signal)),
    );
    const found = heard.then(() => read('a'));
    await put(record('a', { total: { N: '1' } }));

    expect(await found).toEqual(record('a', { total: { N: '1' } }));
  });

  test('records are trimmed after 24 hours by the clock, and counted still', async () => {
    await put(record('old'));
    clock.skipTo(clock.now() + 23 * 3_600_000);
    await put(record('new'));
    const createdAt = new Map(
      all().map(({ dynamodb }) => [dynamodb?.Keys?.['pk']?.S, dynamodb?.ApproximateCreationDateTime]),
    );
    expect((createdAt.get('new') ?? 0) - (createdAt.get('old') ?? 0)).toBeGreaterThanOrEqual(23 * 3_600);

    clock.skipTo(clock.now() + 3_600_000);

    expect(all().map(({ dynamodb }) => dynamodb?.Keys?.['pk']?.S)).toEqual(['new']);
    expect(dynamo.stream('records').count()).toBe(2);
  });

  test('a reader whose place was trimmed goes on with the oldest record kept', async () => {
    await put(record('a', { total: { N: '1' } }));
    const stream = dynamo.stream('records');
    const shard = stream.shards.find((each) => stream.read(each, undefined, 1).length > 0) ?? '';
    const after = stream.read(shard, undefined, 1)[0]?.dynamodb?.SequenceNumber;
    await put(record('a', { total: { N: '2' } }));
    clock.skipTo(clock.now() + 25 * 3_600_000);
    await put(record('a', { total: { N: '3' } }));

    expect(stream.read(shard, after, 10).map(({ dynamodb }) => dynamodb?.NewImage?.['total'])).toEqual([{ N: '3' }]);
  });

  test('two servers in one process keep their streams apart', async () => {
    const other = await start();
    const there = clientOf(other);
    try {
      await there.send(new CreateTableCommand(table));
      await put(record('here'));
      await there.send(new PutItemCommand({ TableName: 'records', Item: record('there') }));

      expect(all().map(({ dynamodb }) => dynamodb?.Keys)).toEqual([keyOf('here')]);
      expect(all(other.stream('records')).map(({ dynamodb }) => dynamodb?.Keys)).toEqual([keyOf('there')]);
    } finally {
      there.destroy();
      await other.close();
    }
  });

  test('2,000 random writes are seen exactly once each, with the right images', async () => {
    let seen = 0;
    let written = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 200, maxLength: 200 }), async (operations) => {
        await client.send(new DeleteTableCommand({ TableName: 'records' }));
        await client.send(new CreateTableCommand(table));
        const model = new Map<string, Item>();
        const expected = new Map<string, [Item | undefined, Item | undefined][]>();
        for (const step of operations) {
          await carryOut(step);
          for (const [key, next] of effects(step)) {
            written += 1;
            const before = model.get(key);
            if (JSON.stringify(before) === JSON.stringify(next)) continue;
            expected.set(key, [...(expected.get(key) ?? []), [before, next]]);
            if (next) model.set(key, next);
            else model.delete(key);
          }
        }
        const actual = new Map<string, [Item | undefined, Item | undefined][]>();
        for (const { dynamodb } of all()) {
          const key = dynamodb?.Keys?.['pk']?.S ?? '';
          const images: [Item | undefined, Item | undefined] = [dynamodb?.OldImage as Item, dynamodb?.NewImage as Item];
          actual.set(key, [...(actual.get(key) ?? []), images]);
          seen += 1;
        }
        expect(actual).toEqual(expected);
        expect(new Set(all().map(({ eventID }) => eventID)).size).toBe(all().length);
      }),
      { numRuns: 10 },
    );
    expect(written).toBeGreaterThanOrEqual(2_000);
    expect(seen).toBeGreaterThan(500);
  });
});

type Operation =
  | { readonly kind: 'put' | 'update'; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'batch'; readonly writes: readonly { readonly key: string; readonly value: string | null }[] };

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const value = fc.constantFrom('1', '2', '3');
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constantFrom('put' as const, 'update' as const), key, value }), weight: 3 },
  { arbitrary: fc.record({ kind: fc.constant('delete' as const), key }), weight: 1 },
  {
    arbitrary: fc.record({
      kind: fc.constant('batch' as const),
      writes: fc.uniqueArray(fc.record({ key, value: fc.option(value) }), {
        selector: (write) => write.key,
        minLength: 1,
        maxLength: 6,
      }),
    }),
    weight: 2,
  },
);

const valued = (key: string, value: string) => record(key, { value: { N: value } });

async function carryOut(step: Operation): Promise<void> {
  if (step.kind === 'put') await put(valued(step.key, step.value));
  else if (step.kind === 'delete') await remove(step.key);
  else if (step.kind === 'batch') {
    await batch(
      step.writes.map(({ key, value }) =>
        value === null ? { DeleteRequest: { Key: keyOf(key) } } : { PutRequest: { Item: valued(key, value) } },
      ),
    );
  } else {
    await client.send(
      new UpdateItemCommand({
        TableName: 'records',
        Key: keyOf(step.key),
        UpdateExpression: 'SET #value = :value',
        ExpressionAttributeNames: { '#value': 'value' },
        ExpressionAttributeValues: { ':value': { N: step.value } },
      }),
    );
  }
}

function effects(step: Operation): [string, Item | undefined][] {
  if (step.kind === 'delete') return [[step.key, undefined]];
  if (step.kind !== 'batch') return [[step.key, valued(step.key, step.value)]];
  return step.writes.map(({ key, value }) => [key, value === null ? undefined : valued(key, value)]);
}

describe('TTL', () => {
  test('a sweep removes what has expired, as the service and not as a caller', async () => {
    const at = (ms: number) => ({ expiresAt: { N: String(Math.floor(ms / 1000)) } });
    await client.send(
      new UpdateTimeToLiveCommand({
        TableName: 'records',
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      }),
    );
    await put(record('due', at(clock.now() + 60_000)));
    await put(record('later', at(clock.now() + 3_600_000)));
    await put(record('ancient', at(clock.now() - 6 * 366 * 86_400_000)));
    await put(record('text', { expiresAt: { S: '1' } }));
    await put(record('never'));
    expect(await dynamo.expire()).toBe(0);

    clock.skipTo(clock.now() + 120_000);
    expect(await dynamo.expire()).toBe(1);
    await remove('later');

    const removals = all().filter(({ eventName }) => eventName === 'REMOVE');
    const byKey = Object.fromEntries(removals.map((each) => [each.dynamodb?.Keys?.['pk']?.S, each.userIdentity]));
    expect(byKey).toEqual({
      due: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
      later: undefined,
    });
    expect(await read('due')).toBeUndefined();
    expect(await read('ancient')).toBeDefined();
  });
});

describe('faults', () => {
  test('a throttled write is carried out by the retry, and the caller was told by name', async () => {
    let throttled = 0;
    fault = (call, phase) =>
      call.operation === 'PutItem' && phase === 'before' && throttled++ < 1 ? { kind: 'throttle' } : undefined;
    await put(record('a'));

    expect(throttled).toBe(2);
    expect(events()).toEqual(['INSERT']);
    fault = () => ({ kind: 'throttle' });
    const impatient = new DynamoDBClient({
      region,
      endpoint: dynamo.endpoint,
      maxAttempts: 1,
      credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' },
    });
    await expect(impatient.send(new PutItemCommand({ TableName: 'records', Item: record('b') }))).rejects.toMatchObject(
      {
        name: 'ProvisionedThroughputExceededException',
        $metadata: { httpStatusCode: 400 },
      },
    );
    impatient.destroy();
  });

  test.each([0, 2, 5])('unprocessed from %i on: the first are written, the others come back', async (from) => {
    fault = ({ operation }, phase) =>
      operation === 'BatchWriteItem' && phase === 'before' ? { kind: 'unprocessed', from } : undefined;
    const requests = ['a', 'b', 'c', 'd'].map((key) => ({ PutRequest: { Item: record(key) } }));

    const { UnprocessedItems = {} } = await batch(requests);

    const left = requests.slice(from);
    expect(UnprocessedItems).toEqual(left.length > 0 ? { records: left } : {});
    expect(
      all()
        .map(({ dynamodb }) => dynamodb?.Keys?.['pk']?.S)
        .sort(),
    ).toEqual(['a', 'b', 'c', 'd'].slice(0, from));
  });

  test('a write whose reply was lost is repeated by the client and seen once in the stream', async () => {
    let calls = 0;
    fault = ({ operation }, phase) =>
      operation === 'PutItem' && phase === 'after' && calls++ === 0 ? { kind: 'lostReply' } : undefined;

    await put(record('a', { total: { N: '1' } }));

    expect(calls).toBe(2);
    expect(events()).toEqual(['INSERT']);
  });

  test('a conditional write whose reply was lost fails on its own traces, and says so by the old item', async () => {
    let calls = 0;
    fault = ({ operation }, phase) =>
      operation === 'PutItem' && phase === 'after' && calls++ === 0 ? { kind: 'lostReply' } : undefined;
    const item = record('a', { version: { S: '1' } });

    await expect(
      put(item, { ConditionExpression: 'attribute_not_exists(pk)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }),
    ).rejects.toMatchObject({ name: 'ConditionalCheckFailedException', Item: item });
    expect(events()).toEqual(['INSERT']);
  });

  test('a fault can single out one caller', async () => {
    const principals: string[] = [];
    fault = ({ principal }, phase) => void (phase === 'before' && principals.push(principal));
    await put(record('a'));

    expect(principals).toEqual(['AKIDTEST']);
  });

  test('callers who hang up in the middle harm nobody', async () => {
    const hasty = clientOf(dynamo);
    const calls = Array.from({ length: 20 }, (_, index) => {
      const caller = new AbortController();
      const call = hasty.send(new PutItemCommand({ TableName: 'records', Item: record(`k${index}`) }), {
        abortSignal: caller.signal,
      });
      queueMicrotask(() => setImmediate(() => caller.abort()));
      return call;
    });
    await Promise.allSettled(calls);
    hasty.destroy();

    await put(record('after'));
    expect(await read('after')).toEqual(record('after'));
  });
});
