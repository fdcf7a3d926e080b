import { readFile } from 'node:fs/promises';
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { codecOf } from '../../core/decode/codec.ts';
import { decompress } from '../../core/decode/decompress.ts';
import { drive } from '../../core/decode/engine.ts';
import { chunked, cutAt, untilError } from '../support/decoded.ts';
import { unpacked, unpackedRows } from '../support/unpacked.ts';

const fixture = (name: string) => readFile(new URL(`../fixtures/compression/${name}`, import.meta.url));
const checksum = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };
const brotli = (text: string | Uint8Array) => brotliCompressSync(text, quick);
const zstd = (text: string | Uint8Array) => zstdCompressSync(text, checksum);
/** A frame without data, 16 numbers are reserved for them. */
const skippable = (number: number, length: number) =>
  Buffer.concat([
    Buffer.of(0x50 + number, 0x2a, 0x4d, 0x18, length & 0xff, length >> 8, 0, 0),
    Buffer.alloc(length, 7),
  ]);

const packers = {
  gzip: { pack: gzipSync, name: 'x.gz', code: 'decode.corruptGzip' },
  zstd: { pack: zstd, name: 'x.zst', code: 'decode.corruptZstd' },
  brotli: { pack: brotli, name: 'x.br', code: 'decode.corruptBrotli' },
} as const;
const kinds = Object.keys(packers) as (keyof typeof packers)[];

/** Rows that shrink by half at most, so that they are many slices of input. */
function noisyRows(count: number): string {
  let seed = 1;
  const next = () => {
    seed = (seed * 48271) % 2147483647;
    return seed.toString(36);
  };
  return Array.from({ length: count }, (_, index) => `{"n":${index},"x":"${next()}${next()}${next()}"}\n`).join('');
}

