import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildFields } from '../../core/fields/build-fields.ts';
import { Problem } from '../../core/fields/field.ts';
import { inferFields, membersOf } from '../../core/fields/infer.ts';
import { compileFields } from '../../core/fields/read.ts';
import { inferSource } from '../../core/source/infer.ts';

const file = { key: '', lastModified: '' };

/** Texts as files are full of: the more alike the values of a column are, the more special the type that is found. */
const cell = fc.oneof(
  fc.constantFrom('', '0', '1', '-1', '007', '1.5', '1,5', '1.234,50', '1,234', 'Y', 'N', 'yes', 'true', 'null'),
  fc.constantFrom('2026-03-01', '2026-03-01 10:00', '01.03.2026', '13/03/2026', '03/13/2026 10:00 pm', '1772359200'),
  fc.integer().map(String),
  fc.double({ noNaN: true }).map(String),
  fc.date({ noInvalidDate: true }).map((day) => day.toISOString()),
  fc.string(),
);

function problems(rows: readonly unknown[], fields: ReturnType<typeof buildFields>, columns?: readonly string[]) {
  const readers = compileFields(fields, columns);
  return rows
    .flatMap((row) => readers.map((reader) => reader.read(row, file)))
    .filter((read) => read instanceof Problem);
}

describe('what is inferred', () => {
  it('accepts every row of text that it was inferred from', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell, fc.option(cell)), { minLength: 1, maxLength: 6 }), (rows) => {
        const columns = ['a', 'is_b', 'updated at'];
        const { fields } = inferSource([{ rows, columns, lastModifiedMs: 0 }], 'thing');
        expect(fields).toHaveLength(3);
        expect(problems(rows, buildFields(fields), columns)).toEqual([]);
      }),
    ));

  it('accepts every JSON row that it was inferred from', () =>
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 5 }), (rows) => {
        const fields = inferFields(membersOf(rows), { typed: true, monthFirst: undefined });
        expect(problems(rows, buildFields(fields))).toEqual([]);
      }),
    ));

  it('does not depend on the order of rows', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(cell), { minLength: 2, maxLength: 6 }), (rows) => {
        const found = (order: typeof rows) =>
          inferSource([{ rows: order, columns: ['a'], lastModifiedMs: 0 }], 'thing').fields[0]?.kind;
        expect(found(rows.toReversed())).toBe(found(rows));
      }),
    ));
});
