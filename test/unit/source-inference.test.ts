import { describe, expect, it } from 'vitest';
import { inferSource } from '../../core/source/infer.ts';
import {
  findListPaths,
  findNulls,
  findRowsPath,
  findTitleRows,
  uniqueColumns,
} from '../../core/source/infer-format.ts';
import { findEntity, findPrefix, findSourceId } from '../../core/source/infer-names.ts';

const lastModifiedMs = Date.parse('2026-03-02T00:00:00Z');
const cells = (columns: readonly string[], rows: readonly (readonly string[])[]) => ({ columns, rows, lastModifiedMs });
const keyOf = (files: Parameters<typeof inferSource>[0], entity = 'order') => {
  const { key, version, keyReason } = inferSource(files, entity);
  return { key, version, keyReason };
};

describe('the key of a source', () => {
  it('is a field like an id that is in every row and unique', () =>
    expect(
      keyOf([
        cells(
          ['name', 'order_no'],
          [
            ['a', '1'],
            ['a', '2'],
          ],
        ),
      ]),
    ).toEqual({
      key: ['orderNo'],
      version: undefined,
      keyReason: 'in every row, and no two rows of a file share it, but 2 rows prove little',
    }));

  it.each([
    [['customer_id', 'order_id'], 'orderId'],
    [['customer_id', 'id'], 'id'],
    [['ref', 'uuid'], 'uuid'],
    [['customer_id', 'shop_id'], 'customerId'],
    [['code', 'customerid'], 'customerid'],
  ])('of %j is %s', (columns, key) =>
    expect(
      keyOf([
        cells(columns, [
          ['1', '2'],
          ['3', '4'],
        ]),
      ]).key,
    ).toEqual([key]),
  );

  it('may come again in another file, as in daily snapshots', () => {
    const file = cells(
      ['id', 'n'],
      [
        ['1', 'a'],
        ['2', 'b'],
      ],
    );
    expect(keyOf([file, file]).key).toEqual(['id']);
  });

  it('may come again in a file where a version says which row is newer', () => {
    const rows = [
      ['1', '2026-03-01T10:00:00Z'],
      ['2', '2026-03-01T10:00:00Z'],
      ['1', '2026-03-01T11:00:00Z'],
    ];
    expect(keyOf([cells(['id', 'updated_at'], rows)])).toEqual({
      key: ['id'],
      version: 'updatedAt',
      keyReason: '1 of 3 rows repeat one; updatedAt says which is newer',
    });
  });

  it('is the smallest pair where no field is unique', () =>
    expect(
      keyOf([
        cells(
          ['order_id', 'line', 'n'],
          [
            ['1', '1', 'x'],
            ['1', '2', 'x'],
            ['2', '1', 'x'],
          ],
        ),
      ]),
    ).toMatchObject({
      key: ['orderId', 'line'],
      keyReason: expect.stringMatching(/^the two together are unique/),
    }));

  it.each([
    [['name', 'total'], 'no field is named like an id'],
    [['id', 'total'], 'id would be, but 1 of 2 rows lack it'],
  ])('is none where %j give none, with the reason', (columns, keyReason) =>
    expect(
      keyOf([
        cells(columns, [
          ['', '1'],
          ['2', '1'],
        ]),
      ]),
    ).toEqual({ key: [], version: undefined, keyReason }),
  );

  it('is never a pair of a name and a number', () =>
    expect(
      keyOf([
        cells(
          ['name', 'total'],
          [
            ['a', '1'],
            ['b', '2'],
          ],
        ),
      ]).key,
    ).toEqual([]));
});

describe('the version of a source', () => {
  const versionOf = (column: string, values: readonly string[]) =>
    keyOf([
      cells(
        ['id', column],
        values.map((value, index) => [String(index), value]),
      ),
    ]).version;

  it.each([
    ['updated_at', ['2026-03-01T10:00:00Z'], 'updatedAt'],
    ['ts', ['2026-03-01T10:00:00Z'], 'ts'],
    ['revision', ['7'], 'revision'],
    ['created_at', ['2026-03-01T10:00:00Z'], undefined],
    ['total', ['7'], undefined],
    ['updated_at', ['2026-03-01T10:00:00Z', ''], undefined],
    ['updated_at', ['2026-03-04T10:00:00Z'], undefined],
  ])('is %s %j: %s', (column, values, version) => expect(versionOf(column, values)).toBe(version));
});

describe('columns of several files', () => {
  it('are fields all together, and a month in one says how to read the days of another', () => {
    const one = cells(['id', 'paid'], [['1', '03/04/2026']]);
    const two = cells(['due', 'id'], [['03/25/2026', '2']]);

    const { fields, doubts } = inferSource([one, two], 'invoice');

    expect(fields.map(({ name, kind, options, optional }) => [name, kind, options?.['format'], optional])).toEqual([
      ['id', 'integer', undefined, false],
      ['paid', 'date', 'MM/dd/yyyy', true],
      ['due', 'date', 'MM/dd/yyyy', true],
    ]);
    expect(doubts).toEqual([]);
  });

  it('without names are numbered', () => {
    const { fields } = inferSource([cells(['0', '1'], [['a', '1']])], 'thing', true);
    expect(fields.map(({ name, from, kind }) => [name, from, kind])).toEqual([
      ['c1', 0, 'text'],
      ['c2', 1, 'integer'],
    ]);
  });

  it('that no type can hold are told', () => {
    const rows = [{ id: 1, odd: { '': 1 } }];
    expect(inferSource([{ rows, lastModifiedMs }], 'thing').leftOut).toEqual([]);
    const deep = JSON.parse(`${'[{"a":'.repeat(40)}1${'}]'.repeat(40)}`);
    expect(inferSource([{ rows: [{ id: 1, deep }], lastModifiedMs }], 'thing').leftOut).toEqual(['deep']);
  });
});

