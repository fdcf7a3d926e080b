import { describe, expect, it } from 'vitest';
import { date } from '../../core/fields/date.ts';
import { decimal } from '../../core/fields/decimal.ts';
import type { Fields } from '../../core/fields/field.ts';
import { integer } from '../../core/fields/integer.ts';
import { json } from '../../core/fields/json.ts';
import { text } from '../../core/fields/text.ts';
import { timestamp } from '../../core/fields/timestamp.ts';
import { compileMap, latestVersion } from '../../core/normalize/mapper.ts';
import type { SourceConfig } from '../../core/source/source.ts';
import { instantVersion, numberVersion } from '../../core/table/version.ts';

const file = { key: 'a.csv', lastModified: '2026-03-01T10:00:00Z' };
const latest = latestVersion(Date.UTC(2026, 2, 1, 10));
type Config = SourceConfig<string, Fields>;
/** With its types forgotten, a source no longer knows which of its fields may be the version. */
type Change = Partial<Omit<Config, 'version'>> & { readonly version?: string };
const config = (change: Change): Config =>
  ({ from: { bucket: 'b' }, entity: 'order', fields: {}, ...change }) as Config;
const map = (change: Change, row: unknown, columns?: readonly string[]) =>
  compileMap(config(change), columns)(row, file, latest);

const shop = { shopId: text('shop'), sku: text(), units: integer() };

