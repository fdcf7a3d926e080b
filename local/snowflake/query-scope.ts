import { columnNames } from './catalogue.ts';
import { fullName, type Session, type Warehouse } from './context.ts';
import { copyHistoryTable } from './copy-history.ts';
import { duckString, duckTable } from './engine.ts';
import type { QueryScope } from './select-query.ts';
import { doesNotExist, syntaxError } from './sql-error.ts';

/** Values bound to the question marks of a statement, as the wire carries them, keyed `1`, `2`, … */
export type Bindings = Readonly<Record<string, { readonly type: string; readonly value: string | null }>>;

/** What a statement of this session may refer to. */
export function queryScope(session: Session, warehouse: Warehouse, bindings: Bindings): QueryScope {
  const { objects } = warehouse.catalogue;
  const now = new Date(warehouse.clock.now()).toISOString();
  const text = (value: string | undefined) => (value === undefined ? 'NULL' : duckString(value));
  const scope: QueryScope = {
    ...columnNames(objects),
    table(parts) {
      const name = fullName(parts, session);
      if (!objects.table.has(name) && !objects.view.has(name)) throw doesNotExist('Object', name);
      return duckTable(name.split('.'));
    },
    tableFunction: (tokens, at) => copyHistoryTable(tokens, at, session, warehouse, scope),
    bind: (index) => boundValue(bindings, index),
    constants: new Map([
      ['CURRENT_TIMESTAMP', `CAST(${duckString(now)} AS TIMESTAMPTZ)`],
      ['CURRENT_DATE', `CAST(${duckString(now.slice(0, 10))} AS DATE)`],
      ['CURRENT_USER', text(session.user)],
      ['CURRENT_ROLE', text(session.role)],
      ['CURRENT_DATABASE', text(session.database)],
      ['CURRENT_SCHEMA', text(session.schema)],
      ['CURRENT_WAREHOUSE', text(session.warehouse)],
      ['CURRENT_ACCOUNT', text(warehouse.account.toUpperCase())],
    ]),
  };
  return scope;
}

function boundValue(bindings: Bindings, index: number): string {
  const bound = bindings[String(index)];
  if (!bound) throw syntaxError(`bind variable ${index} not set`);
  if (bound.value === null) return 'NULL';
  const isNumber = bound.type === 'FIXED' || bound.type === 'REAL';
  if (!isNumber) return duckString(bound.value);
  if (!/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(bound.value)) throw syntaxError(`bind variable ${index} is no number`);
  return bound.value;
}
