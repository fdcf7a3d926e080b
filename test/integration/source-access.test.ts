import { createHash, randomBytes } from 'node:crypto';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createS3 } from '../../adapters/s3.ts';
import { sourceStores } from '../../adapters/source-store.ts';
import type { RegisteredSource } from '../../core/source/registry.ts';
import { defineSource, type Origin } from '../../core/source/source.ts';
import type { CopyStore, ObjectFacts } from '../../core/upload/copy.ts';
import { type Clock, createClock } from '../../local/clock.ts';
import type { Call, Fault } from '../../local/faults.ts';
import type { BucketAccess } from '../../local/s3/access.ts';
import { type LocalSts, startSts } from '../../local/sts/server.ts';
import { BUCKET, type S3Fixture, s3Fixture } from './s3-fixture.ts';

const LANDING = 'landing-bucket';
const KEY = 'in/a.csv';
const owner = '222233334444';
const copyRole = 'arn:aws:iam::111122223333:role/firn-dev-copy-eu-west-1';
const role = { arn: `arn:aws:iam::${owner}:role/reader`, externalId: 'agreed' };
const limits = { singleCopyBytes: 1000, partBytes: 300, concurrency: 3, mostBytes: 5000 };

let fixture: S3Fixture;
let sts: LocalSts;
let clock: { -readonly [K in keyof Clock]: Clock[K] };
let calls: Call[];
/** Calls until the process that makes them dies, and on which side of the commit it does. */
let life: { calls: number; readonly phase: 'before' | 'after' } | undefined;

beforeEach(async () => {
  clock = { ...createClock() };
  calls = [];
  life = undefined;
  const faults = (call: Call, phase: 'before' | 'after'): Fault | undefined => {
    if (phase === 'before') calls.push(call);
    if (!life || call.principal === 'AKIAFIRN') return undefined;
    if (phase === 'before') life.calls -= 1;
    const last = life.calls === 0 && phase === life.phase;
    if (last && phase === 'after') return { kind: 'lostReply' };
    // Nothing that a dead process asks for is done.
    if (last || life.calls < 0) return { kind: 'error', status: 400, code: 'Killed' };
    return undefined;
  };
  const roleOf = (principal: string) => (principal === 'copy-1' ? copyRole : undefined);
  sts = await startSts({ clock, faults, roleOf });
  const callerOf = (principal: string) => {
    const roleArn = roleOf(principal);
    return sts.sessionOf(principal) ?? (roleArn === undefined ? undefined : { roleArn });
  };
  fixture = await s3Fixture({}, { clock, faults, callerOf, minimumPartBytes: 1 });
  await fixture.s3.createBucket(LANDING);
  sts.addRole({ ...role, trusts: [copyRole] });
  vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.endpoint);
  vi.stubEnv('AWS_ENDPOINT_URL_S3', fixture.s3.endpoint);
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'copy-1');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await sts.close();
  await fixture[Symbol.asyncDispose]();
});

/** The store of a source that says this of the bucket, which is really like that. */
async function storeOf(says: Partial<Origin>, really: BucketAccess): Promise<CopyStore> {
  await fixture.s3.configureBucket(BUCKET, { access: really });
  const source: RegisteredSource = {
    id: 'partner',
    hash: 'h',
    source: defineSource({ from: { bucket: BUCKET, ...says }, entity: 'order', fields: {} }),
  };
  return sourceStores(createS3(), limits, limits)(source);
}

async function found(store: CopyStore): Promise<ObjectFacts> {
  const object = await store.head(BUCKET, KEY);
  if (!object) throw new Error('there is no such object');
  return object;
}

const to = (key = 'landing/a') => ({ bucket: LANDING, key, metadata: { 'firn-source': 'partner' } });
const operations = (name: string) => calls.filter(({ operation }) => operation === name);

async function landed(key = 'landing/a') {
  const object = await fixture.client.send(new GetObjectCommand({ Bucket: LANDING, Key: key }));
  return { ...object, bytes: Buffer.from((await object.Body?.transformToByteArray()) ?? []) };
}

