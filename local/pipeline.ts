import { hash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { openTable } from '../adapters/dynamodb.ts';
import { misconfigured } from '../core/failure.ts';
import { bucketName } from '../core/source/buckets.ts';
import { checkSources } from '../core/source/check.ts';
import type { Registry } from '../core/source/registry.ts';
import type { Table } from '../core/table/table.ts';
import { root } from '../deploy/folders.ts';
import { packageStack } from '../deploy/package.ts';
import { loadSources } from '../deploy/registry.ts';
import type { Clock } from './clock.ts';
import { endLeases } from './dead-leases.ts';
import type { FaultHook } from './faults.ts';
import { foreignOf } from './foreign-sources.ts';
import type { LoadQuirks } from './snowflake/load-file.ts';
import { type SnowflakeSetup, setUpSnowflake } from './snowflake-setup.ts';
import { bootCloud, type Cloud, type CloudOptions } from './stack/boot.ts';
import { DEFAULT_ACCOUNT, DEFAULT_REGION, type Ports, type Services, startServices } from './stack/services.ts';

export interface PipelineOptions {
  /** Objects, unpacked functions. Emptied first unless `keep`. */
  readonly dataDir: string;
  /** Goes on with what an earlier run left in `dataDir`, and keeps objects, queues, tables, streams and warehouse. */
  readonly keep?: boolean;
  readonly ports?: Ports;
  /** True runs what the stack runs by the time of day; otherwise only `drain` closes books. */
  readonly schedules?: boolean;
  readonly sourcesDir: string;
  /** Where the package is kept from run to run. */
  readonly packageDir: string;
  readonly clock?: Clock;
  readonly faults?: FaultHook;
  readonly loading?: LoadQuirks;
  readonly overrides?: CloudOptions['overrides'];
  readonly retryEdge?: CloudOptions['retryEdge'];
  readonly onLog?: CloudOptions['onLog'];
  readonly onFailure?: CloudOptions['onFailure'];
  /** Told of each step of booting, for people who wait. */
  readonly onStep?: (step: string) => void;
}

/** The whole of Firn on this machine: the packaged stack, its sources, and a warehouse. */
export interface Pipeline {
  readonly cloud: Cloud;
  readonly registry: Registry;
  readonly table: Table;
  readonly tableName: string;
  readonly warehouse: SnowflakeSetup;
  /** Those of a user of the embedded cloud, who may do everything. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Clients like a user's own, against the embedded cloud. */
  readonly s3: S3Client;
  readonly dynamodb: DynamoDBClient;
  /** The bucket that a source reads. */
  bucketOf(sourceId: string): string;
  /** Waits until nothing moves any more, the warehouse included. */
  settle(): Promise<void>;
  /** Settles, then closes books as the schedule would, until no run of reconcile changes anything. */
  drain(): Promise<void>;
  /** Does what `drain` does whenever something came in and came to rest, at the clock's own pace, until the signal aborts. */
  tend(signal: AbortSignal): Promise<void>;
  /** Lets what runs end for up to `graceMs` of real time (0 unless given), then ends everything. */
  close(graceMs?: number): Promise<void>;
}

const stage = 'local';
const naming = { prefix: `firn-${stage}-`, suffix: `-${DEFAULT_ACCOUNT}-${DEFAULT_REGION}` };
const snowflakeFileOf = (options: PipelineOptions) => `${options.packageDir}-snowflake.json`;
const credentials = { accessKeyId: 'user', secretAccessKey: 'local' };

/** Packages the stack, boots the embedded cloud from it, and makes the Snowflake objects. */
export async function bootPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { dataDir, clock, faults, keep, ports } = options;
  if (!keep) await rm(dataDir, { recursive: true, force: true });
  await mkdir(dataDir, { recursive: true });
  options.onStep?.('starting S3, SQS, DynamoDB and Snowflake stand-ins');
  // A folder of its own for each folder of sources: two pipelines may boot side by side.
  const compiled = `local-${hash('sha256', resolve(options.sourcesDir), 'hex').slice(0, 12)}`;
  const { sources } = await loadSources(options.sourcesDir, join(root, '.firn', 'build', compiled));
  const mistakes = checkSources(sources);
  if (mistakes.length > 0) throw misconfigured('sources.mistakes', `Mistakes in the sources:\n${mistakes.join('\n')}`);
  const registry: Registry = { build: '', sources };
  const services = await startServices({ dataDir, clock, faults, keep, ports });
  try {
    if (keep) await endLeases(services);
    return await bootOn(services, registry, options);
  } catch (error) {
    await services.close();
    throw error;
  }
}