describe('a format', () => {
  it('has nulls where a column would have a type without them', () => {
    const file = cells(
      ['n', 'name', 'day'],
      [
        ['1', 'NULL', '2026-03-01'],
        ['NULL', 'b', '-'],
        ['', 'c', ''],
      ],
    );
    expect(findNulls([file])).toEqual(['-', 'NULL']);
    expect(findNulls([cells(['country'], [['NA'], ['PT']])])).toEqual([]);
    expect(findNulls([cells(['n'], [['NULL'], ['']])])).toEqual([]);
  });

  it.each([
    [{ count: 2, items: [{ id: 1 }] }, 'items'],
    [{ next: null, data: { page: 1, items: [{ id: 1 }, { id: 2 }] } }, 'data.items'],
    [{ id: 1, items: [{ id: 1 }] }, undefined],
    [{ items: [{ a: 1 }], others: [{ b: 1 }] }, undefined],
    [{ items: [1, 2] }, undefined],
    [{ 'a.b': [{ id: 1 }] }, undefined],
    [[], undefined],
  ])('of %j has its rows at %s', (document, path) =>
    expect(findRowsPath([{ rows: [document], lastModifiedMs }])).toBe(path),
  );

  it('of several documents has them where all have them', () => {
    const one = { rows: [{ items: [{ a: 1 }] }], lastModifiedMs };
    expect(findRowsPath([one, { ...one, rows: [{ rows: [{ a: 1 }] }] }])).toBeUndefined();
    expect(findRowsPath([{ ...one, rows: [...one.rows, ...one.rows] }])).toBeUndefined();
    expect(findRowsPath([])).toBeUndefined();
  });

  it('has lists wherever a row has one', () => {
    const rows = [{ a: [{ b: ['x', 'y'] }, { c: '1' }] }, { a: { b: 'x' }, d: '' }];
    expect(findListPaths([{ rows, lastModifiedMs }])).toEqual(['a', 'a.b']);
  });

  it('has its table below a title of a few cells, where a header says so', () => {
    const table = [['id', 'name', 'day'], ...Array.from({ length: 3 }, (_, row) => [row, 'x', '2026-03-01'])];
    const title = ['Stock', null, null];

    expect(findTitleRows([title, ['of', null, null], ...table])).toBe(2);
    expect(findTitleRows(table)).toBe(0);
    expect(findTitleRows([title, ...table.slice(1)])).toBe(0);
    expect(findTitleRows([['a', 'b', null], ...table])).toBe(0);
    expect(
      findTitleRows([
        ['Stock', null],
        ['id', 'n'],
        [1, 2],
      ]),
    ).toBe(0);
    expect(findTitleRows([])).toBe(0);
  });

  it('has columns that differ', () =>
    expect(uniqueColumns(['id', ' name', 'name', '', null, 'name 2'])).toEqual([
      'id',
      'name',
      'name 2',
      'column 4',
      'column 5',
      'name 2 2',
    ]));
});

describe('names', () => {
  it.each([
    ['samples/orders-lisbon/2026-03-02.txt', 'orders-lisbon'],
    ['orders.csv.gz', 'orders'],
    ['/data/Orders_Export (1).csv', 'orders'],
    ['s3-bucket/feeds/dt=2026-03-01/part-0001.json', 'feeds'],
    ['in/StockMoves.ndjson', 'stock-moves'],
    ['Größen.csv', 'grossen'],
    ['2026/03/01.csv', undefined],
  ])('of a source from %s is %s', (path, id) => expect(findSourceId(path)).toBe(id));

  it.each([
    ['orders-lisbon', 'order'],
    ['stock-moves', 'stock-move'],
    ['stores', 'store'],
    ['countries', 'country'],
    ['boxes', 'box'],
    ['addresses', 'address'],
    ['inventory', 'inventory'],
    ['status', 'status'],
    ['gas', 'gas'],
  ])('of an entity from %s is %s', (id, entity) => expect(findEntity(id)).toBe(entity));

  it.each([
    [['a/b/1.csv', 'a/b/2.csv'], 'a/b/', false],
    [['a/b/1.csv', 'a/c/2.csv'], 'a/', false],
    [['a/b/1.csv', 'a/2.csv'], 'a/', false],
    [['1.csv'], '', false],
    [['a/2026/03/01/1.csv'], 'a/', true],
    [['a/dt=2026-03-01/1.csv'], 'a/', true],
    [['a/20260301/1.csv', 'a/20260302/1.csv'], 'a/', false],
  ])('of a prefix from %j is %s', (keys, prefix, dated) => expect(findPrefix(keys)).toEqual({ prefix, dated }));
});
