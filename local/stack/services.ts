import { join } from 'node:path';
import { type Clock, createClock } from '../clock.ts';
import { startDynamoDb } from '../dynamodb/server.ts';
import type { FaultHook } from '../faults.ts';
import { startS3 } from '../s3/server.ts';
import { startSecrets } from '../secrets/server.ts';
import { startSqs } from '../sqs/server.ts';
import { type LocalSts, startSts } from '../sts/server.ts';
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
  readonly sts: LocalSts;
  /** ARNs of the functions' roles by the functions' labels; whoever makes a function adds its own. */
  readonly functionRoles: Map<string, string>;
  /** Values by secret name; what is added here is there at once. */
  readonly secretValues: Record<string, string>;
  readonly bus: EventBus;
  close(): Promise<void>;
}

export interface ServicesOptions {
  /** S3 keeps its objects in `s3/` below it. */
  readonly dataDir: string;
  /** Whether queues and tables are kept there too, and found again by the next run. */
  readonly keep?: boolean | undefined;
  readonly clock?: Clock | undefined;
  /** `eu-central-1` unless given. */
  readonly region?: string | undefined;
  /** `111122223333` unless given. */
  readonly accountId?: string | undefined;
  readonly ports?: Ports | undefined;
  readonly faults?: FaultHook | undefined;
  readonly secrets?: Readonly<Record<string, string>> | undefined;
}

/** Ports of 127.0.0.1; any free one where none is given, or 0. */
export interface Ports {
  readonly s3?: number;
  readonly sqs?: number;
  readonly dynamodb?: number;
  readonly secrets?: number;
  readonly sts?: number;
  readonly snowflake?: number;
}

export const DEFAULT_REGION = 'eu-central-1';
export const DEFAULT_ACCOUNT = '111122223333';

/**
 * Starts S3, SQS, DynamoDB, STS and Secrets Manager on 127.0.0.1. `bootCloud` does it by itself; whoever needs something
 * in them before the stack exists (a queue of another account, say) starts them first and hands them over.
 */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const { clock = createClock(), region = DEFAULT_REGION, accountId = DEFAULT_ACCOUNT, ports = {}, faults } = options;
  const secretValues = { ...options.secrets };
  const shared = { clock, ...(faults !== undefined && { faults }) };
  const bus = createEventBus();
  const fileOf = (name: string) => (options.keep ? { file: join(options.dataDir, name, 'journal.ndjson') } : {});
  const { start, close } = closedTogether();
  const sqs = await start(startSqs({ ...shared, ...portOf(ports.sqs), ...fileOf('sqs'), region, accountId }));
  const functionRoles = new Map<string, string>();
  // An instance signs as `<label>-<n>`, see local/lambda/function.ts.
  const roleOf = (principal: string) => functionRoles.get(principal.replace(/-\d+$/, ''));
  const sts = await start(startSts({ ...shared, ...portOf(ports.sts), roleOf }));
  const callerOf = (principal: string) => {
    const roleArn = roleOf(principal);
    return sts.sessionOf(principal) ?? (roleArn === undefined ? undefined : { roleArn });
  };
  const s3 = await start(
    startS3({
      ...shared,
      ...portOf(ports.s3),
      region,
      accountId,
      callerOf,
      dir: join(options.dataDir, 's3'),
      // A queue that is not here belongs to somebody else, and so does what becomes of the message.
      onNotification(queueArn, body) {
        if (sqs.queues().includes(queueArn)) sqs.send(queueArn, body);
      },
      onEventBridge: (event) => bus.publish(event),
    }),
  );
  const dynamodb = await start(
    startDynamoDb({ ...shared, ...portOf(ports.dynamodb), ...fileOf('dynamodb'), region, accountId }),
  );
  const secrets = await start(startSecrets({ ...shared, ...portOf(ports.secrets), secrets: secretValues }));
  return {
    clock,
    s3,
    sqs,
    dynamodb,
    secrets,
    sts,
    functionRoles,
    secretValues,
    bus,
    close,
  };
}

interface Closable {
  close(): Promise<void>;
}

/** Services that are closed as one, also when the next of them does not start: a port may be taken. */
function closedTogether() {
  const started: Closable[] = [];
  const close = async () => {
    await Promise.all(started.map((each) => each.close()));
  };
  const start = async <T extends Closable>(starting: Promise<T>): Promise<T> => {
    try {
      const service = await starting;
      started.push(service);
      return service;
    } catch (error) {
      await close();
      throw error;
    }
  };
  return { start, close };
}

const portOf = (port: number | undefined): { port?: number } => (port === undefined ? {} : { port });