async function bootOn(services: Services, registry: Registry, options: PipelineOptions): Promise<Pipeline> {
  const { sources } = registry;
  const warehouse = await setUpSnowflake({
    services,
    region: DEFAULT_REGION,
    environment: stage,
    entities: [...new Set(sources.map((each) => each.source.config.entity))],
    exportBucket: `${naming.prefix}export${naming.suffix}`,
    accountId: DEFAULT_ACCOUNT,
    file: snowflakeFileOf(options),
    faults: options.faults,
    loading: options.loading,
    dataFile: options.keep ? join(options.dataDir, 'snowflake.duckdb') : undefined,
    port: options.ports?.snowflake,
  });
  try {
    return await bootStack(services, registry, warehouse, options);
  } catch (error) {
    // Left open, it would keep the process alive for ever.
    await warehouse.snowflake.close();
    throw error;
  }
}

async function bootStack(
  services: Services,
  registry: Registry,
  warehouse: SnowflakeSetup,
  options: PipelineOptions,
): Promise<Pipeline> {
  const { dataDir, onStep = () => {} } = options;
  const { sources } = registry;
  onStep('packaging the stack');
  const packageDir = await packageStack({
    stage,
    outDir: options.packageDir,
    sourcesDir: options.sourcesDir,
    snowflakeFile: snowflakeFileOf(options),
  });
  onStep('creating its buckets, queues, table and functions');
  const { overrides, retryEdge, onLog, onFailure } = options;
  const cloud = await bootCloud({
    packageDir,
    dataDir,
    services,
    keep: options.keep ?? false,
    schedules: options.schedules ?? false,
    environment: warehouse.environment,
    ...foreignOf(sources, { stage, region: DEFAULT_REGION, account: DEFAULT_ACCOUNT }),
    ...(overrides ? { overrides } : {}),
    ...(retryEdge ? { retryEdge } : {}),
    ...(onLog ? { onLog } : {}),
    ...(onFailure ? { onFailure } : {}),
  });
  const client = { region: DEFAULT_REGION, credentials };
  const dynamodb = new DynamoDBClient({ ...client, endpoint: cloud.endpoints.dynamodb });
  const tableName = cloud.physicalId('Table');
  const table = openTable(dynamodb, tableName);
  const quiet = () => warehouse.snowflake.quiet();
  const settle = () => cloud.settle(quiet);
  const changes = () => cloud.dynamodb.stream(tableName).count();
  /** Answers how many changes of the table the last run saw. */
  const closeBooks = async (rest: () => Promise<void>, signal?: AbortSignal): Promise<number> => {
    let before = changes();
    for (let run = 0; run < mostReconciles; run += 1) {
      await rest();
      if (signal?.aborted) break;
      before = changes();
      await cloud.invoke('reconcile', {});
      await rest();
      if (run > 0 && changes() === before) break;
    }
    return before;
  };
  return {
    cloud,
    registry,
    table,
    tableName,
    warehouse,
    credentials,
    dynamodb,
    s3: new S3Client({ ...client, endpoint: cloud.endpoints.s3, forcePathStyle: true }),
    bucketOf(sourceId) {
      const found = sources.find((each) => each.id === sourceId);
      if (!found) throw new Error(`there is no source ${sourceId}`);
      return bucketName(found.source.config.from, naming);
    },
    settle,
    drain: async () => void (await closeBooks(settle)),
    async tend(signal) {
      const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      const rest = () => cloud.calm(calmMs, signal, quiet);
      // The first round looks at what an earlier run left.
      for (let seen = -1; !signal.aborted; ) {
        if (changes() === seen) await Promise.race([cloud.stirred(), aborted]);
        await rest();
        if (signal.aborted || changes() === seen) continue;
        // A run that fails is told of by `onFailure`; the next change, or the schedule, tries again.
        seen = await closeBooks(rest, signal).catch(changes);
      }
    },
    async close(graceMs) {
      await cloud.close(graceMs);
      await warehouse.snowflake.close();
      await services.close();
    },
  };
}

/** Longer than a batch window of `firn dev`, so that a window that is open counts as unrest. */
const calmMs = 1_500;

/** A chain of uploads that lean on each other closes one reconcile after the other; more than this is no chain. */
const mostReconciles = 6;
