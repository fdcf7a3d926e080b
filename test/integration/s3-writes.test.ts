import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arrivals, BUCKET, from, multipart, refusal, type S3Fixture, s3Fixture } from './s3-fixture.ts';

let fixture: S3Fixture;
const { faults, arrived } = arrivals();
beforeAll(async () => {
  fixture = await s3Fixture({}, { faults, minimumPartBytes: 10, maximumCopyBytes: 1000 });
});
afterAll(() => fixture[Symbol.asyncDispose]());

const head = (Key: string) => fixture.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key }));
const remove = (Key: string) => fixture.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
const copy = (Key: string, source: string, more: Partial<CopyObjectCommandInput> = {}) =>
  fixture.client.send(new CopyObjectCommand({ Bucket: BUCKET, Key, CopySource: source, ...more }));
const OTHER = '"00000000000000000000000000000000"';

/** A put whose second half waits until the test lets it go. Resolves once the first half is being received. */
async function slowPut(key: string, more: { IfNoneMatch?: string; IfMatch?: string } = {}) {
  const body = new PassThrough();
  const here = arrived('PutObject');
  const answer = refusal(fixture.put(key, body, { ContentLength: 4, ...more }));
  body.write('sl');
  await here;
  return {
    finish() {
      body.end('ow');
      return answer;
    },
  };
}

