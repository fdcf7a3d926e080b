import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../clock.ts';
import type { Fault, FaultHook } from '../faults.ts';
import { checkAccess } from './access.ts';
import { SMALL_BYTES } from './blobs.ts';
import type { Reply, S3Context } from './context.ts';
import { errorXml, notImplemented, S3Error } from './errors.ts';
import { hostId } from './events.ts';
import { OPERATIONS } from './operations.ts';
import { RefusedWithHeaders } from './read.ts';
import { piecesOf } from './receive.ts';
import { operationOf, readRequest, type S3Request } from './request.ts';

/** Answers one HTTP request. Never throws: what goes wrong is an error answer, or a broken connection. */
export async function respond(
  context: S3Context,
  faults: FaultHook | undefined,
  message: IncomingMessage,
  response: ServerResponse,
  id: string,
): Promise<void> {
  let reply: Reply | undefined;
  try {
    const request = readRequest(message, id);
    const call = { service: 's3', operation: operationOf(request), principal: request.principal } as const;
    refuse(await faults?.(call, 'before'));
    reply = await carryOut(context, call.operation, request);
    const lost = await faults?.(call, 'after');
    if (lost?.kind === 'lostReply') response.destroy();
    else await send(context, request.method, response, id, reply);
  } catch (error) {
    await sendError(context.clock, message, response, id, error);
  } finally {
    if (typeof reply?.body === 'object') context.store.blobs.release(reply.body.segments);
  }
}

function refuse(fault: Fault | undefined): void {
  if (fault?.kind === 'throttle') throw new S3Error(503, 'SlowDown', 'Please reduce your request rate.');
  if (fault?.kind === 'error') throw new S3Error(fault.status, fault.code, 'An error that was asked for.');
}

function carryOut(context: S3Context, operation: string, request: S3Request): Reply | Promise<Reply> {
  const run = OPERATIONS.get(operation);
  if (run === undefined) throw notImplemented(`${operation} (${request.method} on "${request.bucket}")`);
  checkAccess(context, request);
  return run(context, request);
}

async function send(
  context: S3Context,
  method: string,
  response: ServerResponse,
  id: string,
  { status, headers, body = '' }: Reply,
): Promise<void> {
  const { blobs } = context.store;
  response.writeHead(status, { ...commonHeaders(context.clock, id), ...lengthOf(method, status, body), ...headers });
  if (typeof body === 'string') response.end(body);
  else if (body.end - body.start <= SMALL_BYTES) response.end(blobs.readSmall(body.segments, body.start, body.end));
  // A client that hangs up ends the pipeline with an error; there is nobody left to tell.
  else await pipeline(Readable.from(blobs.read(body.segments, body.start, body.end)), response).catch(() => undefined);
}

function lengthOf(method: string, status: number, body: Reply['body']): Record<string, string> {
  if (typeof body !== 'string' || method === 'HEAD' || status === 204 || status === 304) return {};
  return { 'content-length': String(Buffer.byteLength(body)) };
}

function commonHeaders(clock: Clock, id: string): Record<string, string> {
  return {
    'x-amz-request-id': id,
    'x-amz-id-2': hostId(id),
    date: new Date(clock.now()).toUTCString(),
    server: 'AmazonS3',
  };
}

async function sendError(
  clock: Clock,
  message: IncomingMessage,
  response: ServerResponse,
  id: string,
  cause: unknown,
): Promise<void> {
  // The client is gone, or reading a stored body failed half-way, with the status sent already.
  if (response.headersSent || message.socket.destroyed) return void response.destroy();
  const error =
    cause instanceof S3Error
      ? cause
      : new S3Error(500, 'InternalError', `We encountered an internal error: ${String(cause)}`);
  // The rest of the body is read and dropped, so that the client is done sending when the refusal reaches it.
  if (!message.readableEnded && !(await drained(message))) return void response.destroy();
  const xml = message.method === 'HEAD' ? '' : errorXml(error, message.url ?? '', id);
  response.writeHead(error.status, {
    ...commonHeaders(clock, id),
    ...(error instanceof RefusedWithHeaders ? error.headers : {}),
    ...(xml === '' ? {} : { 'content-type': 'application/xml', 'content-length': String(Buffer.byteLength(xml)) }),
  });
  response.end(xml);
}

/** False when the client hung up before the end of its body. */
async function drained(message: IncomingMessage): Promise<boolean> {
  try {
    for await (const _ of piecesOf(message));
    return true;
  } catch {
    return false;
  }
}
