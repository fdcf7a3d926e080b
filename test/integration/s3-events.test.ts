import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketNotificationConfigurationCommand,
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { BUCKET, from, multipart, QUEUE, refusal, type S3Fixture, START, s3Fixture } from './s3-fixture.ts';

const ALL = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'];
const toQueue = (more: { events?: string[]; prefix?: string; suffix?: string; queueArn?: string } = {}) => ({
  queueArn: QUEUE,
  events: ALL,
  ...more,
});
const names = ({ notifications }: S3Fixture) => notifications.map(({ record }) => record.eventName);
const configure = ({ client }: S3Fixture, configuration: NotificationConfiguration) =>
  client.send(
    new PutBucketNotificationConfigurationCommand({ Bucket: BUCKET, NotificationConfiguration: configuration }),
  );

test('a put tells the queue what S3 would: encoded key, bare ETag, size, the time and who', async () => {
  await using fixture = await s3Fixture({ notifications: [toQueue()] });
  const etag = await fixture.put('daily/2026-03-01/red flower(v2)+é.csv', 'x'.repeat(7));
  expect(fixture.notifications).toHaveLength(1);
  const [{ queueArn, record } = { queueArn: '', record: undefined }] = fixture.notifications;
  expect(queueArn).toBe(QUEUE);
  expect(record).toMatchObject({
    eventVersion: '2.6',
    eventSource: 'aws:s3',
    awsRegion: 'eu-west-1',
    eventTime: new Date(START).toISOString(),
    eventName: 'ObjectCreated:Put',
    userIdentity: { principalId: 'AWS:AKIAFIRN' },
    s3: { s3SchemaVersion: '1.0', bucket: { name: BUCKET, arn: `arn:aws:s3:::${BUCKET}` } },
  });
  expect(record?.s3.object).toEqual({
    key: 'daily/2026-03-01/red+flower%28v2%29%2B%C3%A9.csv',
    size: 7,
    eTag: etag.replaceAll('"', ''),
    sequencer: expect.stringMatching(/^[0-9A-F]{18}$/),
  });
});

test('each kind of change has its own name', async () => {
  await using fixture = await s3Fixture({ notifications: [toQueue()] });
  await fixture.put('a', 'x');
  await fixture.client.send(new CopyObjectCommand({ Bucket: BUCKET, Key: 'b', CopySource: from('a') }));
  await multipart(fixture.client, 'c', ['x']);
  await fixture.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'a' }));
  await fixture.client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects: [{ Key: 'b' }] } }));
  expect(names(fixture)).toEqual([
    'ObjectCreated:Put',
    'ObjectCreated:Copy',
    'ObjectCreated:CompleteMultipartUpload',
    'ObjectRemoved:Delete',
    'ObjectRemoved:Delete',
  ]);
});

test('with versioning, events name the version, and a delete is a marker created', async () => {
  await using fixture = await s3Fixture({ versioning: true, notifications: [toQueue()] });
  await fixture.put('a', 'x');
  const { VersionId } = await fixture.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'a' }));
  await fixture.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'a', VersionId }));
  expect(names(fixture)).toEqual(['ObjectCreated:Put', 'ObjectRemoved:DeleteMarkerCreated', 'ObjectRemoved:Delete']);
  const versions = fixture.notifications.map(({ record }) => record.s3.object.versionId);
  expect(versions[0]).toMatch(/^[\w-]{32}$/);
  expect(versions.slice(1)).toEqual([VersionId, VersionId]);
});

test('sequencers of one key grow, within a millisecond and over a restart', async () => {
  await using fixture = await s3Fixture({ notifications: [toQueue()] });
  for (const body of ['1', '2', '3']) await fixture.put('a', body);
  await fixture.s3.close();
  await using again = await s3Fixture({ notifications: [toQueue()] }, { dir: fixture.dir });
  await again.put('a', '4');
  const all = [...fixture.notifications, ...again.notifications].map(({ record }) => record.s3.object.sequencer);
  expect(new Set(all).size).toBe(4);
  expect(all).toEqual(all.toSorted());
});

test('prefix and suffix are matched against the key as it is, not as it is encoded', async () => {
  const notifications = [toQueue({ prefix: 'in box/', suffix: '.csv+gz' })];
  await using fixture = await s3Fixture({ notifications });
  for (const key of ['in box/a.csv+gz', 'in+box/a.csv+gz', 'in box/a.csv gz', 'in box/.csv'])
    await fixture.put(key, 'x');
  expect(fixture.notifications.map(({ record }) => record.s3.object.key)).toEqual(['in+box/a.csv%2Bgz']);
});

test('each rule reaches its own queue', async () => {
  const other = `${QUEUE}-other`;
  const notifications = [toQueue({ prefix: 'a/' }), toQueue({ prefix: 'b/', queueArn: other })];
  await using fixture = await s3Fixture({ notifications });
  await fixture.put('a/1', 'x');
  await fixture.put('b/1', 'x');
  await fixture.put('c/1', 'x');
  expect(fixture.notifications.map(({ queueArn }) => queueArn)).toEqual([QUEUE, other]);
});

