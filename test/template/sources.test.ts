import { beforeAll, describe, expect, test } from 'vitest';
import { ofType, packagedTemplate, properties, type Template, targetOf } from './packaged.ts';

let alone: Template;
let withSnowflake: Template;

beforeAll(async () => {
  [alone, withSnowflake] = await Promise.all([packagedTemplate('sources', false), packagedTemplate('sources', true)]);
}, 60_000);

describe('a bucket of a source', () => {
  test('that is ours is made once, however many sources read it, and tells the copy queue of every object', () => {
    const buckets = ofType(alone, 'AWS::S3::Bucket').filter(([id]) => id.startsWith('SourceBucket'));
    expect(buckets.map(([id]) => id)).toEqual(['SourceBucketOrders', 'SourceBucketShopDashcustomers']);
    for (const [, bucket] of buckets) {
      expect(bucket.Properties['NotificationConfiguration']).toEqual({
        QueueConfigurations: [
          { Event: 's3:ObjectCreated:*', Queue: { 'Fn::GetAtt': ['CopyQueue', 'Arn'] } },
          { Event: 's3:ObjectRestore:Completed', Queue: { 'Fn::GetAtt': ['CopyQueue', 'Arn'] } },
        ],
      });
      expect(bucket.DependsOn).toEqual(['CopyQueuePolicy']);
    }
    expect(properties(alone, 'SourceBucketOrders')['BucketName']).toEqual({
      'Fn::Sub': `firn-test-orders-\${AWS::AccountId}-\${AWS::Region}`,
    });
  });

  test('that exists already is not made but listened to, by one rule into the copy queue', () => {
    expect(JSON.stringify(ofType(alone, 'AWS::S3::Bucket'))).not.toContain('partner.price-lists');
    const rules = ofType(alone, 'AWS::Events::Rule').filter(([id]) => id.startsWith('SourceRule'));
    expect(rules.map(([id]) => id)).toEqual(['SourceRulePartnerDotpriceDashlists']);
    const [rule] = rules;
    expect(rule?.[1].Properties['EventPattern']).toEqual({
      source: ['aws.s3'],
      'detail-type': ['Object Created', 'Object Restore Completed'],
      detail: { bucket: { name: ['partner.price-lists'] }, object: { key: [{ prefix: 'daily/' }] } },
    });
    const [target] = rule?.[1].Properties['Targets'] ?? [];
    expect(targetOf(target.Arn)).toBe('CopyQueue');
    expect(targetOf(target.DeadLetterConfig.Arn)).toBe('CopyDeadLetters');
  });
});

test('landing tells the normalize queue of landed uploads, and the unpack queue of archives', () => {
  expect(properties(alone, 'LandingBucket')['NotificationConfiguration']).toEqual({
    QueueConfigurations: [
      {
        Event: 's3:ObjectCreated:*',
        Filter: { S3Key: { Rules: [{ Name: 'prefix', Value: 'landing/' }] } },
        Queue: { 'Fn::GetAtt': ['NormalizeQueue', 'Arn'] },
      },
      {
        Event: 's3:ObjectCreated:*',
        Filter: { S3Key: { Rules: [{ Name: 'prefix', Value: 'archive/' }] } },
        Queue: { 'Fn::GetAtt': ['UnpackQueue', 'Arn'] },
      },
    ],
  });
  expect(alone.Resources['LandingBucket']?.DependsOn).toEqual(['UnpackQueuePolicy', 'NormalizeQueuePolicy']);
});

