import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exportBatch } from '../../core/export/batch.ts';
import { Quarantine } from '../../core/normalize/quarantine.ts';
import { release, renew, take } from '../../core/origin/poll-lease.ts';
import { registerRevision } from '../../core/source/revision.ts';
import { defineSource } from '../../core/source/source.ts';
import { recordPrefix } from '../../core/table/key.ts';
import { putWriter, recordAttributes } from '../../core/table/record-item.ts';
import { versionWriter } from '../../core/table/version.ts';
import { noteMember, noteRead, noteStandstill, noteUnpacked } from '../../core/upload/archive-books.ts';
import { noRows } from '../../core/upload/books.ts';
import { noteEnded, noteLanded, noteNormalizing, noteSeen } from '../../core/upload/manifest.ts';
import { claimPart, keepProgress, noteSent, pinPlan, progressOf } from '../../core/upload/parts.ts';
import { SideFile } from '../../core/upload/side-file.ts';
import { memoryTable } from '../support/memory-table.ts';

function reservedWords(): ReadonlySet<string> {
  const source = readFileSync('node_modules/dynalite/validations/index.js', 'utf8');
  const list = source.slice(source.indexOf('RESERVED_WORDS = {')).split('}')[0] ?? '';
  return new Set([...list.matchAll(/^\s*(\w+): true/gm)].map(([, word = '']) => word));
}

const upload = {
  sourceId: 'orders',
  uploadId: 'u'.repeat(26),
  object: { bucket: 'b', key: 'k', versionId: 'v', etag: 'e', sizeBytes: 1, lastModifiedMs: 0 },
};

/** Writes one item of each kind and answers with all attribute names that came up. */
async function namesWritten(): Promise<readonly string[]> {
  const table = memoryTable();
  await noteSeen(table, upload, 0);
  await noteLanded(table, upload, 'landing/…', 0);
  await noteNormalizing(table, upload, { landingKey: 'landing/…', revision: 1 }, 0);
  await noteEnded(table, { ...upload, uploadId: 'other' }, { uploadState: 'parked', stateReason: 'r' }, 0);
  const plan = { parts: 2, partBytes: 1, sizeBytes: 2, compression: 'none', columns: ['id'], contentId: 'c' };
  const [uploadId, lease] = [upload.uploadId, { nowMs: 0, untilMs: 1 }];
  await pinPlan(table, { uploadId, revision: 1 }, plan, lease);
  await claimPart(table, uploadId, plan, { revision: 1, part: 1 }, lease);
  await noteSent(table, uploadId, 1);
  const progress = { ...progressOf(undefined), nextPosition: 1 };
  const kept = { progress, partState: 'done', leaseUntilMs: 0, nowMs: 0 } as const;
  await keepProgress(table, uploadId, { revision: 1, part: 1, epoch: 1 }, kept);
  await registerRevision(
    table,
    { id: 'orders', hash: 'h', source: defineSource({ from: { bucket: 'b' }, entity: 'e', fields: {} }) },
    'now',
  );
  const quarantine = new Quarantine(
    { sourceId: 'orders', uploadId: upload.uploadId, landingKey: 'landing/…', revision: 1 },
    new SideFile({ putObject: async () => {} }, 'quarantine/x'),
    noRows,
    1,
  );
  const bad = { output: 0, code: 'field.type', message: 'm', lengthBytes: 1 };
  await quarantine.add({ ...bad, position: 0, raw: Buffer.from('text') });
  await quarantine.add({ ...bad, position: 1, raw: Uint8Array.of(0xff) });
  await quarantine.flush(table);
  await pollOnce(table);
  await unpackOnce(table);
  await exportRows(table);
  // What normalize and reconcile note of a manifest and of an export file beyond that.
  const noted = [
    'dataFormat',
    'compression',
    'quarantineCodes',
    'contentId',
    'revision',
    'counts',
    'closedAtMs',
    'redrives',
  ];
  return [...table.names, ...recordAttributes, ...noted, 'loadEvidence', 'verifiedAtMs', 'expiresAt'];
}

async function unpackOnce(table: ReturnType<typeof memoryTable>): Promise<void> {
  const member = { ordinal: 0, uploadId: 'm', path: 'p', sizeBytes: 1 };
  const note = { memberState: 'landed', contentMark: 'c', stateReason: 'r' } as const;
  await noteLanded(table, { ...upload, uploadId: 'm', parentId: upload.uploadId }, 'landing/…', 0);
  await noteMember(table, upload.uploadId, member, note);
  await noteRead(table, upload.uploadId, 'f');
  await noteLanded(table, { ...upload, uploadId: 'archive' }, 'archive/…', 0);
  await noteStandstill(table, 'archive', 1);
  await noteUnpacked(table, 'archive', new Map([[0, note]]), '', 0);
}

async function pollOnce(table: ReturnType<typeof memoryTable>): Promise<void> {
  const held = await take(table, 'orders', 0);
  if (!held) throw new Error('nobody else holds it');
  await renew(table, held, held.state, 0);
  await release(table, held, { dueAtMs: 0, pollProblem: '', sweep: 0, earlierSweep: 0, earlierChunks: 0 });
}

async function exportRows(table: ReturnType<typeof memoryTable>): Promise<void> {
  const version = versionWriter({ lastModifiedMs: 0, uploadId: upload.uploadId, revision: 1 });
  const put = putWriter({
    entity: 'order',
    sourceId: 'orders',
    uploadId: upload.uploadId,
    contentId: 'c',
    append: false,
  });
  const image = (position: number) =>
    JSON.parse(put('k', version(undefined, position, 0), '{"M":{}}', position, 0).item);
  const record = (sequence: string, position: number, old?: number) => ({
    eventID: sequence,
    eventName: 'INSERT' as const,
    eventSourceARN: 'arn:aws:dynamodb:eu-west-1:1:table/t/stream/2026-03-01T00:00:00.000',
    dynamodb: {
      ApproximateCreationDateTime: 0,
      Keys: { pk: { S: `${recordPrefix}order#k` }, sk: { S: 'orders' } },
      NewImage: image(position),
      SequenceNumber: sequence,
      ...(old === undefined ? {} : { OldImage: image(old) }),
    },
  });
  await exportBatch([record('1', 1), record('2', 2, 1)], {
    store: { putOnce: async () => {} },
    table,
    loadOf: () => 1,
  });
}

describe('the attribute names of the table', () => {
  it('hold no word that DynamoDB reserves, so that people can write expressions without aliases', async () => {
    const names = await namesWritten();
    const reserved = reservedWords();
    expect(reserved.has('STATUS')).toBe(true);
    expect(names).toEqual(expect.arrayContaining(['rawBase64', 'unchanged', 'newestRevision', 'loadState', 'gsi1pk']));
    expect(names.filter((name) => reserved.has(name.toUpperCase()))).toEqual([]);
  });

  it('are words that expressions take as they are', async () =>
    expect((await namesWritten()).filter((name) => !/^[a-z][A-Za-z0-9]*$/.test(name))).toEqual([]));
});