describe('a bucket of another owner', () => {
  it.each<[string, Partial<Origin>, BucketAccess]>([
    ['that lets the copy role read', {}, { owner, readers: [copyRole] }],
    ['whose owner is named', { account: owner }, { owner, readers: [copyRole] }],
    ['in another region', { region: 'us-east-1' }, { region: 'us-east-1' }],
    ['in another region than anybody said', {}, { region: 'us-east-1' }],
    ['whose requesters pay', { requesterPays: true }, { owner, readers: [copyRole], requesterPays: true }],
    ['that is read in a role', { role }, { owner }],
    ['that is read in a role and in another region', { role, region: 'us-east-1' }, { owner, region: 'us-east-1' }],
  ])('%s is looked at, read and copied', async (_what, says, really) => {
    const body = randomBytes(1500);
    await fixture.put(KEY, body);
    const store = await storeOf(says, really);

    const object = await found(store);

    expect(object).toMatchObject({ bucket: BUCKET, key: KEY, sizeBytes: 1500 });
    expect(await store.read(object, 10, 19)).toEqual(new Uint8Array(body.subarray(10, 20)));
    expect(await store.copy(object, to())).toBe('copied');
    expect((await landed()).bytes.equals(body)).toBe(true);
  });

  it.each<[string, Partial<Origin>, BucketAccess, RegExp]>([
    [
      'that does not let the copy role read',
      {},
      { owner },
      /the bucket's policy lacks s3:GetObject, or s3:ListBucket.*another account, which `account` must name/,
    ],
    ['of somebody else than was said', { account: '999988887777' }, {}, /does not belong to account 999988887777/],
    [
      'whose requesters pay, which nobody said',
      {},
      { owner, readers: [copyRole], requesterPays: true },
      /`requesterPays: true`/,
    ],
    [
      'whose role asks for another external id',
      { role: { ...role, externalId: 'guessed' } },
      { owner },
      /^Assuming arn:aws:iam::222233334444:role\/reader to read s3:\/\/feeds .* the role's trust does not name/,
    ],
  ])('%s is told with what to ask for, and tried again', async (_what, says, really, message) => {
    await fixture.put(KEY, 'x');
    const store = await storeOf(says, really);

    const attempt = found(store);

    await expect(attempt).rejects.toMatchObject({ kind: 'retryable', code: 'copy.accessDenied' });
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toThrow('npx firn grants --source partner');
  });

  it('is copied again once its owner has mended it', async () => {
    await fixture.put(KEY, 'x');
    sts.addRole({ ...role, trusts: [] });
    const store = await storeOf({ role }, { owner });
    await expect(found(store)).rejects.toMatchObject({ code: 'copy.accessDenied' });

    sts.addRole({ ...role, trusts: [copyRole] });

    expect((await found(store)).sizeBytes).toBe(1);
  });

  it('is denied where it denies the copy after it let the object be looked at', async () => {
    await fixture.put(KEY, 'x');
    const store = await storeOf({ account: owner }, { owner, readers: [copyRole] });
    const object = await found(store);

    await fixture.s3.configureBucket(BUCKET, { access: { owner } });

    await expect(store.copy(object, to())).rejects.toThrow(/lacks s3:GetObject or s3:GetObjectVersion, or kms:Decrypt/);
  });
});

