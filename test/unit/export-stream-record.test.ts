import { describe, expect, it } from 'vitest';
import { type Image, readStreamRecord, type StreamRecord } from '../../core/export/stream-record.ts';
import { putWriter } from '../../core/table/record-item.ts';
import { versionWriter } from '../../core/table/version.ts';

const uploads = { a: 'a'.repeat(26), b: 'b'.repeat(26) };

/** The image of a record that Firn put. */
function image(upload: keyof typeof uploads, position: number, payload = '{"M":{"n":{"N":"1"}}}', revision = 2): Image {
  const uploadId = uploads[upload];
  const version = versionWriter({ lastModifiedMs: 0, uploadId, revision })(undefined, position, 0);
  const write = putWriter({ entity: 'order', sourceId: 'orders', uploadId, contentId: 'c', append: false });
  return JSON.parse(write('k#1', version, payload, position, 0).item);
}

const keys = { pk: { S: 'R#order#k#1' }, sk: { S: 'orders' } };
function record(
  change: Partial<Omit<StreamRecord, 'dynamodb'>>,
  images: Partial<StreamRecord['dynamodb']>,
): StreamRecord {
  return {
    eventID: 'e1',
    eventName: images.OldImage ? 'MODIFY' : 'INSERT',
    eventSourceARN: 'arn:aws:dynamodb:eu-west-1:1:table/t/stream/2026-03-01T00:00:00.000',
    dynamodb: { ApproximateCreationDateTime: 1_772_359_200, Keys: keys, SequenceNumber: '100', ...images },
    ...change,
  };
}
const put = (NewImage: Image, OldImage?: Image) => record({}, OldImage ? { NewImage, OldImage } : { NewImage });

describe('a stream record of a put that Firn made', () => {
  it('is a change: a row of an upload under a revision', () => {
    const given = put(image('a', 120));
    expect(readStreamRecord(given)).toEqual({
      kind: 'change',
      record: given,
      image: image('a', 120),
      entity: 'order',
      uploadId: uploads.a,
      revision: 2,
      position: 120,
      output: 0,
      unchangedSince: undefined,
      contradicts: false,
    });
  });

  it('tells the output of a row that transform made several of', () =>
    expect(readStreamRecord(put({ ...image('a', 120), rowNumber: { S: '120.3' } }))).toMatchObject({
      position: 120,
      output: 3,
    }));

  it('is new content where the payload differs from the one before', () =>
    expect(readStreamRecord(put(image('b', 1), image('a', 1, '{"M":{}}')))).toMatchObject({
      kind: 'change',
      unchangedSince: undefined,
    }));

  it('is unchanged content of the upload and revision before where only the version is newer', () => {
    expect(readStreamRecord(put(image('b', 1), image('a', 1)))).toMatchObject({ unchangedSince: `${uploads.a}#2` });
    expect(readStreamRecord(put(image('a', 1), image('a', 1, undefined, 1)))).toMatchObject({
      unchangedSince: `${uploads.a}#1`,
    });
  });

  it('contradicts a record of the same version and another payload', () =>
    expect(readStreamRecord(put(image('a', 1), image('a', 1, '{"M":{}}')))).toMatchObject({
      kind: 'change',
      unchangedSince: undefined,
      contradicts: true,
    }));

  it('leans on no upload where somebody had given the record before a version of their own', () =>
    expect(readStreamRecord(put(image('b', 1), { ...image('a', 1), version: { S: 'mine' } }))).toMatchObject({
      kind: 'change',
      unchangedSince: '#0',
    }));
});

describe('a stream record that is nobody’s delete', () => {
  const removed = (userIdentity?: StreamRecord['userIdentity']) =>
    record({ eventName: 'REMOVE', ...(userIdentity ? { userIdentity } : {}) }, { OldImage: image('a', 1) });

  it('is retention when TTL removed the record', () =>
    expect(readStreamRecord(removed({ type: 'Service', principalId: 'dynamodb.amazonaws.com' }))).toEqual({
      kind: 'retention',
    }));

  it.each([undefined, { type: 'AssumedRole', principalId: 'AROA:someone' }, {}])('is a stray by %j', (identity) =>
    expect(readStreamRecord(removed(identity))).toMatchObject({ kind: 'stray' }),
  );
});

describe('a stream record of Firn’s own items', () => {
  it.each(['U#abc', 'E#order#2026-03-01', 'S#orders', 'R#order', 'order', ''])('is told by its partition %j', (pk) =>
    expect(
      readStreamRecord(record({}, { NewImage: image('a', 1), Keys: { pk: { S: pk }, sk: { S: 'META' } } })),
    ).toEqual({ kind: 'own' }),
  );

  it('is told without any partition key at all', () =>
    expect(readStreamRecord(record({}, { Keys: {} }))).toEqual({ kind: 'own' }));
});

describe('an edit of the table that was not Firn’s', () => {
  const { version, payload, ...rest } = image('a', 1);
  const whole = image('a', 1);

  it.each([
    ['has no image', undefined],
    ['has another entity than its key', { ...whole, entity: { S: 'customer' } }],
    ['has no version', { ...rest, payload }],
    ['has a version of somebody’s own', { ...whole, version: { S: 'v2' } }],
    ['has a version of bytes that no version has', { ...whole, version: { S: `${version?.S?.slice(0, -1)}!` } }],
    ['has a version that is a number', { ...whole, version: { N: '7' } }],
    ['has no payload', { ...rest, version }],
    ['has a payload that is no map', { ...whole, payload: { S: '{}' } }],
    ['has a row number that is none', { ...whole, rowNumber: { S: 'first' } }],
    ['has no row number', { ...whole, rowNumber: { N: '1' } }],
    ['has no digest', { ...whole, digest: { NULL: true } }],
    ['has an empty upload', { ...whole, uploadId: { S: '' } }],
    ['has no source', { ...whole, sourceId: { BOOL: true } }],
    ['has no record key', { ...whole, recordKey: { L: [] } }],
  ])('is kept as a stray when it %s', (_what, NewImage) => {
    const given = record({}, NewImage ? { NewImage: NewImage as Image } : {});
    expect(readStreamRecord(given)).toEqual({ kind: 'stray', record: given });
  });

  it('is kept as a stray when it changed the payload below an unchanged digest', () => {
    const edited = { ...whole, payload: { M: { n: { N: '2' } } } };
    expect(readStreamRecord(put(edited, whole))).toMatchObject({ kind: 'stray' });
    expect(readStreamRecord(put({ ...whole, expiresAt: { N: '1' } }, whole))).toMatchObject({ kind: 'stray' });
  });
});
