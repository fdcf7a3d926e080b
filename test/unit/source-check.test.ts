import { describe, expect, it } from 'vitest';
import type { Fields } from '../../core/fields/field.ts';
import { date, defineSource, integer, list, ours, text, timestamp } from '../../core/firn.ts';
import { checkSources, findMistakes } from '../../core/source/check.ts';
import { findNotes } from '../../core/source/check-claims.ts';
import type { AnySource, SourceConfig } from '../../core/source/source.ts';

type Config = SourceConfig<string, Fields>;

const good: Config = {
  from: { bucket: ours('orders'), prefix: 'a/' },
  entity: 'order',
  key: 'id',
  version: 'updatedAt' as never,
  fields: { id: text(), updatedAt: timestamp(), count: integer('n', { optional: true }) },
};
const source = (change: Partial<Config>, id = 'orders') => ({
  id,
  hash: 'h',
  source: { config: { ...good, ...change } } satisfies AnySource,
});
const check = (change: Partial<Config>) => checkSources([source(change)]).join('\n');

describe('checking sources', () => {
  it('finds nothing wrong with a good one', () => {
    expect(check({})).toBe('');
    const declared = defineSource({ from: { bucket: 'b' }, entity: 'order', fields: { id: text() } });
    expect(checkSources([{ id: 'x', hash: 'h', source: declared }])).toEqual([]);
  });

  it.each([
    ['an entity that would break keys', { entity: 'Or#der "x' }, /entity 'Or#der "x' is not lower-case words/],
    ['a key that is no field', { key: 'nope' }, /'nope' is no field: it has id, updatedAt, count/],
    ['an empty key', { key: [] }, /its key names no field/],
    ['an optional key', { key: 'count' }, /'count' is part of the key or the version and must not be optional/],
    ['a version that is no field', { version: 'nope' as never }, /'nope' is no field/],
    ['latest without a key', { key: undefined, keep: 'latest' as const }, /keep: 'latest' needs a key/],
    ['no fields', { fields: {}, key: undefined, version: undefined }, /it has no fields/],
    [
      'a format that lacks the year',
      { fields: { ...good.fields, on: date('d', { format: 'dd.MM' }) } },
      /'dd\.MM' lacks the year/,
    ],
    [
      'a default that does not fit',
      { fields: { ...good.fields, on: timestamp('t', { default: 'yesterday' }) } },
      /the default of 'on' does not fit/,
    ],
  ])('names %s', (_what, change, message) => {
    expect(check(change as Partial<Config>)).toMatch(message);
  });

  it.each([
    ['a version that says nothing of newer', { version: 'id' as never }, /version 'id' is text: only a timestamp/],
    [
      'a key of several values',
      { fields: { ...good.fields, id: list(text()) } },
      /key 'id' is list: a record is named by single values/,
    ],
    ['a prefix that is an address', { from: { bucket: 'orders', prefix: 's3://orders/a/' } }, /is an address/],
    ['a prefix that no key can have', { from: { bucket: 'orders', prefix: 'é'.repeat(513) } }, /longer than any key/],
    [
      'a bucket that the stack writes into',
      { from: { bucket: 'firn-dev-landing-111122223333-eu-west-1' } },
      /the source would read what it wrote/,
    ],
    ['an entity without end', { entity: 'a'.repeat(201) }, /longer than 200/],
    [
      'a time zone that is none',
      { fields: { ...good.fields, at: timestamp('at', { zone: 'Europe/Atlantis' }) } },
      /'Europe\/Atlantis' is no time zone/,
    ],
  ])('names %s', (_what, change, message) => {
    expect(check(change as Partial<Config>)).toMatch(message);
  });

  it('says in which property a mistake lies', () => {
    const at = (change: Partial<Config>) => findMistakes([source(change)]).map((each) => each.at);
    expect(at({ key: 'nope' })).toEqual([['key']]);
    expect(at({ key: 'count' })).toEqual([['fields', 'count']]);
    expect(at({ entity: 'X' })).toEqual([['entity']]);
  });

  it('names every mistake of every source at once', () => {
    const problems = checkSources([
      source({ entity: 'X Y', key: 'nope' }, 'one'),
      source({ from: { bucket: 'b' }, version: 'nope' as never }, 'two'),
    ]);
    expect(problems.map((each) => each.split(':')[0])).toEqual(['one', 'one', 'two']);
  });

  it('refuses two sources that claim the same keys, and lets a suffix tell them apart', () => {
    expect(checkSources([source({}, 'one'), source({}, 'two')])).toEqual([
      expect.stringMatching(/^one and two claim the same/),
    ]);
    expect(findMistakes([source({}, 'one'), source({}, 'two')])).toMatchObject([{ at: ['from'] }]);
    const csv = source({ from: { ...good.from, suffix: '.csv' } }, 'two');
    expect(checkSources([source({}, 'one'), csv])).toEqual([]);
  });

  it('refuses entities whose tables would be one', () => {
    const other = source({ entity: 'orders', from: { bucket: 'b' } }, 'two');
    expect(checkSources([source({}, 'one'), other])).toEqual([
      expect.stringMatching(/order and orders would share .* ORDERS/),
    ]);
  });
});

