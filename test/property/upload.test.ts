import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base32 } from '../../core/upload/base32.ts';
import { uploadId } from '../../core/upload/identity.ts';
import { dayOf, landingKey, parseLandingKey, safeBaseName } from '../../core/upload/landing-key.ts';
import { landingMetadata, parseLandingMetadata } from '../../core/upload/landing-metadata.ts';
import { emptySet, equalSets, parseRowNumber, RowCounter, rowNumber, sum } from '../../core/upload/row-set.ts';

const objectKey = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1 }),
  fc.string({ unit: fc.constantFrom('.', '/', 'a', 'ç', ' '), minLength: 1, maxLength: 200 }),
);
const object = fc.record({
  bucket: fc.string({ unit: fc.constantFrom('a', 'b', '-', '1'), minLength: 1, maxLength: 6 }),
  key: objectKey,
  versionId: fc.option(fc.string({ unit: fc.constantFrom('a', '1', ':'), maxLength: 4 }), { nil: undefined }),
  etag: fc.string({ unit: fc.constantFrom('a', '1', '-'), maxLength: 4 }),
  sizeBytes: fc.oneof(fc.nat(20), fc.maxSafeNat()),
  lastModifiedMs: fc.nat(4_000_000_000).map((seconds) => seconds * 1000),
});

describe('a landing key', () => {
  it('is read back whatever the object was called', () =>
    fc.assert(
      fc.property(object, (of) => {
        const name = {
          sourceId: 'orders',
          day: dayOf(of.lastModifiedMs),
          uploadId: uploadId('orders', of),
          baseName: safeBaseName(of.key),
        };
        expect(parseLandingKey(landingKey(name))).toEqual(name);
      }),
    ));
});

describe('landing metadata', () => {
  it('gives back the facts, and so the same upload', () =>
    fc.assert(
      fc.property(object, (of) => {
        const facts = parseLandingMetadata(landingMetadata({ sourceId: 'orders', object: of }));
        expect(facts).toEqual({ sourceId: 'orders', object: of });
        expect(uploadId('orders', facts?.object ?? of)).toBe(uploadId('orders', of));
      }),
    ));
});

describe('upload ids', () => {
  it('are the same only for the same object version', () =>
    fc.assert(
      fc.property(object, object, (one, other) => {
        const said = ({ versionId = '', ...rest }: typeof one) => JSON.stringify({ ...rest, versionId });
        fc.pre(said(one) !== said(other));
        expect(uploadId('s', one)).not.toBe(uploadId('s', other));
      }),
    ));
});

describe('base32', () => {
  it('is the number that the bytes are, five bits a character', () =>
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 5, maxLength: 30 }), (bytes) => {
        const length = Math.floor((bytes.length * 8) / 5);
        const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
        const expected = bits
          .match(/.{5}/g)
          ?.map((five) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(five, 2)]);
        expect(base32(bytes, length)).toBe(expected?.join(''));
      }),
    ));
});

const row = fc.tuple(fc.oneof(fc.nat(50), fc.maxSafeNat()), fc.oneof(fc.constant(0), fc.nat(3), fc.nat(32 ** 4 - 1)));
type Row = readonly [position: number, output: number];
const rows = fc.uniqueArray(row, { maxLength: 40, selector: ([position, output]) => `${position}.${output}` });

function setOf(all: readonly Row[]) {
  const counter = new RowCounter();
  for (const [position, output] of all) counter.add(position, output);
  return counter.value();
}

describe('a set of rows', () => {
  it('does not depend on the order in which they were counted', () =>
    fc.assert(
      fc.property(
        rows.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => {
          expect(setOf(shuffled)).toEqual(setOf(all));
        },
      ),
    ));

  it('does not depend on how they were split', () =>
    fc.assert(
      fc.property(rows, fc.array(fc.nat(3), { minLength: 40, maxLength: 40 }), (all, piece) => {
        const pieces = [0, 1, 2, 3].map((n) => setOf(all.filter((_, index) => piece[index] === n)));
        expect(sum(...pieces)).toEqual(setOf(all));
      }),
    ));

  it('equals no other set of as many rows, so that a doubled row never hides a lost one', () =>
    fc.assert(
      fc.property(rows, fc.nat(), fc.nat(), (all, lost, doubled) => {
        fc.pre(all.length >= 2);
        const gone = lost % all.length;
        const twice = (gone + 1 + (doubled % (all.length - 1))) % all.length;
        const counted = all.map((each, index) => (index === gone ? (all[twice] as Row) : each));
        expect(setOf(counted).count).toBe(all.length);
        expect(equalSets(setOf(counted), setOf(all))).toBe(false);
      }),
      { numRuns: 500 },
    ));

  it('tells rows apart that differ in output only, or above 32 bits only', () => {
    const near = [
      [1, 0],
      [1, 1],
      [0, 1],
      [0, 0],
      [2 ** 32, 0],
      [2 ** 32 + 1, 0],
      [2 ** 33, 1],
      [2 ** 53 - 1, 0],
    ] as const;
    expect(new Set(near.map((each) => setOf([each]).fingerprint)).size).toBe(near.length);
  });

  it('of none is empty, with the fingerprint that adding changes nothing', () => {
    expect(setOf([])).toEqual(emptySet);
    expect(sum()).toEqual(emptySet);
    expect(sum(emptySet, setOf([[7, 0]]))).toEqual(setOf([[7, 0]]));
  });

  it('spreads over all bits: a thousand neighbours leave none of 128 unset or always set', () => {
    const prints = Array.from({ length: 1000 }, (_, n) => BigInt(`0x${setOf([[n, 0]]).fingerprint}`));
    const often = Array.from({ length: 128 }, (_, bit) => prints.filter((each) => (each >> BigInt(bit)) & 1n).length);
    expect(often.filter((count) => count < 400 || count > 600)).toEqual([]);
  });
});

describe('a row number', () => {
  it('is read back as position and output', () =>
    fc.assert(
      fc.property(row, ([position, output]) => {
        expect(parseRowNumber(rowNumber(position, output))).toEqual([position, output]);
      }),
    ));

  it.each(['', '-1', '1.', '.1', '1.2.3', ' 1', '1e3', '12345678901234567', 'x'])('is not %j', (text) =>
    expect(parseRowNumber(text)).toBeUndefined(),
  );
});
