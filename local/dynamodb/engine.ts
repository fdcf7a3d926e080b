/**
 * A DynamoDB store with what is built on dynalite's seams: table changes that can be waited for, the TTL removal, and
 * room for our own notes about tables.
 */
import type { AttributeValue } from 'aws-lambda';
import type { Answer, Exchange, Json } from '../aws-json.ts';
import {
  type Done,
  deleteItemIf,
  type Item,
  openStore,
  type Store,
  type TableKeys,
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
  /** What we keep about a table beside dynalite's own description; it lives as long as the data. */
  readonly notes: {
    read(): Promise<Map<string, Json>>;
    write(tableName: string, note: Json | undefined): Promise<void>;
  };
  /** Waits for what is being carried out, then closes the store. */
  close(): Promise<void>;
}

export interface EngineOptions {
  readonly region: string;
  readonly accountId: string;
  /** Folder of the store; in memory when absent. */
  readonly path?: string | undefined;
  readonly onWrite: WriteListener;
}

/** A table name cannot contain `~`, so no table's tags share this room. */
const NOTES = '~notes';

/** Opens a store. Several may be open in one process; each has its own listener. */
export function openEngine({ region, accountId, path, onWrite }: EngineOptions): Engine {
  const { store, service, handle } = openStore(path, onWrite);
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
      const { KeySchema } = await described(store, tableName);
      const removal = {
        TableName: tableName,
        Key: Object.fromEntries(KeySchema.map(({ AttributeName: name }) => [name, item[name]])),
        Expected: { [attribute]: { ComparisonOperator: 'EQ', AttributeValueList: [value] } },
      };
      return track(deleteItemIf(service, removal));
    },
    notes: {
      async read() {
        const notes = new Map<string, Json>();
        for await (const note of store.getTagDb(NOTES).createValueStream({}) as AsyncIterable<Json>) {
          notes.set(String(note['TableName']), note);
        }
        return notes;
      },
      write(tableName, note) {
        const room = store.getTagDb(NOTES);
        return promised((done) =>
          note ? room.put(tableName, { ...note, TableName: tableName }, done) : room.del(tableName, done),
        );
      },
    },
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

function described(store: Store, tableName: string): Promise<TableKeys> {
  return new Promise((resolve, reject) => {
    store.getTable(tableName, false, (error, table) => (table ? resolve(table) : reject(error)));
  });
}

function promised(start: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())));
}