describe('a row that fits', () => {
  it('has its fields in declared order, whatever their order in the row', () =>
    expect(map({ fields: shop }, JSON.parse('{"units":"07","extra":1,"sku":"a","shop":"lis"}'))).toEqual({
      key: undefined,
      business: undefined,
      payload: '{"M":{"shopId":{"S":"lis"},"sku":{"S":"a"},"units":{"N":"7"}}}',
    }));

  it('may come as cells', () =>
    expect(map({ fields: shop, key: 'sku' }, ['7', 'x', 'a'], ['units', 'shop', 'sku'])).toMatchObject({
      key: 'a',
      payload: '{"M":{"shopId":{"S":"x"},"sku":{"S":"a"},"units":{"N":"7"}}}',
    }));

  it('leaves out what is optional and not there, and keeps a null', () => {
    const fields = { a: text('a', { optional: true }), b: text('b', { optional: true }), c: text('c') };
    expect(map({ fields }, { b: null, c: 'x' })).toMatchObject({ payload: '{"M":{"b":{"NULL":true},"c":{"S":"x"}}}' });
    expect(map({ fields: { a: text('a', { optional: true }) } }, {})).toMatchObject({ payload: '{"M":{}}' });
  });

  it('takes nothing over from the row before', () => {
    const read = compileMap(config({ fields: { id: text(), note: text('note', { optional: true }) }, key: 'id' }));
    read({ id: '1', note: 'secret' }, file, latest);
    read({ note: 'other' }, file, latest);
    expect(read({ id: '2' }, file, latest)).toEqual({
      key: '2',
      business: undefined,
      payload: '{"M":{"id":{"S":"2"}}}',
    });
  });

  it('takes no key and no version over from the row before', () => {
    const fields = { id: text('id', { optional: true }), at: timestamp('at', { optional: true }) };
    const read = compileMap(config({ fields, key: 'id', version: 'at' }));
    expect(read({ id: '1', at: '2026-01-01' }, file, latest)).toHaveProperty('key', '1');
    expect(read({}, file, latest)).toMatchObject({
      problems: [
        { field: 'id', code: 'field.missing' },
        { field: 'at', code: 'version.missing' },
      ],
    });
  });

  it('with a member called __proto__ or constructor does no harm', () => {
    const row = JSON.parse('{"__proto__":{"sku":"stolen","polluted":true},"constructor":{"a":1},"shop":"l","units":1}');
    expect(map({ fields: shop }, row)).toEqual({
      problems: [{ field: 'sku', code: 'field.missing', message: "is required, found nothing at 'sku'" }],
    });
    expect(map({ fields: { all: json('__proto__') } }, row)).toMatchObject({
      payload: '{"M":{"all":{"M":{"polluted":{"BOOL":true},"sku":{"S":"stolen"}}}}}',
    });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('the key of a row', () => {
  it('is made of several fields in the order of the key, each escaped', () =>
    expect(map({ fields: shop, key: ['units', 'shopId'] }, { shop: 'a#b', sku: 's', units: '1.0' })).toMatchObject({
      key: '1#a%23b',
    }));

  it('is the same however its values were written', () => {
    const fields = { id: decimal(), day: date() };
    const one = map({ fields, key: ['id', 'day'] }, { id: '01.50', day: '2026-03-01T10:00:00Z' });
    expect(one).toEqual(map({ fields, key: ['id', 'day'] }, { id: 1.5, day: '2026-03-01' }));
  });

  it('must not be empty in any of its parts, and every empty one is named', () => {
    const fields = { a: text('a', { optional: true }), b: text(), c: text('c', { optional: true }) };
    const message = 'is part of the key and must not be empty';
    expect(map({ fields, key: ['a', 'b', 'c'] }, { b: '', c: null })).toEqual({
      problems: ['a', 'b', 'c'].map((field) => ({ field, code: 'field.missing', message })),
    });
  });
});

describe('the version of a row', () => {
  const fields = { at: timestamp('at', { optional: true }), day: date('day', { optional: true }), n: integer() };

  it.each([
    ['at', instantVersion('2026-03-01T10:00:00.5Z')],
    ['day', instantVersion('2026-02-28')],
    ['n', numberVersion('-7')],
  ])('comes from the field %s', (version, business) =>
    expect(map({ fields, version }, { at: '2026-03-01T11:00:00.5+01:00', day: '2026-02-28', n: -7 })).toMatchObject({
      business,
    }),
  );

  it.each([[{}], [{ at: null }], [{ at: '' }]])('that is missing is refused: %j', (row) =>
    expect(map({ fields, version: 'at' }, { n: 1, ...row })).toEqual({
      problems: [
        { field: 'at', code: 'version.missing', message: 'is the version of the record and must not be empty' },
      ],
    }),
  );

  it('may lie a day after the object was modified and no more', () => {
    expect(map({ fields, version: 'at' }, { n: 1, at: '2026-03-02T10:00:00Z' })).toHaveProperty('payload');
    expect(map({ fields, version: 'at' }, { n: 1, at: '2026-03-02T10:00:00.000000001Z' })).toEqual({
      problems: [
        {
          field: 'at',
          code: 'version.future',
          message: 'is the version of the record and lies more than a day after the object was last modified',
        },
      ],
    });
    expect(map({ fields, version: 'day' }, { n: 1, day: '2026-03-03' })).toMatchObject({
      problems: [{ code: 'version.future' }],
    });
  });
});

describe('a row that does not fit', () => {
  it('says everything that is wrong with it at once, and no value', () => {
    const fields = { ...shop, at: timestamp(), price: decimal() };
    const row = { shop: ['geheim'], units: 'geheim', at: 'geheim', price: '9.9' };
    const unfit = map({ fields, key: 'sku', version: 'at' }, row);
    expect(unfit).toEqual({
      problems: [
        { field: 'shopId', code: 'field.type', message: 'expected text, found a list' },
        { field: 'sku', code: 'field.missing', message: "is required, found nothing at 'sku'" },
        {
          field: 'units',
          code: 'field.type',
          message: 'expected a whole number, found text that is not a number',
        },
        { field: 'at', code: 'field.type', message: 'expected a time such as 2026-03-01T10:00:00Z, found text' },
      ],
    });
    expect(JSON.stringify(unfit)).not.toContain('geheim');
  });

  it.each([null, undefined, 'text', 5, [[]]])('may be no object at all: %j', (row) =>
    expect(map({ fields: { a: text() } }, row)).toMatchObject({ problems: [{ field: 'a', code: 'field.missing' }] }),
  );

  it('tells of key and version together', () => {
    const fields = { id: text(), at: timestamp('at', { optional: true }) };
    expect(map({ fields, key: 'id', version: 'at' }, { id: '' })).toMatchObject({
      problems: [
        { field: 'id', code: 'field.missing' },
        { field: 'at', code: 'version.missing' },
      ],
    });
  });
});
