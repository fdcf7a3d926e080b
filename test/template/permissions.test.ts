import { beforeAll, describe, expect, test } from 'vitest';
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
  test('each function has its own, all inline, and none is fixed by name', () => {
    const functions = ofType(template, 'AWS::Lambda::Function');
    const roles = functions.map(([, { Properties }]) => targetOf(Properties['Role']));
    expect(new Set(roles).size).toBe(functions.length);
    for (const role of roles) expect(properties(template, role)['RoleName']).toBeUndefined();
    expect(ofType(template, 'AWS::IAM::Policy')).toEqual([]);
    expect(ofType(template, 'AWS::IAM::ManagedPolicy')).toEqual([]);
    for (const [, { Properties }] of ofType(template, 'AWS::IAM::Role'))
      expect(Properties['ManagedPolicyArns']).toBeUndefined();
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
    ['NormalizeRole', [['R#*', 'U#*', 'S#*']]],
    ['ExportRole', [['U#*', 'E#*']]],
    ['ReconcileRole', [['U#*', 'E#*', 'S#*'], ['UD#*']]],
  ])('%s reaches only its own items of the table', (role, expected) => {
    const onItems = ofRole(role).filter(({ statement }) =>
      listOf(statement.Action).some((action) => /^dynamodb:.*(Item|Query)/.test(action)),
    );
    expect(onItems.map(({ statement }) => leadingKeys(statement))).toEqual(expected);
  });

  test('only normalize and copy write to landing, only export writes export files', () => {
    const writers = statements(template).filter(({ statement }) => listOf(statement.Action).includes('s3:PutObject'));
    const targets = writers.map(({ where, statement }) => [
      where,
      JSON.stringify(statement.Resource).match(/\w+Bucket/)?.[0],
    ]);
    expect(targets).toEqual([
      ['CopyRole', 'LandingBucket'],
      ['NormalizeRole', 'LandingBucket'],
      ['ExportRole', 'ExportBucket'],
      ['ExportRole', 'StreamFailureBucket'],
    ]);
  });

  test('copy can tell a missing object from a forbidden one, under its prefixes', () => {
    const lists = ofRole('CopyRole').filter(({ statement }) => listOf(statement.Action).includes('s3:ListBucket'));
    expect(lists.map(({ statement }) => statement.Condition)).toEqual([
      { StringLikeIfExists: { 's3:prefix': ['lisbon/*', 'porto/*'] } },
      undefined,
      { StringLikeIfExists: { 's3:prefix': ['daily/*'] } },
      undefined,
    ]);
  });

  test('copy reads the prefixes of its sources and nothing beside them', () => {
    const [read] = ofRole('CopyRole').filter(({ statement }) => statement.Sid === 'ReadSources');
    const tail = `-\${AWS::AccountId}-\${AWS::Region}`;
    expect(read?.statement.Resource).toEqual([
      { 'Fn::Sub': `arn:\${AWS::Partition}:s3:::firn-test-orders${tail}/lisbon/*` },
      { 'Fn::Sub': `arn:\${AWS::Partition}:s3:::firn-test-orders${tail}/porto/*` },
      { 'Fn::Sub': `arn:\${AWS::Partition}:s3:::firn-test-shop-customers${tail}/*` },
      { 'Fn::Sub': `arn:\${AWS::Partition}:s3:::partner.price-lists/daily/*` },
    ]);
  });

  test('the secret is read by reconcile alone', () => {
    expect(['CopyRole', 'NormalizeRole', 'ExportRole'].flatMap(actionsOf)).not.toContain(
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
    const expected = [...buckets().map(([id]) => id), 'CopyQueue', 'CopyDeadLetters', 'NormalizeQueue'];
    expect(covered.sort()).toEqual(expected.sort());
  });

  test('landing keeps every version', () => {
    expect(properties(template, 'LandingBucket')['VersioningConfiguration']).toEqual({ Status: 'Enabled' });
  });
});

test('services may send to a queue only in the name of this account, and of its buckets and rules', () => {
  const senders = statements(template).filter(
    ({ where, statement }) => where.endsWith('Policy') && statement.Effect === 'Allow',
  );
  expect(senders).toHaveLength(4);
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
