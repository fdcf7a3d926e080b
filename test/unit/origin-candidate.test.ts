import { describe, expect, it, test } from 'vitest';
import { type Candidate, envelope, readMessage } from '../../core/origin/candidate.ts';

const s3 = (change: Record<string, unknown> = {}, object: Record<string, unknown> = {}) => ({
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  awsRegion: 'eu-west-1',
  eventTime: '2026-03-01T10:00:00.000Z',
  eventName: 'ObjectCreated:Put',
  s3: {
    s3SchemaVersion: '1.0',
    bucket: { name: 'incoming', arn: 'arn:aws:s3:::incoming' },
    object: { key: 'orders/a.csv', size: 1024, eTag: 'e1', versionId: 'v1', sequencer: '00', ...object },
  },
  ...change,
});
const records = (...all: readonly unknown[]) => JSON.stringify({ Records: all });
const sns = (message: string) =>
  JSON.stringify({ Type: 'Notification', MessageId: 'm', TopicArn: 't', Message: message });
const eventBridge = (change: Record<string, unknown> = {}, object: Record<string, unknown> = {}) =>
  JSON.stringify({
    version: '0',
    source: 'aws.s3',
    'detail-type': 'Object Created',
    detail: {
      bucket: { name: 'incoming' },
      object: { key: 'orders/a.csv', size: 1024, etag: 'e1', 'version-id': 'v1', ...object },
      reason: 'PutObject',
    },
    ...change,
  });
const found: Candidate = { bucket: 'incoming', key: 'orders/a.csv', versionId: 'v1', etag: 'e1', sizeBytes: 1024 };
const one = { kind: 'candidates', candidates: [found], ignored: 0 };

describe('a message about an object', () => {
  it.each([
    ['S3 itself', records(s3())],
    ['S3, with the prefix in the event name', records(s3({ eventName: 's3:ObjectCreated:CompleteMultipartUpload' }))],
    ['a later minor version of the event', records(s3({ eventVersion: '2.9', news: {} }))],
    ['S3 through SNS', sns(records(s3()))],
    ['S3 through SNS in an event for Lambda', records({ EventSource: 'aws:sns', Sns: { Message: records(s3()) } })],
    ['S3 in the body of a queue message', records({ messageId: 'm', body: records(s3()) })],
    ['S3 through SNS through a queue', records({ messageId: 'm', body: sns(records(s3())) })],
    ['EventBridge', eventBridge()],
    ['EventBridge through SNS', sns(eventBridge())],
    ['S3, that it is restored from an archive', records(s3({ eventName: 'ObjectRestore:Completed' }))],
    ['EventBridge, that it is restored from an archive', eventBridge({ 'detail-type': 'Object Restore Completed' })],
    ['Firn itself', envelope(found)],
  ])('from %s names it', (_what, body) => expect(readMessage(body)).toEqual(one));

  it('may name several', () =>
    expect(
      readMessage(records(s3(), s3({}, { key: 'b' }), { Sns: { Message: records(s3({}, { key: 'c' })) } })),
    ).toMatchObject({ candidates: [{ key: 'orders/a.csv' }, { key: 'b' }, { key: 'c' }], ignored: 0 }));

  it('need not know version, ETag and size', () => {
    const bare = { key: 'k', size: undefined, eTag: undefined, versionId: undefined };
    expect(readMessage(records(s3({}, bare)))).toEqual({
      ...one,
      candidates: [{ bucket: 'incoming', key: 'k' }],
    });
  });

  it.each([-1, 1.5, '7', 2 ** 53])('does not believe in a size of %j', (size) =>
    expect(readMessage(records(s3({}, { size })))).toEqual({
      ...one,
      candidates: [{ ...found, sizeBytes: undefined }],
    }),
  );
});

describe('the key in an event', () => {
  it.each([
    ['a+b', 'a b'],
    ['a%2Bb', 'a+b'],
    ['a%20b', 'a b'],
    ['a%2520', 'a%20'],
    ['mar%C3%A7o/%E6%97%A5%E6%9C%AC+%F0%9F%98%80.csv', 'março/日本 😀.csv'],
    ['plain/日本.csv', 'plain/日本.csv'],
    ['100%25.csv', '100%.csv'],
  ])('from S3, %s, is decoded to %s', (key, decoded) =>
    expect(readMessage(records(s3({}, { key })))).toMatchObject({ candidates: [{ key: decoded }] }),
  );

  it.each(['100%.csv', '%C3%28', '%', ''])('from S3, %j, that cannot be decoded, makes the message unreadable', (key) =>
    expect(readMessage(records(s3({}, { key })))).toEqual({
      kind: 'unreadable',
      reason: 'the event names no bucket or no readable key',
    }),
  );

  it.each(['a+b', 'a%2Bb', '100%.csv', '日本 😀'])('from EventBridge, %s, is taken as it is', (key) =>
    expect(readMessage(eventBridge({}, { key }))).toMatchObject({ candidates: [{ key }] }),
  );
});

