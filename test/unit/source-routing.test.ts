import { describe, expect, it } from 'vitest';
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
  return (bucket: string, key: string) => route(bucket, key)?.id;
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
