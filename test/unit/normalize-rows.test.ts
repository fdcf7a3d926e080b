import { describe, expect, it } from 'vitest';
import { decode } from '../../core/decode/decode.ts';
import type { RowBatch } from '../../core/decode/format.ts';
import type { Fields } from '../../core/fields/field.ts';
import { integer } from '../../core/fields/integer.ts';
import { text } from '../../core/fields/text.ts';
import { timestamp } from '../../core/fields/timestamp.ts';
import { collapse, compileRows, type NormalizedBatch } from '../../core/normalize/rows.ts';
import type { Row, SourceConfig } from '../../core/source/source.ts';
import { revisionOf } from '../../core/table/version.ts';

const context = {
  record: { entity: 'order', sourceId: 'orders', uploadId: 'u'.repeat(26), contentId: 'c'.repeat(26), append: false },
  lastModifiedMs: Date.UTC(2026, 2, 1),
  revision: 3,
  file: { key: 'a.ndjson', lastModified: '2026-03-01T00:00:00Z' },
};
type Config = SourceConfig<string, Fields>;
/** With its types forgotten, a source no longer knows which of its fields may be the version. */
type Change = Partial<Omit<Config, 'version'>> & { readonly version?: string };
const config = (change: Change = {}): Config =>
  ({ from: { bucket: 'b' }, entity: 'order', key: 'id', fields: { id: text(), n: integer() }, ...change }) as Config;

/** A batch as a decoder makes it: the position of a row is ten times its index, its raw bytes are its JSON. */
function batchOf(rows: readonly unknown[], change: Partial<RowBatch> = {}): RowBatch {
  return {
    rows,
    positions: rows.map((_, index) => index * 10),
    bad: [],
    raw: (index) => new Uint8Array(Buffer.from(JSON.stringify(rows[index]))),
    ...change,
  };
}
const normalize = (change: Change, batch: RowBatch) => compileRows(config(change), context)(batch);
const payloads = (made: NormalizedBatch) => made.puts.map((put) => JSON.parse(put.item).payload.M);
const row = (id: string, n: unknown = 1) => ({ id, n });

describe('a batch of rows', () => {
  it('becomes puts with position and version, and rejected rows with their bytes', () => {
    const made = normalize({}, batchOf([row('a'), row('b', 'x'), row('c')]));
    expect(made).toMatchObject({ read: 3, dropped: 0 });
    expect(made.puts.map(({ pk, sk, position, output }) => [pk, sk, position, output])).toEqual([
      ['R#order#a', 'orders', 0, 0],
      ['R#order#c', 'orders', 20, 0],
    ]);
    expect(made.puts.map((put) => revisionOf(put.version))).toEqual([3, 3]);
    expect(made.rejected).toEqual([
      {
        position: 10,
        output: 0,
        code: 'field.type',
        message: 'n expected a whole number, found text that is not a number',
        raw: new Uint8Array(Buffer.from('{"id":"b","n":"x"}')),
        lengthBytes: 18,
      },
    ]);
  });

  it('names every problem of a row in one message, under the code of the first', () =>
    expect(normalize({}, batchOf([{ id: 5 }, { n: 'x' }])).rejected).toMatchObject([
      { code: 'field.missing', message: "n is required, found nothing at 'n'" },
      {
        code: 'field.missing',
        message: "id is required, found nothing at 'id'; n expected a whole number, found text that is not a number",
      },
    ]));

  it('keeps the bytes of a rejected row when the decoder goes on to use its buffer again', () => {
    const shared = new Uint8Array(Buffer.from('{"id":1}'));
    const made = normalize({}, batchOf([{ id: 1 }], { raw: () => shared }));
    shared.fill(0);
    expect(Buffer.from(made.rejected[0]?.raw ?? []).toString()).toBe('{"id":1}');
  });

  it('counts rows that the decoder refused as read and rejected', () => {
    const bad = { position: 7, code: 'decode.invalidJson' as const, message: 'm', length: 9, raw: new Uint8Array(3) };
    expect(normalize({}, batchOf([row('a')], { bad: [bad] }))).toMatchObject({
      read: 2,
      rejected: [{ position: 7, output: 0, code: 'decode.invalidJson', message: 'm', lengthBytes: 9, raw: bad.raw }],
    });
  });

  it('gives byte-identical items for the same input, however it was cut into batches', async () => {
    const lines = Array.from({ length: 50 }, (_, n) => JSON.stringify({ n: n * 1.0, id: `id-${n % 7}`, x: [n] })).join(
      '\n',
    );
    const items = async (batchRows: number) => {
      const bytes = (async function* () {
        yield Buffer.from(lines);
      })();
      const all: string[] = [];
      const rows = compileRows(config(), context);
      for await (const batch of decode(bytes, { name: 'ndjson' }, { batchRows })) {
        all.push(...rows(batch).puts.map((put) => put.item));
      }
      return all;
    };
    const once = await items(1000);
    expect(once).toHaveLength(50);
    expect(await items(1000)).toEqual(once);
    expect(await items(7)).toEqual(once);
  });

  it('refuses a record that DynamoDB has no room for', () => {
    const room = 400 * 1024;
    const made = normalize(
      {},
      batchOf([row('a'.repeat(room / 2)), row('a'.repeat(room)), row('\u0001'.repeat(room / 4))]),
    );
    expect(made.puts.map((put) => put.position)).toEqual([0, 20]);
    expect(made.rejected).toMatchObject([{ position: 10, code: 'record.tooLarge' }]);
  });

  it('follows the columns that the decoder names', () => {
    const rows = compileRows(config(), context);
    const first = rows(batchOf([['a', '1']], { columns: ['id', 'n'] }));
    const second = rows(batchOf([['2', 'b']], { columns: ['n', 'id'] }));
    expect([...first.puts, ...second.puts].map((put) => put.pk)).toEqual(['R#order#a', 'R#order#b']);
  });
});

