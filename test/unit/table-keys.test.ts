import { describe, expect, it } from 'vitest';
import {
  appendSortKey,
  escapeKey,
  exportFileKey,
  manifestKey,
  parseRecordKey,
  parseRecordPartition,
  partKey,
  quarantineKey,
  recordKey,
  recordPartition,
  rowKey,
  sourceStateKey,
  unescapeKey,
  uploadInFileKey,
  uploadsOfDay,
} from '../../core/table/key.ts';

describe('a value in a key', () => {
  it.each([
    ['plain', 'plain'],
    ['a#b', 'a%23b'],
    ['50%', '50%25'],
    ['%23', '%2523'],
    ['~home', '%7Ehome'],
    ['a~b', 'a~b'],
    ['~#%', '%7E%23%25'],
    ['São Paulo', 'São Paulo'],
  ])('%s is written %s, and read back', (value, escaped) => {
    expect(escapeKey(value)).toBe(escaped);
    expect(unescapeKey(escaped)).toBe(value);
  });
});

describe('a record key', () => {
  it('joins its values with what no value can hold', () =>
    expect(recordKey(['PT#1', '7', '~x'])).toBe('PT%231#7#%7Ex'));

  it('stays itself up to 1,024 bytes and becomes a hash beyond', () => {
    expect(recordKey(['x'.repeat(1024)])).toBe('x'.repeat(1024));
    expect(recordKey(['ü'.repeat(512)])).toBe('ü'.repeat(512));
    expect(recordKey(['x'.repeat(1025)])).toMatch(/^~[\w-]{43}$/);
    expect(recordKey(['ü'.repeat(512), ''])).toMatch(/^~[\w-]{43}$/);
  });

  it('that is a hash is another for other values, and cannot be read back', () => {
    const long = 'x'.repeat(1100);
    expect(recordKey([long, 'a'])).not.toBe(recordKey([long, 'b']));
    expect(recordKey([long])).toBe(recordKey([long]));
    expect(parseRecordKey(recordKey([long]))).toBeUndefined();
  });

  it('of a value that looks like a hash is no hash', () => {
    const hash = recordKey(['x'.repeat(2000)]);
    expect(recordKey([hash])).toBe(`%7E${hash.slice(1)}`);
    expect(parseRecordKey(recordKey([hash]))).toEqual([hash]);
  });
});

describe('a record partition', () => {
  it('is read back into entity and key, with what the key holds', () =>
    expect(parseRecordPartition(recordPartition('stock-move', 'lis#7'))).toEqual({
      entity: 'stock-move',
      key: 'lis#7',
    }));

  it.each(['', 'R#', 'R#order', 'U#abc', 'S#orders', 'E#order#2026-03-01', 'r#order#1'])(
    'is not what %j is',
    (partition) => expect(parseRecordPartition(partition)).toBeUndefined(),
  );

  it('fits DynamoDB with the longest key', () =>
    expect(Buffer.byteLength(recordPartition('e'.repeat(64), recordKey(['x'.repeat(1024)])))).toBeLessThan(2048));
});

describe('the other keys of the table', () => {
  it('are as the design writes them', () => {
    expect(appendSortKey('orders', 'content', 12, 1)).toBe('orders#content#12#1');
    expect(rowKey('content', 12, 1)).toBe('content.12.1');
    expect(manifestKey('id')).toEqual({ pk: 'U#id', sk: 'META' });
    expect(partKey('id', 3, 7)).toEqual({ pk: 'U#id', sk: 'P#3#0007' });
    expect(quarantineKey('id', 3, 12, 1)).toEqual({ pk: 'U#id', sk: 'X#3#12#1' });
    expect(uploadInFileKey('id', 3, 'f')).toEqual({ pk: 'U#id', sk: 'B#3#f' });
    expect(exportFileKey('order', '2026-03-01', 2, 'f')).toEqual({ pk: 'E#order#2026-03-01', sk: '2#f' });
    expect(sourceStateKey('orders')).toEqual({ pk: 'S#orders', sk: 'STATE' });
    expect(uploadsOfDay('orders', '2026-03-01')).toBe('UD#orders#2026-03-01');
  });

  it('are no records', () => {
    const partitions = [manifestKey('id'), exportFileKey('e', 'd', 1, 'f'), sourceStateKey('s')].map((key) => key.pk);
    expect(partitions.map(parseRecordPartition)).toEqual([undefined, undefined, undefined]);
  });
});
