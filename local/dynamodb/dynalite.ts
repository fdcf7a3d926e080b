/**
 * The only file that knows dynalite from the inside. dynalite 4.0.0 (pinned exactly) is DynamoDB's data plane without
 * streams, TTL and old items on failed conditions; these are added at four private seams, each held by a test:
 * `db.create` gives us the store, `db.updateIndexes` sees every write inside the per-key lock, `db.checkConditional`
 * decides a condition, and `validations/*.types` say which request fields survive.
 */
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AttributeValue } from 'aws-lambda';
import type { Answer, Exchange, Json } from '../aws-json.ts';

/** An item in DynamoDB JSON; its numbers are in canonical form, because dynalite rewrites them on the way in. */
export type Item = Record<string, AttributeValue>;

/** The part of a table description that a write needs. */
export interface TableKeys {
  readonly TableName: string;
  readonly KeySchema: readonly { readonly AttributeName: string; readonly KeyType: 'HASH' | 'RANGE' }[];
}

/** Told of each write after it is applied and before it is answered; per key in order. `byService`: a TTL removal. */
export type WriteListener = (
  table: TableKeys,
  oldItem: Item | undefined,
  newItem: Item | undefined,
  byService: boolean,
) => void;

export type Done<T = unknown> = (error?: unknown, value?: T) => void;

interface SubStore {
  put(key: string, value: unknown, done: Done): void;
  del(key: string, done: Done): void;
  createValueStream(options?: object): AsyncIterable<unknown>;
  batch(puts: readonly { type: 'put'; key: string; value: unknown }[], done: Done): void;
}

export interface Store {
  readonly tableDb: SubStore & { awsRegion: string; awsAccountId: string };
  readonly lifecycleManager: { gracefulClose(): Promise<void> };
  getItemDb(tableName: string): SubStore;
  getIndexDb(kind: IndexKind, tableName: string, indexName: string): SubStore;
  getTable(tableName: string, checkStatus: boolean, done: Done<TableKeys>): void;
}

type Condition = (request: { ReturnValuesOnConditionCheckFailure?: string }, item?: Item) => { body: Json } | undefined;

type IndexKind = 'Local' | 'Global';

interface Db {
  create(options: object): Store;
  updateIndexes(store: Store, table: TableKeys, old: Item | undefined, item: Item | undefined, done: Done): void;
  checkConditional: Condition;
  itemSize(item: Item): number;
  createKey(item: Item, table: TableKeys): string;
  getIndexActions(
    indexes: readonly unknown[],
    old: undefined,
    item: Item,
    table: TableKeys,
  ): { readonly puts: readonly { readonly index: string; readonly key: string; readonly item: Item }[] };
}

const require = createRequire(import.meta.url);
const dynalite = require('dynalite') as (options: object) => Server;
const db = require('dynalite/db') as Db;
const deleteItem = require('dynalite/actions/deleteItem') as (store: Store, request: Json, done: Done) => void;

const listeners = new WeakMap<Store, WriteListener>();

/** From the service's identity of a store to the store itself. */
const asService = new WeakMap<Store, Store>();

const { updateIndexes, checkConditional } = db;

db.updateIndexes = (store, table, old, item, done) => {
  const byService = asService.has(store);
  const listener = listeners.get(asService.get(store) ?? store);
  updateIndexes(store, table, old, item, (error) => {
    // `done` starts the write itself, so whoever hears of it from the listener can already read it.
    done(error);
    if (!error && (old || item)) listener?.(table, old, item ?? undefined, byService);
  });
};

db.checkConditional = (request, item) => {
  const failure = checkConditional(request, item);
  if (failure && item && request.ReturnValuesOnConditionCheckFailure === 'ALL_OLD') failure.body['Item'] = item;
  return failure;
};

for (const action of ['putItem', 'updateItem', 'deleteItem']) {
  const { types } = require(`dynalite/validations/${action}`) as { types: Json };
  types['ReturnValuesOnConditionCheckFailure'] = { type: 'String', enum: ['ALL_OLD', 'NONE'] };
}

/** Size of an item by DynamoDB's rules, in bytes. */
export function itemBytes(item: Item): number {
  return db.itemSize(item);
}

export interface OpenedStore {
  readonly store: Store;
  /** The store with another identity: what is written through it is written by the service, not by a caller. */
  readonly service: Store;
  /** Carries out one request as dynalite's HTTP server would. */
  readonly handle: (exchange: Pick<Exchange, 'headers' | 'body'>) => Promise<Answer>;
}