describe('an event that creates nothing', () => {
  it.each([
    ['a delete', records(s3({ eventName: 'ObjectRemoved:Delete' })), 1],
    ['a delete of an unknown version', records(s3({ eventName: 'ObjectRemoved:Delete', eventVersion: '9.0' })), 1],
    ['the start of a restore', records(s3({ eventName: 'ObjectRestore:Post' })), 1],
    ['the end of a restore', eventBridge({ 'detail-type': 'Object Restore Expired' }), 1],
    ['an event without a name', records(s3({ eventName: undefined })), 1],
    ['a delete from EventBridge', eventBridge({ 'detail-type': 'Object Deleted' }), 1],
    ['a list of nothing', records(), 0],
    ['a test wrapped for Lambda', records({ Sns: { Message: '{"Event":"s3:TestEvent"}' } }), 1],
  ])('is ignored and counted: %s', (_what, body, ignored) =>
    expect(readMessage(body)).toEqual({ kind: 'candidates', candidates: [], ignored }),
  );

  it('does not keep others in the message from being read', () =>
    expect(readMessage(records(s3({ eventName: 'ObjectRemoved:Delete' }), s3()))).toEqual({ ...one, ignored: 1 }));

  it('may be the test that S3 sends when a notification is set up', () => {
    const test = JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'incoming' });
    expect(readMessage(test)).toEqual({ kind: 'test' });
    expect(readMessage(sns(test))).toEqual({ kind: 'test' });
  });
});

describe('a message that cannot be read', () => {
  it.each([
    ['no JSON', 'not json', 'the message is not a JSON object'],
    ['a list', '[]', 'the message is not a JSON object'],
    ['null', 'null', 'the message is not a JSON object'],
    ['nothing', '', 'the message is not a JSON object'],
    ['an SNS message without JSON', sns('hello'), 'the SNS message holds no JSON object'],
    ['SNS inside SNS inside SNS', sns(sns(sns(records(s3())))), 'the SNS message holds no JSON object'],
    ['a wrapped message without JSON', records({ body: 'hello' }), 'a wrapped message holds no JSON object'],
    ['a record from elsewhere', records(s3({ eventSource: 'aws:dynamodb' })), 'a record is not from aws:s3'],
    ['a record that is null', records(null), 'a record is not from aws:s3'],
    ['an unknown major version', records(s3({ eventVersion: '3.0' })), 'S3 event version 3 is not known, only 2.x is'],
    ['no bucket', records(s3({ s3: { object: { key: 'k' } } })), 'the event names no bucket or no readable key'],
    ['EventBridge without a detail', eventBridge({ detail: null }), 'the event names no bucket or no readable key'],
    [
      'an envelope without a key',
      '{"v":1,"kind":"candidate","bucket":"b"}',
      'the event names no bucket or no readable key',
    ],
  ])('says why: %s', (_what, body, reason) => expect(readMessage(body)).toEqual({ kind: 'unreadable', reason }));

  it.each(['{}', '{"Type":"SubscriptionConfirmation"}', '{"v":2,"kind":"candidate","bucket":"b","key":"k"}'])(
    'is any other object: %s',
    (body) =>
      expect(readMessage(body)).toEqual({
        kind: 'unreadable',
        reason: 'the message is no S3 event, SNS notification, EventBridge event or Firn envelope',
      }),
  );

  it('is the whole message when one record of it is not known: nothing is acknowledged by mistake', () =>
    expect(readMessage(records(s3(), s3({ eventSource: 'other' })))).toMatchObject({ kind: 'unreadable' }));
});

test('the envelope of a key with characters that no message may have travels, and comes out the same', () => {
  const key = 'in/\u0001\ufffe\uffff\u{1f600} a+b%2B\n\ud800.csv';
  const body = envelope({ bucket: 'b', key });

  // SQS, SendMessage: what XML 1.0 allows.
  expect(body).toMatch(/^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u);
  expect(readMessage(body)).toEqual({ kind: 'candidates', candidates: [{ bucket: 'b', key }], ignored: 0 });
});
