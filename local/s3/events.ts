import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { formUrlEncode } from './keys.ts';
import { ruleMatches } from './notifications.ts';
import type { Bucket } from './state.ts';

export type EventName =
  | 'ObjectCreated:Put'
  | 'ObjectCreated:Copy'
  | 'ObjectCreated:CompleteMultipartUpload'
  | 'ObjectRemoved:Delete'
  | 'ObjectRemoved:DeleteMarkerCreated'
  | 'ObjectRestore:Completed';

/** Something that happened to an object, as events tell it. */
export interface Happening {
  readonly name: EventName;
  readonly key: string;
  /** Absent when the object is gone; without quotes. */
  readonly etag?: string;
  /** Only for created objects. */
  readonly size?: number;
  /** `null` without versioning, and then in no event. */
  readonly versionId: string;
  /** Grows with each change; unique within this S3. */
  readonly sequence: number;
  readonly principal: string;
  readonly requestId: string;
}

/** Where and when events happen. */
export interface Origin {
  readonly clock: Clock;
  readonly region: string;
  /** Owns every bucket. */
  readonly accountId: string;
}

export interface Listeners {
  readonly onNotification?: (queueArn: string, body: string) => void;
  readonly onEventBridge?: (event: object) => void;
}

const REASONS: Readonly<Partial<Record<EventName, string>>> = {
  'ObjectCreated:Put': 'PutObject',
  'ObjectCreated:Copy': 'CopyObject',
  'ObjectCreated:CompleteMultipartUpload': 'CompleteMultipartUpload',
  'ObjectRemoved:Delete': 'DeleteObject',
  'ObjectRemoved:DeleteMarkerCreated': 'DeleteObject',
};

/** Sends the happening to every queue whose rule matches the key, and to EventBridge where the bucket says so. */
export function announce(listeners: Listeners, origin: Origin, bucket: Bucket, happening: Happening): void {
  const at = new Date(origin.clock.now()).toISOString();
  for (const rule of bucket.settings.rules) {
    if (!ruleMatches(rule, happening.name, happening.key)) continue;
    const record = notificationRecord(origin, bucket.name, rule.id, happening, at);
    listeners.onNotification?.(rule.queueArn, JSON.stringify({ Records: [record] }));
  }
  if (bucket.settings.eventBridge) listeners.onEventBridge?.(eventBridgeEvent(origin, bucket.name, happening, at));
}

/** The message that S3 sends once to each queue when notifications are configured. */
export function testEvent(bucket: string, clock: Clock, requestId: string): string {
  return JSON.stringify({
    Service: 'Amazon S3',
    Event: 's3:TestEvent',
    Time: new Date(clock.now()).toISOString(),
    Bucket: bucket,
    RequestId: requestId,
    HostId: hostId(requestId),
  });
}

/** The host id that goes with a request id. */
export function hostId(requestId: string): string {
  return `local+${requestId}`;
}

function notificationRecord(origin: Origin, bucket: string, ruleId: string, happening: Happening, at: string): object {
  const { name, key, etag, size, versionId, sequence, principal, requestId } = happening;
  return {
    eventVersion: '2.6',
    eventSource: 'aws:s3',
    awsRegion: origin.region,
    eventTime: at,
    eventName: name,
    userIdentity: { principalId: `AWS:${principal}` },
    requestParameters: { sourceIPAddress: '127.0.0.1' },
    responseElements: { 'x-amz-request-id': requestId, 'x-amz-id-2': hostId(requestId) },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: ruleId,
      bucket: { name: bucket, ownerIdentity: { principalId: origin.accountId }, arn: `arn:aws:s3:::${bucket}` },
      object: {
        key: formUrlEncode(key),
        ...(size === undefined ? {} : { size }),
        ...(etag === undefined ? {} : { eTag: etag }),
        ...(versionId === 'null' ? {} : { versionId }),
        sequencer: sequencerOf(sequence).toUpperCase(),
      },
    },
  };
}

function eventBridgeEvent(origin: Origin, bucket: string, happening: Happening, at: string): object {
  const { name, key, etag, size, versionId, sequence, requestId } = happening;
  const removed = name.startsWith('ObjectRemoved:');
  const kind = removed ? 'Object Deleted' : 'Object Created';
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': name === 'ObjectRestore:Completed' ? 'Object Restore Completed' : kind,
    source: 'aws.s3',
    account: origin.accountId,
    time: at.replace(/\.\d+Z$/, 'Z'),
    region: origin.region,
    resources: [`arn:aws:s3:::${bucket}`],
    detail: {
      version: '0',
      'event-version': '1.0',
      bucket: { name: bucket },
      object: {
        key,
        ...(size === undefined ? {} : { size }),
        ...(etag === undefined ? {} : { etag }),
        ...(versionId === 'null' ? {} : { 'version-id': versionId }),
        sequencer: sequencerOf(sequence),
      },
      'request-id': requestId,
      requester: origin.accountId,
      'source-ip-address': '127.0.0.1',
      ...(REASONS[name] === undefined ? {} : { reason: REASONS[name] }),
      ...(removed ? { 'deletion-type': deletionType(name) } : {}),
    },
  };
}

function deletionType(name: EventName): string {
  return name === 'ObjectRemoved:DeleteMarkerCreated' ? 'Delete Marker Created' : 'Permanently Deleted';
}

function sequencerOf(sequence: number): string {
  return sequence.toString(16).padStart(18, '0');
}
