import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../clock.ts';
import { environmentOf, type FunctionSpec } from './function.ts';
import { type Failure, type Outcome, PAYLOAD_LIMIT } from './outcome.ts';
import type { WorkerReply, WorkerRequest, WorkerSetup } from './worker.ts';

/** One execution environment: a thread with its own modules, variables and warm state. */
export interface Instance {
  /** The access key id that this environment signs with. */
  readonly principal: string;
  /** False once it was killed, timed out, crashed or failed to start: it takes no further event. */
  alive(): boolean;
  /** Runs one event (JSON text). One at a time; never rejects. */
  invoke(event: string, requestId: string): Promise<Outcome>;
  /** Ends the environment now; a running invocation ends as a crash. Resolves when the thread is gone. */
  kill(): Promise<void>;
}

export interface InstanceOptions {
  readonly spec: FunctionSpec;
  readonly principal: string;
  readonly clock: Clock;
  readonly onLog?: ((functionName: string, line: string) => void) | undefined;
}

/** Starts an environment; the import of its bundle goes on in the background and is awaited by the first event. */
export function startInstance({ spec, principal, clock, onLog }: InstanceOptions): Instance {
  const worker = startWorker(spec, principal, clock);
  const written = [worker.stdout, worker.stderr].map((output) =>
    forwardLines(output, (line) => onLog?.(spec.name, line)),
  );

  let dead: Omit<Failure, 'requestId'> | undefined;
  let onReply: ((reply: WorkerReply) => void) | undefined;
  let onDeath: (() => void) | undefined;
  const ready = Promise.withResolvers<void>();

  const die = (reason: Failure['reason'], name: string, message: string, stack = '') => {
    dead ??= { kind: 'failure', reason, name, message, stack };
    ready.resolve();
    onDeath?.();
  };
  let started = false;
  worker.on('message', (reply: WorkerReply) => {
    if (dead !== undefined) return;
    if (started) return onReply?.(reply);
    started = true;
    if (reply.kind !== 'error') return ready.resolve();
    die('error', reply.name, reply.message, reply.stack);
    void worker.terminate();
  });
  worker.on('error', (error: Error) => die('crash', error.name, error.message, error.stack));
  const exited = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      die('crash', 'Runtime.ExitError', `the execution environment ended with exit code ${code}`);
      void Promise.all(written).then(() => resolve());
    });
  });
  const kill = async () => {
    die('crash', 'Runtime.Killed', 'the execution environment was killed');
    void worker.terminate();
    await exited;
  };

  const run = (event: string, requestId: string) =>
    new Promise<Outcome>((resolve) => {
      const deadline = new AbortController();
      const finish = (outcome: Outcome) => {
        deadline.abort();
        onReply = undefined;
        onDeath = undefined;
        resolve(outcome);
      };
      onReply = (reply) => finish(outcomeOf(reply, requestId));
      onDeath = () => dead !== undefined && finish({ ...dead, requestId });
      if (dead !== undefined) return onDeath();
      const timeoutMs = spec.timeoutSeconds * 1000;
      worker.postMessage({ event, requestId, deadline: clock.now() + timeoutMs } satisfies WorkerRequest);
      void clock.sleep(timeoutMs, { signal: deadline.signal }).then(() => {
        if (deadline.signal.aborted) return;
        die('timeout', 'Sandbox.Timedout', `timed out after ${spec.timeoutSeconds} seconds`);
        void worker.terminate();
      });
    });

  return {
    principal,
    alive: () => dead === undefined,
    async invoke(event, requestId) {
      const bytes = Buffer.byteLength(event);
      if (bytes > PAYLOAD_LIMIT) return tooLarge(requestId, 'RequestTooLargeException', 'event', bytes);
      await ready.promise;
      return run(event, requestId);
    },
    kill,
  };
}

function startWorker(spec: FunctionSpec, principal: string, clock: Clock): Worker {
  const setup: WorkerSetup = {
    module: pathToFileURL(spec.module).href,
    exportName: spec.exportName,
    functionName: spec.name,
    functionArn: spec.arn,
    memoryMb: spec.memoryMb,
    offset: clock.offset,
  };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: setup,
    env: environmentOf(spec, principal),
    // The parent's own flags (a test runner's loaders, an inspector) are no part of an execution environment.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: spec.memoryMb },
  });
  return worker;
}

function outcomeOf(reply: WorkerReply, requestId: string): Outcome {
  if (reply.kind === 'error') {
    return {
      kind: 'failure',
      requestId,
      reason: 'error',
      name: reply.name,
      message: reply.message,
      stack: reply.stack,
    };
  }
  const payload = reply.kind === 'result' ? reply.payload : 'null';
  const bytes = Buffer.byteLength(payload);
  if (bytes > PAYLOAD_LIMIT) return tooLarge(requestId, 'Function.ResponseSizeTooLarge', 'response', bytes);
  return { kind: 'success', requestId, payload };
}

function tooLarge(requestId: string, name: string, what: string, bytes: number): Outcome {
  const message = `the ${what} has ${bytes} bytes, Lambda takes at most ${PAYLOAD_LIMIT}`;
  return { kind: 'failure', requestId, reason: 'error', name, message, stack: '' };
}

/**
 * Calls `onLine` for every whole line, and for an unfinished last one; resolves at the end of the output.
 * Reading also keeps the thread from blocking.
 */
function forwardLines(output: Readable, onLine: (line: string) => void): Promise<void> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  output.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  });
  return new Promise((resolve) => {
    output.on('end', () => {
      if (rest !== '') onLine(rest);
      resolve();
    });
  });
}
