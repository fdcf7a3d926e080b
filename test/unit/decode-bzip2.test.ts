import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bunzip2 } from '../../core/decode/bzip2.ts';
import { decompress } from '../../core/decode/decompress.ts';
import { chunked, cutAt } from '../support/decoded.ts';
import { unpacked, unpackedRows } from '../support/unpacked.ts';

const fixture = (name: string) => readFile(new URL(`../fixtures/compression/${name}`, import.meta.url));
const whole = { compression: 'bzip2', error: undefined };
const damaged = { code: 'decode.corruptBzip2' };

/** The numbers from which the fixtures were made. */
function numbers(count: number): number[] {
  let seed = 1;
  return Array.from({ length: count }, () => {
    seed = (seed * 48271) % 2147483647;
    return seed;
  });
}

const blocks = Buffer.from(numbers(260_000).map((each, at) => (each % 16 === 0 ? 0x78 : 0x30 + (at % 10))));

const contents: readonly (readonly [string, () => Promise<Buffer>])[] = [
  ['bzip2-1.bz2', () => fixture('rows.ndjson')],
  ['bzip2-9.bz2', () => fixture('rows.ndjson')],
  ['bzip2-concatenated.bz2', () => fixture('rows.ndjson')],
  ['bzip2-empty.bz2', async () => Buffer.alloc(0)],
  ['bzip2-runs.bz2', async () => Buffer.concat([Buffer.alloc(20_000_000, 'a'), Buffer.from('b')])],
  ['bzip2-blocks.bz2', async () => blocks],
  ['bzip2-noise.bz2', async () => Buffer.from(numbers(3000))],
  ['bzip2-randomised.bz2', async () => Buffer.alloc(400_000, '{"row":"of an old writer"}\n')],
];

describe('bzip2', () => {
  it.each(contents)('reads %s as bzip2 wrote it, at once and as a stream', async (file, content) => {
    const packed = await fixture(file);
    const expected = await content();
    const found = await unpacked([packed], { name: 'x.ndjson' });
    expect(found).toMatchObject(whole);
    expect(found.bytes.equals(expected)).toBe(true);
    expect(Buffer.from(bunzip2(packed, expected.length)).equals(expected)).toBe(true);
  });

  it('reads it however it is cut', async () => {
    const expected = await fixture('rows.ndjson');
    const packed = await fixture('bzip2-concatenated.bz2');
    const places = fc.array(fc.nat(), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(places, async (places) => {
        const found = await unpacked(cutAt(packed, places));
        expect(found).toMatchObject(whole);
        expect(found.bytes.equals(expected)).toBe(true);
      }),
      { numRuns: 40 },
    );
    const bytewise = await unpacked(cutAt(packed, [...packed.keys()]));
    expect(bytewise).toMatchObject(whole);
    expect(bytewise.bytes.equals(expected)).toBe(true);
  });

  it('is one layer among others', async () => {
    const found = await unpacked([gzipSync(await fixture('bzip2-9.bz2'))]);
    expect(found).toMatchObject({ compression: 'gzip+bzip2', error: undefined });
  });

  it('is not taken for text that begins alike', async () => {
    const text = 'BZh1,BZh2\n1,2\n';
    expect(await unpacked([Buffer.from(text)])).toMatchObject({ bytes: Buffer.from(text), compression: 'none' });
  });

  it('gives what stands before damage, and no block whose checksum is wrong', async () => {
    const packed = Buffer.from(await fixture('bzip2-blocks.bz2'));
    const at = Math.floor(packed.length / 2);
    packed[at] = (packed[at] as number) ^ 0x10;
    const found = await unpacked([packed]);
    expect(found.error).toMatchObject(damaged);
    expect(found.bytes.length).toBeGreaterThan(90_000);
    expect(found.bytes.equals(blocks.subarray(0, found.bytes.length))).toBe(true);
  });

  it('says that data was cut off, wherever it was', async () => {
    const packed = await fixture('bzip2-concatenated.bz2');
    const content = await fixture('rows.ndjson');
    for (let length = 14; length < packed.length; length += 7) {
      const { bytes, error } = await unpacked([packed.subarray(0, length)]);
      expect(content.subarray(0, bytes.length).equals(bytes)).toBe(true);
      // Cut between two streams it is whole as far as anyone can tell.
      if (error)
        expect(error).toMatchObject({ ...damaged, message: expect.stringContaining('ends before its end mark') });
      else expect(packed.toString('latin1', length, length + 3)).toBe('BZh');
    }
    expect(() => bunzip2(packed.subarray(0, -1), 1e6)).toThrow('ends before its end mark');
  });

  it('refuses what follows the end of the data', async () => {
    const { error, bytes } = await unpacked([await fixture('bzip2-9.bz2'), Buffer.alloc(100)]);
    expect(error).toMatchObject(damaged);
    expect(bytes.equals(await fixture('rows.ndjson'))).toBe(true);
  });

  it('leaves rows before damage in the next stream readable', async () => {
    const packed = Buffer.from(await fixture('bzip2-concatenated.bz2'));
    packed[packed.length - 30] = (packed[packed.length - 30] as number) ^ 0xff;
    const { rows, error } = await unpackedRows([packed]);
    expect(rows.length).toBeGreaterThan(10);
    expect(error).toMatchObject(damaged);
  });

  it('throws nothing but its own errors for damaged data, and never gives it for whole', async () => {
    const content = await fixture('rows.ndjson');
    const originals = [await fixture('bzip2-9.bz2'), await fixture('bzip2-concatenated.bz2')];
    const change = fc.record({ at: fc.nat(), byte: fc.nat(255), which: fc.nat(1), cut: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(change, async ({ at, byte, which, cut }) => {
        const original = originals[which] as Buffer;
        const packed = Buffer.from(original.subarray(0, original.length - cut));
        packed[10 + (at % (packed.length - 10))] = byte;
        const { bytes, error } = await unpacked([packed], { maxOutputBytes: 50_000_000 });
        if (error) expect(error).toMatchObject(damaged);
        else expect(bytes.equals(content)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('throws nothing but its own errors for anything behind its mark', async () => {
    const mark = Buffer.from('BZh91AY&SY');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (rest) => {
        const { error } = await unpacked([Buffer.concat([mark, rest])]);
        expect(error).toMatchObject(damaged);
      }),
      { numRuns: 300 },
    );
  });

  it('stops at the most bytes that are allowed, in a block that is a few bytes as well', async () => {
    const packed = await fixture('bzip2-runs.bz2');
    expect(() => bunzip2(packed, 19_999_999)).toThrow(expect.objectContaining({ code: 'decode.bomb' }));
    const { error, bytes } = await unpacked([packed], { maxOutputBytes: 5_000_000 });
    expect(error).toMatchObject({ code: 'decode.bomb' });
    expect(bytes.length).toBeLessThanOrEqual(5_000_000);
  });

  it('makes no more than is taken from it, and lets others work meanwhile', async () => {
    let turns = 0;
    const ticking = setInterval(() => {
      turns += 1;
    }, 0);
    const { bytes } = await decompress(chunked([await fixture('bzip2-runs.bz2')]));
    let longest = 0;
    let pieces = 0;
    for await (const piece of bytes) {
      longest = Math.max(longest, piece.length);
      pieces += 1;
    }
    clearInterval(ticking);
    expect(longest).toBeLessThanOrEqual(1024 * 1024);
    expect(pieces).toBeGreaterThan(18);
    expect(turns).toBeGreaterThan(3);
  });
});