describe('an object that a role of the owner reads', () => {
  it.each([0, 1, 300, 301, 2000])('of %i bytes arrives whole, with what is said of it', async (size) => {
    const body = randomBytes(size);
    await fixture.put(KEY, body, { ContentType: 'text/csv' });
    const store = await storeOf({ role }, { owner });

    expect(await store.copy(await found(store), to())).toBe('copied');

    const copy = await landed();
    expect(createHash('sha256').update(copy.bytes).digest('hex')).toBe(createHash('sha256').update(body).digest('hex'));
    expect(copy).toMatchObject({ ContentType: 'text/csv', Metadata: { 'firn-source': 'partner' } });
    expect(operations('CopyObject')).toEqual([]);
  });

  it('is landed once, however many copy it at once', async () => {
    await fixture.put(KEY, randomBytes(1000));
    const store = await storeOf({ role }, { owner });
    const object = await found(store);

    const outcomes = await Promise.all(Array.from({ length: 6 }, () => store.copy(object, to())));

    expect(outcomes.filter((each) => each === 'copied')).toHaveLength(1);
    expect(new Set(outcomes)).toEqual(new Set(['copied', 'precondition']));
  });

  it.each([200, 1000])('and that is overwritten before it is copied is not landed (%i bytes)', async (size) => {
    await fixture.put(KEY, randomBytes(size));
    const store = await storeOf({ role }, { owner });
    const object = await found(store);

    await fixture.put(KEY, randomBytes(size));

    expect(await store.copy(object, to())).toBe('precondition');
    expect(await store.read(object, 0, 9)).toBe('precondition');
    const head = fixture.client.send(new HeadObjectCommand({ Bucket: LANDING, Key: 'landing/a' }));
    await expect(head).rejects.toMatchObject({ name: 'NotFound' });
  });

  it('and that is too large for a function to pass on is refused, with the way out', async () => {
    await fixture.put(KEY, randomBytes(5001));
    const store = await storeOf({ role }, { owner });
    const object = await found(store);

    const attempt = store.copy(object, to());

    await expect(attempt).rejects.toMatchObject({ kind: 'retryable', code: 'copy.tooLargeToStream' });
    await expect(attempt).rejects.toThrow(/let the stack's own role read the bucket, and leave `role` out/);
    expect(operations('CreateMultipartUpload')).toEqual([]);
  });

  it('is read in a session that is over before long with a new one', async () => {
    await fixture.put(KEY, 'x');
    // Sessions of an hour that began 57 minutes ago.
    clock.now = () => Date.now() - 57 * 60_000;
    const store = await storeOf({ role }, { owner });

    await found(store);
    const sessions = operations('AssumeRole').length;
    await found(store);

    expect(operations('AssumeRole').length).toBeGreaterThan(sessions);
  });

  it('takes one session for many objects, and another when that is over', async () => {
    await fixture.put(KEY, 'x');
    const store = await storeOf({ role }, { owner });
    const object = await found(store);
    for (let index = 0; index < 5; index += 1) await store.copy(object, to(`landing/${index}`));
    expect(operations('AssumeRole')).toHaveLength(1);

    sts.expireSessions();
    const again = await Promise.all([store.head(BUCKET, KEY), store.copy(object, to()), store.read(object, 0, 0)]);

    expect(again).toMatchObject([{ key: KEY }, 'copied', new Uint8Array([120])]);
    expect(operations('AssumeRole').length).toBeLessThanOrEqual(4);
    await store.head(BUCKET, KEY);
    expect(operations('AssumeRole').length).toBeLessThanOrEqual(4);
  });

  it('asks STS for nothing where no source has a role', async () => {
    await fixture.put(KEY, 'x');
    const store = await storeOf({ account: owner }, { owner, readers: [copyRole] });

    await store.copy(await found(store), to());

    expect(operations('AssumeRole')).toEqual([]);
  });

  it.each(['before', 'after'] as const)('arrives whole although copying dies %s any of its calls', async (phase) => {
    const body = randomBytes(1000);
    await fixture.put(KEY, body);
    for (let survived = 1; ; survived += 1) {
      const key = `landing/${phase}-${survived}`;
      life = { calls: survived, phase };
      const store = await storeOf({ role }, { owner });
      const died = await found(store)
        .then((object) => store.copy(object, to(key)))
        .catch(() => 'died');
      const lived = life.calls > 0;
      life = undefined;

      const next = await storeOf({ role }, { owner });
      expect(await next.copy(await found(next), to(key))).toMatch(/copied|precondition/);

      expect((await landed(key)).bytes.equals(body)).toBe(true);
      if (lived) {
        // AssumeRole, HeadObject, and for four parts: start, read and put each, put together.
        expect({ died, survived }).toEqual({ died: 'copied', survived: 13 });
        return;
      }
      expect(died).toBe('died');
    }
  });
});
