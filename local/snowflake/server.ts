import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { Clock } from '../clock.ts';
import type { Fault, FaultHook } from '../faults.ts';
import { openCatalogue } from './catalogue.ts';
import type { Warehouse } from './context.ts';
import { openEngine } from './engine.ts';
import type { LoadQuirks } from './load-file.ts';
import { type NotificationQueue, startPipeLoader } from './pipe-loader.ts';
import { type Envelope, failed, login, type QueryRequest, query, succeeded } from './protocol.ts';
import { type LoginRequest, openSessions, type Sessions, type User } from './sessions.ts';
import { openStageFiles } from './stage-files.ts';

export interface SnowflakeOptions {
  readonly clock: Clock;
  /** Where staged files are read from. */
  readonly s3: { readonly endpoint: string; readonly region: string };
  /** Any free one by default. */
  readonly port?: number;
  /** DuckDB file that keeps everything over a restart; in memory by default. */
  readonly file?: string;
  readonly faults?: FaultHook;
  /** As clients name it, such as `FIRN-LOCAL`. */
  readonly account: string;
  readonly users: readonly User[];
  /** The queue Snowflake owns for auto-ingest; it lives in the SQS stand-in. */
  readonly queue: NotificationQueue;
  readonly loading?: LoadQuirks;
}

export interface LocalSnowflake {
  /** For the driver's `accessUrl`. */
  readonly url: string;
  /** ARN of the queue that buckets must notify. */
  readonly notificationChannel: string;
  /** Nothing queued, nothing loading. */
  idle(): boolean;
  /** Nothing moves by itself: what is left, if anything, waits for the clock. */
  quiet(): boolean;
  close(): Promise<void>;
}

/** Snowflake on 127.0.0.1: logins, queries and auto-ingest, so that snowflake-sdk runs against it unchanged. */
export async function startSnowflake(options: SnowflakeOptions): Promise<LocalSnowflake> {
  const { clock, account, users, queue } = options;
  const engine = await openEngine(options.file);
  const ddl = await engine.connect();
  const catalogue = await openCatalogue(ddl);
  const files = openStageFiles(options.s3);
  const loader = await startPipeLoader(engine.connect, {
    clock,
    queue,
    files,
    catalogue,
    quirks: options.loading ?? {},
  });
  const sessions = openSessions({ account, users, clock, connect: engine.connect });
  const warehouse: Warehouse = {
    clock,
    account,
    catalogue,
    notificationChannel: queue.arn,
    drainNotifications: loader.drain,
    pipeProgress: loader.progress,
  };
  const server = createServer((request, response) => {
    void answer(request, response, sessions, warehouse, options.faults);
  });
  const release = async () => {
    await loader.close();
    sessions.close();
    files.close();
    ddl.closeSync();
    engine.close();
  };
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  }).catch(async (error: unknown) => {
    await release();
    throw error;
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    notificationChannel: queue.arn,
    idle: loader.idle,
    quiet: loader.quiet,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await release();
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  sessions: Sessions,
  warehouse: Warehouse,
  faults: FaultHook | undefined,
): Promise<void> {
  try {
    const url = new URL(request.url ?? '/', 'http://snowflake');
    const token = /Snowflake Token="([^"]*)"/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const body = await readBody(request);
    const operation = operationOf(request.method ?? '', url);
    const principal =
      sessions.find(token)?.user ?? (body as { data?: LoginRequest }).data?.LOGIN_NAME?.toUpperCase() ?? 'anonymous';
    const call = { service: 'snowflake', operation, principal } as const;
    const before = await faults?.(call, 'before');
    if (before && before.kind !== 'lostReply') return sendFault(response, before);
    const envelope = await carryOut(operation, url, token, body, sessions, warehouse);
    const after = await faults?.(call, 'after');
    if (after?.kind === 'lostReply') return void response.destroy();
    send(response, 200, envelope);
  } catch (error) {
    send(
      response,
      500,
      failed('000603', `The Snowflake stand-in failed: ${error instanceof Error ? error.message : error}`),
    );
  }
}

/** What a request asks for; `Unknown` is answered with 404. */
function operationOf(method: string, { pathname, searchParams }: URL): string {
  if (method === 'POST' && pathname === '/session' && searchParams.get('delete') === 'true') return 'Logout';
  return (method === 'POST' && OPERATIONS[pathname]) || 'Unknown';
}

const OPERATIONS: Readonly<Record<string, string>> = {
  '/session/v1/login-request': 'Login',
  '/session/token-request': 'RenewToken',
  '/session/heartbeat': 'Heartbeat',
  '/queries/v1/query-request': 'Query',
  '/queries/v1/abort-request': 'Abort',
  '/telemetry/send': 'Telemetry',
};

async function carryOut(
  operation: string,
  { pathname, searchParams }: URL,
  token: string,
  body: unknown,
  sessions: Sessions,
  warehouse: Warehouse,
): Promise<Envelope> {
  if (operation === 'Login') return login((body as { data?: LoginRequest }).data ?? {}, searchParams, sessions);
  if (operation === 'Telemetry') return succeeded('Log Received');
  if (operation === 'Unknown') return failed('000002', `The Snowflake stand-in has no endpoint ${pathname}.`);
  if (operation === 'RenewToken') {
    const renewed = sessions.renew(token);
    if (!renewed) return failed('390114', 'Authentication token has expired. The user must authenticate again.');
    const { token: sessionToken, masterToken } = renewed;
    return succeeded({ sessionToken, masterToken, validityInSecondsST: 3600, validityInSecondsMT: 14_400 });
  }
  const session = sessions.find(token);
  if (!session) return failed('390104', 'Session token is invalid. Log in again.');
  if (operation === 'Query') return query(body as QueryRequest, session, warehouse);
  if (operation === 'Logout') sessions.end(token);
  return succeeded(null);
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString('utf8');
  return text === '' ? {} : JSON.parse(text);
}

function send(response: ServerResponse, status: number, envelope: Envelope): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(envelope));
}

/** The driver repeats 429 by itself; an error with status 200 reaches the caller as Snowflake's own. */
function sendFault(response: ServerResponse, fault: Fault): void {
  const { status, code } = fault.kind === 'error' ? fault : { status: 429, code: '390189' };
  send(response, status, failed(code, 'Injected fault.', { sqlState: '58000' }));
}
