import { join } from 'node:path';
import { type Clock, createClock } from '../clock.ts';
import { startDynamoDb } from '../dynamodb/server.ts';
import type { FaultHook } from '../faults.ts';
import { startS3 } from '../s3/server.ts';
import { startSecrets } from '../secrets/server.ts';
import { startSqs } from '../sqs/server.ts';
import { createEventBus, type EventBus } from './event-bus.ts';

export type LocalS3 = Awaited<ReturnType<typeof startS3>>;
export type LocalSqs = Awaited<ReturnType<typeof startSqs>>;
export type LocalDynamoDb = Awaited<ReturnType<typeof startDynamoDb>>;
export type LocalSecrets = Awaited<ReturnType<typeof startSecrets>>;

/** The stand-ins of one account, wired to each other: S3's notifications reach queues and the event bus. */
export interface Services {
  readonly clock: Clock;
  readonly s3: LocalS3;
  readonly sqs: LocalSqs;
  readonly dynamodb: LocalDynamoDb;
  readonly secrets: LocalSecrets;
  /** Values by secret name; what is added here is there at once. */
  readonly secretValues: Record<string, string>;
  readonly bus: EventBus;
  close(): Promise<void>;
}

export interface ServicesOptions {
  /** S3 keeps its objects in `s3/` below it. */
  readonly dataDir: string;
  readonly clock?: Clock | undefined;
  /** `eu-central-1` unless given. */
  readonly region?: string | undefined;
  /** `111122223333` unless given. */
  readonly accountId?: string | undefined;
  readonly ports?: {
    readonly s3?: number;
    readonly sqs?: number;
    readonly dynamodb?: number;
    readonly secrets?: number;
  };
  readonly faults?: FaultHook | undefined;
  readonly secrets?: Readonly<Record<string, string>> | undefined;
}

export const DEFAULT_REGION = 'eu-central-1';
export const DEFAULT_ACCOUNT = '111122223333';

/**
 * Starts S3, SQS, DynamoDB and Secrets Manager on 127.0.0.1. `bootCloud` does it by itself; whoever needs something
 * in them before the stack exists (a queue of another account, say) starts them first and hands them over.
 */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const { clock = createClock(), region = DEFAULT_REGION, accountId = DEFAULT_ACCOUNT, ports = {}, faults } = options;
  const secretValues = { ...options.secrets };
  const shared = { clock, ...(faults !== undefined && { faults }) };
  const bus = createEventBus();
  const sqs = await startSqs({ ...shared, ...portOf(ports.sqs), region, accountId });
  const s3 = await startS3({
    ...shared,
    ...portOf(ports.s3),
    region,
    accountId,
    dir: join(options.dataDir, 's3'),
    // A queue that is not here belongs to somebody else, and so does what becomes of the message.
    onNotification(queueArn, body) {
      if (sqs.queues().includes(queueArn)) sqs.send(queueArn, body);
    },
    onEventBridge: (event) => bus.publish(event),
  });
  const dynamodb = await startDynamoDb({ ...shared, ...portOf(ports.dynamodb), region, accountId });
  const secrets = await startSecrets({ ...shared, ...portOf(ports.secrets), secrets: secretValues });
  return {
    clock,
    s3,
    sqs,
    dynamodb,
    secrets,
    secretValues,
    bus,
    async close() {
      await Promise.all([s3.close(), sqs.close(), dynamodb.close(), secrets.close()]);
    },
  };
}

const portOf = (port: number | undefined): { port?: number } => (port === undefined ? {} : { port });
