import { describe, expect, it } from 'vitest';
import { sniffFormat } from '../../core/decode/sniff.ts';
import { sniffXml } from '../../core/decode/xml-head.ts';

const sniffed = (text: string | Buffer) => sniffFormat(Buffer.from(text as string), 'x.txt');
const orders = '<?xml version="1.0"?>\n<orders><order id="1"/><order id="2"/></orders>';

describe('sniffFormat', () => {
  it.each([
    ['a declaration', orders],
    ['none', orders.slice(22)],
    ['a mark', `\ufeff${orders}`],
    ['a comment and a document type', `<!-- x --><!DOCTYPE orders SYSTEM "o.dtd">${orders.slice(22)}`],
    ['UTF-16', Buffer.from(`\ufeff${orders}`, 'utf16le')],
    ['UTF-16, big endian', Buffer.from(`\ufeff${orders}`, 'utf16le').swap16()],
    ['prefixes', '<a:orders xmlns:a="u"><a:order/><a:order/></a:orders>'],
    ['other children before and after', '<orders><id>1</id><order/><order>some text</order><end/></orders>'],
    ['a head that is cut off', `<orders>${'<order><a>1</a></order>'.repeat(10_000)}`.slice(0, 64 * 1024)],
  ])('finds XML with %s, and its rows', (_, text) => {
    expect(sniffed(text)).toEqual({ name: 'xml', row: 'orders.order' });
  });

  it('leaves rows to the decoder where nothing is repeated because there is nothing, or a path would mislead', () => {
    expect(sniffed('<orders/>')).toEqual({ name: 'xml' });
    expect(sniffed('<my.orders><o/><o/></my.orders>')).toEqual({ name: 'xml' });
  });

  it.each([
    ['HTML', '<!DOCTYPE html><html><p>1<p>2</html>', 'this is HTML'],
    ['HTML without a type', '<HTML><body/></HTML>', 'this is HTML'],
    ['a single row', '<orders><order><a/></order></orders>', "say xml({ row: '…' })"],
    ['rows further inside', '<rss><channel><item/><item/></channel></rss>', "say xml({ row: 'rss.channel.item' })"],
  ])('does not guess for %s', (_, text, words) => {
    expect(() => sniffed(text)).toThrow(
      expect.objectContaining({ code: 'decode.unknownFormat', message: expect.stringContaining(words) }),
    );
  });

  it.each(['<34>1 2026-11-21 host app - - x', '< a, b', 'a<b/>', '', '<', '{"a":"<b/>"}'])(
    'does not take %j for XML',
    (text) => {
      expect(sniffXml(Buffer.from(text))).toBeUndefined();
    },
  );
});
