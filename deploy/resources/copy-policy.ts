import type { SourceBucket } from './buckets-of-sources.ts';
import { absent, iamLiteral, plain, sub, type Value } from './template.ts';

// IAM: all inline policies of a role share 10,240 characters, spaces not counted. The copy role's other policy takes
// under 2,000, and names resolve to something longer than they are here.
const maximumCharacters = 7500;

/**
 * The inline policy that lets copy read the sources: objects under their prefixes, and who is missing under them.
 *
 * @throws when it would not fit into a role
 */
export function copySourcesPolicy(buckets: readonly SourceBucket[]): Value {
  if (buckets.length === 0) return absent;
  const statements = [readObjects(buckets), ...buckets.map(listKeys)];
  const characters = JSON.stringify(statements).length;
  if (characters > maximumCharacters) {
    throw new Error(
      `The sources' buckets and prefixes need a policy of ${characters} characters for the copy role, ` +
        `IAM takes about ${maximumCharacters}. Let sources share buckets, or put their prefixes under a common one.`,
    );
  }
  return { PolicyName: 'sources', PolicyDocument: { Version: '2012-10-17', Statement: statements } };
}

function readObjects(buckets: readonly SourceBucket[]): Value {
  return {
    Sid: 'ReadSources',
    Effect: 'Allow',
    Action: ['s3:GetObject', 's3:GetObjectVersion'],
    Resource: buckets.flatMap((bucket) =>
      bucket.prefixes.map((prefix) => sub(`${bucketArn(bucket)}/${plain(iamLiteral(prefix))}*`)),
    ),
  };
}

// Without ListBucket a missing object answers 403, and nobody could tell `deleted` from `not allowed`. That question
// carries no prefix, hence IfExists.
function listKeys(bucket: SourceBucket): Value {
  const statement = { Effect: 'Allow', Action: ['s3:ListBucket'], Resource: sub(bucketArn(bucket)) };
  if (bucket.prefixes.includes('')) return statement;
  const prefixes = bucket.prefixes.map((prefix) => `${iamLiteral(prefix)}*`);
  return { ...statement, Condition: { StringLikeIfExists: { 's3:prefix': prefixes } } };
}

function bucketArn({ name }: SourceBucket): string {
  return `arn:\${AWS::Partition}:s3:::${name}`;
}
