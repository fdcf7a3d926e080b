import { describe, expect, it } from 'vitest';
import type { Grant } from '../../core/origin/grant.ts';
import { grantsFor } from '../../core/origin/grants.ts';
import type { Home } from '../../core/origin/reading-role.ts';
import { defineSource, type Origin, ours } from '../../core/source/source.ts';

const home: Home = { stage: 'prod', region: 'eu-central-1', account: '111122223333' };
const copy = 'arn:aws:iam::111122223333:role/firn-prod-copy-eu-central-1';
const poll = 'arn:aws:iam::111122223333:role/firn-prod-poll-eu-central-1';
const queue = 'arn:aws:sqs:eu-central-1:111122223333:firn-prod-copy';
const account = '222233334444';
const role = { arn: `arn:aws:iam::${account}:role/reader`, externalId: 'agreed' };
const kmsKey = `arn:aws:kms:eu-central-1:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;

const sourcesOf = (...origins: readonly Partial<Origin>[]) =>
  origins.map((from, index) => ({
    id: `source-${index}`,
    hash: 'h',
    source: defineSource({ from: { bucket: 'partner', ...from }, entity: 'order', fields: {} }),
  }));
const grantsOf = (...origins: readonly Partial<Origin>[]) => {
  // As a program reads it.
  const [bucket] = JSON.parse(JSON.stringify(grantsFor(sourcesOf(...origins), home))) as ReturnType<typeof grantsFor>;
  if (!bucket) throw new Error('nothing is granted');
  return bucket;
};
const kinds = (...origins: readonly Partial<Origin>[]) => grantsOf(...origins).grants.map(({ kind }) => kind);

interface Statement {
  readonly Principal?: { readonly AWS: readonly string[] };
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

interface Request {
  readonly who?: string;
  readonly action: string;
  readonly resource: string;
  readonly context?: Readonly<Record<string, string>>;
}

/** As AWS would decide by one document of Allow statements. */
function allows(grants: readonly Grant[], kind: Grant['kind'], request: Request): boolean {
  const documents = grants.filter((each) => each.kind === kind).map(({ document }) => document);
  const statements = documents.flatMap((each) => (each as { Statement: readonly Statement[] }).Statement);
  return statements.some(
    ({ Principal, Action, Resource, Condition = {} }) =>
      (Principal === undefined || Principal.AWS.includes(request.who ?? '')) &&
      Action.includes(request.action) &&
      [Resource].flat().some((each) => like(each, request.resource)) &&
      Object.entries(Condition).every(([operator, keys]) => holds(operator, keys, request.context ?? {})),
  );
}

function holds(operator: string, keys: Record<string, string | readonly string[]>, context: Record<string, string>) {
  return Object.entries(keys).every(([key, values]) => {
    const value = context[key];
    if (value === undefined) return operator.endsWith('IfExists');
    return [values].flat().some((each) => (operator.startsWith('StringLike') ? like(each, value) : each === value));
  });
}

function like(pattern: string, text: string): boolean {
  const parts = pattern.split(/(\$\{[*?$]\}|\*|\?)/).map((part) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    return (/^\$\{.\}$/.test(part) ? (part[2] ?? '') : part).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`, 's').test(text);
}

