import { describe, expect, it } from 'vitest';
import { defineSource, ours, text } from '../../core/firn.ts';
import { checkSources } from '../../core/source/check.ts';
import type { Origin } from '../../core/source/source.ts';

const source = (from: Origin, id = 'orders') => ({
  id,
  hash: 'h',
  source: defineSource({ from, entity: 'order', fields: { id: text() } }),
});
const check = (from: Partial<Origin>) => checkSources([source({ bucket: 'partner', ...from })]);
const role = { arn: 'arn:aws:iam::222233334444:role/firn-reader', externalId: 'a3f1-2' };
const kmsKey = 'arn:aws:kms:us-east-1:222233334444:key/1234abcd-12ab-34cd-56ef-1234567890ab';

describe('checking where a source reads', () => {
  it.each<[string, Partial<Origin>]>([
    ['a bucket of another account', { account: '222233334444' }],
    ['a bucket read in a role', { role }],
    ['a bucket read in a role of the account that is named', { account: '222233334444', role }],
    ['a bucket in another region that is polled', { region: 'us-east-1', poll: {}, kmsKey }],
    ['a bucket whose requesters pay and that is polled', { requesterPays: true, poll: {} }],
    ['a bucket whose requesters pay and whose owner sends events', { requesterPays: true, account: '222233334444' }],
    ['exclusions that leave something', { prefix: 'in/', exclude: ['**/tmp/**', 'in/*.bak', 'other/**'] }],
    ['requesterPays: false on a bucket of our own', { bucket: ours('orders'), requesterPays: false }],
  ])('finds nothing wrong with %s', (_what, from) => expect(check(from)).toEqual([]));

  it.each<[string, Partial<Origin>, RegExp]>([
    [
      'a region that is none',
      { region: 'Ireland', poll: {} },
      /region 'Ireland' is no region: write it like eu-west-1/,
    ],
    ['an account that is none', { account: '1234' }, /account '1234' is no account: it is a text of 12 digits/],
    ['a role that is none', { role: { ...role, arn: 'reader' } }, /role 'reader' is no ARN of a role/],
    ['a role without an external id', { role: { ...role, externalId: '' } }, /needs an `externalId`/],
    ['a key by its alias', { kmsKey: 'alias/feed' }, /'alias\/feed' is no ARN of a key.*an alias does not do/],
    [
      'a role of another account',
      { account: '999988887777', role },
      /999988887777 owns .* its role is of 222233334444/,
    ],
    ['another region that nobody polls', { region: 'us-east-1' }, /cannot tell the copy queue .* `poll: \{\}`/],
    ['requester pays of nobody known', { requesterPays: true }, /is of another owner: say `poll: \{\}`, or name/],
    [
      'a key beside another bucket',
      { region: 'eu-west-3', poll: {}, kmsKey },
      /kmsKey lies in us-east-1, .* eu-west-3/,
    ],
    ['the role of an own bucket', { bucket: ours('orders'), role, kmsKey }, /role, kmsKey cannot be said of a bucket/],
    ['an exclusion of everything', { exclude: ['**'] }, /exclude: '\*\*' leaves nothing under ''/],
    ['an exclusion of the whole prefix', { prefix: 'in/day/', exclude: ['in/**'] }, /leaves nothing under 'in\/day\/'/],
    ['an exclusion of the suffix', { suffix: '.csv', exclude: ['**.csv'] }, /'\*\*\.csv' leaves nothing/],
    ['an empty exclusion', { exclude: [''] }, /matches no key/],
  ])('names %s', (_what, from, message) => {
    const problems = check(from);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(message);
  });

  it('refuses sources that contradict each other about one bucket', () => {
    const mine = { bucket: 'partner', prefix: 'a/', account: '222233334444' };
    const yours = { bucket: 'partner', prefix: 'b/', account: '999988887777' };
    expect(checkSources([source(mine, 'one'), source(yours, 'two')])).toEqual([
      'one and two differ in the account of partner: say the same in each',
    ]);
  });
});
