import type { Key } from '../../core/table/key.ts';
import type { Condition, Item, Table } from '../../core/table/table.ts';

export interface MemoryTable extends Pick<Table, 'get' | 'getMany' | 'put' | 'putMany' | 'update' | 'query'> {
  readonly items: ReadonlyMap<string, Item>;
  /** Names of all attributes that were ever written. */
  readonly names: ReadonlySet<string>;
}

/** The port to the table on a Map, as far as core's unit tests go: single items, and conditions of the forms core uses. */
export function memoryTable(before: readonly Item[] = []): Table & MemoryTable {
  const items = new Map<string, Item>();
  const names = new Set<string>();
  const idOf = ({ pk, sk }: Key) => `${pk}\n${sk}`;
  const store = (item: Item) => {
    for (const [name, value] of Object.entries(item)) if (value !== undefined) names.add(name);
    items.set(idOf(item), item);
  };
  before.forEach(store);
  const table: MemoryTable = {
    items,
    names,
    get: async (key) => items.get(idOf(key)),
    getMany: async (keys) => keys.map((key) => items.get(idOf(key))).filter((item) => item !== undefined),
    async *query(pk, sortKeyPrefix = '') {
      const found = [...items.values()].filter((item) => item.pk === pk && item.sk.startsWith(sortKeyPrefix));
      if (found.length > 0) yield found.sort((a, b) => (a.sk < b.sk ? -1 : 1));
    },
    put: async (item, condition) => {
      const old = items.get(idOf(item));
      if (!holds(condition, old)) return { done: false, item: old };
      store(item);
      return { done: true };
    },
    putMany: async (all) => {
      if (new Set(all.map(idOf)).size !== all.length) throw new Error('Provided list of item keys contains duplicates');
      all.forEach(store);
    },
    update: async ({ pk, sk }, { set, onlyIfAbsent, condition }) => {
      const old = items.get(idOf({ pk, sk }));
      if (!holds(condition, old)) return { done: false, item: old };
      const item = { ...onlyIfAbsent, ...old, ...set, pk, sk } as Item;
      store(item);
      return { done: true, item };
    },
  };
  return table as Table & MemoryTable;
}

function holds(condition: Condition | undefined, item: Item | undefined): boolean {
  return !condition || either(condition.expression, condition.values ?? {}, item);
}

type Values = Readonly<Record<string, unknown>>;

/** `a OR b`, each of them `c AND d`, each of those a term or something in parentheses. */
function either(text: string, values: Values, item: Item | undefined): boolean {
  return split(text, ' OR ').some((each) => split(each, ' AND ').every((one) => factor(one, values, item)));
}

function factor(text: string, values: Values, item: Item | undefined): boolean {
  return text.startsWith('(') ? either(text.slice(1, -1), values, item) : term(text, values, item);
}

/** Splits where no parenthesis is open. */
function split(text: string, by: string): readonly string[] {
  const parts: string[] = [];
  for (const piece of text.split(by)) {
    const last = parts.at(-1);
    if (last !== undefined && last.split('(').length !== last.split(')').length) parts[parts.length - 1] += by + piece;
    else parts.push(piece);
  }
  return parts;
}

function term(text: string, values: Values, item: Item | undefined): boolean {
  const absent = /^attribute_not_exists\((\w+)\)$/.exec(text)?.[1];
  if (absent !== undefined) return item?.[absent] === undefined;
  const [, name = '', operator, operands = ''] = /^(\w+) (=|<|IN) (.+)$/.exec(text) ?? [];
  if (operator === undefined) throw new Error(`the memory table does not know the condition ${text}`);
  const found = item?.[name];
  const wanted = [...operands.matchAll(/:\w+/g)].map(([value]) => values[value]);
  if (operator !== '<') return found !== undefined && wanted.includes(found);
  return found !== undefined && (found as number | string) < (wanted[0] as number | string);
}
