/**
 * What runs inside one execution environment: a worker thread that imports the bundle once, keeps its warm state, and
 * answers one event at a time. Events and results cross the thread as JSON text, as they do on the service.
 */
import { parentPort, workerData } from 'node:worker_threads';

/** What the parent hands over when it starts the thread. */
export interface WorkerSetup {
  /** URL of the module that exports the handler. */
  readonly module: string;
  readonly exportName: string;
  readonly functionName: string;
  readonly functionArn: string;
  readonly memoryMb: number;
  readonly offset: SharedArrayBuffer;
}

/** One event on its way in. `deadline` is in milliseconds since the epoch, on the shared clock. */
export interface WorkerRequest {
  readonly event: string;
  readonly requestId: string;
  readonly deadline: number;
}

/** What comes back: `ready` once after the import, then one reply for each request. */
export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'result'; readonly payload: string }
  | { readonly kind: 'error'; readonly name: string; readonly message: string; readonly stack: string };

type Handler = (event: unknown, context: unknown) => unknown;

const port = parentPort;
if (port !== null) await serve(port, workerData as WorkerSetup);

async function serve(parent: NonNullable<typeof parentPort>, setup: WorkerSetup): Promise<void> {
  followClock(setup.offset);
  const reply = (message: WorkerReply) => parent.postMessage(message);
  let handler: Handler;
  try {
    handler = await loadHandler(setup);
  } catch (error) {
    reply(errorReply(error));
    return;
  }
  parent.on('message', async (request: WorkerRequest) => {
    const message = await answer(handler, setup, request);
    await Promise.all([process.stdout, process.stderr].map(written));
    reply(message);
  });
  reply({ kind: 'ready' });
}

async function answer(handler: Handler, setup: WorkerSetup, request: WorkerRequest): Promise<WorkerReply> {
  try {
    const result = await handler(JSON.parse(request.event), contextOf(setup, request));
    // A handler that returns nothing answers null, as the Node runtime does.
    return { kind: 'result', payload: JSON.stringify(result ?? null) ?? 'null' };
  } catch (error) {
    return errorReply(error);
  }
}

/** What a handler wrote is handed over before its result: an environment that ends right after it loses no line. */
function written(output: NodeJS.WriteStream): Promise<void> | undefined {
  if (output.writableLength === 0) return undefined;
  return new Promise((resolve) => output.write('', () => resolve()));
}

async function loadHandler(setup: WorkerSetup): Promise<Handler> {
  const bundle = (await import(setup.module)) as Record<string, unknown>;
  const handler = bundle[setup.exportName];
  if (typeof handler === 'function') return handler as Handler;
  throw Object.assign(new Error(`${setup.functionName}: its module exports no function "${setup.exportName}"`), {
    name: 'Runtime.HandlerNotFound',
  });
}

function contextOf(setup: WorkerSetup, { requestId, deadline }: WorkerRequest): Record<string, unknown> {
  return {
    functionName: setup.functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: setup.functionArn,
    memoryLimitInMB: String(setup.memoryMb),
    awsRequestId: requestId,
    logGroupName: `/aws/lambda/${setup.functionName}`,
    logStreamName: process.env['AWS_LAMBDA_LOG_STREAM_NAME'],
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

function errorReply(error: unknown): WorkerReply {
  if (error instanceof Error) {
    return { kind: 'error', name: error.name, message: error.message, stack: error.stack ?? '' };
  }
  return { kind: 'error', name: 'Error', message: String(error), stack: '' };
}

/** Makes `Date.now()` and `new Date()` run on the embedded cloud's clock. Must run before the bundle is imported. */
function followClock(offset: SharedArrayBuffer): void {
  const skipped = new BigInt64Array(offset);
  const RealDate = Date;
  const realNow = RealDate.now;
  const now = () => realNow() + Number(Atomics.load(skipped, 0));
  RealDate.now = now;
  const ClockDate = new Proxy(RealDate, {
    construct: (target, given, newTarget) =>
      Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget) as Date,
    apply: (target) => new target(now()).toString(),
  });
  RealDate.prototype.constructor = ClockDate;
  globalThis.Date = ClockDate;
}
