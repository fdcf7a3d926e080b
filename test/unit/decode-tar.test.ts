import { readFile } from 'node:fs/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArchiveEntry, archiveKind, readArchive } from '../../core/decode/archive.ts';
import { readTar } from '../../core/decode/tar.ts';
import { chunked, cutAt } from '../support/decoded.ts';
import { paxRecord, type TarEntry, tarOf } from '../support/tar.ts';

const fixture = (name: string) => readFile(new URL(`../fixtures/tar/${name}`, import.meta.url));
const fileOf = (bytes: Uint8Array) => ({
  sizeBytes: bytes.length,
  read: async (start: number, end: number) => bytes.subarray(start, end),
});
const kindOf = (bytes: Uint8Array, name = 'x') => archiveKind(async (length) => bytes.subarray(0, length), name);

interface Found {
  readonly path: string;
  readonly isFolder: boolean;
  readonly refusal: string | undefined;
  readonly content: string;
}

async function all(entries: AsyncIterable<ArchiveEntry>): Promise<{ found: Found[]; error: unknown }> {
  const found: Found[] = [];
  try {
    for await (const { path, isFolder, refusal, open } of entries) {
      const chunks: Buffer[] = [];
      for await (const chunk of open()) chunks.push(Buffer.from(chunk));
      found.push({ path, isFolder, refusal, content: Buffer.concat(chunks).toString() });
    }
    return { found, error: undefined };
  } catch (error) {
    return { found, error };
  }
}

const readAll = (bytes: Uint8Array, name = 'x', maxMembers = 1000) =>
  all(readArchive('tar', fileOf(bytes), name, { maxMembers }));
const file = (path: string, content: string): Found => ({ path, isFolder: false, refusal: undefined, content });

const long = `tree/deep/${'n'.repeat(60)}/${'m'.repeat(60)}/long-name-of-a-file.csv`;
const tree = [
  file('tree/a.csv', 'id,total\n1,10\n2,20\n'),
  file('tree/deep/b.csv', 'id,total\n3,30\n'),
  file(long, 'id,total\n4,40\n'),
  file('tree/empty.csv', ''),
  file('tree/größe.csv', 'id,total\n5,50\n'),
];

