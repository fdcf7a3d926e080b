import { beforeAll, describe, expect, test } from 'vitest';
import { readingRoleName } from '../../core/origin/reading-role.ts';
import { copyQueueArn } from '../../core/origin/senders.ts';
import {
  listOf,
  ofType,
  packagedTemplate,
  properties,
  type Statement,
  statements,
  type Template,
  targetOf,
} from './packaged.ts';

let template: Template;

beforeAll(async () => {
  template = await packagedTemplate('permissions', true);
}, 60_000);

const ofRole = (role: string) => statements(template).filter(({ where }) => where === role);
const actionsOf = (role: string) => ofRole(role).flatMap(({ statement }) => listOf(statement.Action));
const leadingKeys = ({ Condition }: Statement) =>
  (Condition as { 'ForAllValues:StringLike': Record<string, string[]> })['ForAllValues:StringLike'][
    'dynamodb:LeadingKeys'
  ];

describe('roles', () => {
  test('each function has its own, inline but for what the sources decide, and only those that owners name are fixed', () => {
    const functions = ofType(template, 'AWS::Lambda::Function');
    const roles = functions.map(([, { Properties }]) => targetOf(Properties['Role']));
    expect(new Set(roles).size).toBe(functions.length);
    const named = roles.filter((role) => properties(template, role)['RoleName'] !== undefined);
    expect(named.filter((role) => !['CopyRole', 'PollRole'].includes(role))).toEqual([]);
    for (const reading of ['copy', 'poll'] as const) {
      const name = readingRoleName('test', reading, `\${AWS::Region}`);
      const role = reading === 'copy' ? 'CopyRole' : 'PollRole';
      expect(properties(template, role)['RoleName']).toEqual({ 'Fn::Sub': name });
      // IAM: 64 characters. A stage has at most 14, and this is a region of the longest name.
      expect(readingRoleName('a'.repeat(14), reading, 'ap-southeast-1').length).toBeLessThanOrEqual(64);
    }
    expect(ofType(template, 'AWS::IAM::Policy')).toEqual([]);
    const attached = ofType(template, 'AWS::IAM::Role').flatMap(
      ([, each]) => each.Properties['ManagedPolicyArns'] ?? [],
    );
    // Named by the role, so that it has them from its first moment on.
    expect(attached.map(targetOf).sort()).toEqual(
      ofType(template, 'AWS::IAM::ManagedPolicy')
        .map(([id]) => id)
        .sort(),
    );
  });

  test('nothing is allowed on everything, and no action is a pattern', () => {
    const allowed = statements(template).filter(({ statement }) => statement.Effect === 'Allow');
    expect(allowed.length).toBeGreaterThan(20);
    for (const { where, statement } of allowed) {
      for (const resource of listOf(statement.Resource)) expect(resource, `${where} ${statement.Sid}`).not.toBe('*');
      for (const action of listOf(statement.Action)) expect(action, `${where} ${statement.Sid}`).not.toContain('*');
    }
  });

  test('no function can delete an item, an object or anything else', () => {
    const deleting = statements(template).flatMap(({ statement }) =>
      listOf(statement.Action).filter((action) => /Delete/.test(action)),
    );
    expect(new Set(deleting)).toEqual(new Set(['sqs:DeleteMessage']));
  });

  test.each([
    ['CopyRole', [['U#*']]],
    ['PollRole', [['S#*']]],
    ['UnpackRole', [['U#*']]],
    ['NormalizeRole', [['R#*', 'U#*', 'S#*']]],
    ['ExportRole', [['U#*', 'E#*']]],
    ['ReconcileRole', [['U#*', 'E#*', 'S#*'], ['UD#*']]],
  ])('%s reaches only its own items of the table', (role, expected) => {
    const onItems = ofRole(role).filter(({ statement }) =>
      listOf(statement.Action).some((action) => /^dynamodb:.*(Item|Query)/.test(action)),
    );
    expect(onItems.map(({ statement }) => leadingKeys(statement))).toEqual(expected);
  });

  test('only copy, poll and normalize write to landing, only export writes export files', () => {
    const writers = statements(template).filter(({ statement }) => listOf(statement.Action).includes('s3:PutObject'));
    const targets = writers.map(({ where, statement }) => [
      where,
      JSON.stringify(statement.Resource).match(/\w+Bucket/)?.[0],
    ]);
    expect(targets).toEqual([
      ['CopyRole', 'LandingBucket'],
      ['PollRole', 'LandingBucket'],
      ['UnpackRole', 'LandingBucket'],
      ['NormalizeRole', 'LandingBucket'],
      ['ExportRole', 'ExportBucket'],
      ['ExportRole', 'StreamFailureBucket'],
    ]);
  });

  test('copy can tell a missing object from a forbidden one, under its prefixes', () => {
    const lists = ['CopyReads1', 'CopyRole']
      .flatMap(ofRole)
      .filter(({ statement }) => listOf(statement.Action).includes('s3:ListBucket'));
    expect(lists.map(({ statement }) => statement.Condition)).toEqual([
      { StringLikeIfExists: { 's3:prefix': ['lisbon/*', 'porto/*'] } },
      undefined,
      { StringLikeIfExists: { 's3:prefix': ['daily/*'] } },
      undefined,
    ]);
  });

  test('copy reads the prefixes of its sources and nothing beside them', () => {
    const [read] = ofRole('CopyReads1').filter(({ statement }) => listOf(statement.Action).includes('s3:GetObject'));
    const tail = `-\${AWS::AccountId}-\${AWS::Region}`;
    expect(read?.statement.Resource).toEqual([
      { 'Fn::Sub': `arn:\${AWS::Partition}:s3:::firn-test-orders${tail}/lisbon/*` },
      { 'Fn::Sub': `arn:\${AWS::Partition}:s3:::firn-test-orders${tail}/porto/*` },
      { 'Fn::Sub': `arn:\${AWS::Partition}:s3:::firn-test-shop-customers${tail}/*` },
      { 'Fn::Sub': `arn:\${AWS::Partition}:s3:::partner.price-lists/daily/*` },
    ]);
  });

  test('poll keeps what it saw under a prefix of its own, and reads no object of a source', () => {
    const reads = ofRole('PollRole').filter(({ statement }) => listOf(statement.Action).includes('s3:GetObject'));
    expect(reads.map(({ statement }) => statement.Resource)).toEqual([{ 'Fn::Sub': `\${LandingBucket.Arn}/poll/*` }]);
    expect(ofRole('PollReads1')).toEqual([]);
    expect(properties(template, 'PollRole')['RoleName']).toEqual({ 'Fn::Sub': `firn-test-poll-\${AWS::Region}` });
  });

  test('the secret is read by reconcile alone', () => {
    expect(['CopyRole', 'PollRole', 'UnpackRole', 'NormalizeRole', 'ExportRole'].flatMap(actionsOf)).not.toContain(
      'secretsmanager:GetSecretValue',
    );
    expect(actionsOf('ReconcileRole')).toContain('secretsmanager:GetSecretValue');
  });
});

