/**
 * DynamoDB for one machine: dynalite's data plane, with the behaviours that it lacks and that bite. Requests pass
 * through unparsed; only the control plane and an injected `unprocessed` look into them.
 */
import {
  type Answer,
  type Exchange,
  type Json,
  parseBody,
  ServiceError,
  startAwsJson,
  unsupported,
} from '../aws-json.ts';
import type { Clock } from '../clock.ts';
import type { FaultHook } from '../faults.ts';
import { type Item, unsignedHeaders } from './dynalite.ts';
import { type Engine, openEngine } from './engine.ts';
import { type LeftTable, noJournal, openJournal } from './journal.ts';
import { sameItem } from './same-item.ts';
import { type LocalStream, RETENTION_MS } from './stream.ts';
import { nameOf, openTables, type Tables } from './tables.ts';

export interface LocalDynamoDb {
  readonly endpoint: string;
  /** The stream of a table. Throws when the table has none. */
  readonly stream: (tableName: string) => LocalStream;
  /** Names of all tables. */
  tables(): readonly string[];
  /** Every item of a table, as it stood when the walk began. */
  items(tableName: string): AsyncIterable<Item>;
  /** One TTL sweep over all tables: removes the items whose time has passed, and says how many. */
  expire(): Promise<number>;
  close(): Promise<void>;
}

export interface DynamoDbOptions {
  readonly clock: Clock;
  readonly region: string;
  readonly accountId: string;
  readonly port?: number;
  /** Journal file that keeps tables, items and streams, for the next DynamoDB started on it; in memory only when absent. */
  readonly file?: string;
  /** Shards of each stream, 4 when absent. */
  readonly shardCount?: number;
  readonly faults?: FaultHook;
}

const passedOn = new Set([
  'BatchGetItem',
  'BatchWriteItem',
  'DeleteItem',
  'GetItem',
  'ListTables',
  'ListTagsOfResource',
  'PutItem',
  'Query',
  'Scan',
  'TagResource',
  'UntagResource',
  'UpdateItem',
]);

/** Requests that a table is made of, next to its items. */
const remembered = new Set([
  'CreateTable',
  'DeleteTable',
  'TagResource',
  'UntagResource',
  'UpdateContinuousBackups',
  'UpdateTable',
  'UpdateTimeToLive',
]);

/** The TTL sweep leaves items alone whose time lies more than five years back (DynamoDB Developer Guide). */
const TTL_OLDEST_SECONDS = 5 * 365 * 24 * 60 * 60;

/** Starts a local DynamoDB; without `file`, or with a new one, it begins without tables. Rejects when the port is taken. */
export async function startDynamoDb(options: DynamoDbOptions): Promise<LocalDynamoDb> {
  const { clock, region, accountId, port, file, shardCount = 4, faults } = options;
  const { journal, left } = file ? openJournal(file, clock.now() - RETENTION_MS) : { journal: noJournal, left: [] };
  const engine = openEngine({
    region,
    accountId,
    onWrite({ TableName: table, KeySchema }, oldItem, newItem, byService) {
      const image = newItem ?? oldItem;
      // A write that leaves an item as it was leaves no record.
      if (!image || (oldItem && newItem && sameItem(oldItem, newItem))) return;
      const keys = Object.fromEntries(KeySchema.map(({ AttributeName: name }) => [name, image[name]])) as Item;
      const place = opened.stream(table)?.append(keys, oldItem, newItem, byService);
      journal.write({ table, keys, old: oldItem, new: newItem, place });
    },
  });
  // What is replayed happened when it happened.
  let replaying: number | undefined;
  const then: Clock = { ...clock, now: () => replaying ?? clock.now() };
  const opened = openTables(engine, { clock: then, region, accountId, shardCount });
  for (const [name, table] of left) {
    for (const { operation, input, at } of table.requests) {
      replaying = at;
      await repeat(engine, opened, operation, input);
    }
    replaying = undefined;
    await putBack(engine, opened, name, table);
  }
  const server = await startAwsJson({
    service: 'dynamodb',
    target: 'DynamoDB_20120810',
    contentType: 'application/x-amz-json-1.0',
    namespace: 'com.amazonaws.dynamodb.v20120810',
    throttled: () =>
      new ServiceError(
        'ProvisionedThroughputExceededException',
        'The level of configured provisioned throughput for the table was exceeded. Retry with backoff.',
      ),
    async carryOut(exchange, unprocessed) {
      const answer = await carryOut(engine, opened, exchange, unprocessed?.from);
      if (remembered.has(exchange.operation) && succeeded(answer)) {
        const input = parseBody(exchange.body);
        const table = nameOf(input);
        const at = opened.stream(table)?.bornAt ?? clock.now();
        journal.request({ table, operation: exchange.operation, input, at });
      }
      return answer;
    },
    clock,
    port,
    faults,
  });
  return {
    endpoint: server.endpoint,
    stream(tableName) {
      const stream = opened.stream(tableName);
      if (stream) return stream;
      throw new Error(`Table ${tableName} has no stream. Create it with a StreamSpecification.`);
    },
    tables: () => opened.names(),
    items: (tableName) => engine.items(tableName),
    expire: () => expire(engine, opened, clock.now() / 1000),
    async close() {
      await server.close();
      await engine.close();
      journal.close();
    },
  };
}

