import { describe, expect, it } from 'vitest';
import { digestOf, itemBytes, maximumItemBytes, putWriter, recordAttributes } from '../../core/table/record-item.ts';

const context = { entity: 'order', sourceId: 'orders', uploadId: 'u'.repeat(26), contentId: 'c'.repeat(26) };
const payload = '{"M":{"name":{"S":"a\\"b"}}}';

describe('the item of a record', () => {
  it('is DynamoDB JSON with the key that its values spell, however odd', () => {
    const put = putWriter({ ...context, append: false })('say "hi"#7', 'v1', payload, 120, 0);
    expect(JSON.parse(put.item)).toEqual({
      pk: { S: 'R#order#say "hi"#7' },
      sk: { S: 'orders' },
      entity: { S: 'order' },
      recordKey: { S: 'say "hi"#7' },
      sourceId: { S: 'orders' },
      version: { S: 'v1' },
      digest: { S: digestOf(payload, false) },
      uploadId: { S: context.uploadId },
      rowNumber: { S: '120' },
      payload: { M: { name: { S: 'a"b' } } },
    });
    expect(put).toMatchObject({ pk: 'R#order#say "hi"#7', sk: 'orders', version: 'v1', position: 120, output: 0 });
  });

  it('has only attributes that are listed', () => {
    const { item } = putWriter({ ...context, append: true })('k', 'v', payload, 0, 0);
    expect(Object.keys(JSON.parse(item)).filter((name) => !recordAttributes.some((each) => each === name))).toEqual([]);
  });

  it('that is kept for each row has a sort key of its own', () => {
    const write = putWriter({ ...context, append: true });
    expect(write('k', 'v', payload, 120, 0).sk).toBe(`orders#${context.contentId}#120#0`);
    const second = write('k', 'v', payload, 120, 2);
    expect(second.sk).toBe(`orders#${context.contentId}#120#2`);
    expect(JSON.parse(second.item)).toMatchObject({ rowNumber: { S: '120.2' } });
  });

  it('without a key is known by content and row', () =>
    expect(putWriter({ ...context, append: true })(undefined, 'v', payload, 120, 1).pk).toBe(
      `R#order#${context.contentId}.120.1`,
    ));

  it('is the same text every time', () => {
    const write = () => putWriter({ ...context, append: false })('k', 'v', payload, 5, 0);
    expect(write()).toEqual(write());
  });
});

describe('a digest', () => {
  it('covers the payload and whether the record was deleted', () => {
    const digests = [digestOf(payload, false), digestOf(payload, true), digestOf('{"M":{}}', false)];
    expect(new Set(digests).size).toBe(3);
    expect(digests[0]).toMatch(/^[\w-]{22}$/);
  });
});

describe('the size of an item', () => {
  // Counted by hand from DynamoDB's rules: names and texts in UTF-8, numbers half a byte a digit and one more.
  it.each([
    ['names and texts in UTF-8', '{"naïve":{"S":"ü€😀"}}', 6 + 9],
    ['an escaped text as what it stands for', '{"a":{"S":"\\u00fc\\n"}}', 1 + 3],
    ['an even number of digits', '{"a":{"N":"1234"}}', 1 + 3],
    ['an odd number of digits, a sign and a point', '{"a":{"N":"-12.345"}}', 1 + 3 + 2],
    ['true and null', '{"a":{"BOOL":true},"b":{"NULL":true}}', 2 + 2],
    ['an empty list and an empty map', '{"a":{"L":[]},"b":{"M":{}}}', 4 + 4],
    ['a list', '{"a":{"L":[{"S":"xy"},{"BOOL":false}]}}', 1 + 3 + (1 + 2) + (1 + 1)],
    ['a map', '{"a":{"M":{"bc":{"S":"d"},"__proto__":{"N":"1"}}}}', 1 + 3 + (1 + 2 + 1) + (1 + 9 + 2)],
  ])('counts %s', (_what, item, bytes) => expect(itemBytes(item)).toBe(bytes));

  it('is 400 KB at most', () => expect(maximumItemBytes).toBe(409_600));
});
