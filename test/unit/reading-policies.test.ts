import { describe, expect, it } from 'vitest';
import { text } from '../../core/fields/text.ts';
import type { Registry } from '../../core/source/registry.ts';
import { defineSource, type Origin } from '../../core/source/source.ts';
import { bucketsOfSources } from '../../deploy/resources/buckets-of-sources.ts';
import { characters, readingPolicies } from '../../deploy/resources/reading-policies.ts';

const registryOf = (origins: readonly Origin[]): Registry => ({
  build: '1',
  sources: origins.map((from, index) => ({
    id: `source-${index}`,
    hash: 'h',
    source: defineSource({ from, entity: 'order', fields: { a: text() } }),
  })),
});

describe('the policies of a bucket that very many sources share', () => {
  const origins = Array.from({ length: 200 }, (_, index) => ({
    bucket: 'shared-deliveries',
    prefix: `deliveries/of-partner-number-${String(index).padStart(3, '0')}/daily/orders/`,
    poll: {},
  }));
  const registry = registryOf(origins);

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

it('a prefix that IAM cannot spell is named as far as it can', () => {
  const registry = registryOf([
    { bucket: 'theirs', prefix: 'café/雪/in/' },
    { bucket: 'others', prefix: 'a*b$/' },
  ]);
  const { Resources } = readingPolicies(registry, bucketsOfSources(registry, 'test'), 'copy');

  const text = JSON.stringify(Resources);
  expect(text).toMatch(/^[\t\n\r\u0020-\u00ff]*$/);
  expect(text).toContain(':::theirs/café/*"');
  expect(text).toContain('"café/*"');
  // CloudFormation takes `${!` for what is to stay.
  expect(text).toContain(`:::others/a\${!*}b\${!$}/*"`);
  expect(text).toContain(`"a\${*}b\${$}/*"`);
});
