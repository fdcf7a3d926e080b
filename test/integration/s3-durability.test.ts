import { appendFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import type { Call, Fault } from '../../local/faults.ts';
import { BUCKET, clientOf, from, QUEUE, refusal, s3Fixture } from './s3-fixture.ts';

const LARGE = 100_000;

describe('an S3 started again on the same folder', () => {
  test('finds objects, versions, tags, metadata and settings', async () => {
    await using before = await s3Fixture({ versioning: true, eventBridge: true });
    await before.put('a', 'small', { Metadata: { who: 'me' }, Tagging: 'a=1' });
    const old = await before.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'a' }));
    await before.put('a', 'L'.repeat(LARGE));
    await before.put('gone', 'x');
    await before.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'gone' }));
    await before.s3.close();

    await using after = await s3Fixture({ eventBridge: true }, { dir: before.dir });
    expect(await after.text('a')).toBe('L'.repeat(LARGE));
    expect(await after.text('a', old.VersionId)).toBe('small');
    const { $metadata: _, ...head } = await after.client.send(
      new HeadObjectCommand({ Bucket: BUCKET, Key: 'a', ...(old.VersionId && { VersionId: old.VersionId }) }),
    );
    expect(old).toMatchObject(head);
    const tags = new GetObjectTaggingCommand({
      Bucket: BUCKET,
      Key: 'a',
      ...(old.VersionId && { VersionId: old.VersionId }),
    });
    expect((await after.client.send(tags)).TagSet).toEqual([{ Key: 'a', Value: '1' }]);
    const { Contents } = await after.client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    expect(Contents?.map(({ Key }) => Key)).toEqual(['a']);
  });

  test('goes on with an upload that was open', async () => {
    await using before = await s3Fixture();
    const on = { Bucket: BUCKET, Key: 'm' };
    const { UploadId } = await before.client.send(new CreateMultipartUploadCommand(on));
    const part = { ...on, UploadId, PartNumber: 1, Body: 'part' };
    const { ETag = '' } = await before.client.send(new UploadPartCommand(part));
    await before.s3.close();

    await using after = await s3Fixture({}, { dir: before.dir });
    const Parts = [{ PartNumber: 1, ETag }];
    await after.client.send(new CompleteMultipartUploadCommand({ ...on, UploadId, MultipartUpload: { Parts } }));
    expect(await after.text('m')).toBe('part');
  });

  test('drops half a line that a killed process left, and what it had not committed', async () => {
    await using before = await s3Fixture();
    await before.put('a', 'x');
    await before.s3.close();
    await appendFile(join(before.dir, 'journal.ndjson'), '{"do":"put","bucket":"feeds","key":"half","ver');
    await appendFile(join(before.dir, 'blobs', 'orphan'), 'x');

    await using after = await s3Fixture({}, { dir: before.dir });
    expect(await after.text('a')).toBe('x');
    expect(await refusal(after.text('half'))).toBe('404 NoSuchKey');
    expect(await readdir(join(after.dir, 'blobs'))).not.toContain('orphan');
  });

  test('refuses a damaged journal and says which line', async () => {
    await using before = await s3Fixture();
    await before.s3.close();
    await appendFile(join(before.dir, 'journal.ndjson'), 'not json\n');
    const lines = (await readFile(join(before.dir, 'journal.ndjson'), 'utf8')).split('\n').length - 1;
    await expect(s3Fixture({}, { dir: before.dir })).rejects.toThrow(`line ${lines} of`);
  });

  test('announces the last change once more when asked, for a process may die right after its commit', async () => {
    const notifications = [{ queueArn: QUEUE, events: ['s3:ObjectCreated:*'] }];
    await using before = await s3Fixture({ notifications });
    await before.put('first', 'x');
    await before.put('last', 'x');
    const told = before.notifications.at(-1)?.record.s3.object;
    await before.s3.close();

    await using after = await s3Fixture({ notifications }, { dir: before.dir });
    const greeted = after.notifications.length;
    after.s3.announceAgain();

    expect(after.notifications.slice(greeted).map(({ record }) => record.s3.object)).toEqual([told]);
    expect(told).toMatchObject({ key: 'last' });
  });

  test('keeps no file that no object needs', async () => {
    await using before = await s3Fixture();
    await before.put('large', 'L'.repeat(LARGE));
    await before.client.send(new CopyObjectCommand({ Bucket: BUCKET, Key: 'copy', CopySource: from('large') }));
    await before.put('large', 'M'.repeat(LARGE));
    await before.put('small', 'x');
    await before.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'small' }));
    await before.s3.close();

    await using after = await s3Fixture({}, { dir: before.dir });
    expect(await readdir(join(after.dir, 'blobs'))).toHaveLength(2);
    expect(await after.text('copy')).toBe('L'.repeat(LARGE));
    expect(await after.text('large')).toBe('M'.repeat(LARGE));
  });
});

test('no key ever becomes a file name', async () => {
  await using fixture = await s3Fixture();
  for (const key of ['../escape', '/etc/escape', 'a/escape']) await fixture.put(key, 'L'.repeat(LARGE));
  const files = await readdir(fixture.dir, { recursive: true });
  expect(files.filter((name) => name.includes('escape'))).toEqual([]);
  expect(await readdir(join(fixture.dir, '..'))).not.toContain('escape');
});

describe('faults', () => {
  test('a throttled call is answered 503 SlowDown and not carried out', async () => {
    const faults = ({ operation }: Call): Fault | undefined =>
      operation === 'PutObject' ? { kind: 'throttle' } : undefined;
    await using fixture = await s3Fixture({}, { faults });
    expect(await refusal(fixture.put('a', 'x'))).toBe('503 SlowDown');
    expect(await refusal(fixture.text('a'))).toBe('404 NoSuchKey');
  });

  test('an injected error carries its status and code, even under status 200', async () => {
    const fault: Fault = { kind: 'error', status: 200, code: 'InternalError' };
    const faults = ({ operation }: Call, phase: string) =>
      operation === 'CopyObject' && phase === 'before' ? fault : undefined;
    await using fixture = await s3Fixture({}, { faults });
    await fixture.put('a', 'x');
    const copy = fixture.client.send(new CopyObjectCommand({ Bucket: BUCKET, Key: 'b', CopySource: from('a') }));
    await expect(copy).rejects.toMatchObject({ name: 'InternalError' });
    expect(await refusal(fixture.text('b'))).toBe('404 NoSuchKey');
  });

  test('after a lost reply the write has happened and its event is out', async () => {
    const faults = ({ operation }: Call, phase: string): Fault | undefined =>
      operation === 'PutObject' && phase === 'after' ? { kind: 'lostReply' } : undefined;
    const notifications = [{ queueArn: QUEUE, events: ['s3:ObjectCreated:*'] }];
    await using fixture = await s3Fixture({ notifications }, { faults });
    await expect(fixture.put('a', 'x')).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(await fixture.text('a')).toBe('x');
    expect(fixture.notifications).toHaveLength(1);
  });

  test('a fault can single out who signed', async () => {
    const seen: string[] = [];
    const faults = (call: Call, phase: string) =>
      void (phase === 'before' && seen.push(`${call.operation} ${call.principal}`));
    await using fixture = await s3Fixture({}, { faults });
    const other = clientOf(fixture.s3.endpoint, 'AKIAOTHER');
    await fixture.put('a', 'x');
    await other.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'a', Body: 'x' }));
    other.destroy();
    await fetch(`${fixture.s3.endpoint}/${BUCKET}/a`);
    expect(seen).toEqual(['PutObject AKIAFIRN', 'PutObject AKIAOTHER', 'GetObject anonymous']);
  });
});
