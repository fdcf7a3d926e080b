import { generateKeyPairSync } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { connectSnowflake } from '../adapters/snowflake.ts';
import {
  describeIntegrationSql,
  notificationChannelSql,
  parseIntegration,
  parseNotificationChannel,
} from '../core/snowflake/notification-channel.ts';
import { type SnowflakeObjects, snowflakeObjects } from '../core/snowflake/objects.ts';
import { statements } from '../core/snowflake/statements.ts';
import type { SnowflakeFile } from '../deploy/snowflake-file.ts';
import { writeWhole } from '../deploy/write-whole.ts';
import type { FaultHook } from './faults.ts';
import type { LoadQuirks } from './snowflake/load-file.ts';
import { type LocalSnowflake, startSnowflake } from './snowflake/server.ts';
import type { Services } from './stack/services.ts';

/** The Snowflake account of the embedded cloud: another AWS account owns its queue, as in real life. */
const localSnowflakeAccount = 'FIRN-LOCAL';
const user = 'FIRN';
const password = 'local';
const snowflakeAwsAccount = '999988887777';
const secretName = 'firn/local/snowflake';

export interface SnowflakeSetup {
  readonly snowflake: LocalSnowflake;
  readonly objects: SnowflakeObjects;
  /** How a person logs in; functions use a key pair. */
  readonly login: {
    readonly account: string;
    readonly user: string;
    readonly password: string;
    readonly accessUrl: string;
  };
  /** Variables that lead functions to the stand-in. */
  readonly environment: Readonly<Record<string, string>>;
  /** A connection like a user's own, by snowflake-sdk. */
  connect(): ReturnType<typeof connectSnowflake>;
}

export interface SnowflakeSetupOptions {
  readonly services: Services;
  readonly region: string;
  readonly environment: string;
  readonly entities: readonly string[];
  readonly exportBucket: string;
  readonly accountId: string;
  /** Written for serverless.yml: what a stack has to know of Snowflake. */
  readonly file: string;
  /** DuckDB file that keeps the warehouse; in memory when absent. */
  readonly dataFile?: string | undefined;
  readonly port?: number | undefined;
  readonly faults?: FaultHook | undefined;
  readonly loading?: LoadQuirks | undefined;
}

/**
 * Starts the Snowflake stand-in, makes Firn's objects in it with the SQL that real Snowflake gets, and writes what the
 * stack has to know of it.
 */
export async function setUpSnowflake(options: SnowflakeSetupOptions): Promise<SnowflakeSetup> {
  const { services, region, faults, loading } = options;
  const queue = services.sqs.createQueue({ name: `sf-snowpipe-firn-local`, accountId: snowflakeAwsAccount });
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  services.secretValues[secretName] = privateKey;
  const snowflake = await startSnowflake({
    clock: services.clock,
    s3: { endpoint: services.s3.endpoint, region },
    account: localSnowflakeAccount,
    users: [{ name: user, password, publicKeyPem: publicKey }],
    ...(options.dataFile !== undefined && { file: options.dataFile }),
    ...(options.port !== undefined && { port: options.port }),
    queue: {
      arn: queue.arn,
      receive: (max) => services.sqs.receive(queue.arn, max),
      remove: (receiptHandle) => services.sqs.remove(queue.arn, receiptHandle),
      whenAvailable: (signal) => services.sqs.whenAvailable(queue.arn, signal),
    },
    ...(faults ? { faults } : {}),
    ...(loading ? { loading } : {}),
  });
  const connect = () =>
    connectSnowflake({ account: localSnowflakeAccount, user, privateKeyPem: privateKey, accessUrl: snowflake.url });
  const objects = snowflakeObjects({
    environment: options.environment,
    entities: options.entities.map((name) => ({ name, load: 1 })),
    exportBucket: options.exportBucket,
    roleArn: `arn:aws:iam::${options.accountId}:role/firn-${options.environment}-snowflake-read`,
    externalId: `firn-${options.environment}`,
  });
  const file = await apply(connect, objects);
  await mkdir(dirname(options.file), { recursive: true });
  await writeWhole(options.file, `${JSON.stringify(file, null, 2)}\n`);
  const login = { account: localSnowflakeAccount, user, password, accessUrl: snowflake.url };
  return { snowflake, objects, login, connect, environment: { FIRN_SNOWFLAKE_ACCESS_URL: snowflake.url } };
}

async function apply(connect: SnowflakeSetup['connect'], objects: SnowflakeObjects): Promise<SnowflakeFile> {
  const connection = await connect();
  try {
    for (const { sql } of statements(objects)) await connection.query(sql);
    const integration = parseIntegration(await connection.query(describeIntegrationSql(objects)));
    const channels: Record<string, { load: number; queueArn: string }> = {};
    for (const entity of objects.entities) {
      const [row] = await connection.query(notificationChannelSql(objects, entity));
      if (row) channels[entity.entity] = { load: entity.load, queueArn: parseNotificationChannel(row).queueArn };
    }
    return {
      account: localSnowflakeAccount,
      user,
      role: 'FIRN',
      iamUserArn: integration.userArn,
      externalId: integration.externalId,
      secretArn: secretName,
      channels,
    };
  } finally {
    await connection.close();
  }
}
