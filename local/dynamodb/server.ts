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
import { type Engine, openEngine } from './engine.ts';
import type { LocalStream } from './stream.ts';
import { openTables, type Tables } from './tables.ts';

export interface LocalDynamoDb {
  readonly endpoint: string;
  /** The stream of a table. Throws when the table has none. */
  readonly stream: (tableName: string) => LocalStream;
  /** One TTL sweep over all tables: removes the items whose time has passed, and says how many. */
  expire(): Promise<number>;
  close(): Promise<void>;
}

export interface DynamoDbOptions {
  readonly clock: Clock;
  readonly region: string;
  readonly accountId: string;
  readonly port?: number;
  /** Folder on disk; in memory when absent. A table found there starts with a new, empty stream. */
  readonly path?: string;
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

/** The TTL sweep leaves items alone whose time lies more than five years back (DynamoDB Developer Guide). */
const TTL_OLDEST_SECONDS = 5 * 365 * 24 * 60 * 60;

/** Starts a local DynamoDB; without `path` it begins without tables. */
export async function startDynamoDb(options: DynamoDbOptions): Promise<LocalDynamoDb> {
  const { clock, region, accountId, port, path, shardCount = 4, faults } = options;
  let tables: Tables | undefined;
  const engine = openEngine({
    region,
    accountId,
    path,
    onWrite: (table, oldItem, newItem, byService) =>
      tables?.stream(table.TableName)?.append(table, oldItem, newItem, byService),
  });
  const opened = await openTables(engine, { clock, region, accountId, shardCount });
  tables = opened;
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
    carryOut: async (exchange, unprocessed) => carryOut(engine, opened, exchange, unprocessed?.from),
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
    expire: () => expire(engine, opened, clock.now() / 1000),
    async close() {
      await server.close();
      await engine.close();
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
