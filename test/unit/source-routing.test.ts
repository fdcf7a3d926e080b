import { describe, expect, it, vi } from 'vitest';
import type { RegisteredSource } from '../../core/source/registry.ts';
import { compileRoutes } from '../../core/source/routing.ts';
import { defineSource, type Origin, ours } from '../../core/source/source.ts';

const naming = { prefix: 'firn-dev-', suffix: '-123' };
const source = (id: string, from: Origin): RegisteredSource => ({
  id,
  hash: 'h',
  source: defineSource({ from, entity: 'order', fields: {} }),
});
const sources = [
  source('everything', { bucket: 'shared' }),
  source('orders', { bucket: 'shared', prefix: 'orders/' }),
  source('orders-lisbon', { bucket: 'shared', prefix: 'orders/lisbon/' }),
  source('orders-lisbon-xml', { bucket: 'shared', prefix: 'orders/lisbon/', suffix: '.xml' }),
  source('orders-lisbon-big-xml', { bucket: 'shared', prefix: 'orders/lisbon/', suffix: '.big.xml' }),
  source('orders-long-suffix', { bucket: 'shared', prefix: 'orders/', suffix: '.a-rather-long-suffix.json' }),
  source('orders-l', { bucket: 'shared', prefix: 'orders/l' }),
  source('retail', { bucket: ours('retail'), prefix: 'shops/' }),
  source('other', { bucket: 'other', suffix: '.csv' }),
];
const router = (all: readonly RegisteredSource[]) => {
  const route = compileRoutes({ build: 'b', sources: all }, naming);
  return (bucket: string, key: string) => {
    const found = route(bucket, key);
    return typeof found === 'object' ? found.id : found;
  };
};

const cases = [
  ['shared', 'readme.txt', 'everything'],
  ['shared', 'orders/a.csv', 'orders'],
  ['shared', 'orders', 'everything'],
  ['shared', 'Orders/a.csv', 'everything'],
  ['shared', 'orders/lisbon/a.csv', 'orders-lisbon'],
  ['shared', 'orders/lisbon/a.xml', 'orders-lisbon-xml'],
  ['shared', 'orders/lisbon/a.big.xml', 'orders-lisbon-big-xml'],
  ['shared', 'orders/lagos/a.xml', 'orders-l'],
  ['shared', 'orders/porto/a.xml', 'orders'],
  ['shared', 'orders/porto/x.a-rather-long-suffix.json', 'orders-long-suffix'],
  ['shared', 'orders/lisbon/x.a-rather-long-suffix.json', 'orders-lisbon'],
  ['firn-dev-retail-123', 'shops/a.json', 'retail'],
  ['firn-dev-retail-123', 'elsewhere/a.json', undefined],
  ['retail', 'shops/a.json', undefined],
  ['other', 'a.csv', 'other'],
  ['other', 'a.csv.gz', undefined],
  ['unknown', 'a.csv', undefined],
  ['constructor', 'a.csv', undefined],
] as const;

describe('the source of an object', () => {
  it.each(cases)('in %s, %s, is %s', (bucket, key, id) => expect(router(sources)(bucket, key)).toBe(id));

  it('does not depend on the order in which sources are registered', () => {
    const expected = cases.map(([, , id]) => id);
    for (let turn = 0; turn < sources.length; turn += 1) {
      const turned = [...sources.slice(turn), ...sources.slice(0, turn)];
      for (const order of [turned, turned.toReversed()]) {
        expect(cases.map(([bucket, key]) => router(order)(bucket, key))).toEqual(expected);
      }
    }
  });

  it('is none without any source', () => expect(router([])('shared', 'a')).toBeUndefined());

  it('leaves the registry as it was', () => {
    const before = [...sources];
    router(sources);
    expect(sources).toEqual(before);
  });
});

describe('an excluded key', () => {
  const route = router([
    source('orders', { bucket: 'shared', prefix: 'orders/', exclude: ['orders/tmp/**', '**/*.bak'] }),
    source('backups', { bucket: 'shared', suffix: '.bak', exclude: ['**/tmp/**'] }),
  ]);

  it.each([
    ['orders/a.csv', 'orders'],
    ['orders/tmp/a.csv', 'excluded'],
    ['orders/a.bak', 'backups'],
    ['orders/tmp/a.bak', 'excluded'],
    ['elsewhere/a.csv', undefined],
  ])('%s goes to %s', (key, expected) => expect(route('shared', key)).toBe(expected));
});

describe('hundreds of sources', () => {
  const hundreds = (count: number) => [
    source('all', { bucket: 'shared' }),
    ...Array.from({ length: count }, (_, index) => {
      const number = String(index).padStart(4, '0');
      return source(`shop-${number}`, { bucket: 'shared', prefix: `shops/${number}/`, exclude: ['**/tmp/**'] });
    }),
  ];
  /** Look-ups that one message takes. */
  const lookups = (count: number, key: string) => {
    const route = compileRoutes({ build: 'b', sources: hundreds(count) }, naming);
    const get = vi.spyOn(Map.prototype, 'get');
    try {
      route('shared', key);
      return get.mock.calls.length;
    } finally {
      get.mockRestore();
    }
  };

  it('in one bucket are told apart', () => {
    const route = router(hundreds(200));
    expect(route('shared', 'shops/0000/a.csv')).toBe('shop-0000');
    expect(route('shared', 'shops/0199/tmp.csv')).toBe('shop-0199');
    expect(route('shared', 'shops/0200/a.csv')).toBe('all');
  });

  it.each(['shops/0001/a.csv', 'shops/9999/a.csv', 'x'])('cost the message of %s no more than two do', (key) => {
    const few = lookups(2, key);
    expect(few).toBeGreaterThan(0);
    expect(lookups(200, key)).toBe(few);
    expect(lookups(2000, key)).toBe(few);
  });
});
