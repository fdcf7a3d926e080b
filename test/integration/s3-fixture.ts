import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { type Clock, createClock } from '../../local/clock.ts';
import { type BucketConfig, type LocalS3, type S3Options, startS3 } from '../../local/s3/server.ts';

/** An S3 with one bucket, a client, and a clock that stands still until it is told to move. */
export interface S3Fixture extends AsyncDisposable {
  readonly s3: LocalS3;
  readonly client: S3Client;
  readonly dir: string;
  readonly clock: Clock & { move(ms: number): void };
  /** Bodies sent to queues, oldest first, without test events. */
  readonly notifications: { queueArn: string; record: S3Record }[];
  readonly testEvents: { queueArn: string; event: Record<string, unknown> }[];
  readonly bus: Record<string, unknown>[];
  put(
    key: string,
    body: NonNullable<PutObjectCommandInput['Body']>,
    more?: Omit<Partial<PutObjectCommandInput>, 'Body'>,
  ): Promise<string>;
  text(key: string, versionId?: string): Promise<string>;
}

export interface S3Record {
  readonly eventVersion: string;
  readonly eventName: string;
  readonly eventTime: string;
  readonly userIdentity: { readonly principalId: string };
  readonly s3: {
    readonly configurationId: string;
    readonly bucket: { readonly name: string; readonly arn: string };
    readonly object: {
      readonly key: string;
      readonly size?: number;
      readonly eTag?: string;
      readonly versionId?: string;
      readonly sequencer: string;
    };
  };
}

export const BUCKET = 'feeds';
export const QUEUE = 'arn:aws:sqs:eu-west-1:000000000000:copy';
/** A moment with milliseconds, so that cutting them off shows. */
export const START = Date.UTC(2026, 2, 2, 7, 15, 9, 412);

export async function s3Fixture(config: BucketConfig = {}, options: Partial<S3Options> = {}): Promise<S3Fixture> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'firn-s3-')));
  let now = START;
  const move = (ms: number) => {
    now += ms;
  };
  const clock = { ...createClock(), now: () => now, move };
  const notifications: S3Fixture['notifications'] = [];
  const testEvents: S3Fixture['testEvents'] = [];
  const bus: S3Fixture['bus'] = [];
  const s3 = await startS3({
    clock,
    dir,
    region: 'eu-west-1',
    onNotification(queueArn, body) {
      const message = JSON.parse(body);
      if (message.Event === 's3:TestEvent') testEvents.push({ queueArn, event: message });
      else for (const record of message.Records) notifications.push({ queueArn, record });
    },
    onEventBridge: (event) => void bus.push(event as Record<string, unknown>),
    ...options,
  });
  await s3.createBucket(BUCKET, config);
  const client = clientOf(s3.endpoint);
  return {
    s3,
    client,
    dir,
    clock,
    notifications,
    testEvents,
    bus,
    async put(Key, Body, more = {}) {
      return (await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...more }))).ETag ?? '';
    },
    text: (key, versionId) => textOf(client, key, versionId),
    async [Symbol.asyncDispose]() {
      client.destroy();
      await s3.close();
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

export function clientOf(endpoint: string, accessKeyId = 'AKIAFIRN'): S3Client {
  const credentials = { accessKeyId, secretAccessKey: 'secret' };
  const silent = () => undefined;
  const logger = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };
  return new S3Client({ endpoint, region: 'eu-west-1', forcePathStyle: true, maxAttempts: 1, credentials, logger });
}

async function textOf(client: S3Client, Key: string, VersionId?: string): Promise<string> {
  const version = VersionId === undefined ? {} : { VersionId };
  const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key, ...version }));
  return Body?.transformToString() ?? '';
}

/** Starts an upload, sends each part and completes it. Returns the ETag. */
export async function multipart(client: S3Client, Key: string, bodies: readonly (string | Buffer)[]): Promise<string> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }));
  const Parts = [];
  for (const [at, Body] of bodies.entries()) {
    const PartNumber = at + 1;
    const { ETag } = await client.send(new UploadPartCommand({ Bucket: BUCKET, Key, UploadId, PartNumber, Body }));
    Parts.push({ PartNumber, ETag });
  }
  const complete = { Bucket: BUCKET, Key, UploadId, MultipartUpload: { Parts } };
  return (await client.send(new CompleteMultipartUploadCommand(complete))).ETag ?? '';
}

/** The refusal as `<status> <code>`, or `answered` when there was none. */
export async function refusal(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
    return 'answered';
  } catch (error) {
    if (error instanceof S3ServiceException) return `${error.$metadata.httpStatusCode} ${error.name}`;
    throw error;
  }
}

/** A hook that lets a test wait until the S3 has received the n-th call of an operation. */
export function arrivals(): { faults: NonNullable<S3Options['faults']>; arrived(operation: string): Promise<void> } {
  const waiting = new Map<string, () => void>();
  return {
    faults(call, phase) {
      if (phase === 'before') waiting.get(call.operation)?.();
      return undefined;
    },
    arrived: (operation) => new Promise((resolve) => waiting.set(operation, resolve)),
  };
}

/** `text` as the source of a copy, encoded as S3 wants it. */
export function from(key: string, versionId?: string): string {
  const version = versionId === undefined ? '' : `?versionId=${encodeURIComponent(versionId)}`;
  return `${BUCKET}/${key.split('/').map(encodeURIComponent).join('/')}${version}`;
}
