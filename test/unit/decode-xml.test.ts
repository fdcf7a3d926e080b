import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { decode } from '../../core/decode/decode.ts';
import { type XmlOptions, xml } from '../../core/decode/xml.ts';
import { decoded, untilError } from '../support/decoded.ts';

const fixture = (name: string) => readFile(new URL(`../fixtures/xml/${name}`, import.meta.url));
const orders = (...rows: string[]) => `<?xml version="1.0"?>\n<orders>\n${rows.join('\n')}\n</orders>\n`;
const rowsOf = async (text: string | Uint8Array, options: XmlOptions = {}) => (await decoded(text, xml(options))).rows;
const bad = (code: string) => ({ code, message: expect.any(String) });

/** What is delivered before an error, and the error. */
async function broken(text: string, options: XmlOptions = { row: 'order' }) {
  const { items, error } = await untilError(decode(one(text), xml(options), { batchRows: 2 }));
  return { rows: items.flatMap(({ rows }) => rows), bad: items.flatMap(({ bad }) => bad), error };
}

async function* one(text: string) {
  yield Buffer.from(text);
}

describe('xml', () => {
  it('makes an object of children and attributes, lists of what repeats, and text of everything', async () => {
    const order = `<order id="7" open='yes'><total>0012.50</total><line sku="a">2</line><line sku="b"><n>1</n></line>
      <empty/><none></none><both>text<b>x</b>more</both><note><![CDATA[a < b && c]]></note></order>`;

    expect(await rowsOf(orders(order), { row: 'order' })).toEqual([
      {
        '@id': '7',
        '@open': 'yes',
        total: '0012.50',
        line: [
          { '@sku': 'a', '#text': '2' },
          { '@sku': 'b', n: '1' },
        ],
        empty: '',
        none: '',
        both: { b: 'x', '#text': 'textmore' },
        note: 'a < b && c',
      },
    ]);
  });

  it('numbers rows, bad ones included, and gives their bytes as they stand', async () => {
    const rows = ['<order><a>1</a></order>', '<order>&nope;</order>', '<order\n><a>ż</a></order >'];

    const found = await decoded(orders(...rows), xml({ row: 'order' }));

    expect(found.positions).toEqual([0, 2]);
    expect(found.raws).toEqual([rows[0], Buffer.from(rows[2] as string).toString('latin1')]);
    expect(found.bad).toMatchObject([{ position: 1, ...bad('decode.invalidXml'), length: 21, raw: rows[1] }]);
  });

  it.each([
    ['a name at any depth', '<f><head><order/></head><b><order><a>1</a></order></b></f>', 'order', [{}, { a: '1' }]],
    ['the innermost names of a path', '<f><h><order/></h><b><order><a>1</a></order></b></f>', 'b.order', [{ a: '1' }]],
    ['the root itself', '<order><a>1</a></order>', 'order', [{ a: '1' }]],
    ['rows not inside of rows', '<o><order><order>1</order></order></o>', 'order', [{ order: '1' }]],
    ['nothing of an empty root', '<orders/>', 'order', []],
    ['nothing where rows could be', '<o><count>0</count><b/></o>', 'b.order', []],
  ])('takes for rows %s', async (_, text, row, rows) => {
    expect(await rowsOf(text, { row })).toEqual(rows);
  });

  it.each(['oder', 'b.order', 'orders.order.line'])(
    'says so when nothing is there that the row %s could be',
    async (row) => {
      const found = await decoded('<orders><order/></orders>', xml({ row }));

      expect(found).toMatchObject({
        rows: [],
        bad: row === 'orders.order.line' ? [] : [{ position: 0, code: 'decode.noRows' }],
      });
    },
  );

  it('finds the repeated child of the root, the one that fills most of the head', async () => {
    const feed =
      '<feed><link href="1"/><link href="2"/><entry><t>some text</t></entry><entry><t>more</t></entry></feed>';

    expect(await rowsOf(feed)).toEqual([{ t: 'some text' }, { t: 'more' }]);
    expect(await rowsOf('<orders/>')).toEqual([]);
    expect(await rowsOf(`<o>${'<r><x>1</x></r>'.repeat(20_000)}</o>`)).toHaveLength(20_000);
  });

  it('does not guess where no child of the root is repeated, and names what could be meant', async () => {
    const { error } = await broken('<rss><channel><item><a/></item><item/></channel></rss>', {});

    expect(error).toMatchObject({
      code: 'decode.unknownFormat',
      message: expect.stringContaining("'rss.channel.item'"),
    });
  });

  it('takes prefixes off, or keeps them', async () => {
    const text = `<s:o xmlns:s="urn:s" xmlns:xsi="x"><s:order s:id="1" xsi:type="T"><s:a>1</s:a><s:b xsi:nil="true"/></s:order></s:o>`;

    expect(await rowsOf(text, { row: 'order' })).toEqual([{ '@id': '1', a: '1', b: null }]);
    expect(await rowsOf(text, { row: 's:o.s:order', namespaces: 'keep', attributes: '', text: '$' })).toEqual([
      { 's:id': '1', 'xsi:type': 'T', 's:a': '1', 's:b': null },
    ]);
  });

  it('makes lists of what is named, even when there is one', async () => {
    const text = orders('<order><lines><line>1</line></lines></order>', '<order><lines/></order>');

    expect(await rowsOf(text, { row: 'order', list: ['lines.line'] })).toEqual([
      { lines: { line: ['1'] } },
      { lines: '' },
    ]);
  });

  it('resolves the references of XML itself, and no other', async () => {
    const text = '<o><r a="&quot;&#10;&#x20AC;">&lt;&amp;&gt;&apos;&#128512;</r></o>';

    expect(await rowsOf(text, { row: 'r' })).toEqual([{ '@a': '"\n€', '#text': "<&>'😀" }]);
    for (const each of ['&nbsp;', 'a & b', '&#0;', '&#xD800;', '&#x110000;', '&amp', '&LT;', '&constructor;']) {
      const found = await decoded(`<o><r>${each}</r><r>x</r></o>`, xml({ row: 'r' }));
      expect([found.bad.length, found.rows]).toEqual([1, [{ '#text': 'x' }]]);
    }
  });

  it('reads line ends and white space as XML has them', async () => {
    expect(await rowsOf('<o><r a="x\r\n\ty"> a\r\nb\rc </r></o>', { row: 'r' })).toEqual([
      { '@a': 'x  y', '#text': ' a\nb\nc ' },
    ]);
  });

  it.each([
    ['an attribute twice', '<r a="1" a="2"/>'],
    ['an attribute without quotes', '<r a=1/>'],
    ['attributes that touch', '<r a="1"b="2"/>'],
    ['a less-than sign in an attribute', '<r a="<"/>'],
    ['a tag that does not match', '<r><a></b></r>'],
    ['a name that begins with a digit', '<r><1/></r>'],
    ['a control character', '<r>\x01</r>'],
  ])('costs only the row: %s', async (_, row) => {
    const found = await decoded(`<o>${row}<r><ok/></r></o>`, xml({ row: 'r' }));

    expect(found.bad).toMatchObject([bad('decode.invalidXml')]);
    expect(found.rows).toEqual([{ ok: '' }]);
  });

  it('tells text that is not UTF-8, nesting and length apart', async () => {
    const found = await decoded(
      Buffer.concat([
        Buffer.from('<o><r>'),
        Buffer.of(0xff),
        Buffer.from(`</r><r>${'<a>'.repeat(64)}${'</a>'.repeat(64)}</r><r a="${'x'.repeat(5000)}"/><r>1</r></o>`),
      ]),
      xml({ row: 'r' }),
      { maxRowBytes: 1000, maxDepth: 64 },
    );

    expect(found.bad.map(({ code, position }) => [code, position])).toEqual([
      ['decode.invalidUtf8', 0],
      ['decode.tooDeep', 1],
      ['decode.rowTooLong', 2],
    ]);
    expect(found.bad[2]).toMatchObject({ length: 5009, raw: expect.stringMatching(/^<r a="x{994}$/) });
    expect(found.rows).toEqual([{ '#text': '1' }]);
  });

  it('does not hold a row in memory that is too long, nor a comment', async () => {
    const part = Buffer.alloc(1024 * 1024, 'x');
    async function* bytes() {
      yield Buffer.from('<o><!--');
      for (let n = 0; n < 100; n++) yield part;
      yield Buffer.from('--><r><a>1</a></r><r><a b="');
      for (let n = 0; n < 100; n++) yield part;
      yield Buffer.from('"><![CDATA[</r>');
      for (let n = 0; n < 100; n++) yield part;
      yield Buffer.from(']]></a></r><r><a>2</a></r></o>');
    }
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const seen = [];
    const lengths = [];
    for await (const batch of decode(bytes(), xml({ row: 'r' }), { batchRows: 1 })) {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      seen.push(...batch.rows);
      lengths.push(...batch.bad.map(({ length }) => length));
    }

    expect(seen).toEqual([{ a: '1' }, { a: '2' }]);
    expect(lengths[0]).toBeGreaterThan(200 * 1024 * 1024);
    expect(most).toBeLessThan(80 * 1024 * 1024);
  });

  it.each([
    ['ends early', '<o><order>1</order><order>2</order><ord'],
    ['ends in the envelope', '<o><order>1</order><order>2</order>'],
    ['does not close a row', '<o><order>1</order><order>2</order><order><a></order></o>'],
    ['closes what is not open', '<o><order>1</order><order>2</order></x>'],
    ['goes on behind its root', '<o><order>1</order><order>2</order></o><o/>'],
    ['has text behind its root', '<o><order>1</order><order>2</order></o>x'],
    ['has markup that is none', '<o><order>1</order><order>2</order><!x></o>'],
  ])('delivers the rows before the place where a document %s', async (_, text) => {
    const { rows, error } = await broken(text);

    expect(rows).toEqual([{ '#text': '1' }, { '#text': '2' }]);
    expect(error).toMatchObject({ code: 'decode.corruptXml', message: expect.stringContaining('behind row 1') });
  });

  it('refuses a document type that declares entities, before anything expands', async () => {
    const laughs = `<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "${'&a;'.repeat(10)}">]><l><order>&b;</order></l>`;

    expect((await broken(laughs)).error).toMatchObject({ code: 'decode.unsupportedXml' });
    expect(await rowsOf('<!DOCTYPE o SYSTEM "http://x/[y].dtd"><o><r/></o>', { row: 'r' })).toEqual([{}]);
  });

  it('refuses what is no XML, is empty, or nests without end', async () => {
    for (const text of ['', '  ', 'a,b\n1,2\n', '{"a":1}', '<a>'.repeat(100_000)]) {
      expect((await broken(text)).error).toMatchObject({ code: 'decode.corruptXml' });
    }
  });

  it('keeps names that objects know something else by', async () => {
    const [row] = await rowsOf('<o><r><constructor>1</constructor><__proto__><x>2</x></__proto__></r></o>', {
      row: 'r',
    });

    expect(Object.entries(row as object)).toEqual([
      ['constructor', '1'],
      ['__proto__', { x: '2' }],
    ]);
    expect((row as { x?: unknown }).x).toBeUndefined();
  });

  it.each([
    ['by its mark', { file: Buffer.from('\ufeff<?xml version="1.0"?><o><r>ż</r></o>') }],
    ['UTF-16 by its mark', { file: Buffer.from('\ufeff<o><r>ż</r></o>', 'utf16le') }],
    [
      'UTF-16 without a mark',
      { file: Buffer.from('<?xml version="1.0" encoding="UTF-16"?><o><r>ż</r></o>', 'utf16le') },
    ],
    ['big endian', { file: Buffer.from('\ufeff<o><r>ż</r></o>', 'utf16le').swap16() }],
    ['UTF-8 that says UTF-16', { file: Buffer.from('<?xml version="1.0" encoding="utf-16"?><o><r>ż</r></o>') }],
    [
      'what it declares',
      { file: Buffer.from('<?xml version="1.0" encoding="ISO-8859-2"?><o><r>\xbf</r></o>', 'latin1') },
    ],
    ['what the source says', { file: Buffer.from('<o><r>\xbf</r></o>', 'latin1'), encoding: 'windows-1250' }],
  ])('reads the encoding %s', async (_, { file, encoding }: { file: Buffer; encoding?: string }) => {
    expect(await rowsOf(file, { row: 'r', ...(encoding && { encoding }) })).toEqual([{ '#text': 'ż' }]);
  });

  it('reads windows-1252 under the name latin1, as everybody does', async () => {
    const text = Buffer.from('<?xml version="1.0" encoding="iso-8859-1"?><o><r>\x80 \xe9</r></o>', 'latin1');

    expect(await rowsOf(text, { row: 'r' })).toEqual([{ '#text': '€ é' }]);
  });

  it('puts a row aside that holds what its encoding does not have', async () => {
    const latin = Buffer.from('<?xml version="1.0" encoding="iso-8859-7"?><o><r>\xae</r><r>\xe1</r></o>', 'latin1');
    const half = Buffer.concat([
      Buffer.from('\ufeff<o><r>', 'utf16le'),
      Buffer.of(0, 0xd8),
      Buffer.from('</r><r>α\ufffd</r></o>', 'utf16le'),
    ]);

    for (const [bytes, text] of [
      [latin, 'α'],
      [half, 'α\ufffd'],
      [Buffer.from(half).swap16(), 'α\ufffd'],
    ] as const) {
      const found = await decoded(bytes, xml({ row: 'r' }));
      expect(found.bad).toMatchObject([{ position: 0, code: 'decode.invalidUtf8' }]);
      expect(found.rows).toEqual([{ '#text': text }]);
    }
  });

  it('delivers what came before an error of the stream, however early', async () => {
    const gone = new Error('gone');
    async function* bytes() {
      yield Buffer.from('<o><r>1</r><r>');
      throw gone;
    }

    const { items, error } = await untilError(decode(bytes(), xml({ row: 'r' })));

    expect(items.flatMap(({ rows }) => rows)).toEqual([{ '#text': '1' }]);
    expect(error).toBe(gone);
  });

  it('takes a thousand attributes, and lists with long paths, in no more time than their bytes', async () => {
    const attributes = Array.from({ length: 200_000 }, (_, n) => ` a${n}=""`).join('');
    const children = `<${'x'.repeat(1_000_000)}>${'<b/>'.repeat(200_000)}</${'x'.repeat(1_000_000)}>`;

    const [row] = await rowsOf(`<o><r${attributes}>${children}</r></o>`, { row: 'r', list: ['x.b', 'x'] });

    expect(Object.keys(row as object)).toHaveLength(200_001);
  });

  it('refuses encodings that nobody knows', async () => {
    expect((await broken('<?xml version="1.0" encoding="ibm850"?><o/>')).error).toMatchObject({
      code: 'decode.unsupportedXml',
    });
    expect(() => xml({ encoding: 'nope' })).toThrow(expect.objectContaining({ code: 'decode.badFormat' }));
    expect(() => xml({ row: 'a..b' })).toThrow(expect.objectContaining({ code: 'decode.badFormat' }));
    expect(() => xml({ list: [''] })).toThrow(expect.objectContaining({ code: 'decode.badFormat' }));
  });

  it.each([
    ['rss.xml', 'item', 2, { title: 'Second & last', category: ['a', 'b'] }],
    ['soap.xml', 'Envelope.Body.GetOrdersResponse.order', 2, { '@id': '2', note: null }],
    ['sitemap.xml', undefined, 3, { loc: 'https://example.com/b?x=1&y=2' }],
    ['excel-2003.xml', 'Worksheet.Table.Row', 3, { Cell: { Data: { '@Type': 'Number', '#text': '2' } } }],
  ])('reads %s', async (name, row, count, part) => {
    const rows = await rowsOf(await fixture(name), row ? { row } : {});

    expect(rows).toHaveLength(count);
    expect(rows).toContainEqual(expect.objectContaining(part));
  });
});
