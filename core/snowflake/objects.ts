import { tableName } from './table-name.ts';

/** What the names and the SQL of a deployment's Snowflake objects follow from. */
export interface SnowflakeInput {
  /** The deployment stage, such as `dev`. */
  readonly environment: string;
  /** `load` is the number in the export prefix `load=<n>/`, from 1. */
  readonly entities: readonly { readonly name: string; readonly load: number }[];
  /** The bucket that export writes into, by its bare name. */
  readonly exportBucket: string;
  /** The IAM role that Snowflake assumes to read it. */
  readonly roleArn: string;
  /** Chosen by Firn, so that the role's trust can be written before the integration exists. */
  readonly externalId: string;
}

export interface EntityObjects {
  readonly entity: string;
  readonly load: number;
  /** Raw table in schema RAW and secure view in schema PUBLIC share this name. */
  readonly table: string;
  readonly stage: string;
  readonly pipe: string;
  /** `s3://<bucket>/export/entity=<e>/load=<n>/`, with the slash at its end. */
  readonly url: string;
}

/** Every object Firn owns in one Snowflake account, by name. Names are upper-case and unquoted. */
export interface SnowflakeObjects {
  readonly environment: string;
  readonly database: string;
  readonly rawSchema: 'RAW';
  readonly viewSchema: 'PUBLIC';
  readonly integration: string;
  readonly fileFormat: 'FIRN_NDJSON';
  readonly roleArn: string;
  readonly externalId: string;
  /** `s3://<bucket>/export/`, the only location the integration may read. */
  readonly allowedLocation: string;
  readonly entities: readonly EntityObjects[];
}

/**
 * Names everything. A pipe has a stage of its own and reads from its root, so that a file's name within the stage is
 * never in doubt; both carry the load number, so a new load makes a new pipe beside the old one.
 * Throws, listing every clash, when two entities would share a table.
 */
export function snowflakeObjects(input: SnowflakeInput): SnowflakeObjects {
  const database = databaseName(input.environment);
  const entities = input.entities.map(({ name, load }) => entityObjects(name, load, input.exportBucket));
  refuseSharedTables(entities);
  return {
    environment: input.environment,
    database,
    rawSchema: 'RAW',
    viewSchema: 'PUBLIC',
    integration: `${database}_S3`,
    fileFormat: 'FIRN_NDJSON',
    roleArn: input.roleArn,
    externalId: input.externalId,
    allowedLocation: `s3://${input.exportBucket}/export/`,
    entities,
  };
}

/** The database of a deployment: `FIRN_<ENVIRONMENT>`. */
export function databaseName(environment: string): string {
  const name = environment.toUpperCase().replace(/[^A-Z0-9_]/g, '_');
  if (name === '')
    throw new Error('Naming the Snowflake database: the environment is empty. Pass a stage, such as dev.');
  return `FIRN_${name}`;
}

function entityObjects(entity: string, load: number, bucket: string): EntityObjects {
  if (!Number.isSafeInteger(load) || load < 1)
    throw new Error(`Naming the pipe of entity "${entity}": its load is ${load}. A load is a whole number from 1.`);
  const table = tableName(entity);
  return {
    entity,
    load,
    table,
    stage: `${table}_STAGE_${load}`,
    pipe: `${table}_PIPE_${load}`,
    url: `s3://${bucket}/export/entity=${entity}/load=${load}/`,
  };
}

function refuseSharedTables(entities: readonly EntityObjects[]): void {
  const byTable = Map.groupBy(entities, (each) => each.table);
  const clashes = [...byTable].filter(([, owners]) => owners.length > 1);
  if (clashes.length === 0) return;
  const listed = clashes.map(([table, owners]) => `${owners.map((each) => each.entity).join(' and ')} (${table})`);
  throw new Error(
    `Naming Snowflake tables: these entities would share one: ${listed.join(', ')}. Rename all but one of each.`,
  );
}