function carryOut(
  engine: Engine,
  tables: Tables,
  exchange: Exchange,
  unprocessedFrom: number | undefined,
): Promise<Answer | Json> {
  const { operation } = exchange;
  if (operation === 'BatchWriteItem' && unprocessedFrom !== undefined)
    return writeSome(engine, exchange, unprocessedFrom);
  if (passedOn.has(operation)) return engine.handle(exchange);
  const control = Object.hasOwn(tables.operations, operation) ? tables.operations[operation] : undefined;
  if (control) return control(parseBody(exchange.body), exchange);
  if (operation.startsWith('Transact')) {
    throw unsupported('DynamoDB', operation, 'Use conditional PutItem and UpdateItem calls.');
  }
  throw unsupported(
    'DynamoDB',
    operation,
    `It has ${[...passedOn, ...Object.keys(tables.operations)].sort().join(', ')}.`,
  );
}

const succeeded = (answer: Answer | Json): boolean => !('body' in answer) || answer['status'] === 200;

/** Carries out once more what an earlier run did to a table. */
async function repeat(engine: Engine, tables: Tables, operation: string, input: Json): Promise<void> {
  const exchange: Exchange = {
    operation,
    headers: unsignedHeaders(operation),
    body: Buffer.from(JSON.stringify(input)),
    principal: 'journal',
    gone: () => new AbortController().signal,
  };
  const answer = await carryOut(engine, tables, exchange, undefined);
  if (!succeeded(answer)) throw new Error(`DynamoDB: ${operation} of an earlier run failed: ${answer['body']}`);
}

async function putBack(engine: Engine, tables: Tables, name: string, table: LeftTable): Promise<void> {
  await engine.restore(
    name,
    table.items.values().map(({ item }) => item),
  );
  const stream = tables.stream(name);
  stream?.restore(table.records, table.counters.get(stream.label) ?? 0);
}

/** Carries out the first requests of a batch only; the others come back as unprocessed. */
async function writeSome(engine: Engine, { headers, body }: Exchange, from: number): Promise<Answer | Json> {
  const input = parseBody(body) as { RequestItems: Record<string, Json[]> };
  const done: Record<string, Json[]> = {};
  const left: Record<string, Json[]> = {};
  let index = 0;
  for (const [table, requests] of Object.entries(input.RequestItems)) {
    for (const request of requests) {
      const side = index < from ? done : left;
      side[table] = [...(side[table] ?? []), request];
      index += 1;
    }
  }
  if (Object.keys(done).length === 0) return { UnprocessedItems: left };
  const some = Buffer.from(JSON.stringify({ ...input, RequestItems: done }));
  const answer = await engine.handle({ headers, body: some });
  return answer.status === 200 ? { ...(JSON.parse(answer.body) as Json), UnprocessedItems: left } : answer;
}

async function expire(engine: Engine, tables: Tables, nowSeconds: number): Promise<number> {
  let removed = 0;
  for (const [table, attribute] of tables.ttlAttributes()) {
    for await (const item of engine.items(table)) {
      const value = item[attribute];
      const expiresAt = Number(value?.N ?? Number.NaN);
      if (!value || !(expiresAt <= nowSeconds && expiresAt > nowSeconds - TTL_OLDEST_SECONDS)) continue;
      if (await engine.expire(table, item, attribute, value)) removed += 1;
    }
  }
  return removed;
}
