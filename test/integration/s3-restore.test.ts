import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, RestoreObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { BUCKET, QUEUE, refusal, s3Fixture } from './s3-fixture.ts';

const Key = 'in/cold.csv';
const place = { Bucket: BUCKET, Key };
const day = 24 * 60 * 60 * 1000;

test('an archived object can be read once it is restored, and for as long as was asked', async () => {
  await using fixture = await s3Fixture(
    { eventBridge: true, notifications: [{ queueArn: QUEUE, events: ['s3:ObjectRestore:Completed'] }] },
    {},
  );
  const { client, clock } = fixture;
  await client.send(new PutObjectCommand({ ...place, Body: 'cold', StorageClass: 'DEEP_ARCHIVE' }));
  const read = () => refusal(client.send(new GetObjectCommand(place)).then(({ Body }) => Body?.transformToString()));
  expect(await read()).toBe('403 InvalidObjectState');

  await client.send(new RestoreObjectCommand({ ...place, RestoreRequest: { Days: 2 } }));

  expect(await read()).toBe('answered');
  const { Restore, StorageClass } = await client.send(new HeadObjectCommand(place));
  expect({ Restore, StorageClass }).toMatchObject({
    Restore: expect.stringMatching(/^ongoing-request="false", expiry-date="/),
    StorageClass: 'DEEP_ARCHIVE',
  });
  expect(fixture.notifications.map(({ record }) => [record.eventName, record.s3.object.key])).toEqual([
    ['ObjectRestore:Completed', Key],
  ]);
  expect(fixture.bus.map((event) => event['detail-type'])).toEqual(['Object Created', 'Object Restore Completed']);
  clock.move(2 * day);
  expect(await read()).toBe('403 InvalidObjectState');
});

test('only an archived object is restored, and for some days', async () => {
  await using fixture = await s3Fixture();
  const restore = (key: string, Days: number) =>
    refusal(fixture.client.send(new RestoreObjectCommand({ Bucket: BUCKET, Key: key, RestoreRequest: { Days } })));
  await fixture.put('warm', 'x');
  await fixture.put('cold', 'x', { StorageClass: 'GLACIER' });

  expect(await restore('warm', 1)).toBe('403 InvalidObjectState');
  expect(await restore('gone', 1)).toBe('404 NoSuchKey');
  expect(await restore('cold', 0)).toBe('400 MalformedXML');
});

test('a restored object stays restored when S3 starts anew', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'firn-s3-'));
  {
    await using before = await s3Fixture({}, { dir });
    await before.put(Key, 'cold', { StorageClass: 'GLACIER' });
    await before.client.send(new RestoreObjectCommand({ ...place, RestoreRequest: { Days: 1 } }));
  }
  {
    await using after = await s3Fixture({}, { dir });
    expect(await after.text(Key)).toBe('cold');
  }
  await rm(dir, { recursive: true });
});
