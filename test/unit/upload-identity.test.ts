import { describe, expect, it } from 'vitest';
import { base32 } from '../../core/upload/base32.ts';
import { contentId, etagText, type ObjectIdentity, uploadId } from '../../core/upload/identity.ts';

const object: ObjectIdentity = {
  bucket: 'incoming',
  key: 'orders/2026.csv',
  versionId: 'v7',
  etag: '9b2cf535f27731c974343645a3985328',
  sizeBytes: 120,
  lastModifiedMs: 1_772_359_200_000,
};
const id = (change: Partial<ObjectIdentity> = {}, sourceId = 'orders') => uploadId(sourceId, { ...object, ...change });
const content = (change: Partial<ObjectIdentity> = {}, sourceId = 'orders') =>
  contentId(sourceId, { ...object, ...change });

describe('an upload id', () => {
  it('is 26 characters of lower-case base32', () => expect(id()).toMatch(/^[a-z2-7]{26}$/));

  it('never changes: it names objects and items that are there already', () =>
    expect([id(), content()]).toEqual(['xn6ryfoo7i6biyejaunryowqwt', '5ul6n2cdqxio7c3dys5qwy7ekt']));

  it.each([
    ['the quotes of the HTTP header', { etag: '"9b2cf535f27731c974343645a3985328"' }],
    ['milliseconds', { lastModifiedMs: 1_772_359_200_999 }],
  ])('does not depend on %s', (_what, change) => expect(id(change)).toBe(id()));

  it('is the same for the version `null`, an empty one and none at all', () => {
    const none = id({ versionId: undefined });
    expect([id({ versionId: 'null' }), id({ versionId: '' })]).toEqual([none, none]);
    expect(none).not.toBe(id());
  });

  it.each([
    ['source', id({}, 'orders-lisbon')],
    ['bucket', id({ bucket: 'incoming2' })],
    ['key', id({ key: 'orders/2026.CSV' })],
    ['version', id({ versionId: 'v8' })],
    ['ETag', id({ etag: '0b2cf535f27731c974343645a3985328' })],
    ['size', id({ sizeBytes: 121 })],
    ['second', id({ lastModifiedMs: 1_772_359_201_000 })],
  ])('is another for another %s', (_what, other) => expect(other).not.toBe(id()));

  it('tells values apart that are the same text when joined', () => {
    expect(id({ bucket: 'incomingo', key: 'rders/2026.csv' })).not.toBe(id());
    expect(id({ versionId: '', etag: 'v7x' })).not.toBe(id({ versionId: 'v7', etag: 'x' }));
    expect(id({ etag: '1', sizeBytes: 20 })).not.toBe(id({ etag: '12', sizeBytes: 0 }));
    expect(id({ key: 'a2:v7', versionId: '' })).not.toBe(id({ key: 'a', versionId: 'v7' }));
  });

  it('tells nothing from zero', () => {
    expect(id({ sizeBytes: undefined })).not.toBe(id({ sizeBytes: 0 }));
    expect(id({ lastModifiedMs: undefined })).not.toBe(id({ lastModifiedMs: 0 }));
  });
});

describe('a content id', () => {
  it('is the same for the same bytes put again at the same key', () =>
    expect(content({ versionId: 'v8', lastModifiedMs: 0 })).toBe(content()));

  it.each([
    ['source', content({}, 'other')],
    ['bucket', content({ bucket: 'b' })],
    ['key', content({ key: 'k' })],
    ['ETag', content({ etag: 'e' })],
    ['size', content({ sizeBytes: 1 })],
  ])('is another for another %s', (_what, other) => expect(other).not.toBe(content()));

  it('is never an upload id', () =>
    expect(content({ versionId: undefined, lastModifiedMs: undefined })).not.toBe(
      id({ versionId: undefined, lastModifiedMs: undefined }),
    ));
});

describe('an ETag', () => {
  it.each([
    ['"abc-3"', 'abc-3'],
    ['abc-3', 'abc-3'],
    [undefined, ''],
  ])('%s is %s without its quotes', (etag, plain) => expect(etagText(etag)).toBe(plain));
});

describe('base32', () => {
  // The test vectors of RFC 4648, section 10, as far as their bits fill characters.
  it.each([
    ['', ''],
    ['f', 'm'],
    ['fo', 'mzx'],
    ['foo', 'mzxw'],
    ['foob', 'mzxw6y'],
    ['fooba', 'mzxw6ytb'],
    ['foobar', 'mzxw6ytbo'],
  ])('of %j begins with %s', (bytes, text) => expect(base32(Buffer.from(bytes), text.length)).toBe(text));
});
