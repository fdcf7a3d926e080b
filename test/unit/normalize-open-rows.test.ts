import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { spooler } from '../../adapters/spool.ts';
import { fixedWidth } from '../../core/decode/fixed-width.ts';
import type { Format } from '../../core/decode/format.ts';
import { openRows } from '../../core/normalize/open.ts';
import { objectOf } from '../support/object-bytes.ts';

async function opened(bytes: Uint8Array, name: string, format?: Format) {
  const found = await openRows(objectOf(bytes), format, name, spooler(1_000_000));
  if ('reason' in found) return found;
  const rows: unknown[] = [];
  for await (const batch of found.batches) rows.push(...batch.rows);
  return { format: found.format?.name, compression: found.compression, rows };
}

describe('openRows', () => {
  const text = 'id,town\n1,Évora\n';
  const rows = [['1', 'Évora']];

  it.each([
    ['stock/2026.csv.zst', zstdCompressSync(text), 'zstd'],
    ['stock/2026.csv.br', brotliCompressSync(text), 'brotli'],
    ['stock/2026.csv.gz', gzipSync(gzipSync(text)), 'gzip+gzip'],
    ['stock/2026.csv.gz', Buffer.from(text), 'none'],
  ])('reads %s', async (name, bytes, compression) => {
    expect(await opened(bytes, name)).toEqual({ format: 'csv', compression, rows });
  });

  it('reads lines of fixed width where the source says so', async () => {
    const columns = [
      { name: 'id', width: 3 },
      { name: 'town', width: 7 },
    ];
    const found = await opened(zstdCompressSync('1  Évora  \n'), 'x', fixedWidth({ columns }));
    expect(found).toEqual({ format: 'fixedWidth', compression: 'zstd', rows });
  });

  it.each([
    ['gzip', gzipSync(text).subarray(0, 10), 'decode.corruptGzip'],
    ['zstd', zstdCompressSync(text).subarray(0, 6), 'decode.corruptZstd'],
    ['Brotli', brotliCompressSync(text).subarray(0, 1), 'decode.corruptBrotli'],
    ['four layers', gzipSync(gzipSync(gzipSync(gzipSync(text)))), 'decode.nested'],
  ])('rejects %s of which nothing can be read instead of taking it for an empty object', async (_what, bytes, code) => {
    expect(await opened(bytes, 'x.br')).toEqual({ reason: expect.stringMatching(`^${code}: `) });
  });
});
