import type { DuckDBConnection } from '@duckdb/node-api';
import type { DataType } from './data-types.ts';
import { duckString, runSql } from './engine.ts';

interface Created {
  readonly comment: string;
  /** Milliseconds since the epoch, by the clock. */
  readonly createdAt: number;
}
export interface Integration extends Created {
  readonly roleArn: string;
  readonly externalId: string;
  readonly enabled: boolean;
  readonly allowed: readonly string[];
}
export interface Stage extends Created {
  readonly bucket: string;
  /** Key prefix that the URL names, without the bucket. */
  readonly prefix: string;
  readonly url: string;
  readonly integration: string;
}
export interface Column {
  readonly name: string;
  readonly type: DataType;
  readonly notNull: boolean;
}
export interface Relation extends Created {
  readonly columns: readonly Column[];
}
export interface View extends Relation {
  readonly definition: string;
}
export interface Pipe extends Created {
  /** The COPY statement as written. */
  readonly definition: string;
  /** Dotted names. */
  readonly table: string;
  readonly stage: string;
  /** Column name to metadata column: `FILE_ROW` to `METADATA$FILE_ROW_NUMBER`. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly onError: 'SKIP_FILE';
}

/** Every object by its dotted upper-case name. */
export interface Catalogue {
  readonly database: Map<string, Created>;
  readonly schema: Map<string, Created>;
  readonly integration: Map<string, Integration>;
  readonly fileFormat: Map<string, Created>;
  readonly stage: Map<string, Stage>;
  readonly table: Map<string, Relation>;
  readonly view: Map<string, View>;
  readonly pipe: Map<string, Pipe>;
}

export type ObjectKind = keyof Catalogue;

export interface CatalogueStore {
  readonly objects: Catalogue;
  /** Keeps an object, also over a restart when the warehouse is a file. */
  put<K extends ObjectKind>(
    kind: K,
    name: string,
    object: Catalogue[K] extends Map<string, infer T> ? T : never,
  ): Promise<void>;
}

/** Reads the catalogue that an earlier run left in the database. */
export async function openCatalogue(connection: DuckDBConnection): Promise<CatalogueStore> {
  const objects: Catalogue = {
    database: new Map(),
    schema: new Map(),
    integration: new Map(),
    fileFormat: new Map(),
    stage: new Map(),
    table: new Map(),
    view: new Map(),
    pipe: new Map(),
  };
  const { rows } = await runSql(connection, 'SELECT kind, name, body FROM standin.catalogue');
  for (const [kind, name, body] of rows) {
    const map = objects[String(kind) as ObjectKind] as Map<string, unknown>;
    map.set(String(name), JSON.parse(String(body)));
  }
  return {
    objects,
    async put(kind, name, object) {
      (objects[kind] as Map<string, unknown>).set(name, object);
      const values = [kind, name, JSON.stringify(object)].map(duckString).join(', ');
      await runSql(connection, `INSERT OR REPLACE INTO standin.catalogue VALUES (${values})`);
    },
  };
}

/** Names of the VARIANT columns, and of all columns, of every table and view. */
export function columnNames({ table, view }: Catalogue): {
  variants: ReadonlySet<string>;
  columns: ReadonlySet<string>;
} {
  const all = [...table.values(), ...view.values()].flatMap(({ columns }) => columns);
  return {
    variants: new Set(all.filter(({ type }) => type.name === 'VARIANT').map(({ name }) => name)),
    columns: new Set(all.map(({ name }) => name)),
  };
}
