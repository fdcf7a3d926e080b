import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutAt } from '../support/decoded.ts';
import { unpacked } from '../support/unpacked.ts';

const zstd = (bytes: Uint8Array) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });

/** Never begins like compressed data itself. */
const member = fc
  .tuple(fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 1, max: 400 }))
  .map(([raw, times]) => Buffer.concat([Buffer.from('x'), ...Array.from({ length: times }, () => raw)]));
const members = fc.array(member, { minLength: 1, maxLength: 4 });
const skipped = fc
  .tuple(fc.nat(15), fc.nat(200))
  .map(([number, length]) =>
    Buffer.concat([Buffer.of(0x50 + number, 0x2a, 0x4d, 0x18, length, 0, 0, 0), Buffer.alloc(length)]),
  );
const places = fc.array(fc.nat(), { maxLength: 20 });

describe('decompress', () => {
  it('gives what was compressed, however it is cut and in however many members', async () => {
    await fc.assert(
      fc.asyncProperty(members, places, async (all, places) => {
        const packed = Buffer.concat(all.map((each) => gzipSync(each)));
        const found = await unpacked(cutAt(packed, places));
        expect(found).toMatchObject({ compression: 'gzip', error: undefined });
        expect(found.bytes.equals(Buffer.concat(all))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('gives what was compressed in frames of zstd, with or without others between them', async () => {
    await fc.assert(
      fc.asyncProperty(
        members,
        fc.array(fc.option(skipped)),
        fc.boolean(),
        places,
        async (all, between, check, places) => {
          const frames = all.flatMap((each, index) => [
            between[index] ?? Buffer.alloc(0),
            check ? zstd(each) : zstdCompressSync(each),
          ]);
          const found = await unpacked(cutAt(Buffer.concat(frames), places));
          expect(found).toMatchObject({ compression: 'zstd', error: undefined });
          expect(found.bytes.equals(Buffer.concat(all))).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('gives what was compressed in up to three layers of any kind', async () => {
    const packers = { gzip: gzipSync, zstd, brotli: brotliCompressSync };
    const suffixes = { gzip: '.gz', zstd: '.zst', brotli: '.br' };
    const kinds = fc.array(fc.constantFrom('gzip', 'zstd', 'brotli'), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(member, kinds, places, async (bytes, kinds, places) => {
        let packed: Buffer = bytes;
        let name = 'x.csv';
        for (const kind of kinds) {
          packed = packers[kind](packed);
          name += suffixes[kind];
        }
        const found = await unpacked(cutAt(packed, places), { name });
        expect(found).toMatchObject({ compression: kinds.toReversed().join('+') || 'none', error: undefined });
        expect(found.bytes.equals(bytes)).toBe(true);
      }),
      { numRuns: 80 },
    );
  });

  const damage = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.nat(2) });
  const text = Buffer.from(Array.from({ length: 500 }, (_, n) => `{"a":${n * 7919}}\n`).join(''));

  it.each([
    { kind: 'gzip', from: 2, code: 'decode.corruptGzip' },
    { kind: 'zstd', from: 4, code: 'decode.corruptZstd' },
  ])(
    'throws nothing but its own errors for damaged $kind, and never gives it for whole',
    async ({ kind, from, code }) => {
      const whole = kind === 'gzip' ? gzipSync(text) : zstd(text);
      await fc.assert(
        fc.asyncProperty(damage, async ({ at, byte, cut }) => {
          const packed = Buffer.from(whole.subarray(0, whole.length - cut));
          packed[from + (at % (packed.length - from))] = byte;
          const { bytes, error } = await unpacked([packed]);
          if (error) expect(error).toMatchObject({ code });
          else expect(bytes.equals(text)).toBe(true);
        }),
        { numRuns: 300 },
      );
    },
  );

  it('throws nothing but its own errors for anything that is called Brotli, gzip or zstd', async () => {
    const marks = fc.constantFrom(
      [],
      [0x1f, 0x8b],
      [0x1f, 0x8b, 8, 0],
      [0x28, 0xb5, 0x2f, 0xfd],
      [0x52, 0x2a, 0x4d, 0x18],
    );
    await fc.assert(
      fc.asyncProperty(
        marks,
        fc.uint8Array({ maxLength: 100 }),
        fc.constantFrom('x', 'x.br', 'x.gz'),
        async (mark, rest, name) => {
          const bytes = Buffer.from([...mark, ...rest]);
          const { error } = await unpacked([bytes], { name, maxOutputBytes: 20_000_000 });
          const codes = [
            'decode.corruptGzip',
            'decode.corruptZstd',
            'decode.corruptBrotli',
            'decode.nested',
            'decode.bomb',
          ];
          if (error) expect(codes).toContain((error as { code?: unknown }).code);
        },
      ),
      { numRuns: 500 },
    );
  });
});