describe('transform', () => {
  const transform = (each: Row): Row | readonly Row[] | null => {
    if (each['id'] === 'none') return null;
    if (each['id'] === 'throws') throw new TypeError(`secret ${each['n']}`);
    if (each['id'] === 'empty') return [];
    return each['id'] === 'many' ? [row('m0'), row('m1', 'bad'), row('m2')] : { ...each, n: 9 };
  };

  it('may drop a row, change it, or make several of it', () => {
    const made = normalize({ transform }, batchOf([row('none'), row('one'), row('empty'), row('many')]));
    expect(made).toMatchObject({ read: 4, dropped: 2 });
    expect(made.puts.map(({ pk, position, output }) => [pk, position, output])).toEqual([
      ['R#order#one', 10, 0],
      ['R#order#m0', 30, 0],
      ['R#order#m2', 30, 2],
    ]);
    expect(made.rejected).toMatchObject([{ position: 30, output: 1, code: 'field.type', lengthBytes: 19 }]);
    expect(payloads(made)[0]).toEqual({ id: { S: 'one' }, n: { N: '9' } });
  });

  it('that throws rejects the row, without a word of what it said', () =>
    expect(normalize({ transform }, batchOf([row('throws', 'geheim'), row('one')]))).toMatchObject({
      dropped: 0,
      puts: [{ position: 10 }],
      rejected: [{ code: 'transform.failed', message: "the source's transform threw TypeError on this row" }],
    }));

  it('cannot make more rows than versions can number', () => {
    const endless = () => Array.from({ length: 32 ** 4 + 1 }, () => row('a'));
    expect(normalize({ transform: endless }, batchOf([row('a')])).rejected).toMatchObject([
      { code: 'transform.tooMany', message: "the source's transform made more than 1048576 rows of this one" },
    ]);
  });

  it('that makes many bad rows of a long one keeps a single copy of its beginning', () => {
    const many = (each: Row): readonly Row[] => Array.from({ length: 2000 }, () => ({ id: each['id'], n: 'no' }));
    const long = row('a', 'x'.repeat(1_000_000));
    const { rejected } = normalize({ transform: many }, batchOf([long, row('b')]));

    expect(rejected).toHaveLength(4000);
    const copies = [...new Set(rejected.map(({ raw }) => raw.buffer))];
    expect(copies.map(({ byteLength }) => byteLength)).toEqual([64 * 1024, JSON.stringify(row('b')).length]);
    expect(rejected[1999]?.lengthBytes).toBe(JSON.stringify(long).length);
  });

  it('sees cells by the names of their columns, and its rows are read by name', () => {
    const seen: Row[] = [];
    const made = normalize(
      {
        transform: (each) => {
          seen.push(each);
          return { id: each['no'], n: '5' };
        },
      },
      batchOf([['7', 'x']], { columns: ['no', '__proto__'] }),
    );
    expect(seen.map((each) => Object.entries(each))).toEqual([
      [
        ['no', '7'],
        ['__proto__', 'x'],
      ],
    ]);
    expect(made.puts.map((put) => put.pk)).toEqual(['R#order#7']);
  });
});

describe('rows of one key in a batch', () => {
  const fields = { id: text(), n: integer(), at: timestamp() };
  const at = (id: string, hour: number, n = 1) => ({ id, n, at: `2026-02-01T0${hour}:00:00Z` });
  const rows = [at('a', 2), at('b', 1), at('a', 3), at('a', 1), at('b', 1, 2)];
  const collapsed = (change: Change) => {
    const { puts } = normalize({ fields, ...change }, batchOf(rows));
    const { kept, collapsed } = collapse(puts, config({ fields, ...change }));
    return [kept, collapsed].map((each) => each.map((put) => put.position).sort((a, b) => a - b));
  };

  it('give way to the newest by version, and the later row of two that are as new', () =>
    expect(collapsed({ version: 'at' })).toEqual([
      [20, 40],
      [0, 10, 30],
    ]));

  it('give way to the last without a version', () =>
    expect(collapsed({})).toEqual([
      [30, 40],
      [0, 10, 20],
    ]));

  it('all stay where every row is kept', () =>
    expect(collapsed({ version: 'at', keep: 'all' })).toEqual([[0, 10, 20, 30, 40], []]));

  it('all stay where no row has a key', () => {
    const { key: _, ...keyless } = config({ fields });
    const { puts } = compileRows(keyless, { ...context, record: { ...context.record, append: true } })(batchOf(rows));
    expect(collapse(puts, keyless).kept.map((put) => put.pk)).toEqual(
      [0, 10, 20, 30, 40].map((position) => `R#order#${context.record.contentId}.${position}.0`),
    );
  });
});
