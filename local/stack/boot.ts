import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import type { FaultHook } from '../faults.ts';
import { createActivity } from '../lambda/activity.ts';
import { invokeAsync } from '../lambda/async-invoke.ts';
import type { Mapping } from '../lambda/mapping.ts';
import { errorOf, type InvocationFailure } from '../lambda/outcome.ts';
import { createPool, type Pool } from '../lambda/pool.ts';
import { openPositions } from '../lambda/positions.ts';
import type { LocalRole } from '../sts/server.ts';
import { calm, ended } from './calm.ts';
import { createStack, type Override, type Stack } from './create.ts';
import { connectForeignBuckets, type ForeignBucket, makeForeignBuckets } from './foreign-buckets.ts';
import {
  DEFAULT_ACCOUNT,
  DEFAULT_REGION,
  type LocalDynamoDb,
  type LocalS3,
  type LocalSqs,
  type Ports,
  type Services,
  startServices,
} from './services.ts';
import { settle } from './settle.ts';
import { readTemplate } from './template.ts';
import type { World } from './world.ts';

export interface CloudOptions {
  /** Holds `cloudformation-template-update-stack.json` and the functions' packages, as `sls package` leaves them. */
  readonly packageDir: string;
  /** A folder for objects and unpacked functions, new or empty unless its data is kept. */
  readonly dataDir: string;
  /** Goes on with what an earlier run left in `dataDir`, and keeps what a later run needs. */
  readonly keep?: boolean;
  readonly clock?: Clock;
  /** `eu-central-1` unless given. */
  readonly region?: string;
  /** `111122223333` unless given. */
  readonly accountId?: string;
  /** `firn-local` unless given. */
  readonly stackName?: string;
  readonly ports?: Ports;
  readonly faults?: FaultHook;
  /** False switches off everything that runs by the time of day. */
  readonly schedules?: boolean;
  /** Values by secret name. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Variables that every function gets on top of its own, and that win over them. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Buckets that the stack does not make. */
  readonly foreignBuckets?: readonly ForeignBucket[];
  /** Roles of other accounts. */
  readonly foreignRoles?: readonly LocalRole[];
  /** Changes resolved properties before a resource is created; for tests that tune sizes. */
  readonly overrides?: Override;
  /** Every line that a handler writes. */
  readonly onLog?: (functionName: string, line: string) => void;
  /** Every invocation that failed. */
  readonly onFailure?: (failure: InvocationFailure) => void;
  /** Whether a queue ARN that is not here exists elsewhere: notifications to it are accepted and forgotten. */
  readonly foreignQueue?: (arn: string) => boolean;
  /** Stand-ins that run already; the caller closes them. Their clock is the cloud's clock. */
  readonly services?: Services;
  /** For tests: how many records the first retry of a failed stream batch carries. */
  readonly retryEdge?: (size: number) => number;
}

/** A stack that runs on this machine. */
export interface Cloud {
  readonly clock: Clock;
  readonly endpoints: {
    readonly s3: string;
    readonly sqs: string;
    readonly dynamodb: string;
    readonly secrets: string;
    readonly sts: string;
  };
  readonly outputs: Readonly<Record<string, string>>;
  /** The value of `Ref`: a bucket's, table's or function's name, a queue's URL. */
  physicalId(logicalId: string): string;
  /** The value of `Fn::GetAtt`. */
  attribute(logicalId: string, name: string): string;
  readonly s3: LocalS3;
  readonly sqs: LocalSqs;
  readonly dynamodb: LocalDynamoDb;
  /**
   * Calls a function by name, logical id or label (`copy` for `CopyLambdaFunction`) and waits for its result.
   * Rejects with the handler's own error.
   */
  invoke(functionLogicalOrName: string, event: unknown): Promise<unknown>;
  /** Ends the execution environment that signs with this access key id. Resolves when it is gone. */
  kill(principal: string): Promise<void>;
  /** True when nothing runs and nothing is due later. */
  idle(): boolean;
  /** Resolves when everything that was set in motion has ended; skips the clock over windows, timeouts and back-offs. */
  settle(extraIdle?: () => boolean): Promise<void>;
  /** Resolves when nothing has run for `quietMs` of real time, at the clock's own pace, or when the signal aborts. */
  calm(quietMs: number, signal: AbortSignal, extraIdle?: () => boolean): Promise<void>;
  /** Resolves when an invocation starts or ends. */
  stirred(): Promise<void>;
  /** Dead-letter queues that hold messages. */
  deadLetters(): readonly { readonly queue: string; readonly count: number }[];
  /** The latest failed invocations, oldest first, at most a thousand. */
  readonly failures: readonly InvocationFailure[];
  /** Takes up no more work, lets what runs end for up to `graceMs` of real time (0 unless given), then ends everything. */
  close(graceMs?: number): Promise<void>;
}

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
