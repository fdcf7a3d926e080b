/**
 * A DynamoDB store with what is built on dynalite's seams: table changes that can be waited for, the TTL removal, and
 * putting back what an earlier run left.
 */
import type { AttributeValue } from 'aws-lambda';
import type { Answer, Exchange, Json } from '../aws-json.ts';
import {
  type Done,
  deleteItemIf,
  describedTable,
  type Item,
  openStore,
  restoreItems,
  type Store,
  type WriteListener,
} from './dynalite.ts';

export interface Engine {
  /** Carries out one request as dynalite does. */
  handle(exchange: Pick<Exchange, 'headers' | 'body'>): Promise<Answer>;
  /** Resolves when the next change of a table's description is stored. Ask before making the change. */
  settled(tableName: string): Promise<void>;
  /** Every item of a table, as it stood when the walk began. */
  items(tableName: string): AsyncIterable<Item>;
  /** Removes an item as the TTL sweep does. False when `attribute` has another value by now, or the item is gone. */
  expire(tableName: string, item: Item, attribute: string, value: AttributeValue): Promise<boolean>;
  /** Puts items into an empty table; nobody hears of it. */
  restore(tableName: string, items: Iterable<Item>): Promise<void>;
  /** Waits for what is being carried out, then closes the store. */
  close(): Promise<void>;
}

export interface EngineOptions {
  readonly region: string;
  readonly accountId: string;
  readonly onWrite: WriteListener;
}

/** Opens an empty store. Several may be open in one process; each has its own listener. */
export function openEngine({ region, accountId, onWrite }: EngineOptions): Engine {
  const { store, service, handle } = openStore(onWrite);
  Object.assign(store.tableDb, { awsRegion: region, awsAccountId: accountId });
  const settled = watchDescriptions(store);
  const running = new Set<Promise<unknown>>();

  function track<T>(work: Promise<T>): Promise<T> {
    running.add(work);
    const forget = () => running.delete(work);
    work.then(forget, forget);
    return work;
  }

  return {
    settled,
    handle: (exchange) => track(handle(exchange)),
    items: (tableName) => store.getItemDb(tableName).createValueStream({}) as AsyncIterable<Item>,
    async expire(tableName, item, attribute, value) {
      const { KeySchema } = await describedTable(store, tableName);
      const removal = {
        TableName: tableName,
        Key: Object.fromEntries(KeySchema.map(({ AttributeName: name }) => [name, item[name]])),
        Expected: { [attribute]: { ComparisonOperator: 'EQ', AttributeValueList: [value] } },
      };
      return track(deleteItemIf(service, removal));
    },
    restore: (tableName, items) => restoreItems(store, tableName, items),
    async close() {
      while (running.size > 0) await Promise.allSettled(running);
      await store.lifecycleManager.gracefulClose();
    },
  };
}

/** dynalite stores the final state of a table from a timer, shortly after it has answered. */
function watchDescriptions(store: Store): (tableName: string) => Promise<void> {
  const waiting = new Map<string, (() => void)[]>();
  const { tableDb } = store;
  const put = tableDb.put.bind(tableDb);
  const del = tableDb.del.bind(tableDb);
  const told = (tableName: string, done: Done): Done => {
    return (...outcome) => {
      done(...outcome);
      for (const wake of waiting.get(tableName) ?? []) wake();
      waiting.delete(tableName);
    };
  };
  tableDb.put = (tableName, table, done) => {
    const { TableStatus: status, GlobalSecondaryIndexes: indexes = [] } = table as Json & {
      GlobalSecondaryIndexes?: Json[];
    };
    const final = status === 'ACTIVE' && indexes.every(({ IndexStatus }) => IndexStatus === 'ACTIVE');
    put(tableName, table, final ? told(tableName, done) : done);
  };
  tableDb.del = (tableName, done) => del(tableName, told(tableName, done));
  return (tableName) => new Promise((resolve) => waiting.set(tableName, [...(waiting.get(tableName) ?? []), resolve]));
}
