import type { ReadingFunction } from '../../core/origin/reading-role.ts';
import { iamLiteral, listCondition, rights } from '../../core/origin/rights.ts';
import type { Registry } from '../../core/source/registry.ts';
import type { SourceBucket } from './buckets-of-sources.ts';
import { absent, plain, type Resources, sub, type Value } from './template.ts';

// IAM: a managed policy has at most 6,144 characters, spaces not counted, and a role at most ten of them unless AWS
// raised it. Inline policies of a role share 10,240, which some eighty buckets would fill.
const mostCharacters = 6_000;
const mostPolicies = 10;
// A bucket may have more prefixes than a policy holds, and a condition cannot be cut afterwards.
const mostConditionCharacters = 2_000;

export interface ReadingPolicies {
  readonly Resources: Resources;
  /** For the role's ManagedPolicyArns: a role that names its policies has them from its first moment on. */
  readonly arns: Value;
}

/** One right on one resource, under a condition or none. */
interface Grant {
  readonly actions: readonly string[];
  readonly resource: Value;
  readonly condition?: Value | undefined;
}

/**
 * The managed policies that let a function read the sources: objects under their prefixes, who is missing under them,
 * the keys they are encrypted with, the roles to take. Nothing on a pattern of buckets.
 *
 * @throws when a role could not hold them all
 */
export function readingPolicies(
  registry: Registry,
  buckets: readonly SourceBucket[],
  reading: ReadingFunction,
): ReadingPolicies {
  const grants = [...buckets.flatMap((bucket) => grantsOn(bucket, reading)), ...rolesToTake(registry, reading)];
  const documents = pack(grants);
  if (documents.length > mostPolicies) {
    throw new Error(
      `The sources' buckets and prefixes need ${documents.length} managed policies for the ${reading} role, ` +
        `IAM attaches ${mostPolicies}. Let sources share buckets, or put their prefixes under a common one.`,
    );
  }
  const name = reading === 'copy' ? 'CopyReads' : 'PollReads';
  const policies = documents.map((Statement, index) => {
    const PolicyDocument = { Version: '2012-10-17', Statement };
    return [`${name}${index + 1}`, { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument } }] as const;
  });
  const arns = policies.map(([id]) => ({ Ref: id }));
  return { Resources: Object.fromEntries(policies), arns: arns.length > 0 ? arns : absent };
}

function grantsOn({ name, read, kmsKeys }: SourceBucket, reading: ReadingFunction): readonly Grant[] {
  const prefixes = read[reading];
  if (prefixes.length === 0) return [];
  const bucketArn = `arn:\${AWS::Partition}:s3:::${name}`;
  const lists = inTurns(prefixes).map((some) => {
    return { actions: rights.list, resource: sub(bucketArn), condition: listCondition(some, iamLiteral) };
  });
  if (reading === 'poll') return lists;
  return [
    ...lists,
    ...prefixes.map((prefix) => ({
      actions: rights.read,
      resource: sub(`${bucketArn}/${plain(iamLiteral(prefix))}*`),
    })),
    ...kmsKeys.map((key) => ({ actions: rights.decrypt, resource: key, condition: throughS3(key) })),
  ];
}

/** The prefixes in groups, each short enough for one condition. */
function inTurns(prefixes: readonly string[]): readonly (readonly string[])[] {
  const turns: string[][] = [];
  let left = 0;
  for (const prefix of prefixes) {
    const length = characters(`${iamLiteral(prefix)}*`) + 1;
    if (length > left || turns.length === 0) {
      turns.push([]);
      left = mostConditionCharacters;
    }
    turns.at(-1)?.push(prefix);
    left -= length;
  }
  return turns;
}

/** A key decrypts objects only as S3 of its own region reads them. */
function throughS3(key: string): Value {
  return { StringEquals: { 'kms:ViaService': sub(`s3.${key.split(':')[3]}.\${AWS::URLSuffix}`) } };
}

function rolesToTake({ sources }: Registry, reading: ReadingFunction): readonly Grant[] {
  const origins = sources.map(({ source }) => source.config.from);
  const arns = origins.flatMap(({ role, poll }) => (role && (reading === 'copy' || poll) ? role.arn : []));
  return [...new Set(arns)].sort().map((resource) => ({ actions: rights.assume, resource }));
}

/** Statements for as few policies as they fit into; grants that differ in the resource alone share a statement. */
function pack(grants: readonly Grant[]): readonly (readonly Value[])[] {
  const kindOf = ({ actions, condition }: Grant) => JSON.stringify([actions, condition]);
  const ordered = [...Map.groupBy(grants, kindOf).values()].flat();
  const policies: Grant[][] = [];
  for (const grant of ordered) {
    const last = policies.at(-1);
    if (last && characters(statements([...last, grant])) <= mostCharacters) last.push(grant);
    else policies.push([grant]);
  }
  return policies.map(statements);

  function statements(some: readonly Grant[]): readonly Value[] {
    return [...Map.groupBy(some, kindOf).values()].map((same) => ({
      Effect: 'Allow',
      Action: same[0]?.actions ?? [],
      Resource: [...new Map(same.map(({ resource }) => [JSON.stringify(resource), resource])).values()],
      ...(same[0]?.condition === undefined ? {} : { Condition: same[0].condition }),
    }));
  }
}

/** How long a text is once CloudFormation has filled in the names of the place, the longest there are. */
export function characters(value: Value): number {
  const filled = JSON.stringify(value, (_name, each) => each?.['Fn::Sub'] ?? each)
    .replaceAll(`\${AWS::Partition}`, 'aws-us-gov')
    .replaceAll(`\${AWS::AccountId}`, '123456789012')
    .replaceAll(`\${AWS::Region}`, 'ap-southeast-1')
    .replaceAll(`\${AWS::URLSuffix}`, 'amazonaws.com.cn');
  return filled.length;
}
