import type { Clock } from '../clock.ts';
import type { Mapping } from '../lambda/mapping.ts';
import type { Pool, PoolOptions } from '../lambda/pool.ts';
import type { Positions } from '../lambda/positions.ts';
import type { EventBus } from './event-bus.ts';
import type { Declaration } from './properties.ts';
import type { Services } from './services.ts';

/** What the resources of a stack are created in, and what they leave behind for each other. */
export interface World {
  readonly clock: Clock;
  readonly region: string;
  readonly accountId: string;
  readonly stackName: string;
  /** Holds the packages of the functions. */
  readonly packageDir: string;
  readonly dataDir: string;
  readonly services: Services;
  readonly bus: EventBus;
  /** Variables every function gets on top of its own. */
  readonly environment: Readonly<Record<string, string>>;
  readonly schedules: boolean;
  /** Ends with the cloud. */
  readonly closing: AbortSignal;
  /** Pools by function name. */
  readonly pools: Map<string, Pool>;
  readonly mappings: Mapping[];
  /** How far streams have been read; undefined when nothing is kept. */
  readonly positions: Positions | undefined;
  /** Table names by stream ARN. */
  readonly streams: Map<string, string>;
  /** Visibility timeout in seconds by queue ARN, as deployed. */
  readonly visibility: Map<string, number>;
  /** ARNs of the queues that take dead letters. */
  readonly deadLetterArns: Set<string>;
  /** Retries of asynchronous events by function name, where configured. */
  readonly asyncRetries: Map<string, number>;
  foreignQueue(arn: string): boolean;
  createPool(options: Pick<PoolOptions, 'spec' | 'concurrency'>): Pool;
  /** Hands an event (JSON text) to a function that nobody waits for. */
  invokeAsync(functionName: string, event: string): void;
  /** Overrides the edges of a stream batch's first retry; for tests. */
  readonly retryEdge: ((size: number) => number) | undefined;
}

/** A created resource: the value of `Ref` and the ones of `Fn::GetAtt`. */
export interface Created {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Creates one resource. Errors name the logical id and the type. */
export type Create = (declaration: Declaration, world: World) => Created | Promise<Created>;
