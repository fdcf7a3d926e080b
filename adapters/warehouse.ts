import { retryable } from '../core/failure.ts';
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
 * The warehouse of this deployment, by the key pair from Secrets Manager; undefined when the deployment has no
 * Snowflake. It connects when it is first asked; the caller closes it.
 */
export function openWarehouse(env: Environment): { readonly warehouse: Warehouse; close(): Promise<void> } | undefined {
  const { FIRN_SNOWFLAKE_ACCOUNT: account, FIRN_SNOWFLAKE_USER: user, FIRN_SNOWFLAKE_SECRET_ARN: secretArn } = env;
  if (!account || !user || !secretArn) return undefined;
  const database = databaseName(env['FIRN_ENVIRONMENT'] ?? '');
  let connection: Promise<Connection> | undefined;
  const connect = async () => {
    const {
      FIRN_SNOWFLAKE_ACCESS_URL: accessUrl,
      FIRN_SNOWFLAKE_ROLE: role,
      FIRN_SNOWFLAKE_WAREHOUSE: warehouse,
    } = env;
    const optional = { ...(role && { role }), ...(warehouse && { warehouse }), ...(accessUrl && { accessUrl }) };
    return connectSnowflake({ account, user, privateKeyPem: await readSecret(secretArn), ...optional });
  };
  return {
    warehouse: {
      async history(entity, sinceMs) {
        connection ??= connect();
        const open = connection;
        return inTime(
          (async () => history(await open, database, entity, sinceMs))(),
          `reading what Snowflake loaded of ${entity}`,
        );
      },
    },
    // A connection that never came about must not keep the invocation.
    close: async () => inTime((async () => (await connection)?.close())(), 'closing the Snowflake session'),
  };
}

/** The driver itself goes on trying for five minutes, longer than an invocation may wait. */
const patienceMs = 60_000;

async function inTime<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = retryable('warehouse.silent', `${what} took more than ${patienceMs / 1000} s. It is tried again.`);
    timer = setTimeout(() => reject(error), patienceMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
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
