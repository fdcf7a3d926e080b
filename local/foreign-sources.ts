import { type Home, readingRoleArn } from '../core/origin/reading-role.ts';
import type { RegisteredSource } from '../core/source/registry.ts';
import { ownerOf } from '../core/source/source.ts';
import type { CloudOptions } from './stack/boot.ts';
import type { ForeignBucket } from './stack/foreign-buckets.ts';

/** Owns what requesters pay for, where a source names no owner. */
const somebodyElse = '999999999999';

/** The buckets and roles that the sources expect of others, as owners would have made them. */
export function foreignOf(
  sources: readonly RegisteredSource[],
  home: Home,
): Required<Pick<CloudOptions, 'foreignBuckets' | 'foreignRoles'>> {
  const ours = [readingRoleArn(home, 'copy'), readingRoleArn(home, 'poll')];
  const origins = sources.map(({ source }) => source.config.from);
  const foreignRoles = origins.flatMap(({ role }) => (role ? [{ ...role, trusts: ours }] : []));
  const foreignBuckets = [...Map.groupBy(origins, ({ bucket }) => bucket)].flatMap(([name, group]): ForeignBucket[] => {
    if (typeof name !== 'string') return [];
    const requesterPays = group.some((each) => each.requesterPays);
    const owner = group.map(ownerOf).find((each) => each !== undefined) ?? (requesterPays ? somebodyElse : undefined);
    const region = group.find((each) => each.region)?.region;
    if (owner === undefined && region === undefined) return [{ name }];
    const readers = group.some((each) => !each.role) ? ours : [];
    const pushes = owner !== undefined && group.some((each) => !each.poll);
    const access = { ...(owner && { owner }), ...(region && { region }), requesterPays, readers };
    return [{ name, access, ...(pushes && { notifies: 'CopyQueue' }) }];
  });
  return { foreignBuckets, foreignRoles };
}
