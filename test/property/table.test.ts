import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRecordKey, parseRecordPartition, recordKey, recordPartition } from '../../core/table/key.ts';
import { itemBytes } from '../../core/table/record-item.ts';
import { instantVersion, numberVersion, revisionOf, versionWriter } from '../../core/table/version.ts';
import { sortable, unsorted } from '../../core/upload/base32.ts';

const tricky = fc.string({
  unit: fc.constantFrom('#', '%', '~', '2', '3', '5', '7', 'E', 'a', 'ü', '\u{1f600}'),
  maxLength: 12,
});
const value = fc.oneof(
  tricky,
  fc.string({ unit: 'grapheme' }),
  tricky.map((each) => each.repeat(200)),
);
const values = fc.array(value, { minLength: 1, maxLength: 4 });

describe('a record key', () => {
  it('is read back as the values it was made of, unless it is a hash', () =>
    fc.assert(
      fc.property(values, (list) => {
        const key = recordKey(list);
        expect(parseRecordKey(key)).toEqual(key.startsWith('~') ? undefined : list);
        expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1024);
        expect(parseRecordPartition(recordPartition('order', key))).toEqual({ entity: 'order', key });
      }),
    ));

  it('is never the same for two different lists of values', () =>
    fc.assert(
      fc.property(values, values, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        expect(recordKey(one)).not.toBe(recordKey(other));
      }),
    ));

  it('tells lists apart that are the same text when joined', () =>
    fc.assert(
      fc.property(fc.array(tricky, { minLength: 2, maxLength: 4 }), (list) => {
        expect(recordKey([list.join('#')])).not.toBe(recordKey(list));
      }),
    ));
});

const upload = fc.string({
  unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz234567'),
  minLength: 26,
  maxLength: 26,
});
const rest = fc.record({
  modified: fc.oneof(fc.nat(3), fc.nat(4_000_000_000)),
  upload: fc.oneof(fc.constantFrom('a'.repeat(26), '2'.repeat(26)), upload),
  position: fc.oneof(fc.nat(3), fc.maxSafeNat()),
  output: fc.oneof(fc.nat(2), fc.nat(32 ** 4 - 1)),
  revision: fc.oneof(fc.nat(2), fc.nat(32 ** 4 - 1)),
});
type Rest = typeof rest extends fc.Arbitrary<infer T> ? T : never;

const write = (business: string | undefined, at: Rest) =>
  versionWriter({ lastModifiedMs: at.modified * 1000, uploadId: at.upload, revision: at.revision })(
    business,
    at.position,
    at.output,
  );

type Ordered = bigint | number | string;
const tuple = (business: bigint, at: Rest): readonly Ordered[] => [
  business,
  at.modified,
  at.upload.slice(0, 8),
  at.position,
  at.output,
  at.revision,
];

function order(a: readonly Ordered[], b: readonly Ordered[]): number {
  for (const [index, one] of a.entries()) {
    const other = b[index] as Ordered;
    if (one !== other) return one < other ? -1 : 1;
  }
  return 0;
}
const bytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

