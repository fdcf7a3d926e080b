import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClock } from '../../local/clock.ts';
import { type LocalSts, startSts } from '../../local/sts/server.ts';
import { BUCKET, refusal, type S3Fixture, START, s3Fixture } from './s3-fixture.ts';

const caller = 'arn:aws:iam::111122223333:role/copy';
const arn = 'arn:aws:iam::222233334444:role/reader';

let fixture: S3Fixture;
let sts: LocalSts;
let client: STSClient;

const as = (accessKeyId: string) => ({ region: 'eu-west-1', credentials: { accessKeyId, secretAccessKey: 'x' } });
const assume = (input: Partial<AssumeRoleCommandInput> = {}, by = client) =>
  by.send(new AssumeRoleCommand({ RoleArn: arn, RoleSessionName: 'orders', ExternalId: 'agreed', ...input }));
const code = (answer: Promise<unknown>) =>
  answer.then(
    () => 'answered',
    (error: Error) => error.name,
  );

beforeEach(async () => {
  const roleOf = (principal: string) => (principal.startsWith('copy-') ? caller : undefined);
  sts = await startSts({ clock: { ...createClock(), now: () => START }, roleOf });
  fixture = await s3Fixture({}, { callerOf: (principal) => sts.sessionOf(principal) });
  client = new STSClient({ ...as('copy-1'), endpoint: sts.endpoint, maxAttempts: 1 });
  sts.addRole({ arn, externalId: 'agreed', trusts: [caller] });
});
afterEach(async () => {
  client.destroy();
  await sts.close();
  await fixture[Symbol.asyncDispose]();
});

describe('the local STS', () => {
  it('gives a session of the role that ends after the time asked for', async () => {
    const { Credentials } = await assume({ DurationSeconds: 900 });
    expect(Credentials?.Expiration).toEqual(new Date(START + 900_000));
    expect(sts.sessionOf(Credentials?.AccessKeyId ?? '')).toMatchObject({ roleArn: arn });
  });

  it.each<[string, Partial<AssumeRoleCommandInput>, string]>([
    ['another external id', { ExternalId: 'guessed' }, 'AccessDenied'],
    ['no external id', { ExternalId: undefined }, 'AccessDenied'],
    ['a role that is not there', { RoleArn: `${arn}-2` }, 'AccessDenied'],
    ['more than an hour', { DurationSeconds: 3601 }, 'ValidationError'],
    ['less than a quarter', { DurationSeconds: 899 }, 'ValidationError'],
    ['a name of one letter', { RoleSessionName: 'a' }, 'ValidationError'],
  ])('refuses %s', async (_what, input, expected) => expect(await code(assume(input))).toBe(expected));

  it('refuses whom the trust of the role does not name, and what it cannot do', async () => {
    const stranger = new STSClient({ ...as('poll-1'), endpoint: sts.endpoint, maxAttempts: 1 });
    expect(await code(assume({}, stranger))).toBe('AccessDenied');
    expect(await code(client.send(new GetCallerIdentityCommand({})))).toBe('InvalidAction');
    stranger.destroy();
  });
});

describe('a session of a role', () => {
  it("reads its own account's buckets, and can neither write into another's nor outlive its time", async () => {
    await fixture.put('a', 'x');
    await fixture.s3.createBucket('landing-bucket');
    await fixture.s3.configureBucket(BUCKET, { access: { owner: '222233334444' } });
    const { Credentials } = await assume();
    const s3 = new S3Client({
      ...as(Credentials?.AccessKeyId ?? ''),
      endpoint: fixture.s3.endpoint,
      forcePathStyle: true,
      maxAttempts: 1,
    });
    const get = () => s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'a' }));

    expect(await (await get()).Body?.transformToString()).toBe('x');
    const put = s3.send(new PutObjectCommand({ Bucket: 'landing-bucket', Key: 'a', Body: 'x' }));
    expect(await refusal(put)).toBe('403 AccessDenied');
    fixture.clock.move(3600_000);
    expect(await refusal(get())).toBe('400 ExpiredToken');
    s3.destroy();
  });
});
