import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../clock.ts';
import type { FaultHook } from '../faults.ts';
import type { BucketAccess, Caller } from './access.ts';
import { newSettings, saveBucket } from './buckets.ts';
import { createWritesInProgress } from './conditions.ts';
import type { S3Context } from './context.ts';
import { noSuchBucket } from './errors.ts';
import { announce, testEvent } from './events.ts';
import { openStore } from './journal.ts';
import { checkRules } from './notifications.ts';
import { respond } from './respond.ts';
import type { Bucket, BucketSettings, Rule } from './state.ts';

export interface BucketConfig {
  /** Left as it is when absent. Once on, `false` suspends it: S3 has no way back to a bucket without versions. */
  readonly versioning?: boolean;
  /** Replaces all earlier ones. Events are written `s3:ObjectCreated:*`; prefix and suffix match the raw key. */
  readonly notifications?: readonly {
    readonly queueArn: string;
    readonly events: readonly string[];
    readonly prefix?: string;
    readonly suffix?: string;
  }[];
  readonly eventBridge?: boolean;
  /** Left as it is when absent. */
  readonly access?: BucketAccess;
}

export interface S3Options {
  readonly clock: Clock;
  /** Everything is kept below this folder, and found again by the next S3 started on it. */
  readonly dir: string;
  readonly region: string;
  /** Owns every bucket that names no other owner; `111122223333` when absent. */
  readonly accountId?: string;
  /** Any free one when absent. */
  readonly port?: number;
  readonly faults?: FaultHook;
  /** Who signs with this access key id. Nobody is known when absent, and then everybody may do everything. */
  readonly callerOf?: (principal: string) => Caller | undefined;
  /** An S3 notification for one queue: the text of the message body. Called after the commit, before the reply. */
  readonly onNotification?: (queueArn: string, body: string) => void;
  /** An EventBridge event, from buckets with `eventBridge` on. Called after the commit, before the reply. */
  readonly onEventBridge?: (event: object) => void;
  /** The smallest part of a multipart upload but the last; 5 MiB as at AWS when absent. */
  readonly minimumPartBytes?: number;
  /** The most that one copy request may copy; 5 GiB as at AWS when absent. */
  readonly maximumCopyBytes?: number;
}

export interface LocalS3 {
  /** `http://127.0.0.1:<port>`, for clients with path-style addressing. */
  readonly endpoint: string;
  /** Makes the bucket, or configures it when it is there already. Throws as S3 refuses: bad name, overlapping rules. */
  createBucket(name: string, config?: BucketConfig): Promise<void>;
  /** Replaces the bucket's configuration and sends each of its queues an s3:TestEvent. */
  configureBucket(name: string, config: BucketConfig): Promise<void>;
  buckets(): readonly string[];
  /**
   * Announces once more the last change that an earlier run on this folder made: a process killed right after the
   * commit never announced it. Call it when everybody listens who did then.
   */
  announceAgain(): void;
  /** Breaks open connections, lets requests in progress end, and closes the files; again is the same. */
  close(): Promise<void>;
}

const DEFAULT_ACCOUNT = '111122223333';
const MINIMUM_PART_BYTES = 5 * 1024 ** 2;
const MAXIMUM_COPY_BYTES = 5 * 1024 ** 3;

/** Starts S3 on 127.0.0.1. Rejects when the port is taken or the folder holds a damaged journal. */
export async function startS3(options: S3Options): Promise<LocalS3> {
  const context = await createContext(options);
  const { told } = context.store.state;
  const running = new Set<Promise<void>>();
  const server = createServer((message, response) => {
    const done = respond(context, options.faults, message, response, nextRequestId()).finally(() => {
      running.delete(done);
    });
    running.add(done);
  });
  // Bodies may be large, clients slow, and connections idle across skips of the clock: no timer of node:http applies.
  Object.assign(server, { requestTimeout: 0, keepAliveTimeout: 0, timeout: 0 });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    createBucket: async (name, config = {}) => configure(context, name, config),
    async configureBucket(name, config) {
      if (!context.store.state.buckets.has(name)) throw noSuchBucket(name);
      configure(context, name, config);
    },
    buckets: () => [...context.store.state.buckets.keys()],
    announceAgain() {
      const bucket = told && context.store.state.buckets.get(told.bucket);
      if (told && bucket) context.announce(bucket, told.happening);
    },
    close() {
      closing ??= shutDown(server, running, context);
      return closing;
    },
  };
}

async function shutDown(server: Server, running: ReadonlySet<Promise<void>>, context: S3Context): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
  await Promise.all(running);
  context.store.close();
}

let requests = 0;

function nextRequestId(): string {
  requests += 1;
  return requests.toString(16).toUpperCase().padStart(16, '0');
}

async function createContext(options: S3Options): Promise<S3Context> {
  const { clock, region, accountId = DEFAULT_ACCOUNT } = options;
  const origin = { clock, region, accountId };
  const sendTest = (bucket: Bucket) => {
    for (const queueArn of new Set(bucket.settings.rules.map((rule) => rule.queueArn)))
      options.onNotification?.(queueArn, testEvent(bucket.name, clock, nextRequestId()));
  };
  return {
    ...origin,
    store: await openStore(options.dir),
    callerOf: options.callerOf ?? (() => undefined),
    writes: createWritesInProgress(),
    minimumPartBytes: options.minimumPartBytes ?? MINIMUM_PART_BYTES,
    maximumCopyBytes: options.maximumCopyBytes ?? MAXIMUM_COPY_BYTES,
    announce: (bucket, happening) => announce(options, origin, bucket, happening),
    announceTest: sendTest,
  };
}

function configure(context: S3Context, name: string, config: BucketConfig): void {
  const before = context.store.state.buckets.get(name)?.settings ?? newSettings(context);
  const rules = (config.notifications ?? []).map(
    (each, at): Rule => ({
      id: `notification-${at + 1}`,
      queueArn: each.queueArn,
      events: each.events,
      prefix: each.prefix ?? '',
      suffix: each.suffix ?? '',
    }),
  );
  checkRules(rules);
  const { access = before.access } = config;
  const versioning = nextVersioning(before.versioning, config.versioning);
  saveBucket(context, name, { ...before, versioning, rules, eventBridge: config.eventBridge ?? false, access });
  const bucket = context.store.state.buckets.get(name);
  if (bucket !== undefined) context.announceTest(bucket);
}

function nextVersioning(
  before: BucketSettings['versioning'],
  wanted: boolean | undefined,
): BucketSettings['versioning'] {
  if (wanted === undefined) return before;
  if (wanted) return 'on';
  return before === 'off' ? 'off' : 'suspended';
}
