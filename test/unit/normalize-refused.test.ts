import { expect, it } from 'vitest';
import { ndjson } from '../../core/decode/ndjson.ts';
import { integer } from '../../core/fields/integer.ts';
import { text } from '../../core/fields/text.ts';
import { normalize } from '../../core/normalize/run.ts';
import { defineSource } from '../../core/source/source.ts';
import { endOf } from '../support/normalize-end.ts';
import { landingKey, type WorldOptions, worldOf } from '../support/normalize-run.ts';

const source = defineSource({
  from: { bucket: 'b' },
  entity: 'order',
  format: ndjson(),
  key: 'id',
  version: 'rev',
  fields: { id: text('id'), rev: integer('rev') },
});

/** Normalizes an upload into a table that finds these versions of every record invalid. */
async function endWithout(rows: readonly object[], refused: readonly number[], more: Partial<WorldOptions> = {}) {
  const bytes = Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const world = worldOf({ bytes, source, ...more });
  const { table, ...ports } = world.ports({});
  const isRefused = (item: string) => refused.includes(Number(JSON.parse(item).payload.M.rev.N));
  const writeRecords: typeof table.writeRecords = async (puts, mode) => {
    const fine = puts.filter(({ item }) => !isRefused(item));
    const outcomes = [...(await table.writeRecords(fine, mode))];
    return puts.map(({ item }) => (isRefused(item) ? 'refused' : (outcomes.shift() ?? 'written')));
  };
  await normalize({ kind: 'landed', key: landingKey }, { ...ports, table: { ...table, writeRecords } });
  const { records, books, quarantine } = endOf(world);
  return {
    standing: records.map(([, item]) => [JSON.parse(item).recordKey.S, Number(JSON.parse(item).payload.M.rev.N)]),
    accepted: books.accepted.count,
    quarantined: quarantine.map((line) => JSON.parse(line).reasonCode),
  };
}

const rows = [3, 9, 5, 8].flatMap((rev) => [
  { id: 'a', rev },
  { id: 'b', rev: rev + 10 },
]);

it('a record that the table refuses leaves its key to the newest that it takes, in one batch as in many', async () => {
  const one = await endWithout(rows, [9, 8]);
  const many = await endWithout(rows, [9, 8], { limits: { batchRows: 1 } });

  expect(one).toEqual({
    standing: [
      ['a', 5],
      ['b', 19],
    ],
    accepted: 6,
    quarantined: ['record.refused', 'record.refused'],
  });
  expect(many).toEqual(one);
});

it('a key of which the table refuses every record stays empty, and all of them are in quarantine', async () => {
  expect(await endWithout(rows, [3, 5, 8, 9])).toEqual({
    standing: [['b', 19]],
    accepted: 4,
    quarantined: Array.from({ length: 4 }, () => 'record.refused'),
  });
});