type RequestListener = (request: object, response: object) => void;

/** A dynalite that never listens, in memory. Each one has a listener of its own. */
export function openStore(onWrite: WriteListener): OpenedStore {
  const { create } = db;
  let store: Store | undefined;
  db.create = (options) => {
    store = create(options);
    return store;
  };
  const immediately = { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 };
  const [request] = dynalite(immediately).listeners('request');
  db.create = create;
  if (!store || !request) throw new Error('dynalite is not 4.0.0 inside: pin it, or adapt local/dynamodb/dynalite.ts.');
  listeners.set(store, onWrite);
  const service = Object.create(store) as Store;
  asService.set(service, store);
  return { store, service, handle: (exchange) => carryOut(request as RequestListener, exchange) };
}

const restoredAtOnce = 1_000;

/** Puts items into an empty table as they are, indexes included, and tells no listener. */
export async function restoreItems(store: Store, tableName: string, items: Iterable<Item>): Promise<void> {
  const table = await describedTable(store, tableName);
  const batches = new Map<SubStore, { type: 'put'; key: string; value: unknown }[]>();
  const flush = async () => {
    for (const [room, puts] of batches) {
      await new Promise<void>((resolve, reject) => {
        room.batch(puts, (error) => (error ? reject(error) : resolve()));
      });
    }
    batches.clear();
  };
  const put = (room: SubStore, key: string, value: Item) => {
    const puts = batches.get(room) ?? [];
    puts.push({ type: 'put', key, value });
    batches.set(room, puts);
  };
  let count = 0;
  for (const item of items) {
    put(store.getItemDb(tableName), db.createKey(item, table), item);
    for (const kind of ['Local', 'Global'] as const) {
      const indexes = (table as unknown as Json)[`${kind}SecondaryIndexes`] as unknown[] | undefined;
      for (const { index, key, item: projected } of db.getIndexActions(indexes ?? [], undefined, item, table).puts) {
        put(store.getIndexDb(kind, tableName, index), key, projected);
      }
    }
    count += 1;
    if (count % restoredAtOnce === 0) await flush();
  }
  await flush();
}

/** The description that a write needs. Rejects with dynalite's own error when there is no such table. */
export function describedTable(store: Store, tableName: string): Promise<TableKeys> {
  return new Promise((resolve, reject) => {
    store.getTable(tableName, false, (error, table) => (table ? resolve(table) : reject(error)));
  });
}

/** Headers that dynalite demands of a request nobody signed. */
export function unsignedHeaders(operation: string): Exchange['headers'] {
  return {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': `DynamoDB_20120810.${operation}`,
    'x-amz-date': '20200101T000000Z',
    authorization:
      'AWS4-HMAC-SHA256 Credential=journal/20200101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
  };
}

/** Deletes an item under a condition. False when the condition does not hold. */
export function deleteItemIf(store: Store, request: Json): Promise<boolean> {
  return new Promise((resolve, reject) => {
    deleteItem(store, request, (error) => {
      if (error && !isConditionFailure(error)) reject(error);
      else resolve(!error);
    });
  });
}

/**
 * Calls dynalite's request handler with the little of a request and a response that it touches: no socket, so that a
 * caller who hangs up cannot throw inside it, and the reply can still be held back.
 */
function carryOut(listener: RequestListener, { headers, body }: Pick<Exchange, 'headers' | 'body'>): Promise<Answer> {
  return new Promise((resolve) => {
    const replyHeaders: Record<string, string | number> = {};
    const heard: Record<string, (chunk?: Buffer) => void> = {};
    const request = {
      headers,
      method: 'POST',
      url: '/',
      on(event: string, hear: (chunk?: Buffer) => void) {
        heard[event] = hear;
      },
      removeAllListeners() {},
    };
    const response = {
      statusCode: 200,
      setHeader(name: string, value: string | number) {
        replyHeaders[name.toLowerCase()] = value;
      },
      end(reply = '') {
        resolve({ status: response.statusCode, headers: replyHeaders, body: reply });
      },
    };
    listener(request, response);
    if (body.length > 0) heard['data']?.(body);
    heard['end']?.();
  });
}

function isConditionFailure(error: unknown): boolean {
  const type = (error as { body?: { __type?: string } }).body?.__type;
  return type?.endsWith('#ConditionalCheckFailedException') ?? false;
}