describe('Snowflake', () => {
  test('is nowhere in a stack that has none', () => {
    expect(JSON.stringify(alone)).not.toMatch(/snowflake/i);
    expect(properties(alone, 'ExportBucket')['NotificationConfiguration']).toBeUndefined();
    expect(properties(alone, 'ReconcileRole')['Policies']).toHaveLength(1);
  });

  test("is told of each entity's files under its current load, by the entity's own queue", () => {
    const { QueueConfigurations } = properties(withSnowflake, 'ExportBucket')['NotificationConfiguration'];
    expect(QueueConfigurations).toEqual(
      [
        ['export/entity=customer/load=1/', 'customer'],
        ['export/entity=order/load=2/', 'order'],
        ['export/entity=price/load=1/', 'price'],
      ].map(([prefix, entity]) => ({
        Event: 's3:ObjectCreated:*',
        Filter: { S3Key: { Rules: [{ Name: 'prefix', Value: prefix }] } },
        Queue: `arn:aws:sqs:eu-central-1:999988887777:sf-snowpipe-${entity}`,
      })),
    );
  });

  test('reads export files in a role that only its own user with the agreed id may take', () => {
    const { RoleName, AssumeRolePolicyDocument, Policies } = properties(withSnowflake, 'SnowflakeReadRole');
    expect(RoleName).toBe('firn-test-snowflake-read');
    expect(AssumeRolePolicyDocument.Statement).toEqual([
      {
        Effect: 'Allow',
        Principal: { AWS: 'arn:aws:iam::999988887777:user/abc1-b-self1234' },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'sts:ExternalId': 'firn-test-external-id' } },
      },
    ]);
    expect(Policies[0].PolicyDocument.Statement).toEqual([
      expect.objectContaining({
        Action: ['s3:GetObject', 's3:GetObjectVersion'],
        Resource: { 'Fn::Sub': `\${ExportBucket.Arn}/export/*` },
      }),
      expect.objectContaining({ Action: ['s3:ListBucket'], Condition: { StringLike: { 's3:prefix': ['export/*'] } } }),
      expect.objectContaining({ Action: ['s3:GetBucketLocation'] }),
    ]);
  });

  test('takes nothing else with it: the rest of the stack is the same with and without', () => {
    const differing = Object.keys(withSnowflake.Resources).filter(
      (id) => JSON.stringify(timeless(withSnowflake.Resources[id])) !== JSON.stringify(timeless(alone.Resources[id])),
    );
    expect(differing.sort()).toEqual(['ExportBucket', 'ReconcileLambdaFunction', 'ReconcileRole', 'SnowflakeReadRole']);
  });
});

// Each packaging puts its time into the S3 key of the code.
function timeless(resource: unknown): unknown {
  return JSON.parse(JSON.stringify(resource ?? null).replace(/"S3Key":"[^"]*"/, '"S3Key":""'));
}

describe.each([
  ['without Snowflake', () => alone],
  ['with Snowflake', () => withSnowflake],
])('the template %s', (_, template) => {
  test('refers only to what it has', () => {
    const known = new Set(Object.keys(template().Resources));
    const references = referencesIn(template());
    expect(references.length).toBeGreaterThan(100);
    expect(references.filter((id) => !id.startsWith('AWS::') && !known.has(id))).toEqual([]);
  });

  test('waits in no circle', () => {
    const { Resources } = template();
    const waitsFor = new Map(Object.entries(Resources).map(([id, resource]) => [id, referencesIn(resource)]));
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (id: string, path: readonly string[]): void => {
      if (path.includes(id)) circles.push([...path, id].join(' → '));
      if (done.has(id) || path.includes(id)) return;
      for (const next of waitsFor.get(id) ?? []) if (waitsFor.has(next)) visit(next, [...path, id]);
      done.add(id);
    };
    for (const id of waitsFor.keys()) visit(id, []);
    expect(circles).toEqual([]);
  });

  test('holds no placeholder for what the stack does not have', () => {
    expect(JSON.stringify(template())).not.toContain('AWS::NoValue');
  });

  test('answers with the names that tools need', () => {
    const names = [
      'TableName',
      'LandingBucketName',
      'ExportBucketName',
      'CopyQueueUrl',
      'NormalizeQueueUrl',
      'CopyFunctionName',
    ];
    expect(Object.keys(template().Outputs)).toEqual(expect.arrayContaining(names));
  });
});

/** The logical ids and pseudo parameters in Ref, Fn::GetAtt, Fn::Sub and DependsOn. */
function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    if (name === 'Ref') return [inner as string];
    if (name === 'Fn::GetAtt') return [(inner as [string, string])[0]];
    if (name === 'Fn::Sub')
      return [...(inner as string).matchAll(/\$\{([^!.}][^.}]*)/g)].map((match) => match[1] as string);
    if (name === 'DependsOn') return typeof inner === 'string' ? [inner] : (inner as string[]);
    return referencesIn(inner);
  });
}
