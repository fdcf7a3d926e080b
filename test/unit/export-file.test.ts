import { describe, expect, it } from 'vitest';
import {
  exportKey,
  exportLine,
  nameOf,
  parseExportKey,
  strayKey,
  unchangedKey,
  unchangedLine,
} from '../../core/export/file.ts';
import { type AttributeValue, jsonText } from '../../core/export/row-text.ts';
import type { Change, StreamRecord } from '../../core/export/stream-record.ts';

const record = (eventID: string, sequence: string, seconds = 1_772_409_599.9): StreamRecord => ({
  eventID,
  eventName: 'INSERT',
  eventSourceARN: 'arn:aws:dynamodb:eu-west-1:1:table/firn/stream/2026-02-28T09:30:00.123',
  dynamodb: {
    ApproximateCreationDateTime: seconds,
    Keys: { pk: { S: 'R#order#k' }, sk: { S: 'orders' } },
    SequenceNumber: sequence,
  },
});
const records = [record('e1', '100'), record('e2', '205'), record('e3', '300', 1_772_409_601)];

describe('the name of an export file', () => {
  const name = nameOf(records);

  it('says stream, first and last sequence number, rows, and which events', () => {
    expect(name.name).toMatch(/^20260228T093000\.123-100-300-3-[0-9a-f]{8}$/);
    expect(name.day).toBe('2026-03-01');
  });

  it('is the same for the same rows', () => expect(nameOf(structuredClone(records))).toEqual(name));

  it('does not depend on what else the rows hold', () =>
    expect(nameOf(records.map((each) => ({ ...each, dynamodb: { ...each.dynamodb, NewImage: {} } })))).toEqual(name));

  it.each([
    ['a bisected batch, its first half', records.slice(0, 2)],
    ['a bisected batch, its second half', records.slice(1)],
    ['a row left out in the middle', [records[0], records[2]] as StreamRecord[]],
    ['another row between the same ends', [records[0], record('e9', '205'), records[2]] as StreamRecord[]],
    ['rows joined that the name would not tell apart', [record('e1\ne2', '100'), records[2]] as StreamRecord[]],
    ['another stream of the table', records.map((each) => ({ ...each, eventSourceARN: 'x/stream/2027' }))],
  ])('is another for %s', (_what, others) => expect(nameOf(others).name).not.toBe(name.name));

  it('takes the day of the first row, in UTC', () =>
    expect(nameOf([record('e', '1', 1_772_409_600)]).day).toBe('2026-03-02'));

  it('lies where only the pipe of its load reads', () => {
    const file = { entity: 'order', day: '2026-03-01', name: 'n' };
    expect(exportKey(file, 2)).toBe('export/entity=order/load=2/dt=2026-03-01/n.ndjson.gz');
    expect(parseExportKey(exportKey(file, 2))).toEqual({ ...file, load: 2 });
    expect([unchangedKey(file), strayKey(file), ''].map(parseExportKey)).toEqual([undefined, undefined, undefined]);
    expect(unchangedKey(file)).toBe('unchanged/entity=order/dt=2026-03-01/n.ndjson.gz');
    expect(strayKey(file)).toBe('stray/dt=2026-03-01/n.ndjson.gz');
  });
});

describe('a line of an export file', () => {
  const change = (image: Change['image']): Change => ({
    kind: 'change',
    record: record('event "1"', '1'),
    image,
    entity: 'order',
    uploadId: 'upload',
    revision: 2,
    position: 120,
    output: 1,
    unchangedSince: 'before#1',
    contradicts: false,
  });
  const image = {
    recordKey: { S: 'k "1"#ü\n' },
    sourceId: { S: 'orders' },
    version: { S: 'v' },
    digest: { S: 'd' },
    uploadId: { S: 'upload' },
    rowNumber: { S: '120.1' },
    payload: { M: { total: { N: '12345678901234567890.5' }, note: { S: '\u2028"' } } },
  };

  it('is one line of JSON with every column of the raw table', () => {
    const line = exportLine(change(image));
    expect(line).not.toContain('\n');
    expect(line).toContain('"total":12345678901234567890.5');
    expect(JSON.parse(line)).toEqual({
      EVENT_ID: 'event "1"',
      RECORD_KEY: 'k "1"#ü\n',
      SORT_KEY: 'orders',
      SOURCE_ID: 'orders',
      VERSION: 'v',
      DIGEST: 'd',
      UPLOAD_ID: 'upload',
      ROW_NO: '120.1',
      DELETED: false,
      PAYLOAD: { total: 12345678901234567000, note: '\u2028"' },
    });
  });

  it('says that a record was deleted', () => {
    const { payload: _, ...tombstone } = { ...image, tombstone: { BOOL: true } };
    expect(JSON.parse(exportLine(change(tombstone)))).toMatchObject({ DELETED: true, PAYLOAD: null });
  });

  it('of an unchanged row names the upload whose content it still is', () =>
    expect(unchangedLine(change(image))).toBe('["upload",2,"120.1","before#1"]'));
});

describe('an attribute value as JSON', () => {
  it.each<[AttributeValue, string]>([
    [{ S: '' }, '""'],
    [{ BOOL: false }, 'false'],
    [{ NULL: true }, 'null'],
    [{ N: '0' }, '0'],
    [{ N: '-0.000000001' }, '-0.000000001'],
    [{ N: '99999999999999999999999999999999999999' }, '99999999999999999999999999999999999999'],
    [{ N: '1E+37' }, `1${'0'.repeat(37)}`],
    [{ N: '-1.5E-7' }, '-0.00000015'],
    [{ L: [] }, '[]'],
    [{ M: {} }, '{}'],
    [{ L: [{ M: { 'a"b': { L: [{ NULL: true }] } } }] }, '[{"a\\"b":[null]}]'],
    [{ SS: ['b', 'a'] }, '["b","a"]'],
    [{ NS: ['1', '2E+2'] }, '[1,200]'],
    [{ B: 'AAEC' }, '"AAEC"'],
    [{ BS: ['AA=='] }, '["AA=="]'],
  ])('%j is %s', (value, text) => expect(jsonText(value)).toBe(text));

  it('keeps a number that nothing downstream holds as text', () => expect(jsonText({ N: '1E+125' })).toBe('"1E+125"'));

  it('keeps a member that is called __proto__', () =>
    expect(jsonText(JSON.parse('{"M":{"__proto__":{"S":"x"},"a":{"N":"1"}}}'))).toBe('{"__proto__":"x","a":1}'));
});
