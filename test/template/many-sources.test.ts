import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { root } from '../../deploy/folders.ts';
import { packageStack, templateFile } from '../../deploy/package.ts';
import { writeManySources } from '../support/many-sources.ts';
import { fixtures, listOf, ofType, properties, statements, type Template, targetOf } from './packaged.ts';

const count = 200;
/** Of eight kinds there are so many each. */
const each = count / 8;

let text: string;
let template: Template;

beforeAll(async () => {
  const folder = join(root, '.firn', 'test', 'many-sources');
  await writeManySources(join(folder, 'sources'), count);
  const dir = await packageStack({
    stage: 'test',
    outDir: join(folder, 'package'),
    sourcesDir: join(folder, 'sources'),
    handlersDir: join(fixtures, 'stack-handlers'),
    snowflakeFile: join(folder, 'none.json'),
  });
  text = await readFile(templateFile(dir), 'utf8');
  template = JSON.parse(text);
}, 60_000);

/** A value as CloudFormation deploys it, with names as long as they come. */
function deployed(value: unknown): string {
  return JSON.stringify(value, (_name, inner) => inner?.['Fn::Sub'] ?? inner)
    .replaceAll(/\$\{AWS::Partition\}/g, 'aws-us-gov')
    .replaceAll(/\$\{AWS::AccountId\}/g, '123456789012')
    .replaceAll(/\$\{AWS::Region\}/g, 'ap-southeast-1');
}

const reading = () => statements(template).filter(({ where }) => where.startsWith('CopyReads'));
const resourcesFor = (action: string) =>
  reading()
    .filter(({ statement }) => listOf(statement.Action).includes(action))
    .flatMap(({ statement }) => listOf(statement.Resource).map(deployed));

describe('a stack of 200 sources', () => {
  test('keeps to the limits of a template: 500 resources, 1 MB', () => {
    expect(Object.keys(template.Resources).length).toBeLessThan(500);
    expect(Buffer.byteLength(text)).toBeLessThan(1_000_000);
  });

  test('keeps to the limits of a role: ten managed policies of 6,144 characters', () => {
    const policies = ofType(template, 'AWS::IAM::ManagedPolicy').filter(([id]) => id.startsWith('CopyReads'));
    expect(policies.length).toBeGreaterThan(1);
    for (const [id, { Properties }] of policies)
      expect(deployed(Properties['PolicyDocument']).length, id).toBeLessThanOrEqual(6_144);
    const attached: unknown[] = properties(template, 'CopyRole')['ManagedPolicyArns'];
    expect(attached.map(targetOf)).toEqual(policies.map(([id]) => id));
    expect(attached.length).toBeLessThanOrEqual(10);
    expect(deployed(properties(template, 'CopyRole')['Policies']).length).toBeLessThan(10_240);
  });

  test("keeps to the limits of a queue's policy: 8,192 characters, 50 principals", () => {
    const { PolicyDocument } = properties(template, 'CopyQueuePolicy');
    expect(deployed(PolicyDocument).length).toBeLessThanOrEqual(8_192);
    for (const { Principal } of PolicyDocument.Statement)
      expect(listOf(Principal.AWS ?? []).length).toBeLessThanOrEqual(50);
  });

  test('keeps to the 4 KB of variables that a function may have', () => {
    for (const [id, { Properties }] of ofType(template, 'AWS::Lambda::Function'))
      expect(deployed(Properties['Environment'] ?? {}).length, id).toBeLessThan(4_096);
  });

  test('lets copy read each source in its own way, and nothing on a pattern', () => {
    // Nobody reads in the own role what a role of the owner reads.
    expect(resourcesFor('s3:GetObject')).toHaveLength(count - each);
    expect(resourcesFor('s3:ListBucket')).toHaveLength(5 + 5 * each + 1);
    expect(resourcesFor('kms:Decrypt')).toHaveLength(each);
    expect(resourcesFor('sts:AssumeRole')).toHaveLength(each);
    for (const { statement } of reading()) {
      expect(statement.Effect).toBe('Allow');
      for (const action of listOf(statement.Action)) expect(action).not.toContain('*');
      for (const resource of listOf(statement.Resource).map(deployed)) {
        expect(resource).toMatch(/^"arn:aws[a-z-]*:(s3|kms|iam):.*"$/);
        // A star stands at the end of a prefix and nowhere else.
        expect(resource.slice(1, -1).replace(/(:::[a-z0-9-]+\/.*)\*$/, '$1')).not.toContain('*');
      }
    }
  });

  test('lets copy decrypt only what S3 reads', () => {
    const keys = reading().filter(({ statement }) => listOf(statement.Action).includes('kms:Decrypt'));
    for (const { statement } of keys) {
      expect(statement.Condition).toEqual({
        StringEquals: { 'kms:ViaService': { 'Fn::Sub': `s3.eu-central-1.\${AWS::URLSuffix}` } },
      });
    }
  });

  test('lists no more of a shared bucket than what its sources claim', () => {
    const shared = reading().filter(({ statement }) => deployed(statement.Resource).includes(':::shared-deliveries"'));
    const prefixes = shared.flatMap(
      ({ statement }) =>
        (statement.Condition as { StringLikeIfExists: Record<string, string[]> }).StringLikeIfExists['s3:prefix'],
    );
    expect(prefixes).toHaveLength(each);
    expect(prefixes.every((prefix) => /^partner-\d+\/\*$/.test(prefix ?? ''))).toBe(true);
  });

  test('makes a bucket for its own, a rule for what exists, and nothing where the owner sends or nobody does', () => {
    expect(ofType(template, 'AWS::S3::Bucket').filter(([id]) => id.startsWith('SourceBucket'))).toHaveLength(5);
    const rules = ofType(template, 'AWS::Events::Rule').filter(([id]) => id.startsWith('SourceRule'));
    expect(rules).toHaveLength(each + 1);
    for (const [id, { Properties }] of rules)
      expect(JSON.stringify(Properties['EventPattern']).length, id).toBeLessThan(2_048);
    expect(JSON.stringify(rules)).not.toMatch(/partner-deliveries|role-deliveries|sealed-|public-|polled-/);
  });

  test('lets exactly the buckets whose owners send tell the copy queue, in the name of their owners', () => {
    const { PolicyDocument } = properties(template, 'CopyQueuePolicy');
    const [buckets] = PolicyDocument.Statement.filter(({ Sid }: { Sid: string }) => Sid === 'BucketsOfOthers');
    const arns = buckets.Condition.ArnEquals['aws:SourceArn'].map(deployed);
    expect(arns).toHaveLength(3 * each);
    expect(arns.every((arn: string) => /:s3:::(partner|role|sealed)-deliveries-\d+"$/.test(arn))).toBe(true);
    const owners = buckets.Condition.StringEquals['aws:SourceAccount'];
    expect(owners.every((owner: string) => /^\d{12}$/.test(owner))).toBe(true);
    const [rules] = PolicyDocument.Statement.filter(({ Sid }: { Sid: string }) => Sid === 'RulesOfOthers');
    expect(rules.Principal.AWS).toEqual(owners);
    expect(rules.Condition.ArnEquals['aws:PrincipalArn'].map(deployed)).toEqual(
      owners.map((owner: string) => `"arn:aws-us-gov:iam::${owner}:role/firn-events"`),
    );
  });
});