describe('decompress', () => {
  it.each(kinds)('unpacks %s, even one byte at a time', async (kind) => {
    const { pack, name } = packers[kind];
    const packed = pack('hello');
    const expected = { bytes: Buffer.from('hello'), compression: kind, error: undefined };
    expect(await unpacked([packed], { name })).toEqual(expected);
    expect(await unpacked(cutAt(packed, [...packed.keys()]), { name })).toEqual(expected);
    expect(await unpacked([pack('')], { name })).toEqual({ ...expected, bytes: Buffer.alloc(0) });
  });

  it.each([
    ['zstd-19.zst', 'zstd'],
    ['zstd-stdin.zst', 'zstd'],
    ['zstd-concatenated.zst', 'zstd'],
    ['zstd-window-27.zst', 'zstd'],
    ['pzstd.zst', 'zstd'],
    ['gzip-9.gz', 'gzip'],
    ['gzip-concatenated.gz', 'gzip'],
    ['python.gz', 'gzip'],
    ['zstd-in-gzip.gz', 'gzip+zstd'],
    ['gzip-in-gzip.gz', 'gzip+gzip'],
    ['rows.ndjson', 'none'],
  ])('reads %s as another program wrote it, whatever it is called', async (file, compression) => {
    const rows = await fixture('rows.ndjson');
    for (const name of [file, 'rows.ndjson', 'rows.gz', 'rows.zst']) {
      expect(await unpacked([await fixture(file)], { name })).toEqual({ bytes: rows, compression, error: undefined });
    }
  });

  it('lets a mark in the content win over a name that says Brotli', async () => {
    for (const kind of ['gzip', 'zstd'] as const) {
      const found = await unpacked([packers[kind].pack('hello')], { name: 'x.br' });
      expect(found).toMatchObject({ bytes: Buffer.from('hello'), compression: kind, error: undefined });
    }
  });

  it('takes Brotli for Brotli when it begins like gzip', async () => {
    // Blocks of up to 16 MiB and a length of which the first byte is that of the mark.
    const large = { params: { [constants.BROTLI_PARAM_LGWIN]: 24 } };
    const texts = Array.from({ length: 1000 }, (_, length) => 'ab'.repeat(length));
    const alike = texts.filter((text) => brotliCompressSync(text, large).subarray(0, 2).equals(Buffer.of(0x1f, 0x8b)));
    expect(alike.length).toBeGreaterThan(0);
    for (const text of alike) {
      const packed = brotliCompressSync(text, large);
      expect(await unpacked([packed], { name: 'x.br' })).toMatchObject({ bytes: Buffer.from(text), error: undefined });
    }
  });

  it('knows Brotli by its name alone', async () => {
    const packed = brotliCompressSync('hello');
    expect(await unpacked([packed])).toMatchObject({ bytes: packed, compression: 'none' });
    expect(await unpacked([packed], { name: 'x.BR' })).toMatchObject({ compression: 'brotli' });
    expect(await unpacked([], { name: 'x.br' })).toMatchObject({ compression: 'none', error: undefined });
    const { error } = await unpacked([Buffer.from('id,name\n1,2\n')], { name: 'x.br' });
    expect(error).toMatchObject({
      code: 'decode.corruptBrotli',
      message: expect.stringContaining('Only its name says that this is Brotli'),
    });
  });

  it('reads frames of zstd one after another as one object, and passes over those without data', async () => {
    const parts = [
      skippable(0, 5),
      zstd('one '),
      skippable(15, 300),
      zstd(''),
      zstd('two '),
      zstd('three'),
      skippable(3, 0),
    ];
    const packed = Buffer.concat(parts);
    const expected = { bytes: Buffer.from('one two three'), compression: 'zstd', error: undefined };
    expect(await unpacked([packed])).toEqual(expected);
    expect(await unpacked(parts)).toEqual(expected);
    expect(await unpacked([skippable(0, 200)])).toMatchObject({ bytes: Buffer.alloc(0), error: undefined });
  });

  it.each([
    ['text', Buffer.from('not compressed')],
    ['a byte', Buffer.of(0x28)],
    ['the mark of a frame', Buffer.of(0x28, 0xb5, 0x2f, 0xfd)],
    ['zeros', Buffer.alloc(30_000)],
  ])('refuses %s behind a frame of zstd or the end of Brotli', async (_what, rest) => {
    for (const kind of ['zstd', 'brotli'] as const) {
      const { pack, name, code } = packers[kind];
      for (const chunks of [[pack('hello'), rest], [Buffer.concat([pack('hello'), rest])]]) {
        const { bytes, error } = await unpacked(chunks, { name });
        expect(bytes.toString()).toBe('hello');
        expect(error).toMatchObject({ code });
      }
    }
  });

  it('unpacks up to three layers, from the outside in', async () => {
    const three = gzipSync(zstd(gzipSync('hello')));
    const expected = { bytes: Buffer.from('hello'), compression: 'gzip+zstd+gzip', error: undefined };
    expect(await unpacked([three])).toEqual(expected);
    expect(await unpacked([gzipSync(three)])).toMatchObject({
      error: { code: 'decode.nested', message: expect.stringContaining('gzip inside gzip+gzip+zstd') },
    });
    const named = await unpacked([gzipSync(brotliCompressSync('hello'))], { name: 'x.json.br.gz' });
    expect(named).toMatchObject({ bytes: Buffer.from('hello'), compression: 'gzip+brotli' });
    const inside = await unpacked([brotliCompressSync(gzipSync('hello'))], { name: 'x.gz.br' });
    expect(inside).toMatchObject({ bytes: Buffer.from('hello'), compression: 'brotli+gzip' });
  });

  it('names the layer that is damaged', async () => {
    const inner = zstd('{"a":1}\n{"a":2}\n');
    inner.writeUInt32LE(0, inner.length - 4);
    const { rows, error } = await unpackedRows([gzipSync(inner)]);
    expect(rows).toEqual([{ a: 1 }, { a: 2 }]);
    expect(error).toMatchObject({ code: 'decode.corruptZstd' });
    const outer = gzipSync(zstd('{"a":1}\n'));
    outer.writeUInt32LE(0, outer.length - 8);
    expect(await unpackedRows([outer])).toMatchObject({ rows: [{ a: 1 }], error: { code: 'decode.corruptGzip' } });
  });

  it.each(kinds)('gives the rows before the end of %s that is cut off, wherever that is', async (kind) => {
    const { pack, name, code } = packers[kind];
    const expected = Array.from({ length: 40 }, (_, n) => ({ n, town: `Évora ${n * 7}` }));
    const packed = pack(expected.map((row) => `${JSON.stringify(row)}\n`).join(''));
    let most = 0;
    for (let length = kind === 'brotli' ? 1 : 4; length < packed.length; length++) {
      const { rows, bad, error } = await unpackedRows([packed.subarray(0, length)], { name });
      expect(error).toMatchObject({ code, message: expect.stringContaining('not written completely') });
      expect(rows).toEqual(expected.slice(0, rows.length));
      expect(bad).toEqual([]);
      most = Math.max(most, rows.length);
    }
    expect(most).toBeGreaterThan(30);
  });

  it.each(kinds)('gives the rows before damage in %s', async (kind) => {
    const { pack, name, code } = packers[kind];
    const packed = pack(noisyRows(20_000));
    const at = Math.floor(packed.length * 0.8);
    packed.fill(0xff, at, at + 64);
    const { rows, error } = await unpackedRows([packed], { name });
    expect(error).toMatchObject({ code, message: expect.stringContaining('damaged') });
    expect(rows.length).toBeGreaterThan(10_000);
    // A few that damage changed may follow before it shows.
    for (let n = 0; n < 10_000; n++) expect(rows[n]).toMatchObject({ n });
  });

  it.each(kinds)('gives as much of %s that is damaged, however its bytes come', async (kind) => {
    const { pack, name } = packers[kind];
    const packed = Buffer.from(pack(noisyRows(6000)));
    // Compressed bytes from elsewhere: noise in the middle of what they stand for.
    const middle = packed.length >> 1;
    packed.copy(packed, middle, 1000, 21_000);
    const found = await unpacked([packed], { name });
    expect(found.error).toBeDefined();
    for (const size of [700, 16 * 1024, 40_000]) {
      const cuts = Array.from({ length: Math.floor(packed.length / size) }, (_, n) => (n + 1) * size);
      const again = await unpacked(cutAt(packed, cuts), { name });
      expect(again.bytes.equals(found.bytes), `${again.bytes.length} and ${found.bytes.length}`).toBe(true);
    }
  });

  it.each(kinds)('refuses %s that becomes too much, however few bytes it has', async (kind) => {
    const { pack, name } = packers[kind];
    const zeros = pack(Buffer.alloc(8_000_000));
    const ratio = await unpacked([zeros], { name, maxRatio: 100, ratioFromBytes: 3_000_000 });
    expect(ratio.error).toMatchObject({ code: 'decode.bomb', message: expect.stringContaining('100 bytes for each') });
    expect(ratio.bytes.length).toBeLessThanOrEqual(3_000_000);
    const size = await unpacked([zeros], { name, maxOutputBytes: 5_000_000 });
    expect(size.error).toMatchObject({ code: 'decode.bomb', message: expect.stringContaining('5000000') });
    expect(size.bytes.length).toBeLessThanOrEqual(5_000_000);
    expect((await unpacked([zeros], { name })).bytes.length).toBe(8_000_000);
  });

  it('refuses what shrank beyond reason without being told to', async () => {
    const { error, bytes } = await unpacked([zstd(Buffer.alloc(80_000_000))]);
    expect(error).toMatchObject({ code: 'decode.bomb' });
    expect(bytes.length).toBeLessThanOrEqual(64 * 1024 ** 2);
  });

  it('holds what comes out of all layers against the bytes of the object', async () => {
    const limits = { maxRatio: 2000, ratioFromBytes: 1_000_000 };
    const inner = gzipSync(Buffer.alloc(8_000_000));
    expect((await unpacked([inner], limits)).error).toBeUndefined();
    expect((await unpacked([gzipSync(inner)], limits)).error).toMatchObject({ code: 'decode.bomb' });
  });

  it('counts bytes that come out of an outer layer though nothing comes out of the inner one', async () => {
    const empty = Buffer.concat(Array.from({ length: 1000 }, () => skippable(0, 60_000)));
    const { error } = await unpacked([gzipSync(empty)], { maxOutputBytes: 10_000_000 });
    expect(error).toMatchObject({ code: 'decode.bomb' });
  });

  it('refuses a window that would take more memory than is allowed', async () => {
    const { error } = await unpacked([await fixture('zstd-window-31.zst')]);
    expect(error).toMatchObject({ code: 'decode.corruptZstd', message: expect.stringContaining('without --long') });
  });

  it.each(kinds)('throws an error of the input unchanged, after what came before it in %s', async (kind) => {
    const { pack, name } = packers[kind];
    const failure = new Error('connection reset');
    const packed = pack(noisyRows(20_000));
    async function* input(length: number) {
      yield packed.subarray(0, length);
      throw failure;
    }
    const { items, error } = await untilError((await decompress(input(300_000), { name })).bytes);
    expect(error).toBe(failure);
    expect(Buffer.concat(items).length).toBeGreaterThan(100_000);
    // An object must not pass for an empty one because the way to it broke early.
    await expect(decompress(input(5), { name })).rejects.toBe(failure);
  });

  it.each(kinds)('closes the input of %s when the consumer stops, or when it gives up', async (kind) => {
    const { pack, name } = packers[kind];
    let closed = 0;
    async function* input(bytes: Uint8Array) {
      try {
        yield* cutAt(bytes, [1, 50_000, 100_000]);
        yield* cutAt(bytes, [1, 50_000, 100_000]);
      } finally {
        closed++;
      }
    }
    for await (const _ of (await decompress(input(pack(noisyRows(20_000))), { name })).bytes) break;
    expect(closed).toBe(1);
    for await (const _ of (await decompress(input(gzipSync(pack(noisyRows(20_000)))), { name: `${name}.gz` })).bytes)
      break;
    expect(closed).toBe(2);
    const four = gzipSync(gzipSync(gzipSync(pack(noisyRows(20_000)))));
    await expect(decompress(input(four), { name: `${name}.gz.gz.gz` })).rejects.toMatchObject({
      code: 'decode.nested',
    });
    expect(closed).toBe(3);
  });

  it('gives rows of many steps in order to a slow consumer', async () => {
    const rows = `${noisyRows(5)}{"z":"${' '.repeat(5_000_000)}"}\n${noisyRows(5)}`;
    for (const kind of kinds) {
      const { pack, name } = packers[kind];
      const chunks: Buffer[] = [];
      for await (const chunk of (await decompress(chunked([pack(rows)]), { name })).bytes) {
        await new Promise(setImmediate);
        chunks.push(Buffer.from(chunk));
      }
      expect(Buffer.concat(chunks).equals(Buffer.from(rows))).toBe(true);
    }
  });

  it.each(kinds)('makes no more of %s at once than a few chunks, however much its bytes stand for', async (kind) => {
    const { pack, name } = packers[kind];
    const packed = pack(Buffer.alloc(30_000_000));
    const codec = codecOf(packed.subarray(0, 4), name);
    if (!codec) throw new Error('not compressed');
    const engine = drive(codec.open);
    let length = 0;
    let step = await engine.write(packed);
    for (; step.more; step = await engine.more()) {
      const bytes = Buffer.concat(step.output).length;
      expect(bytes).toBeLessThan(2 * 1024 * 1024);
      length += bytes;
    }
    expect(length + Buffer.concat(step.output).length).toBe(30_000_000);
    engine.close();
  });
});
