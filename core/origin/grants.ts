import { outermostPrefixes } from '../source/prefixes.ts';
import type { RegisteredSource } from '../source/registry.ts';
import { type Origin, ownerOf } from '../source/source.ts';
import type { BucketGrants, ForeignBucket, Grant } from './grant.ts';
import { eventGrants } from './grants-events.ts';
import { type Home, partitionOf, type ReadingFunction, readingRoleArn } from './reading-role.ts';
import { iamLiteral, listCondition, rights } from './rights.ts';

/**
 * What owners of buckets are asked for so that a stack can read them, by bucket: everything for buckets of other owners,
 * the switch of EventBridge alone for those of the stack's own account. Buckets that the stack makes need nothing.
 */
export function grantsFor(sources: readonly RegisteredSource[], home: Home): readonly BucketGrants[] {
  const named = sources.filter(({ source }) => typeof source.config.from.bucket === 'string');
  const buckets = Map.groupBy(named, ({ source }) => String(source.config.from.bucket));
  return [...buckets]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, group]) => {
      const bucket = bucketOf(name, group, home);
      const ids = group.map(({ id }) => id).sort();
      const grants = [
        ...(isForeign(bucket) ? readGrants(bucket) : keyGrants(bucket, bucket.origins)),
        ...eventGrants(bucket),
      ];
      return { bucket: name, owner: bucket.owner, sources: ids, grants, notes: notesOn(bucket) };
    });
}

function bucketOf(name: string, sources: readonly RegisteredSource[], home: Home): ForeignBucket {
  const origins = sources.map(({ source }) => source.config.from);
  const region = origins.find((origin) => origin.region)?.region ?? home.region;
  const owner = origins.map(ownerOf).find((each) => each !== undefined);
  return { name, arn: `arn:${partitionOf(region)}:s3:::${name}`, region, owner, origins, home };
}

/** Whose bucket it is, as far as sources say: what they poll or pay for may be anybody's. */
function isForeign({ owner, origins }: ForeignBucket): boolean {
  return owner !== undefined || origins.some(({ requesterPays, poll }) => requesterPays || poll);
}

function readGrants(bucket: ForeignBucket): readonly Grant[] {
  const roles = Map.groupBy(bucket.origins, ({ role }) => role && JSON.stringify(role));
  return [...roles.values()].flatMap((origins) =>
    origins[0]?.role ? inRole(bucket, origins) : direct(bucket, origins),
  );
}

function direct(bucket: ForeignBucket, origins: readonly Origin[]): readonly Grant[] {
  const [reads, lists] = readStatements(bucket, origins);
  const copying = [readingRoleArn(bucket.home, 'copy')];
  const Statement = [
    { Sid: 'FirnReads', Principal: { AWS: copying }, ...reads },
    { Sid: 'FirnLists', Principal: { AWS: readersOf(bucket, origins) }, ...lists },
  ];
  const policy: Grant = {
    kind: 'bucketPolicy',
    title: `Bucket policy of ${bucket.name}`,
    text:
      'Add these statements to the policy that is there. They let the roles they name read what they name, and nothing else. ' +
      'S3 refuses a policy that names a role which does not exist yet: we deploy first.',
    document: { Version: '2012-10-17', Statement },
  };
  return [policy, ...keyGrants(bucket, origins)];
}

function keyGrants({ home }: ForeignBucket, origins: readonly Origin[]): readonly Grant[] {
  const Principal = { AWS: [readingRoleArn(home, 'copy')] };
  return keysOf(origins).map((key) => ({
    kind: 'keyPolicy',
    title: `Key policy of ${key}`,
    text: 'Add this statement to the policy that is there: the objects are encrypted with this key. In a key policy `*` is the key itself.',
    document: {
      Version: '2012-10-17',
      Statement: [{ Sid: 'FirnDecrypts', Principal, ...decryptStatement(key), Resource: '*' }],
    },
  }));
}

