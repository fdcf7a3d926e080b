import { deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decode } from '../../core/decode/decode.ts';
import { type DecompressLimits, decompress } from '../../core/decode/decompress.ts';
import { ndjson } from '../../core/decode/ndjson.ts';
import { chunked, cutAt, untilError } from '../support/decoded.ts';

async function read(bytes: Iterable<Uint8Array>, limits: Partial<DecompressLimits> = {}) {
  const { bytes: opened, compression } = await decompress(chunked(bytes), limits);
  const { items, error } = await untilError(copied(opened));
  return { text: Buffer.concat(items).toString(), compression, error };
}

async function* copied(chunks: AsyncIterable<Uint8Array>) {
  for await (const chunk of chunks) yield new Uint8Array(chunk);
}

/** Rows that gzip cannot shrink much, so that they are many slices of input. */
function noisyRows(count: number): string {
  let seed = 1;
  const next = () => {
    seed = (seed * 48271) % 2147483647;
    return seed.toString(36);
  };
  return Array.from({ length: count }, (_, index) => `{"n":${index},"x":"${next()}${next()}${next()}"}\n`).join('');
}

async function rowsUntilError(bytes: Uint8Array) {
  const opened = await decompress(chunked([bytes]));
  const { items, error } = await untilError(decode(opened.bytes, ndjson(), { batchRows: 100 }));
  return { rows: items.flatMap(({ rows }) => rows), bad: items.flatMap(({ bad }) => bad), error };
}

describe('decompress, gzip', () => {
  it('knows gzip by its first bytes, even one at a time, and passes everything else on', async () => {
    const packed = gzipSync('hello');
    expect(await read([packed])).toEqual({ text: 'hello', compression: 'gzip', error: undefined });
    expect(await read([...packed].map((byte) => Uint8Array.of(byte)))).toMatchObject({
      text: 'hello',
      compression: 'gzip',
    });
    expect(await read([Buffer.from('hello'), Buffer.from(' there')])).toMatchObject({
      text: 'hello there',
      compression: 'none',
    });
    expect(await read([Buffer.from('h')])).toMatchObject({ text: 'h', compression: 'none' });
    expect(await read([])).toMatchObject({ text: '', compression: 'none' });
    expect(await read([Buffer.alloc(0), Buffer.of(0x1f), Buffer.from('x')])).toMatchObject({
      text: '\x1fx',
      compression: 'none',
    });
  });

  it('reads several members as one object', async () => {
    const members = Buffer.concat([gzipSync('one '), gzipSync(''), gzipSync('two '), gzipSync('three')]);
    expect((await read([members])).text).toBe('one two three');
    expect((await read(cutAt(members, [1, 19, 20, 21, 40, 50, 70]))).text).toBe('one two three');
  });

  it('takes zeros behind the last member for padding', async () => {
    const padded = Buffer.concat([gzipSync('hello'), Buffer.alloc(100_000)]);
    expect(await read([padded])).toMatchObject({ text: 'hello', error: undefined });
    expect(await read(cutAt(padded, [10, 25, 26, 30]))).toMatchObject({ text: 'hello', error: undefined });
  });

  it.each([
    ['text', Buffer.from('not gzip')],
    ['zeros and text', Buffer.concat([Buffer.alloc(40), Buffer.from('x')])],
    ['zeros and a member', Buffer.concat([Buffer.alloc(40_000), gzipSync('lost')])],
    ['half a header', Buffer.of(0x1f)],
  ])('refuses %s behind a member instead of losing it', async (_what, rest) => {
    const { text, error } = await read([gzipSync('hello'), rest]);
    expect(text).toBe('hello');
    expect(error).toMatchObject({ code: 'decode.corruptGzip' });
  });

  it('gives the rows before the end of data that is cut off', async () => {
    const packed = gzipSync(noisyRows(20_000));
    const { rows, error } = await rowsUntilError(packed.subarray(0, packed.length / 2));
    expect(error).toMatchObject({
      code: 'decode.corruptGzip',
      message: expect.stringContaining('not written completely'),
    });
    expect(rows.length).toBeGreaterThan(9000);
    expect(rows.at(-1)).toMatchObject({ n: rows.length - 1 });
  });

  it('gives the rows before damage', async () => {
    const packed = gzipSync(noisyRows(20_000));
    const at = Math.floor(packed.length * 0.8);
    packed.fill(0xff, at, at + 64);
    const { rows, error } = await rowsUntilError(packed);
    expect(error).toMatchObject({ code: 'decode.corruptGzip', message: expect.stringContaining('damaged') });
    expect(rows.length).toBeGreaterThan(14_000);
  });

  it('gives all rows before a checksum that is wrong', async () => {
    const packed = gzipSync('{"a":1}\n{"a":2}\n');
    packed.writeUInt32LE(0, packed.length - 8);
    const { rows, error } = await rowsUntilError(packed);
    expect(rows).toEqual([{ a: 1 }, { a: 2 }]);
    expect(error).toMatchObject({ code: 'decode.corruptGzip' });
  });

  it('takes no half of a row for a whole one when data is cut off', async () => {
    const whole = gzipSync(`{"a":1}\n${noisyRows(1)}`);
    const { rows, bad } = await rowsUntilError(whole.subarray(0, whole.length - 12));
    expect(bad).toEqual([]);
    expect(rows.length).toBeLessThanOrEqual(2);
  });

  it('refuses more output than allowed', async () => {
    const { text, error } = await read([gzipSync(noisyRows(100_000))], { maxOutputBytes: 1_000_000 });
    expect(error).toMatchObject({ code: 'decode.bomb', message: expect.stringContaining('1000000') });
    expect(text.length).toBeLessThanOrEqual(1_000_000);
  });

  it('refuses a ratio beyond what is allowed, but not in small objects', async () => {
    const zeros = gzipSync(Buffer.alloc(4_000_000));
    const strict = { maxRatio: 100, ratioFromBytes: 1_000_000 };
    expect((await read([zeros], strict)).error).toMatchObject({ code: 'decode.bomb' });
    expect((await read([zeros], { ...strict, ratioFromBytes: 5_000_000 })).error).toBeUndefined();
    expect((await read([zeros])).error).toBeUndefined();
  });

  it('throws an error of the input unchanged, after what came before it', async () => {
    const failure = new Error('connection reset');
    const packed = gzipSync(noisyRows(20_000));
    async function* input() {
      yield packed.subarray(0, 100_000);
      throw failure;
    }
    const { items, error } = await untilError((await decompress(input())).bytes);
    expect(error).toBe(failure);
    expect(Buffer.concat(items).length).toBeGreaterThan(100_000);
  });

  it.each([gzipSync(noisyRows(20_000)), Buffer.from(noisyRows(20_000))])(
    'closes the input when the consumer stops',
    async (bytes) => {
      let closed = false;
      async function* input() {
        try {
          yield* cutAt(bytes, [1, 50_000, 100_000]);
          yield* cutAt(bytes, [1, 50_000, 100_000]);
        } finally {
          closed = true;
        }
      }
      for await (const _ of (await decompress(input())).bytes) break;
      expect(closed).toBe(true);
    },
  );

  it('does not take raw deflate for gzip', async () => {
    expect((await read([deflateRawSync('hello')])).compression).toBe('none');
  });
});
