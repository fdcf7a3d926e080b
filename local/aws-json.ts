/**
 * The plumbing that AWS's JSON protocols share: one POST, the operation in `x-amz-target`, errors as
 * `{ "__type": "…#Code", "message": … }`. The services behind it carry out operations; faults are applied here.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from './clock.ts';
import type { Call, Fault, FaultHook } from './faults.ts';
import { principalOf } from './faults.ts';

/** A request or reply document. */
export type Json = Record<string, unknown>;

/** A finished reply: nothing has been sent yet, so it can still be held back, changed or lost. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string;
}

/** One request, its body read but not parsed. */
export interface Exchange {
  /** The API's own name, the part of `x-amz-target` after the dot. */
  readonly operation: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Access key id that signed the request. */
  readonly principal: string;
  /** Aborted when the caller hangs up or the server closes. Made on first use. */
  gone(): AbortSignal;
}

/** An error that the service answers with: `code` is the API's name of it, `details` go into the error document. */
export class ServiceError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Json;

  constructor(code: string, message: string, status = 400, details: Json = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.details = details;
  }
}

export interface AwsJsonService {
  readonly service: Call['service'];
  /** What stands before the dot in `x-amz-target`. */
  readonly target: string;
  readonly contentType: 'application/x-amz-json-1.0' | 'application/x-amz-json-1.1';
  /** Prefix of `__type`, without `#`. */
  readonly namespace: string;
  /** The service's own throttling error. */
  readonly throttled: () => ServiceError;
  /** Extra headers of an error reply. */
  readonly errorHeaders?: (error: ServiceError) => Record<string, string>;
  /** Carries out one request. `unprocessed` is the one fault a service has to act on itself. Throws ServiceError. */
  readonly carryOut: (
    exchange: Exchange,
    unprocessed?: Extract<Fault, { kind: 'unprocessed' }>,
  ) => Promise<Answer | Json>;
  /** What replies are dated by: a client that finds its own time far from it signs anew and asks again. */
  readonly clock: Clock;
  readonly port?: number | undefined;
  readonly faults?: FaultHook | undefined;
}

export interface AwsJsonServer {
  readonly endpoint: string;
  /** Hangs up on every caller and stops listening. */
  close(): Promise<void>;
}

/** Largest request body that any of these services takes, in bytes (BatchWriteItem: 16 MiB). */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Starts a server on 127.0.0.1 (port 0 picks a free one). */
export async function startAwsJson(service: AwsJsonService): Promise<AwsJsonServer> {
  const closing = new AbortController();
  const server = createServer((request, response) => {
    respond(service, request, response, closing.signal).catch(() => response.destroy());
  });
  // Longer than any client keeps an idle connection, so that no request meets a connection just being closed.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(service.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      closing.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

/** Reads one request, carries it out under the faults that apply to it, and replies or hangs up. */
async function respond(
  service: AwsJsonService,
  request: IncomingMessage,
  response: ServerResponse,
  closing: AbortSignal,
): Promise<void> {
  const body = await readBody(request);
  const answer = await faultyAnswer(service, exchangeOf(request, response, body, closing));
  if (answer === 'lost') {
    response.destroy();
    return;
  }
  response.writeHead(answer.status, {
    'content-type': service.contentType,
    'x-amzn-requestid': randomUUID(),
    date: new Date(service.clock.now()).toUTCString(),
    'content-length': Buffer.byteLength(answer.body),
    ...answer.headers,
  });
  response.end(answer.body);
}

function exchangeOf(request: IncomingMessage, response: ServerResponse, body: Buffer, closing: AbortSignal): Exchange {
  const { headers } = request;
  const target = String(headers['x-amz-target'] ?? '');
  let gone: AbortSignal | undefined;
  return {
    operation: target.slice(target.indexOf('.') + 1),
    headers,
    body,
    principal: principalOf(headers.authorization),
    gone() {
      if (gone) return gone;
      const hungUp = new AbortController();
      if (response.destroyed) hungUp.abort();
      response.once('close', () => hungUp.abort());
      gone = AbortSignal.any([hungUp.signal, closing]);
      return gone;
    },
  };
}

/** `lostReply` breaks the connection after the work is done, in whichever phase the hook asked for it. */
async function faultyAnswer(service: AwsJsonService, exchange: Exchange): Promise<Answer | 'lost'> {
  const { faults } = service;
  if (!faults) return plainAnswer(service, exchange);
  const call: Call = { service: service.service, operation: exchange.operation, principal: exchange.principal };
  const before = await faults(call, 'before');
  const refused = before && refusal(service, before, exchange.operation);
  if (refused) return errorAnswer(service, refused);
  const answer = await plainAnswer(service, exchange, before?.kind === 'unprocessed' ? before : undefined);
  const after = await faults(call, 'after');
  if (before?.kind === 'lostReply' || after?.kind === 'lostReply') return 'lost';
  const overruled = after && refusal(service, after, exchange.operation);
  return overruled ? errorAnswer(service, overruled) : answer;
}

/** The error that a fault stands for; undefined for the faults that are no error. */
function refusal(service: AwsJsonService, fault: Fault, operation: string): ServiceError | undefined {
  if (fault.kind === 'throttle') return service.throttled();
  if (fault.kind === 'error') return new ServiceError(fault.code, 'Injected fault.', fault.status);
  if (fault.kind === 'unprocessed' && operation !== 'BatchWriteItem') {
    return new ServiceError('InternalFailure', `The fault "unprocessed" is for BatchWriteItem, not ${operation}.`, 500);
  }
  return undefined;
}

async function plainAnswer(
  service: AwsJsonService,
  exchange: Exchange,
  unprocessed?: Extract<Fault, { kind: 'unprocessed' }>,
): Promise<Answer> {
  try {
    if (!String(exchange.headers['x-amz-target'] ?? '').startsWith(`${service.target}.`)) {
      throw new ServiceError(
        'UnknownOperationException',
        `This server speaks ${service.target} only, not ${exchange.headers['x-amz-target'] ?? 'a request without x-amz-target'}. Point the client at another endpoint.`,
      );
    }
    const reply = await service.carryOut(exchange, unprocessed);
    return isAnswer(reply) ? reply : { status: 200, headers: {}, body: JSON.stringify(reply) };
  } catch (error) {
    if (error instanceof ServiceError) return errorAnswer(service, error);
    return errorAnswer(service, new ServiceError('InternalFailure', String(error), 500));
  }
}

function isAnswer(reply: Answer | Json): reply is Answer {
  return typeof reply['status'] === 'number' && typeof reply['body'] === 'string';
}

function errorAnswer(service: AwsJsonService, error: ServiceError): Answer {
  return {
    status: error.status,
    headers: service.errorHeaders?.(error) ?? {},
    body: JSON.stringify({ __type: `${service.namespace}#${error.code}`, message: error.message, ...error.details }),
  };
}

/** Parses a request body; an empty body is an empty document. */
export function parseBody(body: Buffer): Json {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString()) as Json;
  } catch {
    throw new ServiceError('SerializationException', 'The request body is not JSON.');
  }
}

/** The error for an operation that a stand-in does not have; `instead` says what to do. */
export function unsupported(what: string, operation: string, instead: string): ServiceError {
  return new ServiceError(
    'UnknownOperationException',
    `${operation || 'A request without an operation'} is not supported by the local ${what}. ${instead}`,
  );
}

function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) reject(new Error('The request body is larger than 16 MiB.'));
      else chunks.push(chunk);
    });
    request.on('error', reject);
    request.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
  });
}