describe('sources of one entity', () => {
  const b = { from: { bucket: 'b-bucket' } };
  const messages = (change: Partial<Config>) =>
    findMistakes([source({}, 'a'), source({ ...b, ...change }, 'b')]).map(({ message }) => message);

  it('may differ in their fields', () => {
    const { id, updatedAt } = good.fields as { id: Fields[string]; updatedAt: Fields[string] };
    expect(messages({ fields: { id, updatedAt, more: text() } })).toEqual([]);
  });

  it.each([
    [
      { fields: { ...good.fields, count: text('n') } },
      "field 'count' of entity order is integer in a, text in b: give it one type, or another name in one of them",
    ],
    [
      { key: ['id', 'updatedAt'] },
      'the key of entity order is text in a, text and timestamp in b: records of one entity are named by the same fields everywhere',
    ],
    [
      { key: undefined, version: undefined },
      'the key of entity order is text in a, nothing in b: records of one entity are named by the same fields everywhere',
    ],
    [
      { keep: 'all' },
      "what is kept of entity order is 'latest' in a, 'all' in b: say the same `keep` in each, or make it two entities",
    ],
  ])('must agree: %#', (change, message) => expect(messages(change as Partial<Config>)).toEqual([message]));

  it('contradict nobody when a key names no field: that is a mistake of its own', () =>
    expect(messages({ key: 'nope' })).toEqual(["'nope' is no field: it has id, updatedAt, count"]));
});

describe('what is allowed and worth knowing', () => {
  const from = (prefix?: string, suffix?: string): Partial<Config> => ({
    from: { bucket: 'b-bucket', ...(prefix !== undefined && { prefix }), ...(suffix !== undefined && { suffix }) },
  });
  const notes = (one: Partial<Config>, two: Partial<Config> = { from: { bucket: 'c-bucket' } }) =>
    findNotes([source(one, 'one'), source(two, 'two')]).map(({ sources, message }) => [sources[0], message]);

  it.each([
    ['a prefix inside another', from('a/'), from('a/b/'), 'two', /lies inside 'a\/' of one: .* longer prefix wins/],
    ['a prefix inside every key', from('a/'), from(), 'one', /lies inside '' of two/],
    ['a suffix inside another', from('a/', '.csv'), from('a/', 'orders.csv'), 'two', /the longer suffix wins/],
    ['a suffix beside none', from('a/', '.csv'), from('a/'), 'one', /end with '.csv' go to one alone, not to two/],
  ])('is %s', (_what, one, two, owner, message) =>
    expect(notes(one, two)).toEqual([[owner, expect.stringMatching(message)]]),
  );

  it.each([
    ['prefixes apart', from('a/'), from('b/')],
    ['suffixes apart', from('a/', '.csv'), from('a/b/', '.json')],
    ['other buckets', from('a/'), { from: { bucket: ours('b-bucket'), prefix: 'a/b/' } }],
  ])('is nothing about %s', (_what, one, two) => expect(notes(one, two)).toEqual([]));

  it('is a prefix that few keys have, and a star that is no star', () => {
    expect(notes(from('/a/'))).toEqual([['one', expect.stringMatching(/begins with '\/'/)]]);
    expect(notes(from('a/', '*.csv'))).toEqual([
      ['one', expect.stringMatching(/suffix '\*\.csv' is taken letter by letter/)],
    ]);
  });
});
