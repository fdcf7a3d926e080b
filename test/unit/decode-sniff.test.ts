import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { sniffFormat } from '../../core/decode/sniff.ts';

const sniff = (text: string, name = 'orders/2026/part-0001') => sniffFormat(Buffer.from(text), name);

describe('sniffFormat', () => {
  it.each([
    ['PAR1\x15\x04', 'orders.csv', 'parquet'],
    ['PARE\x15\x04', 'orders.parquet', 'parquet'],
    ['Obj\x01\x04\x16', 'orders', 'avro'],
  ])('finds %j by its mark, whatever its name', (head, name, format) => {
    expect(sniffFormat(Buffer.from(head, 'latin1'), name)).toEqual({ name: format });
  });

  it.each(['orders.parquet', 'orders.AVRO'])('says why %s is not what its name says', (name) => {
    expect(() => sniffFormat(Buffer.from([0x10, 0x00, 0x41]), name)).toThrow(/zero bytes\. Its name says \.\w+, but/);
    expect(sniffFormat(Buffer.from('{"id":1}\n{"id":2}\n'), name)).toEqual({ name: 'ndjson' });
  });

  it.each([
    ['rows on lines', '{"a":1}\n{"a":2}\n', 'x'],
    ['rows on lines in an object named .json', '{"a":1}\n{"a":2}\n', 'x.json'],
    ['rows between empty lines', '\n{"a":1}\r\n\r\n{"a":2}', 'x'],
    ['one row in an object named .ndjson', '{"a":1}\n', 'x.ndjson'],
    ['one row in an object named .jsonl.gz', '{"a":1}', 'x.jsonl.gz'],
    ['a first row that is no JSON', '{"a":1,}\n{"a":2}\n', 'x'],
    ['a first row that is cut off', '{"a":1\n{"a":2}\n', 'x'],
    ['a first row longer than the head', `{"a":"${'x'.repeat(70_000)}`, 'x.jsonl'],
    ['nothing', '', 'x'],
    ['nothing but white space', ' \n', 'x.json'],
  ])('finds ndjson in %s', (_what, text, name) => {
    expect(sniffFormat(Buffer.from(text).subarray(0, 65_536), name)).toEqual({ name: 'ndjson' });
  });

  it.each([
    ['an array', '[{"a":1},\n{"a":2}]', 'x'],
    ['an array in an object named .csv', '[{"a":1}]', 'x.csv'],
    ['an object over several lines', '{\n "a": 1\n}\n', 'x'],
    ['an object on one line', '{"a":1}\n', 'x.json'],
    ['an object on one line without a name that says more', '{"a":1}', 'x'],
    ['documents without a line end', '{"a":1}{"a":2}', 'x'],
    ['a document that is cut off', '{"a":[', 'x'],
    ['a faulty document in an object named .json', '[{"a":1}}', 'x.json'],
    ['a byte order mark and an array', '\ufeff[1]', 'x'],
  ])('finds a JSON document in %s', (_what, text, name) => {
    expect(sniff(text, name)).toEqual({ name: 'json' });
  });

  it.each([
    [',', 'id,name,total\n1,a,2.5\n2,"b,c",3\n'],
    [';', 'id;name;total\n1;a,b;2,5\n2;"b;c";3,7\n'],
    ['\t', 'id\tname\ttotal\n1\ta,b\t2\n'],
    ['|', 'id|name|total\n1|"x\ny"|2\n3|b|4\n'],
  ])('finds the delimiter %j and a header', (delimiter, text) => {
    expect(sniff(text)).toEqual({ name: 'csv', delimiter, header: true });
  });

  it('finds that there is no header when the first row holds numbers, dates or truth values', () => {
    for (const first of ['1,a', 'a,2026-11-21', 'a,-2.5', 'a,true']) {
      expect(sniff(`${first}\n${first}\n`)).toEqual({ name: 'csv', delimiter: ',', header: false });
    }
  });

  it('lets few damaged rows be, and the name decide between delimiters that fit alike', () => {
    expect(sniff(`a,b\n${'1,2\n'.repeat(9)}3\n`)).toMatchObject({ delimiter: ',' });
    expect(sniff('a,b\tc,d\n1,2\t3,4\n', 'x.tsv')).toMatchObject({ delimiter: '\t' });
  });

  it('takes a single column for delimited text only if the name says so', () => {
    expect(sniff('id\n1\n2\n', 'x.csv')).toEqual({ name: 'csv', delimiter: ',', header: true });
    expect(sniff('1\n2\n', 'x.TSV.gz')).toEqual({ name: 'csv', delimiter: '\t', header: false });
    expect(() => sniff('id\n1\n2\n')).toThrow(expect.objectContaining({ code: 'decode.unknownFormat' }));
  });

  it('does not count a row that the head cuts off', () => {
    const text = `a,b,c\n${'1,2,3\n'.repeat(12_000)}`;
    expect(sniffFormat(Buffer.from(text).subarray(0, 65_536), 'x')).toMatchObject({ name: 'csv', delimiter: ',' });
  });

  it('takes a log line that begins with a bracket for no JSON', () => {
    expect(sniff('[07:41],started\n[07:42],stopped\n')).toMatchObject({ name: 'csv', delimiter: ',' });
    expect(sniff('{3f25},a\n{3f26},b\n')).toMatchObject({ name: 'csv', delimiter: ',' });
  });

  it('finds the encoding of delimited text', () => {
    expect(sniffFormat(Buffer.from('id;name\n1;Jos\xe9\n', 'latin1'), 'x')).toMatchObject({
      name: 'csv',
      encoding: 'windows-1252',
    });
    expect(sniffFormat(Buffer.from('\ufeffid;name\n1;José\n', 'utf16le'), 'x')).toEqual({
      name: 'csv',
      delimiter: ';',
      header: true,
      encoding: 'utf-16le',
    });
  });

  it('finds UTF-16 of either end, with and without a byte order mark', () => {
    const little = Buffer.from('имя;n\r\nА;1\r\nБ;2\r\n', 'utf16le');
    const big = Buffer.from(little).swap16();
    const shape = { name: 'csv', delimiter: ';', header: true };

    expect(sniffFormat(little, 'x')).toEqual({ ...shape, encoding: 'utf-16le' });
    expect(sniffFormat(big, 'x')).toEqual({ ...shape, encoding: 'utf-16be' });
    expect(sniffFormat(Buffer.concat([Buffer.of(0xfe, 0xff), big]), 'x')).toEqual({ ...shape, encoding: 'utf-16be' });
    expect(() => sniffFormat(Buffer.from('a,b\n1,x\0y\n'), 'x.csv')).toThrow('zero bytes');
  });

  it('finds the quotes that damage fewest rows', () => {
    const mysql = Array.from({ length: 5 }, (_, n) => `"${n}","a \\"b\\", \\\\ c"\n`).join('');
    const inches = Array.from({ length: 5 }, (_, n) => `${n}\t"Best" ${n}" nail\n`).join('');
    const single = Array.from({ length: 5 }, (_, n) => `${n},'a, ${n}'\n`).join('');

    expect(sniff(`id,text\n${mysql}`)).toEqual({ name: 'csv', delimiter: ',', escape: '\\', header: true });
    expect(sniff(`id\ttext\n${inches}`)).toEqual({ name: 'csv', delimiter: '\t', quote: null, header: true });
    expect(sniff(`"id", "text"\n${'"1", "a, b"\n'.repeat(3)}`)).toMatchObject({
      delimiter: ',',
      trim: true,
      header: true,
    });
    expect(sniff(`"id", "text"\n${'"1", "a"\n'.repeat(3)}`)).toMatchObject({ delimiter: ',', trim: true });
    expect(sniff(`id,json\n${'1,"{""a"": 1, ""b"": 2}"\n'.repeat(3)}`)).not.toHaveProperty('trim');
    expect(sniff(`id,text\n${single}`)).toEqual({ name: 'csv', delimiter: ',', quote: "'", header: true });
  });

  it('does not give up quotes for a few rows that are damaged', () => {
    const rows = '"1","x, y"\n'.repeat(10);

    expect(sniff(`a,b\n${rows}"2" z,"y\n${rows}`)).toEqual({ name: 'csv', delimiter: ',', header: true });
    expect(sniff(`a,b\n"1"x,2\n${'1,2\n'.repeat(9)}`)).toEqual({ name: 'csv', delimiter: ',', header: true });
  });

  it('finds a table below its title, and leaves rows of data alone', () => {
    const table = `id,name,total,day\n${'1,a,2,mon\n'.repeat(5)}`;

    expect(sniff(`Stock of Lisbon\r\nas of:,2026-11-21\r\n\r\n${table}`)).toMatchObject({ skipRows: 3, header: true });
    expect(sniff(`Stock,,,\n${table}`)).toMatchObject({ skipRows: 1, header: true });
    expect(sniff(`7,,,\n${'1,a,2,mon\n'.repeat(5)}`)).toEqual({ name: 'csv', delimiter: ',', header: false });
    expect(sniff(table)).toEqual({ name: 'csv', delimiter: ',', header: true });
  });

  it('passes over remarks, and knows a header that begins like one', () => {
    expect(sniff(`# logger 3, UTC\n# calibrated\nts,c\n${'1,2\n'.repeat(5)}`)).toMatchObject({
      comment: '#',
      header: true,
    });
    expect(sniff(`#id,name\n${'1,a\n'.repeat(5)}`)).toEqual({ name: 'csv', delimiter: ',', header: true });
  });

  it('believes the line in which Excel says the delimiter', () => {
    expect(sniff('sep=;\r\na,b;c\r\n1,5;2\r\n2,5;3\r\n')).toEqual({
      name: 'csv',
      delimiter: ';',
      header: true,
      skipRows: 1,
    });
  });

  it.each(['||', '~|~', '::', '^', '\x01', '\x1f'])('finds the rare delimiter %j', (delimiter) => {
    const rows = [
      ['id', 'name', 'total'],
      ['1', 'a b', '2'],
      ['2', 'c', '3'],
      ['3', '', ''],
    ];
    const text = rows.map((row) => `${row.join(delimiter)}\n`).join('');

    expect(sniff(text)).toEqual({ name: 'csv', delimiter, header: true });
  });

  it('leaves UTF-8 with a damaged row UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('id;name\n1;José\n2;Zoë\n3;'), Buffer.of(0xe9), Buffer.from('x\n')]);

    expect(sniffFormat(bytes, 'x')).toEqual({ name: 'csv', delimiter: ';', header: true });
  });

  it('does not take UTF-8 that the head cuts inside a character for anything else', () => {
    const bytes = Buffer.from(`a,b\n${'ü,2\n'.repeat(20_000)}`);
    for (const cut of [65_536, 65_537, 65_538, 65_539]) {
      expect(sniffFormat(bytes.subarray(0, cut), 'x')).toEqual({ name: 'csv', delimiter: ',', header: true });
    }
  });

  it.each([
    ['PK\x03\x04...', 'zip'],
    ['%PDF-1.7', 'PDF'],
    ['<?xml version="1.0"?>', 'XML'],
    ['<html>', 'HTML'],
    ['a\x00b', 'zero bytes'],
    ['Dear all,\nplease find below.\nYours\n', 'neither JSON nor rows'],
    ['\xff\xfe[\x001\x00]\x00', 'must be UTF-8'],
  ])('refuses %j and says what it is', (text, what) => {
    const bytes = Buffer.from(text, 'latin1');
    expect(() => sniffFormat(bytes, 'x')).toThrow(expect.objectContaining({ code: 'decode.unknownFormat' }));
    expect(() => sniffFormat(bytes, 'x')).toThrow(what);
  });

  it('refuses what is still compressed', () => {
    expect(() => sniffFormat(gzipSync('x'), 'x')).toThrow('this is gzip');
    expect(() => sniffFormat(zstdCompressSync('x'), 'x')).toThrow('this is Zstandard');
  });

  it.each(['x.tsv.zst', 'x.tsv.zstd', 'x.tsv.br', 'x.tsv.gz.gz'])(
    'reads the name %s without its compression',
    (name) => {
      expect(sniff('1\n2\n', name)).toEqual({ name: 'csv', delimiter: '\t', header: false });
    },
  );
});
