import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cut } from '../../local/s3/blobs.ts';
import { createChunkedDecoder } from '../../local/s3/chunked.ts';
import { compareUtf8, createSortedMap, formUrlEncode } from '../../local/s3/keys.ts';
import { element, parseXml } from '../../local/s3/xml.ts';

const key = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
/** Few distinct characters around the surrogates, so that comparisons get past the first one. */
const close = fc.string({ unit: fc.constantFrom('a', '\ud7ff', '\ue000', '\uffff', '😀', '\u{10ffff}'), maxLength: 6 });
const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

describe('keys', () => {
  test('compare as their UTF-8 bytes do', () => {
    fc.assert(
      fc.property(fc.oneof(key, close), fc.oneof(key, close), (a, b) => {
        expect(Math.sign(compareUtf8(a, b))).toBe(byBytes(a, b));
      }),
    );
  });

  test('survive the form in which notifications carry them', () => {
    fc.assert(
      fc.property(key, (text) => {
        const encoded = formUrlEncode(text);
        expect(encoded).toMatch(/^[A-Za-z0-9\-_.*+/%]*$/);
        expect(decodeURIComponent(encoded.replace(/\+/g, ' '))).toBe(text);
      }),
    );
  });

  test('stay in order through any sequence of changes and listings', () => {
    const step = fc.record({ key: fc.oneof(close, key), do: fc.constantFrom('set', 'set', 'delete', 'list') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const map = createSortedMap<number>();
        const model = new Map<string, number>();
        for (const [at, each] of steps.entries()) {
          if (each.do === 'set') map.set(each.key, at);
          if (each.do === 'set') model.set(each.key, at);
          if (each.do === 'delete') map.delete(each.key);
          if (each.do === 'delete') model.delete(each.key);
          if (each.do === 'list') expect(map.sorted()).toEqual([...model.keys()].sort(byBytes));
        }
        expect(map.sorted().map((each) => [each, map.get(each)])).toEqual([...model].sort(([a], [b]) => byBytes(a, b)));
        expect(map.size).toBe(model.size);
      }),
    );
  });
});

describe('aws-chunked bodies', () => {
  const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 6 });
  const framed = (chunks: readonly Uint8Array[], trailer: string) =>
    Buffer.concat([
      ...chunks.flatMap((chunk) => [
        Buffer.from(`${chunk.length.toString(16)};chunk-signature=abc\r\n`),
        chunk,
        Buffer.from('\r\n'),
      ]),
      Buffer.from(`0\r\n${trailer}\r\n`),
    ]);

  test('decode to the same payload and trailers wherever the network cuts them', () => {
    fc.assert(
      fc.property(payloads, fc.array(fc.nat(500), { maxLength: 8 }), (chunks, cuts) => {
        const bytes = framed(chunks, 'x-amz-checksum-crc32:AAAAAA==\r\n');
        const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const decoder = createChunkedDecoder();
        const got = at.slice(1).flatMap((end, index) => [...decoder.push(bytes.subarray(at[index], end))]);
        expect(Buffer.concat(got).equals(Buffer.concat(chunks))).toBe(true);
        expect([...decoder.finish()]).toEqual([['x-amz-checksum-crc32', 'AAAAAA==']]);
      }),
    );
  });

  test('are refused when they end too early', () => {
    fc.assert(
      fc.property(payloads, fc.double({ min: 0, max: 0.999, noNaN: true }), (chunks, share) => {
        const bytes = framed(chunks, '');
        const decoder = createChunkedDecoder();
        // Up to the final chunk: the empty line after it may be missing.
        const end = Math.floor(share * (bytes.length - '0\r\n\r\n'.length + 1));
        for (const _ of decoder.push(bytes.subarray(0, end)));
        expect(() => decoder.finish()).toThrow(/aws-chunked/);
      }),
    );
  });
});

test('a range of a body in segments is the same range of its bytes', () => {
  const bodies = fc.array(fc.string({ minLength: 1, maxLength: 9 }), { maxLength: 5 });
  fc.assert(
    fc.property(bodies, fc.nat(50), fc.nat(50), (texts, start, length) => {
      const segments = texts.map((text, at) => ({ blob: String(at), start: 3, bytes: text.length }));
      const read = cut(segments, start, start + length)
        .map((each) => texts[Number(each.blob)]?.slice(each.start - 3, each.start - 3 + each.bytes))
        .join('');
      expect(read).toBe(texts.join('').slice(start, start + length));
    }),
  );
});

test('any text survives being written as XML and parsed again', () => {
  fc.assert(
    fc.property(key, (text) => {
      const { children } = parseXml(`<?xml version="1.0"?>\n${element('Root', [element('Key', text)])}`);
      expect(children).toEqual([{ name: 'Key', text, children: [] }]);
    }),
  );
});
