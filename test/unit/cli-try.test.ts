import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { csv, decimal, defineSource, integer, json, ours, parquet, text, xml } from 'firn';
import { describe, expect, it } from 'vitest';
import { findInputs, UnreadableInput } from '../../cli/inputs.ts';
import { decodedRows, fileObject, sourceMapping, type TriedRow, tryBatches } from '../../cli/try-rows.ts';
import { formatText, rowJson, rowText, summaryText } from '../../cli/try-text.ts';
import { DecodeError } from '../../core/decode/codes.ts';
import { decode } from '../../core/decode/decode.ts';
import type { Format, RowBatch } from '../../core/decode/format.ts';
import { json as jsonDocument } from '../../core/decode/json.ts';
import { ndjson } from '../../core/decode/ndjson.ts';

const source = {
  id: 'orders',
  hash: 'h',
  source: defineSource({
    from: { bucket: ours('shop'), prefix: 'in/' },
    entity: 'order',
    key: ['shop', 'no'],
    transform: (row) => (row['copies'] === 2 ? [row, { ...row, no: 'second' }] : row),
    fields: { shop: text(), no: text(), total: decimal(), extra: json('extra', { optional: true }), day: integer() },
  }),
};
const object = fileObject(source, { key: 'a.ndjson', sizeBytes: 5, modifiedMs: 1_772_000_000_999 });

async function* bytesOf(content: string) {
  yield Buffer.from(content);
}

async function tried(content: string, format: Format, mapping = sourceMapping(source, object)): Promise<TriedRow[]> {
  const rows: TriedRow[] = [];
  for await (const batch of tryBatches(decode(bytesOf(content), format), mapping)) rows.push(...batch.rows);
  return rows;
}

describe('a file at a source', () => {
  it('is an object under the prefix of the source, modified in whole seconds', () => {
    expect(object).toEqual({
      bucket: 'shop',
      key: 'in/a.ndjson',
      etag: '',
      sizeBytes: 5,
      lastModifiedMs: 1_772_000_000_000,
    });
  });

  it('on S3 is itself', () =>
    expect(fileObject(source, { bucket: 'b', key: 'in/x/a.ndjson', sizeBytes: 5, modifiedMs: 0 })).toMatchObject({
      bucket: 'b',
      key: 'in/x/a.ndjson',
    }));

  it('shows records and quarantined rows in the order of the file', async () => {
    const content = [
      '{"shop":"a#b","no":"1","total":1.5,"day":1}',
      '{"shop":',
      '{"shop":"a","no":"2","total":"x","day":1}',
      '{"shop":"a","no":"3","total":1,"day":1,"copies":2}',
    ].join('\n');

    const rows = await tried(content, ndjson());

    expect(rows.map(({ kind, position, output }) => [kind, position, output])).toEqual([
      ['record', 0, 0],
      ['quarantined', 44, 0],
      ['quarantined', 53, 0],
      ['record', 95, 0],
      ['record', 95, 1],
    ]);
    expect(rows.map((row) => JSON.parse(rowJson(row)))).toMatchObject([
      { kind: 'record', entity: 'order', key: 'a%23b#1', source: 'orders', position: 0, output: 0 },
      { kind: 'quarantined', position: 44, code: 'decode.invalidJson' },
      { kind: 'quarantined', position: 53, code: 'field.type' },
      { key: 'a#3', output: 0 },
      { key: 'a#second', output: 1 },
    ]);
  });

  it('keeps every digit of numbers, in fields and inside of JSON', async () => {
    const content =
      '{"shop":"a","no":"1","total":0.10000000000000000000000000000000000001,"day":12345678901234567890123456789012345678,"extra":{"n":[9007199254740993]}}';

    const [row] = await tried(content, ndjson());

    const line = row ? rowJson(row) : '';
    expect(line).toContain(
      '"payload":{"shop":"a","no":"1","total":0.10000000000000000000000000000000000001,"extra":{"n":[9007199254740993]},"day":12345678901234567890123456789012345678}}',
    );
    expect(row && rowText(row, ndjson())).toContain(
      'order "a#1", byte 0\n{\n  "shop": "a",\n  "no": "1",\n  "total": 0.1000',
    );
  });

  it('that breaks off in the middle has one row in quarantine for the rest', async () => {
    async function* broken(): AsyncGenerator<RowBatch> {
      yield* decode(bytesOf('{"shop":"a","no":"1","total":1,"day":1}\n'), ndjson());
      throw new DecodeError('decode.corruptGzip', 'the data is damaged');
    }
    const batches = [];

    for await (const batch of tryBatches(broken(), sourceMapping(source, object))) batches.push(batch);

    expect(batches.map(({ read, rows }) => [read, rows.map(({ kind }) => kind)])).toEqual([
      [1, ['record']],
      [1, ['quarantined']],
    ]);
    expect(batches[1]?.rows[0]).toMatchObject({ position: 1, code: 'decode.corruptGzip' });
  });

  it('that cannot be read at all fails as it is', async () => {
    async function* failing(): AsyncGenerator<RowBatch> {
      yield* [];
      throw new Error('the disk is gone');
    }
    const read = async () => await Array.fromAsync(tryBatches(failing(), decodedRows));
    await expect(read()).rejects.toThrow('the disk is gone');
  });
});

