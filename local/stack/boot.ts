import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createActivity } from '../lambda/activity.ts';
import { invokeAsync } from '../lambda/async-invoke.ts';
import type { Mapping } from '../lambda/mapping.ts';
import { errorOf, type InvocationFailure } from '../lambda/outcome.ts';
import { createPool, type Pool } from '../lambda/pool.ts';
import { openPositions } from '../lambda/positions.ts';
import { calm, ended } from './calm.ts';
import type { Cloud, CloudOptions } from './cloud.ts';
import { createStack, type Stack } from './create.ts';
import { connectForeignBuckets, makeForeignBuckets } from './foreign-buckets.ts';
import { DEFAULT_ACCOUNT, DEFAULT_REGION, type Services, startServices } from './services.ts';
import { settle } from './settle.ts';
import { readTemplate } from './template.ts';
import type { World } from './world.ts';

export type { Cloud, CloudOptions } from './cloud.ts';

const TEMPLATE_FILE = 'cloudformation-template-update-stack.json';
const KEPT_FAILURES = 1_000;

/** Starts the stand-ins, creates the packaged stack in them, and starts its event source mappings and schedules. */
export async function bootCloud(options: CloudOptions): Promise<Cloud> {
  const template = readTemplate(join(options.packageDir, TEMPLATE_FILE));
  mkdirSync(options.dataDir, { recursive: true });
  const services = options.services ?? (await startServices(options));
  const failures: InvocationFailure[] = [];
  const activity = createActivity();
  const closing = new AbortController();
  const world = createWorld(options, services, { failures, activity, closing: closing.signal });
  const close = async (graceMs = 0) => {
    closing.abort();
    const stopped = Promise.all(world.mappings.map((mapping) => mapping.close()));
    if (graceMs > 0) await ended(activity, graceMs);
    await Promise.all([...world.pools.values()].map((pool) => pool.close()));
    await stopped;
    world.positions?.close();
    if (options.services === undefined) await services.close();
  };
  try {
    const { foreignBuckets = [], foreignRoles = [] } = options;
    for (const role of foreignRoles) services.sts.addRole(role);
    await makeForeignBuckets(services, foreignBuckets);
    const stack = await createStack(template, world, options.overrides);
    await connectForeignBuckets(services, foreignBuckets, (id) => stack.resources.get(id)?.attributes['Arn']);
    if (options.keep) services.s3.announceAgain();
    return cloudOf(world, stack, { failures, activity, close });
  } catch (error) {
    await close();
    throw error;
  }
}

interface Running {
  readonly failures: InvocationFailure[];
  readonly activity: ReturnType<typeof createActivity>;
}

function createWorld(
  options: CloudOptions,
  services: Services,
  { failures, activity, closing }: Running & { closing: AbortSignal },
): World {
  const { clock } = services;
  const pools = new Map<string, Pool>();
  const asyncRetries = new Map<string, number>();
  const mappings: Mapping[] = [];
  return {
    clock,
    region: options.region ?? DEFAULT_REGION,
    accountId: options.accountId ?? DEFAULT_ACCOUNT,
    stackName: options.stackName ?? 'firn-local',
    packageDir: options.packageDir,
    dataDir: options.dataDir,
    services,
    bus: services.bus,
    environment: options.environment ?? {},
    schedules: options.schedules ?? true,
    closing,
    pools,
    mappings,
    positions: options.keep ? openPositions(join(options.dataDir, 'positions.ndjson')) : undefined,
    streams: new Map(),
    visibility: new Map(),
    deadLetterArns: new Set(),
    asyncRetries,
    foreignQueue: options.foreignQueue ?? (() => false),
    retryEdge: options.retryEdge,
    createPool: (pool) =>
      createPool({
        ...pool,
        clock,
        activity,
        onLog: options.onLog,
        onFailure(failure) {
          failures.push(failure);
          if (failures.length > KEPT_FAILURES) failures.shift();
          options.onFailure?.(failure);
        },
      }),
    invokeAsync(functionName, event) {
      const pool = pools.get(functionName);
      if (pool === undefined) throw new Error(`there is no function ${functionName}`);
      const maximumRetryAttempts = asyncRetries.get(functionName);
      const deadLetters = pool.spec.deadLetterArn;
      void invokeAsync(pool, event, clock, { signal: closing, maximumRetryAttempts }).then((done) => {
        if (!done && deadLetters !== undefined) services.sqs.send(deadLetters, event);
      });
    },
  };
}

function cloudOf(
  world: World,
  { resources, outputs }: Stack,
  { failures, activity, close }: Running & { close: (graceMs?: number) => Promise<void> },
): Cloud {
  const { clock, services, mappings } = world;
  const { s3, sqs, dynamodb, secrets, sts } = services;
  const created = (logicalId: string) => {
    const resource = resources.get(logicalId);
    if (resource !== undefined) return resource;
    throw new Error(`the stack has no resource ${logicalId}; it has ${[...resources.keys()].join(', ')}`);
  };
  return {
    clock,
    endpoints: {
      s3: s3.endpoint,
      sqs: sqs.endpoint,
      dynamodb: dynamodb.endpoint,
      secrets: secrets.endpoint,
      sts: sts.endpoint,
    },
    outputs,
    s3,
    sqs,
    dynamodb,
    failures,
    close,
    physicalId: (logicalId) => created(logicalId).ref,
    attribute(logicalId, name) {
      const value = created(logicalId).attributes[name];
      if (value !== undefined) return value;
      throw new Error(`${logicalId} has no attribute ${name}`);
    },
    async invoke(name, event) {
      const pool = findPool(world, resources.get(name)?.ref ?? name);
      const outcome = await pool.invoke(JSON.stringify(event ?? null));
      if (outcome.kind === 'failure') throw errorOf(pool.spec.name, outcome);
      return JSON.parse(outcome.payload);
    },
    async kill(principal) {
      await Promise.all([...world.pools.values()].map((pool) => pool.kill(principal)));
    },
    idle: () =>
      activity.running() === 0 &&
      clock.nextTimer() === undefined &&
      mappings.every((mapping) => mapping.state() === 'idle'),
    settle: (extraIdle = () => true) => settle({ clock, activity, mappings, extraIdle }),
    calm: (quietMs, signal, extraIdle = () => true) => calm({ activity, mappings, extraIdle }, quietMs, signal),
    stirred: () => activity.changed(),
    deadLetters: () => deadLettersOf(world),
  };
}

function findPool({ pools }: World, name: string): Pool {
  const pool = pools.get(name) ?? [...pools.values()].find((each) => each.spec.label === name);
  if (pool !== undefined) return pool;
  throw new Error(`there is no function ${name}; the stack has ${[...pools.keys()].join(', ')}`);
}

function deadLettersOf({ deadLetterArns, services }: World): { queue: string; count: number }[] {
  return [...deadLetterArns]
    .map((arn) => {
      const { visible, inFlight, delayed } = services.sqs.depth(arn);
      return { queue: arn.split(':').at(-1) ?? arn, count: visible + inFlight + delayed };
    })
    .filter(({ count }) => count > 0);
}
