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
import type { FaultHook } from './faults.ts';
import type { LoadQuirks } from './snowflake/load-file.ts';
import { type SnowflakeSetup, setUpSnowflake } from './snowflake-setup.ts';
import { bootCloud, type Cloud, type CloudOptions } from './stack/boot.ts';
import { DEFAULT_ACCOUNT, DEFAULT_REGION, type Services, startServices } from './stack/services.ts';

export interface PipelineOptions {
  /** Emptied first: objects, unpacked functions. */
  readonly dataDir: string;
  readonly sourcesDir: string;
  /** Where the package is kept from run to run. */
  readonly packageDir: string;
  readonly clock?: Clock;
  readonly faults?: FaultHook;
  readonly loading?: LoadQuirks;
  readonly overrides?: CloudOptions['overrides'];
  readonly retryEdge?: CloudOptions['retryEdge'];
  readonly onLog?: CloudOptions['onLog'];
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
  /** Clients like a user's own, against the embedded cloud. */
  readonly s3: S3Client;
  readonly dynamodb: DynamoDBClient;
  /** The bucket that a source reads. */
  bucketOf(sourceId: string): string;
  /** Waits until nothing moves any more, the warehouse included. */
  settle(): Promise<void>;
  /** Settles, then closes books as the schedule would, until no run of reconcile changes anything. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

const stage = 'local';
const naming = { prefix: `firn-${stage}-`, suffix: `-${DEFAULT_ACCOUNT}-${DEFAULT_REGION}` };
const snowflakeFileOf = (options: PipelineOptions) => `${options.packageDir}-snowflake.json`;
const credentials = { accessKeyId: 'user', secretAccessKey: 'local' };

/** Packages the stack, boots the embedded cloud from it, and makes the Snowflake objects. */
export async function bootPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { dataDir, clock, faults } = options;
  await rm(dataDir, { recursive: true, force: true });
  await mkdir(dataDir, { recursive: true });
  options.onStep?.('starting S3, SQS, DynamoDB and Snowflake stand-ins');
  // A folder of its own for each folder of sources: two pipelines may boot side by side.
  const compiled = `local-${hash('sha256', resolve(options.sourcesDir), 'hex').slice(0, 12)}`;
  const { sources } = await loadSources(options.sourcesDir, join(root, '.firn', 'build', compiled));
  const mistakes = checkSources(sources);
  if (mistakes.length > 0) throw misconfigured('sources.mistakes', `Mistakes in the sources:\n${mistakes.join('\n')}`);
  const registry: Registry = { build: '', sources };
  const services = await startServices({ dataDir, clock, faults });
  try {
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
  const foreign = sources.map((each) => each.source.config.from.bucket).filter((bucket) => typeof bucket === 'string');
  const { overrides, retryEdge, onLog } = options;
  const cloud = await bootCloud({
    packageDir,
    dataDir,
    services,
    schedules: false,
    environment: warehouse.environment,
    foreignBuckets: [...new Set(foreign)],
    ...(overrides ? { overrides } : {}),
    ...(retryEdge ? { retryEdge } : {}),
    ...(onLog ? { onLog } : {}),
  });
  const client = { region: DEFAULT_REGION, credentials };
  const dynamodb = new DynamoDBClient({ ...client, endpoint: cloud.endpoints.dynamodb });
  const tableName = cloud.physicalId('Table');
  const table = openTable(dynamodb, tableName);
  const settle = () => cloud.settle(() => warehouse.snowflake.quiet());
  return {
    cloud,
    registry,
    table,
    tableName,
    warehouse,
    dynamodb,
    s3: new S3Client({ ...client, endpoint: cloud.endpoints.s3, forcePathStyle: true }),
    bucketOf(sourceId) {
      const found = sources.find((each) => each.id === sourceId);
      if (!found) throw new Error(`there is no source ${sourceId}`);
      return bucketName(found.source.config.from, naming);
    },
    settle,
    async drain() {
      for (let run = 0; run < mostReconciles; run += 1) {
        await settle();
        const before = cloud.dynamodb.stream(tableName).count();
        await cloud.invoke('reconcile', {});
        await settle();
        if (run > 0 && cloud.dynamodb.stream(tableName).count() === before) return;
      }
    },
    async close() {
      await cloud.close();
      await warehouse.snowflake.close();
      await services.close();
    },
  };
}

/** A chain of uploads that lean on each other closes one reconcile after the other; more than this is no chain. */
const mostReconciles = 6;