test('what does not change an object, or fails, sends nothing', async () => {
  await using fixture = await s3Fixture({ notifications: [toQueue()] });
  await fixture.put('a', 'x');
  await refusal(fixture.put('a', 'y', { IfNoneMatch: '*' }));
  await fixture.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'never there' }));
  await fixture.client.send(
    new PutObjectTaggingCommand({ Bucket: BUCKET, Key: 'a', Tagging: { TagSet: [{ Key: 'a', Value: '1' }] } }),
  );
  expect(names(fixture)).toEqual(['ObjectCreated:Put']);
});

test('EventBridge gets its own shape: key as it is, lower-case sequencer, reason', async () => {
  await using fixture = await s3Fixture({ versioning: true, eventBridge: true }, { accountId: '444455556666' });
  const etag = await fixture.put('red flower(v2).csv', 'four');
  expect(fixture.bus).toHaveLength(1);
  expect(fixture.bus[0]).toMatchObject({
    version: '0',
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    'detail-type': 'Object Created',
    source: 'aws.s3',
    account: '444455556666',
    time: new Date(START).toISOString().replace('.412Z', 'Z'),
    region: 'eu-west-1',
    resources: [`arn:aws:s3:::${BUCKET}`],
    detail: {
      bucket: { name: BUCKET },
      object: {
        key: 'red flower(v2).csv',
        size: 4,
        etag: etag.replaceAll('"', ''),
        'version-id': expect.any(String),
        sequencer: expect.stringMatching(/^[0-9a-f]{18}$/),
      },
      reason: 'PutObject',
    },
  });
});

test('EventBridge hears of deletes, and of which kind', async () => {
  await using fixture = await s3Fixture({ eventBridge: true });
  await fixture.put('a', 'x');
  await fixture.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'a' }));
  await fixture.s3.configureBucket(BUCKET, { versioning: true, eventBridge: true });
  await fixture.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'a' }));
  const deletes = fixture.bus.slice(1).map((event) => [event['detail-type'], event['detail']]);
  expect(deletes).toMatchObject([
    ['Object Deleted', { reason: 'DeleteObject', 'deletion-type': 'Permanently Deleted' }],
    ['Object Deleted', { reason: 'DeleteObject', 'deletion-type': 'Delete Marker Created' }],
  ]);
});

test('a configuration comes back as it was put, replaces all earlier ones, and greets each queue', async () => {
  await using fixture = await s3Fixture({ notifications: [toQueue()] });
  fixture.testEvents.length = 0;
  const wanted: NotificationConfiguration = {
    QueueConfigurations: [
      {
        Id: 'feed & more',
        QueueArn: QUEUE,
        Events: ['s3:ObjectCreated:Put', 's3:ObjectCreated:Copy'],
        Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: 'in <box>/' }] } },
      },
    ],
    EventBridgeConfiguration: {},
  };
  await configure(fixture, wanted);
  const get = new GetBucketNotificationConfigurationCommand({ Bucket: BUCKET });
  const { $metadata: _, ...got } = await fixture.client.send(get);
  // S3 writes the rule's name with a capital when it gives it back.
  expect(JSON.parse(JSON.stringify(got).replace('"Prefix"', '"prefix"'))).toEqual(wanted);
  expect(fixture.testEvents).toMatchObject([
    { queueArn: QUEUE, event: { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: BUCKET } },
  ]);
  await fixture.put('in <box>/a', 'x');
  await fixture.put('elsewhere', 'x');
  expect(fixture.notifications.map(({ record }) => record.s3.configurationId)).toEqual(['feed & more']);
});

test('rules that share an event type while prefix and suffix overlap are refused, and nothing changes', async () => {
  await using fixture = await s3Fixture({ notifications: [toQueue({ prefix: 'a/' })] });
  const rule = (prefix: string, suffix: string, event: 's3:ObjectCreated:*' | 's3:ObjectCreated:Put') => ({
    QueueArn: QUEUE,
    Events: [event],
    Filter: {
      Key: {
        FilterRules: [
          { Name: 'prefix' as const, Value: prefix },
          { Name: 'suffix' as const, Value: suffix },
        ],
      },
    },
  });
  const attempt = (...QueueConfigurations: ReturnType<typeof rule>[]) =>
    refusal(configure(fixture, { QueueConfigurations }));
  const wide = rule('a/', '.csv', 's3:ObjectCreated:*');
  expect(await attempt(wide, rule('a/b/', '', 's3:ObjectCreated:Put'))).toBe('400 InvalidArgument');
  await fixture.put('a/1', 'x');
  expect(fixture.notifications).toHaveLength(1);
  expect(await attempt(wide, rule('a/b/', '.json', 's3:ObjectCreated:Put'))).toBe('answered');
  expect(await attempt(wide, rule('b/', '.csv', 's3:ObjectCreated:*'))).toBe('answered');
  await expect(fixture.s3.configureBucket(BUCKET, { notifications: [toQueue(), toQueue()] })).rejects.toThrow(
    /overlap/,
  );
});

test('events that this S3 never sends, and destinations other than queues, are refused', async () => {
  await using fixture = await s3Fixture();
  const restore = { QueueArn: QUEUE, Events: ['s3:ObjectRestore:*' as const] };
  expect(await refusal(configure(fixture, { QueueConfigurations: [restore] }))).toBe('501 NotImplemented');
  const topic = { TopicArn: 'arn:aws:sns:eu-west-1:000000000000:t', Events: ['s3:ObjectCreated:*' as const] };
  expect(await refusal(configure(fixture, { TopicConfigurations: [topic] }))).toBe('501 NotImplemented');
});