describe('buckets', () => {
  const buckets = () => ofType(template, 'AWS::S3::Bucket').filter(([id]) => id !== 'ServerlessDeploymentBucket');

  test('are private, encrypted, owned by the account, kept, and rid of abandoned uploads', () => {
    expect(
      buckets()
        .map(([id]) => id)
        .sort(),
    ).toEqual([
      'ExportBucket',
      'LandingBucket',
      'SourceBucketOrders',
      'SourceBucketShopDashcustomers',
      'StreamFailureBucket',
    ]);
    for (const [id, bucket] of buckets()) {
      expect(bucket, id).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
      const { PublicAccessBlockConfiguration, OwnershipControls, BucketEncryption, LifecycleConfiguration } =
        bucket.Properties;
      expect(Object.values(PublicAccessBlockConfiguration), id).toEqual([true, true, true, true]);
      expect(OwnershipControls.Rules[0].ObjectOwnership, id).toBe('BucketOwnerEnforced');
      expect(BucketEncryption.ServerSideEncryptionConfiguration[0].ServerSideEncryptionByDefault.SSEAlgorithm).toBe(
        'AES256',
      );
      expect(LifecycleConfiguration.Rules[0].AbortIncompleteMultipartUpload.DaysAfterInitiation, id).toBe(2);
    }
  });

  test('and queues that somebody else may send to refuse whatever does not come by TLS', () => {
    // The deployment bucket is the packager's own, with its own policy.
    const ours = statements(template).filter(({ where }) => where !== 'ServerlessDeploymentBucketPolicy');
    const denied = ours.filter(({ statement }) => statement.Effect === 'Deny');
    const covered = denied.flatMap(({ statement }) => {
      expect(statement.Condition).toEqual({ Bool: { 'aws:SecureTransport': 'false' } });
      return targetOf(listOf(statement.Resource)[0]);
    });
    const expected = [...buckets().map(([id]) => id), 'CopyQueue', 'CopyDeadLetters', 'UnpackQueue', 'NormalizeQueue'];
    expect(covered.sort()).toEqual(expected.sort());
  });

  test('landing keeps every version, but for what sweeps leave, which is gone after a week', () => {
    const { VersioningConfiguration, LifecycleConfiguration } = properties(template, 'LandingBucket');
    expect(VersioningConfiguration).toEqual({ Status: 'Enabled' });
    const removing = LifecycleConfiguration.Rules.filter((rule: object) => 'ExpirationInDays' in rule);
    expect(removing).toMatchObject([{ Prefix: 'poll/', ExpirationInDays: 7, NoncurrentVersionExpiration: {} }]);
  });
});

test('services may send to a queue only in the name of this account, and of its buckets and rules', () => {
  const senders = statements(template).filter(
    ({ where, statement }) => where.endsWith('Policy') && statement.Effect === 'Allow',
  );
  expect(senders).toHaveLength(5);
  for (const { statement } of senders) {
    expect(statement).toMatchObject({
      Action: 'sqs:SendMessage',
      Condition: {
        StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
        ArnLike: { 'aws:SourceArn': { 'Fn::Sub': expect.stringMatching(/firn-test-|rule\/\$\{AWS::StackName\}-\*$/) } },
      },
    });
  }
});

test('the copy queue has the name that owners of buckets are told', () => {
  const arn = copyQueueArn({ stage: 'test', region: 'eu-central-1', account: '111122223333' });
  expect(arn.split(':').at(-1)).toBe(properties(template, 'CopyQueue')['QueueName']);
});