describe('a tar', () => {
  it.each(['v7.tar.gz', 'ustar.tar.gz', 'gnu.tar.gz', 'posix.tar.gz', 'gnu.tar.bz2', 'gnu.tar.zst', 'bsdtar.tar.gz'])(
    '%s is read as another program wrote it',
    async (name) => {
      const bytes = await fixture(name);
      const { found, error } = await readAll(bytes);

      expect(error).toBeUndefined();
      expect(await kindOf(bytes)).toBe('tar');
      const files = found.filter((each) => !each.isFolder && each.refusal === undefined);
      const expected = name.startsWith('v7') ? tree.filter(({ path }) => path !== long) : tree;
      expect(files.sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual(
        [...expected].sort((a, b) => (a.path < b.path ? -1 : 1)),
      );
      expect(found.filter((each) => each.isFolder).map((each) => each.path)).toContain('tree/');
      expect(found.flatMap((each) => each.refusal ?? []).sort()).toEqual([
        'it is a hard link',
        'it is a symbolic link',
      ]);
    },
  );

  it.each(['sparse-gnu.tar.gz', 'sparse-posix.tar.gz'])('%s has a file with holes, which is refused', async (name) => {
    const { found, error } = await readAll(await fixture(name));

    expect(error).toBeUndefined();
    expect(found.map(({ path, refusal }) => [path, refusal])).toEqual([
      ['sparse', 'it is a sparse file'],
      ['tree/a.csv', undefined],
    ]);
  });

  it('may be several, one behind the other', async () => {
    const { found, error } = await readAll(await fixture('concatenated.tar'));
    expect({ found, error }).toEqual({ found: tree.slice(0, 2), error: undefined });
  });

  it('keeps paths as they are, for others to judge', async () => {
    const { found } = await readAll(await fixture('python.tar.gz'));
    expect(found.map(({ path }) => path)).toEqual(['./a.csv', '../up.csv']);
  });

  it('says by pax how long a file and its path are', async () => {
    const path = `${'é'.repeat(200)}.csv`;
    const header = paxRecord('path', path) + paxRecord('size', '5');
    const bytes = tarOf([
      { path: 'PaxHeader', type: 'x', body: header },
      { path: 'short', body: 'hello', sizeBytes: 0 },
      { path: 'next', body: 'x' },
    ]);
    expect(await readAll(bytes)).toEqual({ found: [file(path, 'hello'), file('next', 'x')], error: undefined });
  });

  it('is read the same however it is cut, and when its entries are not read', async () => {
    const entry: fc.Arbitrary<TarEntry> = fc.record({
      path: fc.stringMatching(/^[a-z]{1,20}$/),
      body: fc.uint8Array({ maxLength: 2000 }),
    });
    const entries = fc.array(entry, { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(entries, fc.array(fc.nat(), { maxLength: 20 }), async (entries, places) => {
        const pieces = () => chunked(cutAt(tarOf(entries), places));
        const { found, error } = await all(readTar(pieces(), 100));
        expect(error).toBeUndefined();
        expect(found.map(({ path, content }) => [path, content])).toEqual(
          entries.map(({ path, body = '' }) => [path, Buffer.from(body).toString()]),
        );
        const unread: string[] = [];
        for await (const { path } of readTar(pieces(), 100)) unread.push(path);
        expect(unread).toEqual(entries.map(({ path }) => path));
      }),
      { numRuns: 60 },
    );
  });

  it('that is cut off anywhere gives what is whole, and says so', async () => {
    const bytes = tarOf([
      { path: 'a', body: 'one' },
      { path: 'b', body: 'x'.repeat(700) },
    ]);
    for (let length = 0; length < bytes.length - 1024; length += 60) {
      const { found, error } = await readAll(bytes.subarray(0, length));
      expect(error).toMatchObject({ code: 'decode.corruptTar', message: expect.stringContaining('end mark') });
      expect(found.length).toBe(length < 515 ? 0 : length < 1536 + 700 ? 1 : 2);
    }
    expect((await readAll(tarOf([{ path: 'a' }], { end: false }))).error).toMatchObject({ code: 'decode.corruptTar' });
  });

  it('that is damaged is never given for whole, and never throws anything else', async () => {
    const whole = await readAll(await fixture('concatenated.tar'));
    const original = await fixture('concatenated.tar');
    await fc.assert(
      fc.asyncProperty(fc.nat(original.length - 1), fc.nat(255), async (at, byte) => {
        const bytes = Buffer.from(original);
        bytes[at] = byte;
        const { found, error } = await readAll(bytes);
        if (error) expect(error).toMatchObject({ code: expect.stringMatching(/^decode\./) });
        else expect(found.length).toBe(whole.found.length);
      }),
      { numRuns: 300 },
    );
  });

  it('has so many members and no more', async () => {
    const bytes = tarOf([{ path: 'a' }, { path: 'b' }, { path: 'c' }]);
    const { found, error } = await readAll(bytes, 'x', 2);
    expect(found.map(({ path }) => path)).toEqual(['a', 'b']);
    expect(error).toMatchObject({ code: 'decode.tooManyMembers' });
  });
});

describe('an archive', () => {
  const tar = tarOf([{ path: 'a.csv', body: 'x'.repeat(100) }]);

  it('is known by its content, compressed or not', async () => {
    expect(await kindOf(tar)).toBe('tar');
    expect(await kindOf(gzipSync(tar), 'rows.csv')).toBe('tar');
    expect(await kindOf(gzipSync(gzipSync(tar)))).toBe('tar');
    expect(await kindOf(brotliCompressSync(tar), 'x.br')).toBe('tar');
    const zip = (name: string) => readFile(new URL(`../fixtures/zip/${name}`, import.meta.url));
    expect(await kindOf(await zip('infozip.zip'), 'rows.csv')).toBe('zip');
    expect(await kindOf(await zip('empty.zip'))).toBe('zip');
  });

  it('is not what only looks so by name, or is other data', async () => {
    const others = ['', 'id,total\n1,2\n', '{"a":1}\n', 'a'.repeat(70_000), 'PK\x03', `${'0'.repeat(600)}\n`];
    for (const each of others) {
      expect(await kindOf(Buffer.from(each), 'x.tar')).toBeUndefined();
      expect(await kindOf(gzipSync(each), 'x.tar.gz')).toBeUndefined();
    }
    expect(await kindOf(Buffer.alloc(100_000))).toBeUndefined();
    expect(await kindOf(Buffer.concat([tar.subarray(0, 200), Buffer.alloc(400)]))).toBeUndefined();
  });

  it('asks for more of the object only where compression gives nothing yet', async () => {
    const asked: number[] = [];
    const kind = (bytes: Uint8Array) =>
      archiveKind(async (length) => {
        asked.push(length);
        return bytes.subarray(0, length);
      }, 'x');
    const noise = Uint8Array.from({ length: 300_000 }, (_, at) => (Math.imul(at, 2654435761) >>> 13) & 255);
    await kind(gzipSync(tarOf([{ path: 'a', body: noise }])));
    expect(asked).toEqual([65536]);
    asked.length = 0;
    const cut = Buffer.alloc(70_000);
    cut.write('BZh91AY&SY', 'latin1');
    await kind(cut);
    expect(asked).toEqual([65536, 1048576]);
  });
});
