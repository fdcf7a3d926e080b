import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { decodeInBlocks } from '../../core/decode/decode.ts';
import { xml } from '../../core/decode/xml.ts';
import { parseXmlRow, type XmlObject, type XmlValue } from '../../core/decode/xml-row.ts';
import { chunked, cutAt, decoded, untilError } from '../support/decoded.ts';

const places = fc.array(fc.nat(), { maxLength: 30 });
const name = fc.constantFrom('a', 'b', 'ż', 'x.y', 'n:c', 'row', '_1', '𠀀');
const escaped = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .map((text) =>
    text.replace(/[&<>"'\p{Cc}\ufffe\uffff]/gu, (char) => (char < ' ' ? ' ' : `&#${char.codePointAt(0)};`)),
  );
const piece = fc.oneof(
  escaped,
  fc.constantFrom('<!-- </row> -->', '<![CDATA[ <row> ]] ]]>', '<?pi </row> ?>', '\r\n', '&amp;', ']] ', '>'),
);
const attributes = fc
  .uniqueArray(fc.tuple(name, escaped, fc.constantFrom('"', "'")), { maxLength: 3, selector: ([name]) => name })
  .map((all) => all.map(([name, value, quote]) => ` ${name} = ${quote}${value}>/${quote}`).join('\n'));
const { element } = fc.letrec<{ element: string }>((tie) => ({
  element: fc
    .tuple(name, attributes, fc.array(fc.oneof({ depthSize: 'small' }, piece, tie('element')), { maxLength: 4 }))
    .map(([name, attributes, inner]) =>
      inner.length === 0 ? `<${name}${attributes}/>` : `<${name}${attributes}>${inner.join('')}</${name} >`,
    ),
}));
const rows = fc.array(
  fc
    .tuple(attributes, fc.array(fc.oneof(piece, element), { maxLength: 4 }))
    .map(([a, inner]) => `<row${a}>${inner.join('')}</row>`),
  { maxLength: 8 },
);
const shape = {
  attributePrefix: '@',
  textName: '#text',
  keepsPrefixes: true,
  lists: new Map<string, boolean>(),
  maxDepth: 64,
};

/** Whether another parser takes the text for well-formed, and the texts and attributes it finds, in order. */
function bySaxes(text: string): { readonly isGood: boolean; readonly values: readonly string[] } {
  const parser = new SaxesParser({});
  const values: string[] = [];
  let isGood = true;
  parser.on('error', () => {
    isGood = false;
  });
  parser.on('text', (value) => values.push(value));
  parser.on('cdata', (value) => values.push(value));
  parser.on('opentag', ({ attributes }) => values.push(...Object.values(attributes).map(String)));
  parser.write(text).close();
  return { isGood, values };
}

function leaves(value: XmlValue): string[] {
  if (value === null) return [];
  return typeof value === 'string' ? [value] : Object.values(value as XmlObject).flatMap(leaves);
}

const letters = (all: readonly string[]) => all.join('').replace(/\s/g, '').split('').sort().join('');

describe('xml', () => {
  it('gives the same rows, bad rows and bytes however the document is cut, in whatever blocks', async () => {
    const limits = fc.record({
      batchRows: fc.integer({ min: 1, max: 5 }),
      maxRowBytes: fc.integer({ min: 20, max: 400 }),
    });
    await fc.assert(
      fc.asyncProperty(
        rows,
        places,
        fc.integer({ min: 1, max: 64 }),
        limits,
        fc.nat(3),
        async (rows, places, block, limits, lost) => {
          const whole = Buffer.from(`<?xml version="1.0"?>\n<!-- x --><r xmlns:n="n"><a/>${rows.join('\n')}</r>\n`);
          const bytes = whole.subarray(0, whole.length - lost * 3);
          const all = (chunks: Iterable<Uint8Array>, block: number) =>
            untilError(decodeInBlocks(chunked(chunks), xml({ row: 'row' }), limits, block)).then(
              ({ items, error }) => ({
                rows: items.flatMap(({ rows, positions }) => rows.map((row, index) => [positions[index], row])),
                bad: items.flatMap(({ bad }) => bad),
                error: (error as Error | undefined)?.message,
              }),
            );

          const expected = await all([bytes], 1_000_000);

          expect(await all(cutAt(bytes, places), block)).toEqual(expected);
          expect(expected.error === undefined).toBe(lost === 0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('finds in an element what another parser finds, and fault only where that does', () => {
    fc.assert(
      fc.property(
        element,
        fc.nat(),
        fc.nat(),
        fc.constantFrom('', '<', '&', '"', '>', '/', 'x', ' ', ';', '\x02'),
        (text, at, cut, put) => {
          const from = at % (text.length + 1);
          const changed = put === '' ? text : (text.slice(0, from) + put + text.slice(from + (cut % 3))).toWellFormed();
          const found = parseXmlRow(changed, shape);
          const other = bySaxes(changed);

          if (put === '') expect(other.isGood && 'row' in found).toBe(true);
          if (!('row' in found)) expect(other.isGood).toBe(false);
          else if (other.isGood) expect(letters(leaves(found.row))).toBe(letters(other.values));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('throws nothing but its own errors for anything, and always ends', async () => {
    const noise = fc.array(
      fc.constantFrom(
        '<',
        '>',
        '</',
        '/>',
        '<!--',
        '-->',
        '<![CDATA[',
        ']]>',
        '<?',
        '?>',
        '<!DOCTYPE',
        '"',
        "'",
        '=',
        'row',
        ' ',
        '&',
        '[',
        '\0',
      ),
      { maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(noise, fc.boolean(), async (noise, isInside) => {
        const text = isInside ? `<r><row/>${noise.join('')}<row/></r>` : noise.join('');
        const { items, error } = await untilError(
          decodeInBlocks(chunked([Buffer.from(text)]), xml({ row: 'row' }), {}, 8),
        );
        if (error) expect((error as { code?: string }).code).toMatch(/^decode\.(corrupt|unsupported)Xml$/);
        if (isInside) expect(items[0]?.rows[0]).toEqual({});
      }),
      { numRuns: 1000 },
    );
  });

  it('survives any byte changed in a real document', async () => {
    const text = Buffer.from(`<o><r a="1"><b>x</b></r>${'<r><c>2 &amp; 3</c><!-- n --></r>'.repeat(3)}</o>`);
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.nat(255), async (at, byte) => {
        const bytes = Buffer.from(text);
        bytes[at] = byte;
        await decoded(bytes, xml({ row: 'r' })).catch((error) => expect(error.code).toMatch(/^decode\.\w+Xml$/));
      }),
      { numRuns: 500 },
    );
  });
});
