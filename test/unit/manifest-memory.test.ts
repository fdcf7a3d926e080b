import { expect, test } from 'vitest';
import { openDeliveries } from '../../core/origin/complete.ts';
import { defineSource } from '../../core/source/source.ts';

test('manifests of many deliveries at once are read one after the other, and each once', async () => {
  const from = { bucket: 'b', prefix: '', complete: { manifest: 'm.txt' } };
  const source = { id: 'orders', hash: 'h', source: defineSource({ from, entity: 'order', fields: {} }) };
  let underWay = 0;
  let most = 0;
  let reads = 0;
  const store = {
    head: async (bucket: string, key: string) =>
      key.includes('/') ? { bucket, key, etag: key, sizeBytes: 5, lastModifiedMs: 0 } : undefined,
    async read() {
      reads += 1;
      most = Math.max(most, ++underWay);
      await new Promise(setImmediate);
      underWay -= 1;
      return Buffer.from('a.csv');
    },
    list: async () => ({ objects: [], truncated: false }),
  };
  const deliveries = openDeliveries({ route: () => source, storeFor: () => store, sendToCopy: async () => {} });
  const keys = Array.from({ length: 8 }, (_, n) => `${n % 4}/${n < 4 ? 'a' : 'b'}.csv`);
  const standings = await Promise.all(keys.map((key) => deliveries.standing(source, 'b', key)));

  expect(standings.map((each) => each?.kind)).toEqual([...Array(4).fill(undefined), ...Array(4).fill('unlisted')]);
  expect({ most, reads }).toEqual({ most: 1, reads: 4 });
});