const bucket = 'arn:aws:s3:::partner';
const throughS3 = { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' };

/** All that copy asks of an object: adapters/source-store.ts. */
const calls = (who: string, key: string): readonly Request[] => [
  { who, action: 's3:GetObject', resource: `${bucket}/${key}` },
  { who, action: 's3:GetObjectVersion', resource: `${bucket}/${key}` },
  // HeadObject of what is missing; ListObjectsV2 for deliveries.
  { who, action: 's3:ListBucket', resource: bucket },
  { who, action: 's3:ListBucket', resource: bucket, context: { 's3:prefix': key } },
];

describe('what an owner grants to the copy role', () => {
  it.each<[string, Partial<Origin>[], string, string]>([
    ['a whole bucket', [{ account }], 'any/key', ''],
    ['a prefix', [{ account, prefix: 'in/' }], 'in/a', 'other/a'],
    ['a prefix with what IAM takes for patterns', [{ account, prefix: `a*b?$\{x}/` }], `a*b?$\{x}/k`, `aXbYX{x}/k`],
    [
      'the prefixes of two sources',
      [
        { account, prefix: 'in/' },
        { account, prefix: 'up/' },
      ],
      'up/a',
      'down/a',
    ],
  ])('is every call it makes of %s, and no other', (_what, origins, inside, outside) => {
    const { grants } = grantsOf(...origins);
    for (const call of calls(copy, inside)) expect(allows(grants, 'bucketPolicy', call), call.action).toBe(true);
    for (const call of calls(poll, inside)) expect(allows(grants, 'bucketPolicy', call), call.action).toBe(false);
    if (outside === '') return;
    const [get, getVersion, , list] = calls(copy, outside);
    for (const call of [get, getVersion, list]) expect(call && allows(grants, 'bucketPolicy', call)).toBe(false);
  });

  it('lets the poller list what is polled, and read nothing', () => {
    const { grants } = grantsOf({ account, prefix: 'in/', poll: {} });
    const list = { action: 's3:ListBucket', resource: bucket, context: { 's3:prefix': 'in/' } };
    expect(allows(grants, 'bucketPolicy', { ...list, who: poll })).toBe(true);
    expect(allows(grants, 'bucketPolicy', { who: poll, action: 's3:GetObject', resource: `${bucket}/in/a` })).toBe(
      false,
    );
  });

  it('is the key, as far as S3 uses it', () => {
    const { grants } = grantsOf({ account, kmsKey });
    const decrypt = { who: copy, action: 'kms:Decrypt', resource: kmsKey };
    expect(allows(grants, 'keyPolicy', { ...decrypt, context: throughS3 })).toBe(true);
    expect(allows(grants, 'keyPolicy', decrypt)).toBe(false);
    expect(allows(grants, 'keyPolicy', { ...decrypt, who: poll, context: throughS3 })).toBe(false);
  });

  it('is a role that only ours take with the agreed id, and that may do all that copy does', () => {
    const { grants } = grantsOf({ role, prefix: 'in/', kmsKey });
    for (const call of calls('', 'in/a')) expect(allows(grants, 'rolePolicy', call), call.action).toBe(true);
    expect(allows(grants, 'rolePolicy', { action: 'kms:Decrypt', resource: kmsKey, context: throughS3 })).toBe(true);
    const trust = grants.find(({ kind }) => kind === 'roleTrust')?.document;
    expect(trust).toMatchObject({
      Statement: [
        {
          Principal: { AWS: [copy] },
          Action: ['sts:AssumeRole'],
          Condition: { StringEquals: { 'sts:ExternalId': 'agreed' } },
        },
      ],
    });
    expect(kinds({ role })).not.toContain('bucketPolicy');
  });

  it('is a role that the poller takes, too, when it is polled', () => {
    const trust = grantsOf({ role, poll: {} }).grants.find(({ kind }) => kind === 'roleTrust')?.document;
    expect(trust).toMatchObject({ Statement: [{ Principal: { AWS: [copy, poll] } }] });
  });
});

describe('how the copy queue hears of objects', () => {
  it('by a notification or a rule of the owner, under the prefixes of sources that wait for events', () => {
    const from = [
      { account, prefix: 'in/' },
      { account, prefix: 'in/deep/' },
      { account, prefix: 'polled/', poll: {} },
    ];
    const { grants } = grantsOf(...from);
    const notification = grants.find(({ kind }) => kind === 'bucketNotification')?.document;
    expect(notification).toEqual({
      QueueConfigurations: [
        {
          Id: 'firn-prod-1',
          QueueArn: queue,
          Events: ['s3:ObjectCreated:*', 's3:ObjectRestore:Completed'],
          Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: 'in/' }] } },
        },
      ],
    });
    expect(grants.find(({ kind }) => kind === 'eventBridgeRule')?.document).toMatchObject({
      EventPattern: { detail: { bucket: { name: ['partner'] }, object: { key: [{ prefix: 'in/' }] } } },
      Targets: [{ Arn: queue, RoleArn: `arn:aws:iam::${account}:role/firn-events` }],
      RolePolicy: { Statement: [{ Action: 'sqs:SendMessage', Resource: queue }] },
    });
  });

  it('by a rule whose pattern EventBridge takes, however many prefixes there are', () => {
    const from = Array.from({ length: 100 }, (_, index) => ({ account, prefix: `deliveries/of-partner-${index}/` }));
    const rule = grantsOf(...from).grants.find(({ kind }) => kind === 'eventBridgeRule')?.document;
    const { EventPattern } = rule as { EventPattern: object };
    expect(JSON.stringify(EventPattern).length).toBeLessThan(2_048);
    expect(EventPattern).toMatchObject({ detail: { bucket: { name: ['partner'] } } });
  });

  it.each<[string, Partial<Origin>, string[]]>([
    ['of the own account by the switch of EventBridge alone', {}, ['eventBridgeSwitch']],
    ['of the own account with a key by the switch, the key aside', { kmsKey }, ['keyPolicy', 'eventBridgeSwitch']],
    ['that is polled by nothing', { account, poll: {} }, ['bucketPolicy']],
    ['that is polled in a role by nothing', { role, poll: {} }, ['roleTrust', 'rolePolicy']],
  ])('in a bucket %s', (_what, from, expected) => expect(kinds(from)).toEqual(expected));
});

describe('the list of grants', () => {
  it('is the same whatever the order of the sources, and leaves out buckets that the stack makes', () => {
    const sources = sourcesOf(
      { account },
      { bucket: 'another', role },
      { bucket: ours('mine') },
      { account, prefix: 'a/' },
    );
    const grants = grantsFor(sources, home);
    expect(grants.map(({ bucket: name, sources: ids }) => [name, ids])).toEqual([
      ['another', ['source-1']],
      ['partner', ['source-0', 'source-3']],
    ]);
    expect(grantsFor(sources.toReversed(), home)).toEqual(grants);
  });

  it('tells what costs us, what lies elsewhere, and which keys cannot be shared', () => {
    const notes = grantsOf({ requesterPays: true, region: 'us-east-1', poll: {} }).notes.join('\n');
    expect(notes).toMatch(/paid by us/);
    expect(notes).toMatch(/lies in us-east-1, we in eu-central-1/);
    expect(notes).toMatch(/open to everybody/);
    expect(grantsOf({ account }).notes.join('\n')).toMatch(/aws\/s3\) cannot be shared/);
    expect(grantsOf({ account, prefix: 'in/' }).notes.join('\n')).toMatch(/list without any.*names of other keys/);
    expect(grantsOf({ account }).notes.join('\n')).not.toMatch(/list without any/);
  });

  it('speaks of the part of AWS that the stack lies in', () => {
    const china = { ...home, region: 'cn-north-1' };
    const text = JSON.stringify(grantsFor(sourcesOf({ account }), china));
    expect(text).toContain('arn:aws-cn:s3:::partner');
    expect(text).not.toContain('arn:aws:');
  });
});
