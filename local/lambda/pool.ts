import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Activity } from './activity.ts';
import type { FunctionSpec } from './function.ts';
import { type Instance, startInstance } from './instance.ts';
import type { InvocationFailure, Outcome } from './outcome.ts';

/** The execution environments of one function. */
export interface Pool {
  readonly spec: FunctionSpec;
  /** How many invocations may run at once; one more waits for a free environment. */
  readonly concurrency: number;
  /** Runs one event (JSON text) in a warm environment, or in a new one. Never rejects. */
  invoke(event: string): Promise<Outcome>;
  /** Access key ids of the environments that live now, oldest first. */
  principals(): readonly string[];
  /** Ends the environment with this access key id; resolves to false when none has it. */
  kill(principal: string): Promise<boolean>;
  /** Ends all environments. Running invocations end as crashes. */
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly spec: FunctionSpec;
  readonly clock: Clock;
  readonly activity: Activity;
  /** Environments at once; the default keeps a small machine responsive. */
  readonly concurrency?: number | undefined;
  readonly onLog?: ((functionName: string, line: string) => void) | undefined;
  readonly onFailure?: ((failure: InvocationFailure) => void) | undefined;
}

const DEFAULT_CONCURRENCY = 8;

/** An empty pool: environments start on demand, and the one used last is used first. */
export function createPool({ spec, clock, activity, concurrency, onLog, onFailure }: PoolOptions): Pool {
  const limit = concurrency ?? DEFAULT_CONCURRENCY;
  const living = new Set<Instance>();
  const warm: Instance[] = [];
  const waiting: (() => void)[] = [];
  let busy = 0;
  let started = 0;
  let closed = false;

  const take = (): Instance => {
    for (let instance = warm.pop(); instance !== undefined; instance = warm.pop()) {
      if (instance.alive()) return instance;
      living.delete(instance);
    }
    started += 1;
    const instance = startInstance({ spec, principal: `${spec.label}-${started}`, clock, onLog });
    living.add(instance);
    return instance;
  };
  const giveBack = (instance: Instance) => {
    busy -= 1;
    if (instance.alive()) warm.push(instance);
    else living.delete(instance);
    waiting.shift()?.();
  };
  const runIn = async (instance: Instance, event: string): Promise<Outcome> => {
    const outcome = await instance.invoke(event, randomUUID());
    if (outcome.kind === 'failure' && !closed) {
      const { kind: _, ...failure } = outcome;
      onFailure?.({ ...failure, functionName: spec.name, principal: instance.principal, at: clock.now() });
    }
    return outcome;
  };

  return {
    spec,
    concurrency: limit,
    async invoke(event) {
      const end = activity.begin();
      try {
        while (busy >= limit && !closed) await new Promise<void>((resolve) => waiting.push(resolve));
        if (closed) return closedOutcome(spec.name);
        busy += 1;
        const instance = take();
        try {
          return await runIn(instance, event);
        } finally {
          giveBack(instance);
        }
      } finally {
        end();
      }
    },
    principals: () => [...living].filter((each) => each.alive()).map((each) => each.principal),
    async kill(principal) {
      const instance = [...living].find((each) => each.principal === principal && each.alive());
      if (instance === undefined) return false;
      await instance.kill();
      return true;
    },
    async close() {
      closed = true;
      for (const wake of waiting.splice(0)) wake();
      await Promise.all([...living].map((each) => each.kill()));
    },
  };
}

function closedOutcome(functionName: string): Outcome {
  const message = `${functionName} takes no more events: the embedded cloud is closing`;
  return { kind: 'failure', requestId: randomUUID(), reason: 'crash', name: 'Closed', message, stack: '' };
}
