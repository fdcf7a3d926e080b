import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sourceStores } from '../../adapters/source-store.ts';
import { envelope, readMessage } from '../../core/origin/candidate.ts';
import { openDeliveries } from '../../core/origin/complete.ts';
import { compileRoutes } from '../../core/source/routing.ts';
import { defineSource } from '../../core/source/source.ts';
import { copyCandidate } from '../../core/upload/copy.ts';
import { parseLandingMetadata } from '../../core/upload/landing-metadata.ts';
import { memoryTable } from '../support/memory-table.ts';
import { BUCKET, type S3Fixture, s3Fixture } from './s3-fixture.ts';

const LANDING = 'landing-bucket';
const odd = [
  'a b+c%2B%.csv',
  'a?b#c&d=e.csv',
  '/leading.csv',
  '//two//slashes//in//it.csv',
  'dots/./and/../more.csv',
  'quotes\'"(!*).csv',
  'line\nbreak\ttab.csv',
  'bell\u0007\u0001.csv',
  'last\ufffe\uffff.csv',
  'é-e\u0301-ß-雪-😀.csv',
  'data that ends in a slash/',
  `${'long'.repeat(255)}.csv`,
];
let fixture: S3Fixture;

beforeEach(async () => {
  fixture = await s3Fixture();
  await fixture.s3.createBucket(LANDING);
});
afterEach(() => fixture[Symbol.asyncDispose]());

test.each([
  ['by itself', {}],
  ['as part of a delivery', { complete: { marker: '_SUCCESS' } }],
])('an object lands whatever is in its key, %s, and its copy tells its key', async (_how, more) => {
  const source = defineSource({ from: { bucket: BUCKET, ...more }, entity: 'order', fields: {} });
  const shared = {
    route: compileRoutes({ build: '1', sources: [{ id: 'orders', hash: 'h', source }] }, { prefix: '', suffix: '' }),
    storeFor: sourceStores(fixture.client),
  };
  const queue: string[] = [];
  const deliveries = openDeliveries({ ...shared, sendToCopy: async (bodies) => void queue.push(...bodies) });
  const ports = { ...shared, deliveries, table: memoryTable(), landingBucket: LANDING, now: () => fixture.clock.now() };
  for (const key of odd) {
    await fixture.put(key, `of ${JSON.stringify(key)}`);
    await copyCandidate({ bucket: BUCKET, key }, ports);
  }
  await fixture.put('_SUCCESS', '');
  queue.push(envelope({ bucket: BUCKET, key: '_SUCCESS' }));
  for (let body = queue.shift(); body !== undefined; body = queue.shift()) {
    const message = readMessage(body);
    if (message.kind !== 'candidates') throw new Error(`copy cannot read ${body}`);
    for (const candidate of message.candidates) await copyCandidate(candidate, ports);
  }

  const { Contents = [] } = await fixture.client.send(new ListObjectsV2Command({ Bucket: LANDING }));
  const landed = await Promise.all(
    Contents.map(async ({ Key }) => {
      const { Body, Metadata = {} } = await fixture.client.send(new GetObjectCommand({ Bucket: LANDING, Key }));
      const key = parseLandingMetadata(Metadata)?.object.key ?? '';
      return [key, await Body?.transformToString()];
    }),
  );
  const expected = odd.map((key) => [key, `of ${JSON.stringify(key)}`]);
  expect(landed.filter(([key]) => key !== '_SUCCESS').sort()).toEqual(expected.sort());
});

test('an object whose marker could have no key of its own waits for ever, and says for what', async () => {
  const key = `${'long'.repeat(255)}.csv`;
  const source = defineSource({
    from: { bucket: BUCKET, complete: { marker: '{name}.done' } },
    entity: 'order',
    fields: {},
  });
  const shared = {
    route: compileRoutes({ build: '1', sources: [{ id: 'orders', hash: 'h', source }] }, { prefix: '', suffix: '' }),
    storeFor: sourceStores(fixture.client),
  };
  const table = memoryTable();
  const deliveries = openDeliveries({ ...shared, sendToCopy: async () => {} });
  const ports = { ...shared, deliveries, table, landingBucket: LANDING, now: () => fixture.clock.now() };
  await fixture.put(key, 'x');

  expect(await copyCandidate({ bucket: BUCKET, key }, ports)).toMatchObject({ kind: 'parked' });
  const [manifest] = [...table.items.values()];
  expect(manifest?.['stateReason']).toBe(`waits for s3://${BUCKET}/${key}.done`);
});