function inRole(bucket: ForeignBucket, origins: readonly Origin[]): readonly Grant[] {
  const { arn = '', externalId = '' } = origins[0]?.role ?? {};
  const trust = {
    Effect: 'Allow',
    Principal: { AWS: readersOf(bucket, origins) },
    Action: [...rights.assume],
    Condition: { StringEquals: { 'sts:ExternalId': externalId } },
  };
  const Statement = [...readStatements(bucket, origins), ...keysOf(origins).map(decryptStatement)];
  return [
    {
      kind: 'roleTrust',
      title: `Trust policy of ${arn}`,
      text:
        'Who may take the role: ours, with the external id that we agreed on and nobody else knows. IAM refuses a trust ' +
        'that names a role which does not exist yet: we deploy first. A session lasts an hour, the least that IAM lets roles allow.',
      document: { Version: '2012-10-17', Statement: [trust] },
    },
    {
      kind: 'rolePolicy',
      title: `Permissions of ${arn}`,
      text: 'What the role may do: read what is named and nothing else.',
      document: { Version: '2012-10-17', Statement },
    },
  ];
}

/** ARNs of our roles that list: to copy needs it, too, and looking for new objects does if one of these is polled. */
function readersOf({ home }: ForeignBucket, origins: readonly Origin[]): readonly string[] {
  const reading: readonly ReadingFunction[] = origins.some(({ poll }) => poll) ? ['copy', 'poll'] : ['copy'];
  return reading.map((each) => readingRoleArn(home, each));
}

interface Statement {
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: object;
}

/** What is read, and what is listed. */
function readStatements({ arn }: ForeignBucket, origins: readonly Origin[]): readonly [Statement, Statement] {
  const prefixes = outermostPrefixes(origins);
  const Condition = listCondition(prefixes, iamLiteral);
  return [
    { Effect: 'Allow', Action: [...rights.read], Resource: prefixes.map((prefix) => `${arn}/${iamLiteral(prefix)}*`) },
    { Effect: 'Allow', Action: [...rights.list], Resource: arn, ...(Condition && { Condition }) },
  ];
}

function decryptStatement(key: string): Statement {
  const region = key.split(':')[3] ?? '';
  const suffix = partitionOf(region) === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  const Condition = { StringEquals: { 'kms:ViaService': `s3.${region}.${suffix}` } };
  return { Effect: 'Allow', Action: [...rights.decrypt], Resource: key, Condition };
}

function keysOf(origins: readonly Origin[]): readonly string[] {
  return [...new Set(origins.flatMap(({ kmsKey }) => kmsKey ?? []))].sort();
}

function notesOn(bucket: ForeignBucket): readonly string[] {
  const { name, origins, region, home, owner } = bucket;
  const notes: string[] = [];
  if (isForeign(bucket) && !outermostPrefixes(origins).includes(''))
    notes.push(
      'Who may list under a prefix may also list without any, and so see the names of other keys (not what they hold): ' +
        'only to who may do that does S3 say that a single object is missing.',
    );
  if (owner === undefined && origins.some(({ requesterPays, poll }) => requesterPays || poll))
    notes.push(
      'A bucket that is open to everybody, as public data sets are, or that belongs to our own account needs no policy.',
    );
  if (origins.some(({ requesterPays }) => requesterPays))
    notes.push(`Requests to ${name} and what they transfer are paid by us: every request says so.`);
  if (owner !== undefined && keysOf(origins).length === 0)
    notes.push(
      'Objects that are encrypted with a KMS key of yours need a word more: tell us the ARN of the key. The key that AWS ' +
        'manages for S3 (aws/s3) cannot be shared between accounts.',
    );
  if (region !== home.region)
    notes.push(`The bucket lies in ${region}, we in ${home.region}: S3 bills the traffic between.`);
  if (origins.every(({ poll }) => poll))
    notes.push('We look for new objects by listing the bucket: it need not tell us of them.');
  return notes;
}