// Nanoseconds since 1970, from the year 1 to 9999; close together often enough that the later parts decide.
const nanos = fc.oneof(
  fc.bigInt({ min: -2n, max: 2n }),
  fc.bigInt({ min: -62_135_596_800_000_000_000n, max: 253_402_300_799_999_999_999n }),
);
const instant = (since: bigint) => {
  const fraction = ((since % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const text = new Date(Number((since - fraction) / 1_000_000n)).toISOString().slice(0, 19);
  return fraction === 0n ? `${text}Z` : `${text}.${String(fraction).padStart(9, '0').replace(/0+$/, '')}Z`;
};
const numbers = fc.oneof(fc.bigInt({ min: -2n, max: 2n }), fc.bigInt({ min: 1n - 10n ** 38n, max: 10n ** 38n - 1n }));

describe('the version of a record', () => {
  it.each([
    ['instants', nanos, (each: bigint) => instantVersion(instant(each))],
    ['whole numbers', numbers, (each: bigint) => numberVersion(String(each))],
  ] as const)('by %s sorts as text the way its parts sort', (_what, business, digits) =>
    fc.assert(
      fc.property(business, rest, business, rest, (oneBusiness, one, otherBusiness, other) => {
        const [a, b] = [write(digits(oneBusiness), one), write(digits(otherBusiness), other)];
        const expected = order(tuple(oneBusiness, one), tuple(otherBusiness, other));
        expect(bytes(a, b)).toBe(expected);
        expect(a < b ? -1 : a > b ? 1 : 0).toBe(expected);
      }),
      { numRuns: 1000 },
    ),
  );

  it('without a business time sorts by LastModified first', () =>
    fc.assert(
      fc.property(rest, rest, (one, other) => {
        const expected = order(tuple(BigInt(one.modified), one), tuple(BigInt(other.modified), other));
        expect(bytes(write(undefined, one), write(undefined, other))).toBe(expected);
      }),
    ));

  it('is lower in an older generation, whatever else it says', () =>
    fc.assert(
      fc.property(rest, rest, fc.integer({ min: 1, max: 1022 }), (one, other, generation) => {
        const of = (at: Rest, number: number) =>
          versionWriter({ lastModifiedMs: at.modified * 1000, uploadId: at.upload, revision: 1, generation: number });
        expect(bytes(of(one, generation)(undefined, 0, 0), of(other, generation + 1)(undefined, 0, 0))).toBe(-1);
      }),
    ));

  it('tells its revision', () =>
    fc.assert(
      fc.property(nanos, rest, (since, at) => {
        expect(revisionOf(write(instantVersion(instant(since)), at))).toBe(at.revision);
        expect(revisionOf(write(numberVersion(String(since)), at))).toBe(at.revision);
      }),
    ));

  it('cannot be made of a time that is none', () =>
    expect(() => instantVersion('2026-02-30T00:00:00Z')).toThrow(RangeError));

  it('does not count the fraction of a second of LastModified', () => {
    const of = (lastModifiedMs: number) => versionWriter({ lastModifiedMs, uploadId: 'a'.repeat(26), revision: 1 });
    expect(of(1_999)(undefined, 0, 0)).toBe(of(1_000)(undefined, 0, 0));
  });

  it('of a day is that of its midnight', () =>
    expect(instantVersion('2026-03-01')).toBe(instantVersion('2026-03-01T00:00:00Z')));

  it.each(['', 'v1', '1', '0'.repeat(49), `${'0'.repeat(46)}zzzz`])('is not the text %j', (text) =>
    expect(() => revisionOf(text)).toThrow(RangeError),
  );
});

describe('a sortable number', () => {
  it('is read back, and refused where it does not fit', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 32n ** 13n - 1n }), fc.maxSafeNat(), (large, small) => {
        expect(unsorted(sortable(large, 13))).toBe(large);
        expect(sortable(small, 13)).toBe(sortable(BigInt(small), 13));
      }),
    );
    expect(() => sortable(32, 1)).toThrow('32 does not fit 1 base32 digits');
    expect(() => sortable(-1, 4)).toThrow('a sortable number must not be negative, got -1');
    expect(() => unsorted('w')).toThrow('not a base32 number');
  });
});

type Attribute =
  | { S: string }
  | { N: string }
  | { BOOL: boolean }
  | { NULL: true }
  | { L: Attribute[] }
  | { M: Record<string, Attribute> };
const { attribute } = fc.letrec<{ attribute: Attribute }>((tie) => ({
  attribute: fc.oneof(
    { maxDepth: 4 },
    fc.record({ S: fc.string({ unit: 'grapheme' }) }),
    fc.record({ N: fc.integer().map(String) }),
    fc.record({ BOOL: fc.boolean() }),
    fc.record({ NULL: fc.constant(true as const) }),
    fc.record({ L: fc.array(tie('attribute'), { maxLength: 3 }) }),
    fc.record({ M: fc.dictionary(fc.string({ unit: 'grapheme' }), tie('attribute'), { maxKeys: 3 }) }),
  ),
}));

/** The same rules counted another way: over a list of all nodes instead of recursively. */
function countedFlat(root: Attribute): number {
  const todo = [root];
  let total = 0;
  for (let node = todo.pop(); node; node = todo.pop()) {
    if ('S' in node) total += new TextEncoder().encode(node.S).length;
    else if ('N' in node) total += 1 + (node.N.startsWith('-') ? 1 : 0) + Math.ceil(node.N.replace('-', '').length / 2);
    else if ('L' in node) {
      total += 3 + node.L.length;
      todo.push(...node.L);
    } else if ('M' in node) {
      const names = Object.keys(node.M);
      total += 3 + names.length + names.reduce((sum, name) => sum + new TextEncoder().encode(name).length, 0);
      todo.push(...Object.values(node.M));
    } else total += 1;
  }
  return total;
}

describe('the size of an item', () => {
  it('is what its parts come to', () =>
    fc.assert(
      fc.property(attribute, (any) => {
        expect(itemBytes(JSON.stringify({ payload: any }))).toBe('payload'.length + countedFlat(any));
      }),
    ));
});
