import { arrivalProblems } from './check-arrival.ts';
import { matchesEverything } from './glob.ts';
import type { RegisteredSource } from './registry.ts';
import { type Origin, ownerOf } from './source.ts';

const accountPattern = /^\d{12}$/;
const regionPattern = /^[a-z]{2}(-[a-z]+)+-\d$/;
const rolePattern = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/;
/** STS: 2 to 1,224 characters. */
const externalIdPattern = /^[\w+=,.@:/-]{2,1224}$/;
const keyPattern = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:key\/[\w-]+$/;

/** What is wrong with where a source reads, each with its way out. */
export function originProblems(origin: Origin): readonly string[] {
  const problems = [...formatProblems(origin), ...exclusionProblems(origin), ...arrivalProblems(origin)];
  return [...problems, ...(typeof origin.bucket === 'string' ? foreignProblems(origin) : ownProblems(origin))];
}

function formatProblems({ region, account, role, kmsKey }: Origin): readonly string[] {
  const problems: string[] = [];
  if (region !== undefined && !regionPattern.test(region))
    problems.push(`region '${region}' is no region: write it like eu-west-1`);
  if (account !== undefined && !accountPattern.test(account))
    problems.push(`account '${account}' is no account: it is a text of 12 digits`);
  if (role !== undefined && !rolePattern.test(role.arn))
    problems.push(`role '${role.arn}' is no ARN of a role: write it like arn:aws:iam::123456789012:role/reader`);
  if (role !== undefined && !externalIdPattern.test(role.externalId ?? ''))
    problems.push(
      'its role needs an `externalId` of 2 to 1,224 letters, digits and +=,.@:/-: make one up for this owner, such as a UUID',
    );
  if (kmsKey !== undefined && !keyPattern.test(kmsKey))
    problems.push(
      `kmsKey '${kmsKey}' is no ARN of a key: write it like arn:aws:kms:eu-west-1:123456789012:key/…, an alias does not do`,
    );
  return problems;
}

function exclusionProblems({ exclude = [], prefix = '', suffix = '' }: Origin): readonly string[] {
  return exclude.flatMap((pattern) => {
    if (pattern === '') return ["exclude: '' matches no key: leave it out"];
    if (!matchesEverything(pattern, prefix, suffix)) return [];
    return [`exclude: '${pattern}' leaves nothing under '${prefix}': narrow it, or remove the source`];
  });
}

function ownProblems(origin: Origin): readonly string[] {
  const others = ['region', 'account', 'role', 'requesterPays', 'kmsKey'] as const;
  const given = others.filter((name) => origin[name] !== undefined && origin[name] !== false);
  if (given.length === 0) return [];
  return [
    `${given.join(', ')} cannot be said of a bucket of the stack's own: leave out, or give the bucket's full name`,
  ];
}

function foreignProblems(origin: Origin): readonly string[] {
  const { region, account, role, requesterPays, kmsKey, poll } = origin;
  const problems: string[] = [];
  const roleAccount = role?.arn.split(':')[4];
  if (account !== undefined && roleAccount !== undefined && account !== roleAccount)
    problems.push(`account ${account} owns the bucket, its role is of ${roleAccount}: a role of the owner reads it`);
  if (region !== undefined && poll === undefined)
    problems.push(
      'a bucket in another region cannot tell the copy queue of its objects: say `poll: {}`, or have the owner replicate it into a bucket in the region of the stack',
    );
  if (requesterPays && poll === undefined && ownerOf(origin) === undefined)
    problems.push(
      'a bucket whose requesters pay is of another owner: say `poll: {}`, or name the `account` that will tell the copy queue of its objects',
    );
  const keyRegion = keyPattern.exec(kmsKey ?? '')?.[1];
  if (region !== undefined && keyRegion !== undefined && keyRegion !== region)
    problems.push(`kmsKey lies in ${keyRegion}, the bucket in ${region}: a bucket's key lies beside it`);
  return problems;
}

/** What sources of one bucket must say alike, because it is the bucket's and not theirs. */
export function bucketProblems(
  sources: readonly RegisteredSource[],
): readonly { readonly sources: readonly string[]; readonly message: string }[] {
  const named = sources.filter(({ source }) => typeof source.config.from.bucket === 'string');
  const buckets = Map.groupBy(named, ({ source }) => String(source.config.from.bucket));
  const facts = {
    account: ownerOf,
    region: (origin: Origin) => origin.region,
    requesterPays: (origin: Origin) => origin.requesterPays ?? false,
  };
  return [...buckets].flatMap(([bucket, group]) =>
    Object.entries(facts).flatMap(([name, factOf]) => {
      if (new Set(group.map(({ source }) => factOf(source.config.from))).size < 2) return [];
      const ids = group.map(({ id }) => id);
      return [
        {
          sources: ids,
          at: ['from'],
          message: `${ids.join(' and ')} differ in the ${name} of ${bucket}: say the same in each`,
        },
      ];
    }),
  );
}
