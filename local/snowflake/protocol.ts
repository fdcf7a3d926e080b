import { randomUUID } from 'node:crypto';
import type { Session, Warehouse } from './context.ts';
import type { Bindings } from './query-scope.ts';
import type { LoginRequest, Sessions } from './sessions.ts';
import { SqlError, unsupported } from './sql-error.ts';
import { runStatement } from './statements.ts';

/** The envelope of every answer; the HTTP status is 200 even for SQL errors. */
export interface Envelope {
  readonly data: unknown;
  readonly code: string | null;
  readonly message: string | null;
  readonly success: boolean;
}

/** What the driver needs to know of the session; without the output formats it fails on some types. */
const PARAMETERS = Object.entries({
  TIMEZONE: 'UTC',
  TIMESTAMP_OUTPUT_FORMAT: 'YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM',
  TIMESTAMP_NTZ_OUTPUT_FORMAT: 'YYYY-MM-DD HH24:MI:SS.FF3',
  TIMESTAMP_LTZ_OUTPUT_FORMAT: '',
  TIMESTAMP_TZ_OUTPUT_FORMAT: '',
  DATE_OUTPUT_FORMAT: 'YYYY-MM-DD',
  TIME_OUTPUT_FORMAT: 'HH24:MI:SS',
  BINARY_OUTPUT_FORMAT: 'HEX',
  CLIENT_SESSION_KEEP_ALIVE: false,
  CLIENT_TELEMETRY_ENABLED: false,
}).map(([name, value]) => ({ name, value }));

export function succeeded(data: unknown): Envelope {
  return { data, code: null, message: null, success: true };
}

export function failed(code: string, message: string, data: unknown = null): Envelope {
  return { data, code, message, success: false };
}

export async function login(request: LoginRequest, query: URLSearchParams, sessions: Sessions): Promise<Envelope> {
  const result = await sessions.login(request, query);
  if ('refused' in result) return failed(result.refused.code, result.refused.message);
  const { token, masterToken, sessionId, session } = result;
  return succeeded({
    token,
    masterToken,
    validityInSeconds: 3600,
    masterValidityInSeconds: 14_400,
    displayUserName: session.user,
    serverVersion: '10.0.0',
    firstLogin: false,
    sessionId,
    sessionInfo: {
      databaseName: session.database ?? null,
      schemaName: session.schema ?? null,
      warehouseName: session.warehouse ?? null,
      roleName: session.role,
    },
    parameters: PARAMETERS,
  });
}

export interface QueryRequest {
  readonly sqlText?: string;
  readonly bindings?: Bindings;
  readonly asyncExec?: boolean;
  readonly describeOnly?: boolean;
}

export async function query(request: QueryRequest, session: Session, warehouse: Warehouse): Promise<Envelope> {
  const queryId = randomUUID();
  try {
    if (request.asyncExec) throw unsupported('asynchronous execution', 'Run the statement without asyncExec.');
    if (request.describeOnly) throw unsupported('describeOnly', 'Run the statement.');
    const { rowtype, rowset, statementTypeId } = await runStatement(
      request.sqlText ?? '',
      request.bindings ?? {},
      session,
      warehouse,
    );
    return succeeded({
      parameters: PARAMETERS,
      rowtype,
      rowset,
      total: rowset.length,
      returned: rowset.length,
      queryId,
      finalDatabaseName: session.database ?? null,
      finalSchemaName: session.schema ?? null,
      finalWarehouseName: session.warehouse ?? null,
      finalRoleName: session.role,
      numberOfBinds: Object.keys(request.bindings ?? {}).length,
      statementTypeId,
      version: 1,
      queryResultFormat: 'json',
    });
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return failed(error.code, error.message, { queryId, sqlState: error.sqlState, errorCode: error.code });
  }
}
