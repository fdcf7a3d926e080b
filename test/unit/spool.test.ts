import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { spooler } from '../../adapters/spool.ts';
import { chunked } from '../support/decoded.ts';

const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith('firn-spool-'));

describe('a spooled stream', () => {
  it('can be read anywhere, and has no name that could be left behind', async () => {
    const bytes = Buffer.from(Array.from({ length: 5000 }, (_, n) => String(n)).join(','));
    const file = await spooler(bytes.length)(chunked([bytes.subarray(0, 7), bytes.subarray(7)]));

    expect(file.sizeBytes).toBe(bytes.length);
    expect(Buffer.from(await file.read(3, 20)).toString()).toBe(bytes.toString('latin1', 3, 20));
    expect(Buffer.from(await file.read(bytes.length - 4, bytes.length)).toString()).toBe('4999');
    expect(await file.read(5, 5)).toHaveLength(0);
    await expect(file.read(bytes.length - 1, bytes.length + 1)).rejects.toThrow('the file ends at');
    expect(left()).toEqual([]);
    await file.discard();
  });

  it('that is larger than the disk is refused, and so is one that cannot be read to its end', async () => {
    const tooLarge = spooler(9)(chunked([Buffer.alloc(5), Buffer.alloc(5)]));
    await expect(tooLarge).rejects.toMatchObject({ code: 'decode.tooLarge' });
    async function* broken() {
      yield Buffer.alloc(5);
      throw new Error('the connection was lost');
    }
    await expect(spooler(9)(broken())).rejects.toThrow('the connection was lost');
    expect(left()).toEqual([]);
  });
});
