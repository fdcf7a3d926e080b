/** What the tests of the local Lambda share: hand-written functions, and a gate at which a handler waits for its test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Clock } from '../../local/clock.ts';
import { type Activity, createActivity } from '../../local/lambda/activity.ts';
import type { FunctionSpec } from '../../local/lambda/function.ts';
import type { InvocationFailure } from '../../local/lambda/outcome.ts';
import { createPool, type Pool, type PoolOptions } from '../../local/lambda/pool.ts';

export const REGION = 'eu-central-1';

/** A folder for handlers that goes away with the test. */
export function createWorkshop(clock: Clock) {
  const directory = mkdtempSync(join(tmpdir(), 'firn-lambda-'));
  const pools: Pool[] = [];
  const activity: Activity = createActivity();
  const failures: InvocationFailure[] = [];
  const lines: string[] = [];
  let functions = 0;

  return {
    directory,
    activity,
    failures,
    lines,
    /** A pool for a handler written as JavaScript source. */
    pool(source: string, spec: Partial<FunctionSpec> = {}, options: Partial<PoolOptions> = {}): Pool {
      functions += 1;
      const module = join(directory, `function-${functions}.mjs`);
      writeFileSync(module, source);
      const pool = createPool({
        spec: {
          name: 'firn-dev-copy',
          arn: `arn:aws:lambda:${REGION}:111122223333:function:firn-dev-copy`,
          label: 'copy',
          module,
          exportName: 'handler',
          memoryMb: 256,
          timeoutSeconds: 60,
          region: REGION,
          environment: {},
          endpoints: {},
          ...spec,
        },
        clock,
        activity,
        onLog: (_, line) => lines.push(line),
        onFailure: (failure) => failures.push(failure),
        ...options,
      });
      pools.push(pool);
      return pool;
    },
    async close() {
      await Promise.all(pools.map((pool) => pool.close()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** JavaScript source with its imports bundled, as a function is deployed. */
export async function bundle(source: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: import.meta.dirname },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    write: false,
    banner: {
      js: "import{createRequire as __bannerCreateRequire}from'node:module';const require=__bannerCreateRequire(import.meta.url);",
    },
  });
  return outputFiles[0]?.text ?? '';
}

/** A call of a handler that waits for its answer. */
export interface Arrival {
  readonly body: string;
  answer(text?: string): void;
}

/** A place where handlers report and wait: `await fetch(process.env.GATE, { method: 'POST', body })`. */
export async function createGate() {
  const arrived: Arrival[] = [];
  const waiting: ((arrival: Arrival) => void)[] = [];
  const open = new Set<ServerResponse>();
  const server = createServer(async (request, response) => {
    open.add(response);
    const body = Buffer.concat(await request.toArray()).toString();
    const arrival = { body, answer: (text = '') => void response.end(text) };
    const next = waiting.shift();
    if (next) next(arrival);
    else arrived.push(arrival);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Calls that nobody has taken with `next` yet. */
    arrived,
    /** The next call, as soon as there is one. */
    next: (): Promise<Arrival> => {
      const first = arrived.shift();
      return first ? Promise.resolve(first) : new Promise((resolve) => waiting.push(resolve));
    },
    async close() {
      for (const response of open) response.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
