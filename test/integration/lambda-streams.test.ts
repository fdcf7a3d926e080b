import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchWriteItemCommand, CreateTableCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Clock, createClock } from '../../local/clock.ts';
import { type LocalDynamoDb, startDynamoDb } from '../../local/dynamodb/server.ts';
import type { Mapping } from '../../local/lambda/mapping.ts';
import type { Pool } from '../../local/lambda/pool.ts';
import { openPositions } from '../../local/lambda/positions.ts';
import { type StreamMappingOptions, startStreamMapping } from '../../local/lambda/stream-mapping.ts';
import { settle } from '../../local/stack/settle.ts';
import { createGate, createWorkshop, REGION } from './lambda-support.ts';

const FILTER = '{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"R#"}]}}}}';

let clock: Clock;
let dynamodb: LocalDynamoDb;
let client: DynamoDBClient;
let workshop: ReturnType<typeof createWorkshop>;
let gate: Awaited<ReturnType<typeof createGate>>;
let mappings: Mapping[];
let discarded: { key: string; body: ReturnType<typeof JSON.parse> }[];

beforeEach(async () => {
  clock = createClock();
  dynamodb = await startDynamoDb({ clock, region: REGION, accountId: '111122223333' });
  client = new DynamoDBClient({
    region: REGION,
    endpoint: dynamodb.endpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await client.send(
    new CreateTableCommand({
      TableName: 'records',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    }),
  );
  workshop = createWorkshop(clock);
  gate = await createGate();
  mappings = [];
  discarded = [];
});
afterEach(async () => {
  await workshop.close();
  await Promise.all(mappings.map((mapping) => mapping.close()));
  await gate.close();
  client.destroy();
  await dynamodb.close();
});

const atRest = () => settle({ clock, activity: workshop.activity, mappings, extraIdle: () => true });
const map = (pool: Pool, options: Partial<StreamMappingOptions> = {}) => {
  const putFailure = async (key: string, body: string) => void discarded.push({ key, body: JSON.parse(body) });
  mappings.push(
    startStreamMapping({ id: 'mapping-id', stream: dynamodb.stream('records'), pool, clock, putFailure, ...options }),
  );
};
/** Reports what it gets to the log, one line a batch; fails while a batch holds an item whose `sk` says poison. */
const exporter = (failing = 'false') =>
  workshop.pool(`let calls = 0;
    export const handler = async (event) => {
      calls += 1;
      const names = event.Records.map(({ dynamodb: { Keys } }) => Keys.pk.S + '/' + Keys.sk.S);
      console.log(JSON.stringify(names));
      if (${failing}) throw new Error('poison');
    };`);
const POISON = "names.some((name) => name.includes('poison'))";
const batches = (): string[][] => workshop.lines.map((line) => JSON.parse(line));
const delivered = () => batches().flat();
const put = (pk: string, sk: string, value = 'x') =>
  client.send(
    new PutItemCommand({ TableName: 'records', Item: { pk: { S: pk }, sk: { S: sk }, value: { S: value } } }),
  );
/** Writes items of one partition key, so that all of them are in one shard, in this order. */
const putInOrder = async (...sortKeys: string[]) => {
  for (const sk of sortKeys) await put('R#order#1', sk);
};
const named = (...sortKeys: string[]) => sortKeys.map((sk) => `R#order#1/${sk}`);

describe('a stream that feeds a function', () => {
  test('delivers every change that passes the filter once, and nothing else', async () => {
    map(exporter(), { filters: [FILTER], batchSize: 7 });
    const requests = Array.from({ length: 40 }, (_, index) => ({
      PutRequest: { Item: { pk: { S: `${index % 2 ? 'R' : 'U'}#${index}` }, sk: { S: 'a' } } },
    }));
    for (let from = 0; from < 40; from += 20) {
      await client.send(new BatchWriteItemCommand({ RequestItems: { records: requests.slice(from, from + 20) } }));
    }
    await put('R#1', 'a-second');
    await atRest();
    const expected = requests
      .map(({ PutRequest }) => `${PutRequest.Item.pk.S}/a`)
      .filter((name) => name.startsWith('R'));
    expect(delivered().sort()).toEqual([...expected, 'R#1/a-second'].sort());
    expect(Math.max(...batches().map((batch) => batch.length))).toBeLessThanOrEqual(7);
  });

  test('goes on where an earlier mapping stopped, and repeats only what had not succeeded', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'firn-positions-'));
    const open = () => openPositions(join(dir, 'positions.ndjson'));
    const before = open();
    try {
      map(exporter(POISON), { positions: before, batchSize: 1 });
      await putInOrder('a', 'b');
      await atRest();
      await put('R#order#1', 'poison');
      await vi.waitUntil(() => delivered().length === 3);
      await Promise.all(mappings.splice(0).map((mapping) => mapping.close()));
      const after = open();
      before.close();

      map(exporter(), { positions: after, batchSize: 1 });
      await putInOrder('c');
      await atRest();
      after.close();

      expect(delivered()).toEqual(named('a', 'b', 'poison', 'poison', 'c'));
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  test('sees what was written before it existed', async () => {
    await putInOrder('a', 'b');
    map(exporter());
    await atRest();
    expect(delivered()).toEqual(named('a', 'b'));
  });

  test('gathers for its window, and starts at once when a batch is full', async () => {
    await putInOrder('a', 'b');
    const began = clock.now();
    map(exporter(), { windowSeconds: 60, batchSize: 3 });
    await putInOrder('c', 'd');
    await atRest();
    expect(batches()).toEqual([named('a', 'b', 'c'), named('d')]);
    expect(clock.now() - began).toBeGreaterThanOrEqual(60_000);
  });

  test('keeps the order within a key through failures', async () => {
    map(exporter('calls % 2 === 1'), { batchSize: 2 });
    await putInOrder('a', 'b', 'c', 'd', 'e');
    await atRest();
    const firsts = delivered().filter((name, index, all) => all.indexOf(name) === index);
    expect(firsts).toEqual(named('a', 'b', 'c', 'd', 'e'));
    expect(workshop.failures.length).toBeGreaterThan(0);
  });

  test('shards run side by side, one batch at a time in each', async () => {
    const pool = workshop.pool(
      `export const handler = async (event) => {
        const body = event.Records[0].dynamodb.Keys.pk.S;
        await fetch(process.env.GATE, { method: 'POST', body }); };`,
      { environment: { GATE: gate.url } },
    );
    const stream = dynamodb.stream('records');
    const shardOf = (pk: string) =>
      stream.shards.find((shard) =>
        stream.read(shard, undefined, 100).some((each) => each.dynamodb?.Keys?.['pk']?.S === pk),
      );
    await put('R#0', 'a');
    let other = 1;
    for (await put('R#1', 'a'); shardOf(`R#${other}`) === shardOf('R#0'); await put(`R#${other}`, 'a')) other += 1;
    map(pool, { batchSize: 1 });
    const open = [await gate.next(), await gate.next()];
    expect(new Set(open.map((each) => shardOf(each.body))).size).toBe(2);
    for (const arrival of open) arrival.answer();
    const resting = atRest();
    for (let left = other + 1 - 2; left > 0; left -= 1) (await gate.next()).answer();
    await resting;
  });

  test('bisecting isolates one poison record into the failure destination; all others pass', async () => {
    await putInOrder('a', 'b', 'c', 'd', 'poison', 'f', 'g', 'h', 'i');
    map(exporter(POISON), { batchSize: 8, maximumRetryAttempts: 2, bisectOnError: true });
    await atRest();
    const succeeded = batches().filter((batch) => !batch.some((name) => name.includes('poison')));
    expect(succeeded.flat()).toEqual(named('a', 'b', 'c', 'd', 'f', 'g', 'h', 'i'));
    expect(batches().filter((batch) => batch.length === 1 && batch[0]?.includes('poison'))).toHaveLength(3);
    expect(discarded).toHaveLength(1);
    const { key, body } = discarded[0] as (typeof discarded)[0];
    expect(key).toMatch(
      /^aws\/lambda\/mapping-id\/shardId-[\w-]+\/\d{4}\/\d\d\/\d\d\/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[\w-]{36}$/,
    );
    const payload = JSON.parse(body.payload);
    expect(
      payload.Records.map((record: { dynamodb: { Keys: { sk: { S: string } } } }) => record.dynamodb.Keys.sk.S),
    ).toEqual(['poison']);
    const sequence = payload.Records[0].dynamodb.SequenceNumber;
    expect(body).toMatchObject({
      requestContext: {
        condition: 'RetryAttemptsExhausted',
        functionArn: expect.stringContaining(':function:firn-dev-copy'),
      },
      responseContext: { statusCode: 200, functionError: 'Unhandled' },
      version: '1.0',
      DDBStreamBatchInfo: {
        shardId: key.split('/')[3],
        startSequenceNumber: sequence,
        endSequenceNumber: sequence,
        batchSize: 1,
        streamArn: dynamodb.stream('records').arn,
      },
    });
  });

  test('without bisecting, a whole batch is given up after its retries and the shard goes on', async () => {
    await putInOrder('a', 'poison', 'c', 'd');
    map(exporter(POISON), { batchSize: 3, maximumRetryAttempts: 1 });
    await atRest();
    expect(batches()).toEqual([named('a', 'poison', 'c'), named('a', 'poison', 'c'), named('d')]);
    expect(discarded.map(({ body }) => body.DDBStreamBatchInfo.batchSize)).toEqual([3]);
  });

  test('records that grow too old while their shard is held up are given up with that reason', async () => {
    await putInOrder('a', 'b');
    map(exporter('true'), { batchSize: 10, maximumRecordAgeSeconds: 120 });
    await atRest();
    const lost = discarded.flatMap(({ body }) => JSON.parse(body.payload).Records);
    expect(lost.map((record) => record.dynamodb.Keys.sk.S)).toEqual(['a', 'b']);
    expect(new Set(discarded.map(({ body }) => body.requestContext.condition))).toEqual(new Set(['RecordAgeExceeded']));
    expect(batches().length).toBeGreaterThan(1);
  });

  test('a reply that names records is retried from the lowest of them', async () => {
    const pool = workshop.pool(`let failed = false;
      export const handler = async (event) => {
        console.log(JSON.stringify(event.Records.map(({ dynamodb: { Keys } }) => Keys.pk.S + '/' + Keys.sk.S)));
        if (failed) return { batchItemFailures: [] };
        failed = true;
        return { batchItemFailures: [3, 1].map((at) => ({ itemIdentifier: event.Records[at].dynamodb.SequenceNumber })) };
      };`);
    await putInOrder('a', 'b', 'c', 'd');
    map(pool, { reportBatchItemFailures: true });
    await atRest();
    expect(batches()).toEqual([named('a', 'b', 'c', 'd'), named('b', 'c', 'd')]);
  });

  test.each([
    ['fewer', 2, [named('a', 'b', 'c'), named('a', 'b'), named('c', 'd', 'e')]],
    ['more', 5, [named('a', 'b', 'c'), named('a', 'b', 'c', 'd', 'e')]],
  ])('a retry can carry %s records than the first try, and none is lost', async (_, size, expected) => {
    const retryEdge = () => size;
    await putInOrder('a', 'b', 'c');
    const pool = exporter('calls === 1');
    const stream = dynamodb.stream('records');
    map(pool, {
      retryEdge,
      batchSize: 5,
      stream: {
        arn: stream.arn,
        shards: stream.shards,
        whenAvailable: stream.whenAvailable,
        // The first batch is cut after three, as if the others had not been written yet.
        read: (shard, after, max) => {
          const records = stream.read(shard, after, max);
          return workshop.failures.length === 0
            ? records.filter((each) => 'abc'.includes(each.dynamodb?.Keys?.['sk']?.S ?? ''))
            : records;
        },
      },
    });
    await putInOrder('d', 'e');
    await atRest();
    expect(batches()).toEqual(expected);
  });

  test('packs no more into an event than its 6 MB hold', async () => {
    const value = 'x'.repeat(390_000);
    for (let item = 0; item < 20; item += 1) await put('R#order#1', `big-${item}`, value);
    map(exporter(), { batchSize: 1000 });
    await atRest();
    expect(workshop.failures).toEqual([]);
    expect(batches().map((batch) => batch.length)).toEqual([16, 4]);
  });

  test('filters that cannot be honoured are refused when the mapping is made', () => {
    const filters = ['{"dynamodb":{"NewImage":{"total":{"N":[{"numeric":[">",1]}]}}}}'];
    expect(() => map(exporter(), { filters })).toThrow('operator "numeric"');
  });
});