describe('a file without a source', () => {
  it('shows JSON rows as they are, every digit kept', async () => {
    const content = '[{"a":12345678901234567890,"b":0.1000000000000000055,"c":[1e400,null,"é"]},\n 4]';

    const [row, bad] = await tried(content, jsonDocument(), decodedRows);

    expect(row && rowJson(row)).toBe(
      '{"kind":"row","position":0,"row":{"a":12345678901234567890,"b":0.1000000000000000055,"c":[1e400,null,"é"]}}',
    );
    expect(row && rowText(row, jsonDocument())).toMatch(/^row 0\n\{\n {2}"a": 12345678901234567890,\n/);
    expect(bad && rowText(bad, jsonDocument())).toMatch(/^quarantined, row 1: decode\.notAnObject: /);
  });

  it('shows delimited rows by column, in the order of the columns', async () => {
    const [row] = await tried('b|1|a\nx||"y|z"\n', csv({ delimiter: '|' }), decodedRows);
    expect(row && rowJson(row)).toBe('{"kind":"row","position":6,"row":{"b":"x","1":"","a":"y|z"}}');
  });
});

describe('a file that is gone when it is opened', () => {
  it('is told without a stack trace', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'firn-gone-')), 'x.csv');
    await writeFile(path, 'id\n1\n');
    const { inputs } = await findInputs(path);
    await rm(path);

    await expect(inputs[0]?.open()).rejects.toThrow(new UnreadableInput(`${path} cannot be read: ENOENT.`));
  });
});

describe('words for a person', () => {
  it('name the format and how it is packed', () => {
    expect(formatText(ndjson(), 'none')).toBe('ndjson, not compressed');
    expect(formatText(undefined, 'gzip')).toBe('empty, gzip');
    expect(formatText(xml({ row: 'a.b', list: ['c'] }), 'none')).toBe('xml (row "a.b"), not compressed');
    expect(formatText(parquet(), 'none')).toBe('parquet, not compressed');
    expect(formatText(csv({ delimiter: '\t', columns: ['a'], encoding: 'windows-1252' }), 'gzip')).toBe(
      'csv (delimiter "\\t", without a header, windows-1252), gzip',
    );
    expect(formatText(csv({ quote: "'", escape: '\\', skipRows: 2, comment: '#', trim: true }), 'none')).toBe(
      'csv (delimiter ",", with a header, quote \', escape \\, trimmed, behind 2 lines, comments after #), not compressed',
    );
    expect(formatText(csv({ quote: null, skipRows: 1 }), 'none')).toContain('without quotes, behind 1 line)');
  });

  it('count rows as they are delivered, and say when not all were shown', () => {
    const summary = { format: 'csv', compression: 'none', rowsRead: 1200, dropped: 3, quarantined: 2 };
    const codes = { 'field.type': 2 };
    expect(summaryText({ ...summary, records: 1195, codes }, { good: 10, quarantined: 2 })).toBe(
      '1,200 rows read, 3 dropped, 1,195 records (10 shown), 2 quarantined\n  field.type 2',
    );
    expect(summaryText({ ...summary, records: undefined, codes: {} }, { good: 1198, quarantined: 2 })).toBe(
      '1,200 rows read, 1,198 decoded, 2 quarantined',
    );
  });

  it('tell the outputs of one row apart', () => {
    const row = { kind: 'quarantined', position: 7, output: 2, code: 'field.type', message: 'a is b' } as const;
    expect(rowText(row, csv())).toBe('quarantined, byte 7, output 2: field.type: a is b\n');
    expect(rowText(row, csv({ encoding: 'utf-16le' }))).toContain('row 7');
    expect(rowText(row, parquet())).toContain('row 7');
  });
});
