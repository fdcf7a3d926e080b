/**
 * What a DynamoDB keeps on disk: the requests that made its tables, and every write with what it replaced. One line is
 * both the item and its stream record, so no process can be killed between the two.
 */
import type { Json } from '../aws-json.ts';
import { type Journal, replayJournal, rewriteJournal } from '../journal.ts';
import type { Item } from './dynalite.ts';

/** A request of the control plane that was carried out; `at` in milliseconds since the epoch. */
export interface KeptRequest {
  readonly table: string;
  readonly operation: string;
  readonly input: Json;
  readonly at: number;
}

/** The place of a change in its stream. `at` in milliseconds since the epoch. */
export interface StreamPlace {
  readonly label: string;
  readonly counter: number;
  readonly at: number;
  readonly byService: boolean;
}

/** A write that changed something; `place` when the table had a stream. */
export interface KeptWrite {
  readonly table: string;
  readonly keys: Item;
  readonly old?: Item | undefined;
  readonly new?: Item | undefined;
  readonly place?: StreamPlace | undefined;
}

type Change =
  | ({ readonly do: 'request' } & KeptRequest)
  | ({ readonly do: 'write' } & KeptWrite)
  /** Records of the stream ever written: those that are older than it keeps them have left their numbers behind. */
  | { readonly do: 'count'; readonly table: string; readonly label: string; readonly counter: number };

/** What an earlier run left of one table. */
export interface LeftTable {
  readonly requests: KeptRequest[];
  readonly items: Map<string, { readonly write: KeptWrite; readonly item: Item }>;
  /** Writes whose stream records are still kept, oldest first. */
  records: KeptWrite[];
  /** Records ever written, by stream label. */
  readonly counters: Map<string, number>;
}

export interface DynamoDbJournal {
  request(request: KeptRequest): void;
  write(write: KeptWrite): void;
  close(): void;
}

/** Keeps nothing. */
export const noJournal: DynamoDbJournal = { request() {}, write() {}, close() {} };

/** Opens (or makes) the journal, and hands over what an earlier run left, without stream records up to `trimmedMs`. */
export function openJournal(
  path: string,
  trimmedMs: number,
): { journal: DynamoDbJournal; left: ReadonlyMap<string, LeftTable> } {
  const left = replay(path, trimmedMs);
  const file: Journal<Change> = rewriteJournal(path, changesOf(left));
  const journal: DynamoDbJournal = {
    request: (request) => file.append({ do: 'request', ...request }),
    write: (write) => file.append({ do: 'write', ...write }),
    close: () => file.close(),
  };
  return { journal, left };
}

function replay(path: string, trimmedMs: number): ReadonlyMap<string, LeftTable> {
  const left = new Map<string, LeftTable>();
  replayJournal<Change>(path, 'DynamoDB', (change) => {
    if (change.do === 'request' && change.operation === 'DeleteTable') left.delete(change.table);
    else apply(change, tableIn(left, change.table), trimmedMs);
  });
  return left;
}

function tableIn(left: Map<string, LeftTable>, name: string): LeftTable {
  const found = left.get(name);
  if (found) return found;
  const table: LeftTable = { requests: [], items: new Map(), records: [], counters: new Map() };
  left.set(name, table);
  return table;
}

function apply(change: Change, table: LeftTable, trimmedMs: number): void {
  if (change.do === 'count') {
    table.counters.set(change.label, change.counter);
    return;
  }
  if (change.do === 'request') {
    const { do: _, ...request } = change;
    table.requests.push(request);
    return;
  }
  const { do: _, ...write } = change;
  const key = JSON.stringify(write.keys);
  if (write.new) table.items.set(key, { write, item: write.new });
  else table.items.delete(key);
  if (!write.place) return;
  table.counters.set(write.place.label, write.place.counter);
  if (write.place.at > trimmedMs) table.records.push(write);
}

/** The changes that leave the same, each item once where its stream record is gone. */
function* changesOf(left: ReadonlyMap<string, LeftTable>): Generator<Change> {
  for (const [name, table] of left) {
    for (const request of table.requests) yield { do: 'request', ...request };
    for (const [label, counter] of table.counters) yield { do: 'count', table: name, label, counter };
    const recorded = new Set(table.records);
    for (const { write, item } of table.items.values()) {
      if (!recorded.has(write)) yield { do: 'write', table: name, keys: write.keys, new: item };
    }
    for (const write of table.records) yield { do: 'write', ...write };
  }
}
