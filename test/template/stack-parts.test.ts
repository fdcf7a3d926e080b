import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Registry } from '../../core/source/registry.ts';
import { defineSource, type Origin, ours } from '../../core/source/source.ts';
import { logicalName, refuseTooLarge } from '../../deploy/resources/template.ts';
import { readSnowflakeFile } from '../../deploy/snowflake-file.ts';
import { type StackParts, stackParts } from '../../deploy/stack.ts';

interface Policy {
  readonly Statement: readonly { readonly Action: readonly string[]; readonly Resource: readonly unknown[] }[];
}

function registryOf(...origins: readonly Origin[]): Registry {
  const sources = origins.map((from, index) => ({
    id: `source-${index}`,
    hash: '',
    source: defineSource({ from, entity: 'thing', fields: {} }),
  }));
  return { build: '2026-03-01T00:00:00.000Z', sources };
}

const policiesOf = (parts: StackParts) =>
  Object.values(parts.copyReads.Resources).map(({ Properties }) => Properties['PolicyDocument'] as unknown as Policy);
const readable = (parts: StackParts) =>
  JSON.stringify(
    policiesOf(parts)
      .flatMap(({ Statement }) => Statement)
      .filter(({ Action }) => Action.includes('s3:GetObject'))
      .flatMap(({ Resource }) => Resource),
  );

describe('the parts of a stack', () => {
  test('without sources are none', () => {
    const parts = stackParts(registryOf(), 'dev', undefined);
    expect(parts.sourceBuckets.Resources).toEqual({});
    expect(parts.copyReads).toEqual({ Resources: {}, arns: { Ref: 'AWS::NoValue' } });
    expect(parts.foreignSenders).toEqual({ buckets: { Ref: 'AWS::NoValue' }, rules: { Ref: 'AWS::NoValue' } });
  });

  test('switch the poller on where a source is polled, which then lists the prefix and gets no rule', () => {
    const parts = stackParts(
      registryOf({ bucket: 'theirs', prefix: 'in/', poll: {} }, { bucket: 'others' }),
      'dev',
      undefined,
    );
    expect(parts.pollsAny).toBe(true);
    expect(Object.keys(parts.sourceBuckets.Resources)).toEqual(['SourceRuleOthers']);
    expect(
      Object.values(parts.pollReads.Resources).map(({ Properties }) => Properties['PolicyDocument']),
    ).toMatchObject([
      {
        Statement: [
          {
            Action: ['s3:ListBucket'],
            Resource: [{ 'Fn::Sub': `arn:\${AWS::Partition}:s3:::theirs` }],
            Condition: { StringLikeIfExists: { 's3:prefix': ['in/*'] } },
          },
        ],
      },
    ]);
    expect(stackParts(registryOf({ bucket: 'others' }), 'dev', undefined).pollsAny).toBe(false);
  });

  test('refuse all buckets at once that S3 or the stack cannot take', () => {
    const registry = registryOf(
      { bucket: ours('landing') },
      { bucket: ours('Orders') },
      { bucket: ours('a-name-that-is-far-too-long-for-a-bucket') },
      { bucket: 'No_Bucket' },
      { bucket: ours('fine') },
    );
    const attempt = () => stackParts(registry, 'dev', undefined);
    for (const name of ['landing', 'Orders', 'a-name-that-is-far-too-long-for-a-bucket', 'No_Bucket'])
      expect(attempt).toThrow(name);
    expect(attempt).not.toThrow(/fine/);
  });

  test('grant a prefix that holds another once', () => {
    const bucket = ours('orders');
    const parts = stackParts(
      registryOf({ bucket, prefix: 'a/b/' }, { bucket, prefix: 'a/' }, { bucket, prefix: 'c/' }),
      'dev',
      undefined,
    );
    const resources = readable(parts);
    expect(resources.match(/orders/g)).toHaveLength(2);
    expect(resources).toContain('/a/*');
    expect(resources).toContain('/c/*');
  });

  test('grant a prefix by its characters: what IAM and CloudFormation would read as a pattern stays text', () => {
    const parts = stackParts(registryOf({ bucket: 'theirs', prefix: `a*b?/\${x}/` }), 'dev', undefined);
    expect(readable(parts)).toContain(`theirs/a\${!*}b\${!?}/\${!$}{x}/*`);
  });

  test('say so when the copy role could not hold the policies', () => {
    const many = Array.from({ length: 320 }, (_, index) => ({
      bucket: `partner-bucket-${index}`,
      prefix: `deliveries/${index}/`,
    }));
    const attempt = () => stackParts(registryOf(...many), 'dev', undefined);
    expect(attempt).toThrow(/need 1\d managed policies for the copy role, IAM attaches 10\. Let sources share buckets/);
  });

  test('say so when the policy of the copy queue could not name all owners who send to it', () => {
    const many = Array.from({ length: 51 }, (_, index) => ({
      bucket: `partner-bucket-${index}`,
      account: String(100_000_000_000 + index),
    }));
    expect(() => stackParts(registryOf(...many), 'dev', undefined)).toThrow(/51 other owners .* `poll: \{\}`/);
  });
});

test('a template that CloudFormation would not take is refused with the way out', () => {
  const resources = (count: number, filling = '') =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`Resource${index}`, { filling }]));
  expect(() => refuseTooLarge({ Resources: resources(500) })).not.toThrow();
  expect(() => refuseTooLarge({ Resources: resources(501) })).toThrow(/has 501 resources .* Let sources share buckets/);
  expect(() => refuseTooLarge({ Resources: resources(100, 'x'.repeat(10_000)) })).toThrow(/takes 500 and 1000000/);
});

test('different bucket names have different logical ids', () => {
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{1,20}[a-z0-9]$/);
  fc.assert(fc.property(name, name, (a, b) => a === b || logicalName(a) !== logicalName(b)));
  fc.assert(fc.property(name, (a) => /^[A-Za-z0-9]+$/.test(logicalName(a))));
});

describe('the Snowflake file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'firn-snowflake-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function read(text: string) {
    const file = join(folder, 'dev.json');
    await writeFile(file, text);
    return readSnowflakeFile(file);
  }

  test('may be missing', async () => {
    expect(await readSnowflakeFile(join(folder, 'none.json'))).toBeUndefined();
  });

  test('is refused with everything that is wrong in it and what to do', async () => {
    const text = JSON.stringify({
      account: 'A',
      user: '',
      role: 'R',
      iamUserArn: 4,
      externalId: 'e',
      channels: { order: { load: 0 } },
    });
    await expect(read(text)).rejects.toThrow(
      /dev\.json: `user` is not a text; `iamUserArn` is not a text; `channels\.order\.load` is not 1 or more; `channels\.order\.queueArn` is not an ARN\. Mend it/,
    );
  });

  test('is refused when it is no JSON', async () => {
    await expect(read('{')).rejects.toThrow(/dev\.json is no JSON/);
  });
});