describe('conditional puts', () => {
  test('If-None-Match:* lets the first put through and refuses the second with 412', async () => {
    expect(await refusal(fixture.put('c/new', 'one', { IfNoneMatch: '*' }))).toBe('answered');
    expect(await refusal(fixture.put('c/new', 'two', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed');
    expect(await fixture.text('c/new')).toBe('one');
  });

  test('If-Match replaces only the version named', async () => {
    const etag = await fixture.put('c/match', 'one');
    expect(await refusal(fixture.put('c/match', 'two', { IfMatch: OTHER }))).toBe('412 PreconditionFailed');
    expect(await refusal(fixture.put('c/match', 'two', { IfMatch: etag }))).toBe('answered');
    expect(await fixture.text('c/match')).toBe('two');
  });

  test('If-Match on what does not exist is 404', async () => {
    expect(await refusal(fixture.put('c/none', 'x', { IfMatch: OTHER }))).toBe('404 NoSuchKey');
  });
});

describe('races', () => {
  test('of two conditional puts the first to finish wins and the other fails with 412', async () => {
    const slow = await slowPut('race/412', { IfNoneMatch: '*' });
    await fixture.put('race/412', 'fast');
    expect(await slow.finish()).toBe('412 PreconditionFailed');
    expect(await fixture.text('race/412')).toBe('fast');
  });

  test('a conditional write fails with 409 while an earlier write of the key is in progress', async () => {
    await fixture.put('race/source', 'x');
    const slow = await slowPut('race/409');
    const conflict = '409 ConditionalRequestConflict';
    expect(await refusal(fixture.put('race/409', 'fast', { IfNoneMatch: '*' }))).toBe(conflict);
    expect(await refusal(copy('race/409', from('race/source'), { IfNoneMatch: '*' }))).toBe(conflict);
    expect(await slow.finish()).toBe('answered');
    expect(await refusal(fixture.put('race/409', 'late', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed');
  });

  test('a conditional write fails with 409 when the key was written and deleted meanwhile', async () => {
    const slow = await slowPut('race/gone', { IfNoneMatch: '*' });
    await fixture.put('race/gone', 'x');
    await remove('race/gone');
    expect(await slow.finish()).toBe('409 ConditionalRequestConflict');
    expect(await refusal(head('race/gone'))).toBe('404 NotFound');
  });

  test('writes without conditions never conflict; the last to finish stays', async () => {
    const slow = await slowPut('race/free');
    await fixture.put('race/free', 'fast');
    expect(await slow.finish()).toBe('answered');
    expect(await fixture.text('race/free')).toBe('slow');
  });

  test('of many conditional copies to one key exactly one succeeds', async () => {
    await fixture.put('race/many-source', 'x');
    const copies = Array.from({ length: 20 }, () =>
      refusal(copy('race/many', from('race/many-source'), { IfNoneMatch: '*' })),
    );
    const answers = await Promise.all(copies);
    expect(answers.filter((each) => each === 'answered')).toHaveLength(1);
    expect(new Set(answers)).toEqual(new Set(['answered', '412 PreconditionFailed']));
  });

  test('a client that hangs up in the middle of its body leaves the object as it was', async () => {
    await fixture.put('race/hangup', 'before');
    const body = new PassThrough();
    const here = arrived('PutObject');
    const hangup = new AbortController();
    const command = new PutObjectCommand({ Bucket: BUCKET, Key: 'race/hangup', Body: body, ContentLength: 4 });
    const answer = fixture.client.send(command, { abortSignal: hangup.signal });
    body.write('sl');
    await here;
    hangup.abort();
    await expect(answer).rejects.toThrow('abort');
    expect(await fixture.text('race/hangup')).toBe('before');
  });
});

describe('copies', () => {
  test('a copy has the bytes and metadata of its source, and a LastModified of its own', async () => {
    await fixture.put('copy/source', 'bytes', { Metadata: { who: 'me' }, ContentType: 'text/csv' });
    const before = await head('copy/source');
    fixture.clock.move(5000);
    const { CopyObjectResult } = await copy('copy/plain', from('copy/source'));
    const after = await head('copy/plain');
    expect(await fixture.text('copy/plain')).toBe('bytes');
    expect(after).toMatchObject({ Metadata: { who: 'me' }, ContentType: 'text/csv', ETag: before.ETag });
    expect(after.LastModified?.getTime()).toBe((before.LastModified?.getTime() ?? 0) + 5000);
    expect(CopyObjectResult).toEqual({
      ETag: before.ETag,
      LastModified: after.LastModified,
      ChecksumCRC32: expect.any(String),
    });
  });

  test('MetadataDirective and TaggingDirective REPLACE take what the request says', async () => {
    await fixture.put('copy/tagged', 'x', { Metadata: { who: 'me' }, Tagging: 'a=1' });
    const replace = { MetadataDirective: 'REPLACE', TaggingDirective: 'REPLACE' } as const;
    await copy('copy/replaced', from('copy/tagged'), {
      ...replace,
      Metadata: { firn: 'yes' },
      ContentType: 'a/b',
      Tagging: 'b=2',
    });
    expect(await head('copy/replaced')).toMatchObject({ Metadata: { firn: 'yes' }, ContentType: 'a/b' });
    const tags = new GetObjectTaggingCommand({ Bucket: BUCKET, Key: 'copy/replaced' });
    expect((await fixture.client.send(tags)).TagSet).toEqual([{ Key: 'b', Value: '2' }]);
  });

  test('a copy of an assembled object is one part, with the MD5 of the whole as its ETag', async () => {
    const etag = await multipart(fixture.client, 'copy/parts', ['0123456789', 'abc']);
    expect(etag).toMatch(/-2"$/);
    const { CopyObjectResult } = await copy('copy/whole', from('copy/parts'));
    expect(CopyObjectResult?.ETag).toBe(`"${createHash('md5').update('0123456789abc').digest('hex')}"`);
  });

  test('CopySourceIfMatch with another ETag is 412', async () => {
    await fixture.put('copy/moved', 'x');
    const stale = copy('copy/never', from('copy/moved'), { CopySourceIfMatch: OTHER });
    expect(await refusal(stale)).toBe('412 PreconditionFailed');
    expect(await refusal(head('copy/never'))).toBe('404 NotFound');
  });

  test('If-None-Match:* on an existing destination is 412, and If-Match guards what is replaced', async () => {
    await fixture.put('copy/s', 'source');
    const etag = await fixture.put('copy/d', 'destination');
    expect(await refusal(copy('copy/d', from('copy/s'), { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed');
    expect(await refusal(copy('copy/d', from('copy/s'), { IfMatch: OTHER }))).toBe('412 PreconditionFailed');
    expect(await refusal(copy('copy/d', from('copy/s'), { IfMatch: etag }))).toBe('answered');
    expect(await fixture.text('copy/d')).toBe('source');
  });

  test('an awkward source key works when it is encoded, and an unencoded plus means a space', async () => {
    const key = 'copy/a+b c/é?#%41.csv';
    await fixture.put(key, 'x');
    expect(await refusal(copy('copy/awkward', from(key)))).toBe('answered');
    await fixture.put('copy/one+two', 'x');
    expect(await refusal(copy('copy/plus', `${BUCKET}/copy/one+two`))).toBe('404 NoSuchKey');
  });

  test('more than one copy request may carry is refused', async () => {
    await fixture.put('copy/large', 'x'.repeat(1001));
    expect(await refusal(copy('copy/never', from('copy/large')))).toBe('400 InvalidRequest');
  });

  test('an archived source is refused with 403', async () => {
    await fixture.put('copy/cold', 'x', { StorageClass: 'GLACIER' });
    expect(await refusal(copy('copy/never', from('copy/cold')))).toBe('403 InvalidObjectState');
  });

  test('a copy onto itself that changes nothing is refused', async () => {
    await fixture.put('copy/self', 'x');
    expect(await refusal(copy('copy/self', from('copy/self')))).toBe('400 InvalidRequest');
    expect(await refusal(copy('copy/self', from('copy/self'), { MetadataDirective: 'REPLACE' }))).toBe('answered');
  });

  test('a missing source is named', async () => {
    expect(await refusal(copy('copy/never', from('copy/missing')))).toBe('404 NoSuchKey');
    expect(await refusal(copy('copy/never', 'nowhere/x'))).toBe('404 NoSuchBucket');
  });

  test('the copy outlives its source', async () => {
    const text = 'x'.repeat(900);
    await fixture.put('copy/mortal', text);
    await copy('copy/survivor', from('copy/mortal'));
    await remove('copy/mortal');
    expect(await fixture.text('copy/survivor')).toBe(text);
  });
});

describe('versions', () => {
  let versioned: S3Fixture;
  beforeAll(async () => {
    versioned = await s3Fixture({ versioning: true });
  });
  afterAll(() => versioned[Symbol.asyncDispose]());
  const versionOf = async (Key: string, VersionId?: string) =>
    (await versioned.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key, ...(VersionId && { VersionId }) })))
      .VersionId ?? '';

  test('each put makes a version of its own, all of them readable', async () => {
    await versioned.put('v/one', 'first');
    const first = await versionOf('v/one');
    await versioned.put('v/one', 'second');
    expect(await versionOf('v/one')).not.toBe(first);
    expect(await versioned.text('v/one', first)).toBe('first');
    expect(await versioned.text('v/one')).toBe('second');
  });

  test('a delete hides the key behind a marker, and removing the marker brings it back', async () => {
    await versioned.put('v/hidden', 'x');
    const marker = await versioned.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'v/hidden' }));
    expect(marker.DeleteMarker).toBe(true);
    expect(await refusal(versioned.text('v/hidden'))).toBe('404 NoSuchKey');
    expect(await refusal(versioned.text('v/hidden', marker.VersionId))).toBe('405 MethodNotAllowed');
    const { VersionId } = marker;
    await versioned.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'v/hidden', VersionId }));
    expect(await versioned.text('v/hidden')).toBe('x');
  });

  test('If-None-Match:* succeeds behind a delete marker', async () => {
    await versioned.put('v/again', 'x');
    await versioned.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'v/again' }));
    expect(await refusal(versioned.put('v/again', 'y', { IfNoneMatch: '*' }))).toBe('answered');
  });

  test('a copy by version id takes that version, not the newest', async () => {
    await versioned.put('v/source', 'old');
    const old = await versionOf('v/source');
    await versioned.put('v/source', 'new');
    const command = new CopyObjectCommand({ Bucket: BUCKET, Key: 'v/copy', CopySource: from('v/source', old) });
    const { CopySourceVersionId, VersionId } = await versioned.client.send(command);
    expect(await versioned.text('v/copy')).toBe('old');
    expect(CopySourceVersionId).toBe(old);
    expect(VersionId).toBe(await versionOf('v/copy'));
  });

  test('an object from before versioning is the version null, and a bucket without versions names none', async () => {
    await using plain = await s3Fixture();
    await plain.put('k', 'before');
    const none = await plain.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'k' }));
    await none.Body?.transformToString();
    expect(none.VersionId).toBeUndefined();
    await plain.s3.configureBucket(BUCKET, { versioning: true });
    await plain.put('k', 'after');
    expect(await plain.text('k', 'null')).toBe('before');
    expect(await plain.text('k')).toBe('after');
  });

  test('while versioning is suspended, puts replace the version null and keep the others', async () => {
    await using suspended = await s3Fixture({ versioning: true });
    await suspended.put('k', 'kept');
    const kept = await suspended.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'k' }));
    await suspended.s3.configureBucket(BUCKET, { versioning: false });
    await suspended.put('k', 'one');
    await suspended.put('k', 'two');
    expect(await suspended.text('k', 'null')).toBe('two');
    expect(await suspended.text('k', kept.VersionId)).toBe('kept');
  });
});
