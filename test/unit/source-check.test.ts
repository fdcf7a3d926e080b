import { describe, expect, it } from 'vitest';
import type { Fields } from '../../core/fields/field.ts';
import { date, defineSource, integer, ours, text, timestamp } from '../../core/firn.ts';
import { checkSources } from '../../core/source/check.ts';
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
