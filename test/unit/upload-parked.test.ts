import { expect, test } from 'vitest';
import { readMessage } from '../../core/origin/candidate.ts';
import { manifestKey, uploadsOfDay } from '../../core/table/key.ts';
import { uploadId } from '../../core/upload/identity.ts';
import { dayOf } from '../../core/upload/landing-key.ts';
import { type Manifest, noteEnded, noteLanded, noteSeen } from '../../core/upload/manifest.ts';
import { redrive } from '../../core/upload/redrive.ts';
import { memoryTable } from '../support/memory-table.ts';

const hour = 60 * 60 * 1000;
const object = { bucket: 'b', key: 'in/cold.csv', etag: 'e', sizeBytes: 1, lastModifiedMs: 0 };
const upload = { sourceId: 'orders', uploadId: uploadId('orders', object), object };
const parked = { uploadState: 'parked', stateReason: 'it is archived' } as const;

async function parkedAt(ms: number) {
  const table = memoryTable();
  await noteSeen(table, upload, ms);
  await noteEnded(table, upload, parked, ms);
  const manifest = async () => (await table.get(manifestKey(upload.uploadId))) as Manifest;
  return { table, manifest };
}

test('a parked upload is sent to copy once a day, later once a week, as the same upload, and never given up', async () => {
  const { table, manifest } = await parkedAt(0);
  const sent: string[] = [];
  const send = async (body: string) => void sent.push(body);
  const ports = { table, landingBucket: 'l', sendToCopy: send, sendToNormalize: send, sendToUnpack: send };
  const outcomes = [];
  for (let at = 0; at <= 35 * 24 * hour; at += 6 * hour) {
    outcomes.push(await redrive(await manifest(), { ...ports, now: () => at }));
  }

  expect(outcomes.filter((each) => each === 'redriven')).toHaveLength(13 + 3);
  expect(outcomes).not.toContain('failed');
  const message = readMessage(sent[0] ?? '');
  const [candidate] = message.kind === 'candidates' ? message.candidates : [];
  expect(candidate && uploadId('orders', candidate)).toBe(upload.uploadId);
  expect(await manifest()).toMatchObject({ uploadState: 'parked', closed: false, stateReason: 'it is archived' });
});

test('a parked upload stays among those of the last days, however long it waits', async () => {
  const { table, manifest } = await parkedAt(0);
  const send = async () => {};
  const ports = { table, landingBucket: 'l', sendToCopy: send, sendToNormalize: send, sendToUnpack: send };
  for (let day = 1; day <= 30; day += 1) {
    const open = (await manifest())['gsi1pk'];
    // The look for open books goes back two weeks.
    const listed = Array.from({ length: 14 }, (_, back) => uploadsOfDay('orders', dayOf((day - back) * 24 * hour)));
    expect(listed, `day ${day}`).toContain(open);
    await redrive(await manifest(), { ...ports, now: () => day * 24 * hour });
  }

  const { gsi1pk, gsi1sk } = await manifest();
  expect(gsi1pk).toBe(uploadsOfDay('orders', String(gsi1sk).slice(0, 10)));
  expect(String(gsi1sk).endsWith(`#${upload.uploadId}`)).toBe(true);
});

test('a parked upload lands with its books open and its reason gone, and is not parked again after that', async () => {
  const { table, manifest } = await parkedAt(0);

  expect(await noteSeen(table, upload, hour)).toMatchObject({ uploadState: 'parked' });
  await noteLanded(table, upload, 'landing/…', hour);
  expect(await manifest()).toMatchObject({ uploadState: 'landed', closed: false, stateReason: '' });

  await noteEnded(table, upload, parked, 2 * hour);
  expect(await manifest()).toMatchObject({ uploadState: 'landed' });
});

test.each(['superseded', 'deleted', 'unrouted'] as const)('a parked upload may end %s', async (uploadState) => {
  const { table, manifest } = await parkedAt(0);

  await noteEnded(table, upload, { uploadState, stateReason: 'why' }, hour);

  expect(await manifest()).toMatchObject({ uploadState, closed: true, stateReason: 'why' });
});
