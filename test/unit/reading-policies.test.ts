import { describe, expect, it } from 'vitest';
import { text } from '../../core/fields/text.ts';
import { defineSource, type Origin } from '../../core/source/source.ts';
import { bucketsOfSources } from '../../deploy/resources/buckets-of-sources.ts';
import { characters, readingPolicies } from '../../deploy/resources/reading-policies.ts';

const registryOf = (origins: readonly Origin[]) => ({
  build: { stamp: '2026-11-21', core: '' },
  sources: origins.map((from, index) => ({
    id: `source-${index}`,
    source: defineSource({ from, entity: 'order', fields: { a: text() } }),
    configHash: '',
  })),
});

describe('the policies of a bucket that very many sources share', () => {
  const origins = Array.from({ length: 200 }, (_, index) => ({
    bucket: 'shared-deliveries',
    prefix: `deliveries/of-partner-number-${String(index).padStart(3, '0')}/daily/orders/`,
    poll: {},
  }));
  const registry = registryOf(origins) as unknown as Parameters<typeof readingPolicies>[0];

  it.each(['copy', 'poll'] as const)(
    'keep to the length of a policy each, and list every prefix, for %s',
    (reading) => {
      const { Resources } = readingPolicies(registry, bucketsOfSources(registry, 'test'), reading);
      const documents = Object.values(Resources).map(({ Properties }) => Properties['PolicyDocument'] ?? '');

      for (const document of documents) expect(characters(document)).toBeLessThanOrEqual(6_144);
      const all = JSON.stringify(documents);
      for (const { prefix } of origins) expect(all).toContain(`"${prefix}*"`);
    },
  );
});
