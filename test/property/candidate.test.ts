import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { envelope, readMessage } from '../../core/origin/candidate.ts';

/** Any UTF-16 unit, halves of surrogate pairs too. */
const unit16 = fc.nat(0xffff).map((code) => String.fromCharCode(code));
const kinds = ['candidates', 'test', 'unreadable'];

/** JSON that often looks like an event, down to the places where values are read. */
const nearly = (depth: number): fc.Arbitrary<unknown> => {
  const inner =
    depth === 0
      ? fc.jsonValue({ maxDepth: 1 })
      : fc.oneof(
          fc.jsonValue({ maxDepth: 1 }),
          fc.constant(0).chain(() => nearly(depth - 1)),
        );
  const wrapped = inner.map((value) => JSON.stringify(value));
  const text = fc.oneof(fc.string(), wrapped, fc.constantFrom('aws:s3', 'ObjectCreated:Put', '2.1', '%', 'incoming'));
  const object = fc.record(
    { key: fc.oneof(text, inner), size: inner, eTag: inner, versionId: inner },
    { requiredKeys: [] },
  );
  const s3 = fc.record(
    { bucket: fc.oneof(fc.record({ name: text }), inner), object: fc.oneof({ weight: 3, arbitrary: object }, inner) },
    { requiredKeys: ['bucket'] },
  );
  const record = fc.record(
    {
      eventSource: fc.constantFrom('aws:s3', 'aws:s3', 'aws:s3', 'other', null),
      eventName: fc.oneof({ weight: 4, arbitrary: fc.constant('ObjectCreated:Put') }, inner),
      eventVersion: fc.oneof({ weight: 4, arbitrary: fc.constant('2.1') }, inner),
      s3: fc.oneof({ weight: 4, arbitrary: s3 }, inner),
      Sns: fc.oneof(fc.record({ Message: wrapped }), inner),
      body: fc.oneof(wrapped, inner),
    },
    { requiredKeys: ['eventSource', 'eventName', 's3'] },
  );
  return fc.oneof(
    fc.record({ Records: fc.oneof(fc.array(fc.oneof(record, inner), { maxLength: 3 }), inner) }),
    fc.record({ Type: fc.constant('Notification'), Message: fc.oneof(wrapped, inner) }),
    fc.record({
      source: fc.constant('aws.s3'),
      'detail-type': fc.constant('Object Created'),
      detail: fc.oneof(s3, inner),
    }),
    fc.record({ kind: fc.constant('candidate'), v: fc.constantFrom(1, 2), bucket: inner, key: inner }),
    inner,
  );
};

describe('reading a message', () => {
  it('never throws, says what it is, and names only objects with bucket and key, whatever JSON comes', () =>
    fc.assert(
      fc.property(nearly(2), (value) => {
        const read = readMessage(JSON.stringify(value));
        expect(kinds).toContain(read.kind);
        const nameless = (read.kind === 'candidates' ? read.candidates : []).filter(
          ({ bucket, key }) => !(bucket.length > 0 && key.length > 0),
        );
        expect(nameless).toEqual([]);
      }),
      { numRuns: 2000 },
    ));

  it('never throws, whatever text comes', () =>
    fc.assert(
      fc.property(fc.string({ unit: unit16 }), (body) => {
        expect(kinds).toContain(readMessage(body).kind);
      }),
    ));
});

describe('the envelope', () => {
  it('gives back what was put in, of any key', () =>
    fc.assert(
      fc.property(
        fc.record(
          {
            bucket: fc.string({ minLength: 1 }),
            key: fc.string({ unit: 'grapheme', minLength: 1 }),
            versionId: fc.string({ minLength: 1 }),
            etag: fc.string({ minLength: 1 }),
            sizeBytes: fc.maxSafeNat(),
            lastModifiedMs: fc.maxSafeNat(),
          },
          { requiredKeys: ['bucket', 'key'] },
        ),
        (candidate) => {
          expect(readMessage(envelope(candidate))).toEqual({ kind: 'candidates', candidates: [candidate], ignored: 0 });
        },
      ),
    ));

  it('of S3 keys is the object that the event named, once encoded as S3 does', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (key) => {
        fc.pre(key.isWellFormed());
        const encoded = encodeURIComponent(key).replaceAll('%20', '+');
        const record = {
          eventSource: 'aws:s3',
          eventName: 'ObjectCreated:Put',
          s3: { bucket: { name: 'b' }, object: { key: encoded } },
        };
        expect(readMessage(JSON.stringify({ Records: [record] }))).toMatchObject({
          candidates: [{ bucket: 'b', key }],
        });
      }),
    ));
});
