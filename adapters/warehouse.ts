import type { LoadEvidence } from '../core/snowflake/copy-history.ts';
import { COPY_HISTORY_DAYS, copyHistorySql, pageAfter, parseCopyHistory } from '../core/snowflake/copy-history.ts';
import { databaseName } from '../core/snowflake/objects.ts';
import { tableName } from '../core/snowflake/table-name.ts';
import type { Warehouse } from '../core/upload/load-evidence.ts';
import { readSecret } from './secrets.ts';
import { connectSnowflake } from './snowflake.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Connection = Awaited<ReturnType<typeof connectSnowflake>>;

/** Rows of COPY_HISTORY asked for at once. */
const pageRows = 10_000;

/**
 * Opens the warehouse of this deployment with the key pair from Secrets Manager; undefined when the deployment has no
 * Snowflake. The caller closes it.
 */
export async function openWarehouse(
  env: Environment,
): Promise<{ readonly warehouse: Warehouse; close(): Promise<void> } | undefined> {
  const { FIRN_SNOWFLAKE_ACCOUNT: account, FIRN_SNOWFLAKE_USER: user, FIRN_SNOWFLAKE_SECRET_ARN: secretArn } = env;
  if (!account || !user || !secretArn) return undefined;
  const accessUrl = env['FIRN_SNOWFLAKE_ACCESS_URL'];
  const role = env['FIRN_SNOWFLAKE_ROLE'];
  const connection = await connectSnowflake({
    account,
    user,
    privateKeyPem: await readSecret(secretArn),
    ...(role ? { role } : {}),
    ...(accessUrl ? { accessUrl } : {}),
  });
  const database = databaseName(env['FIRN_ENVIRONMENT'] ?? '');
  const warehouse: Warehouse = { history: (entity, sinceMs) => history(connection, database, entity, sinceMs) };
  return { warehouse, close: () => connection.close() };
}

async function history(
  connection: Connection,
  database: string,
  entity: string,
  sinceMs: number,
): Promise<readonly LoadEvidence[]> {
  // INFORMATION_SCHEMA refuses to look back further than it remembers.
  const oldestMs = Date.now() - COPY_HISTORY_DAYS * 24 * 60 * 60 * 1000 + 60_000;
  const since = new Date(Math.max(sinceMs, oldestMs)).toISOString();
  const table = { database, schema: 'RAW', table: tableName(entity), since };
  const evidence: LoadEvidence[] = [];
  let after: ReturnType<typeof pageAfter>;
  do {
    const page = await connection.query(copyHistorySql({ ...table, limit: pageRows, ...(after ? { after } : {}) }));
    evidence.push(...page.map(parseCopyHistory));
    const last = page.at(-1);
    after = page.length === pageRows && last ? pageAfter(last) : undefined;
  } while (after);
  return evidence;
}
