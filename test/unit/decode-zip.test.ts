import { readFile } from 'node:fs/promises';
import { crc32, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { listZip, openZipMember, type ZipMember } from '../../core/decode/zip.ts';
import { bytesFile } from '../support/bytes-file.ts';
import { untilError } from '../support/decoded.ts';

const fixture = (name: string) => readFile(new URL(`../fixtures/zip/${name}.zip`, import.meta.url));

async function unzipped(bytes: Uint8Array, limits = {}) {
  const file = bytesFile(bytes);
  const listed = await untilError(listZip(file, limits));
  const members = [];
  for (const member of listed.items) members.push({ ...member, ...(await content(bytes, member)) });
  return { members, error: listed.error };
}

async function content(bytes: Uint8Array, member: ZipMember) {
  const { items, error } = await untilError(openZipMember(bytesFile(bytes), member));
  return { bytes: Buffer.concat(items), error };
}

interface Made {
  readonly name: string;
  readonly data: Buffer;
  readonly crc?: number;
  readonly size?: number;
  readonly headerOffset?: number;
  readonly stored?: boolean;
}

/** A zip as written by hand, with lies where they are asked for. */
function made(...members: readonly Made[]): Buffer {
  const parts: Buffer[] = [];
  const entries: Buffer[] = [];
  let at = 0;
  for (const { name, data, crc = crc32(data), size = data.length, headerOffset = at, stored = false } of members) {
    const packed = stored ? data : deflateRawSync(data);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    parts.push(local, Buffer.from(name), packed);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(stored ? 0 : 8, 10);
    entry.writeUInt32LE(crc, 16);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(size, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(headerOffset, 42);
    entries.push(entry, Buffer.from(name));
    at += 30 + name.length + packed.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(members.length % 0x10000, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, directory, end]);
}

describe('listZip', () => {
  it.each(['infozip', 'prefixed', 'bsdtar', '7zip'])('lists folders and files of %s', async (name) => {
    const { members, error } = await unzipped(await fixture(name));

    expect(error).toBeUndefined();
    const other = members.find(({ path }) => path === 'dir/sub/other.csv');
    expect(other).toMatchObject({ bytes: Buffer.from('a,b\n1,2\n'), sizeBytes: 8, error: undefined, isFolder: false });
    expect(members.find(({ path }) => path === 'dir/sub/')?.isFolder).toBe(true);
    expect(members.map(({ ordinal }) => ordinal)).toEqual(members.map((_, index) => index));
    expect(members.every(({ error }) => error === undefined)).toBe(true);
  });

  it.each(['stored', 'streamed', 'zip64', 'comment', 'python-descriptors', 'symlink'])(
    'reads %s whole',
    async (name) => {
      const { members, error } = await unzipped(await fixture(name));

      expect(error).toBeUndefined();
      expect(members.length).toBeGreaterThan(0);
      for (const member of members) {
        expect(member.error).toBeUndefined();
        expect(member.bytes.length).toBe(member.sizeBytes);
        expect(crc32(member.bytes)).toBe(member.crc32);
      }
    },
  );

  it('gives names as they stand, in UTF-8 or code page 437, judging none', async () => {
    const names = async (name: string) => (await unzipped(await fixture(name))).members.map(({ path }) => path);

    expect(await names('cp437-name')).toEqual(['café.csv']);
    expect(await names('unicode-name')).toEqual(['zażółć.csv']);
    expect(await names('python-duplicates')).toEqual(['a.csv', 'a.csv', '../up.csv', '/abs.csv', 'C:\\x\\y.csv']);
  });

  it('tells a symbolic link from a file', async () => {
    const { members } = await unzipped(await fixture('symlink'));

    expect(members.map(({ path, isSpecial }) => [path, isSpecial])).toEqual([
      ['small.csv', false],
      ['link', true],
    ]);
  });

  it('has nothing to give for an empty archive', async () => {
    expect(await unzipped(await fixture('empty'))).toEqual({ members: [], error: undefined });
  });

  it('takes an archive without zip64 that has more than 65,535 members, and stops at the limit', async () => {
    const bytes = made(...Array.from({ length: 70_000 }, () => ({ name: 'x', data: Buffer.from('1'), stored: true })));
    const count = async (limits: object) => {
      const { items, error } = await untilError(listZip(bytesFile(bytes), limits));
      return { count: items.length, error };
    };

    expect(await count({ maxMembers: 70_000 })).toEqual({ count: 70_000, error: undefined });
    expect(await count({})).toMatchObject({ count: 10_000, error: { code: 'decode.tooManyMembers' } });
  });

  it('reads the directory of many members in few requests', async () => {
    const file = bytesFile(made(...Array.from({ length: 5000 }, (_, n) => ({ name: `${n}`, data: Buffer.from('1') }))));

    const { items } = await untilError(listZip(file));

    expect(items).toHaveLength(5000);
    expect(file.reads.length).toBeLessThan(4);
  });

  it.each([
    { what: 'the same data twice', offset: 0 },
    { what: 'data that begins inside another', offset: 40 },
  ])('refuses members that give $what', async ({ offset }) => {
    const data = Buffer.from(Array.from({ length: 500 }, (_, index) => (index * index) & 0xff));
    const bytes = made({ name: 'a', data }, { name: 'b', data, headerOffset: offset });

    const { error } = await unzipped(bytes);

    expect(error).toMatchObject({ code: 'decode.corruptZip', message: expect.stringContaining('shares bytes') });
  });

  it('takes members whose directory is in another order than their data', async () => {
    const each = 30 + 1 + 1;
    const places = [each * 2, 0, each];
    const bytes = made(
      ...places.map((headerOffset) => ({ name: 'a', data: Buffer.from('1'), stored: true, headerOffset })),
    );

    expect((await untilError(listZip(bytesFile(bytes)))).error).toBeUndefined();
  });

  it.each(['volume'])('refuses one volume of several', async (name) => {
    const { error } = await unzipped(await fixture(name));

    expect(error).toMatchObject({ code: 'decode.unsupportedZip' });
  });

  it('refuses an archive wherever it is cut off', async () => {
    const bytes = await fixture('infozip');

    for (let length = 0; length < bytes.length; length += 61) {
      const { error } = await unzipped(bytes.subarray(0, length));
      expect(error).toMatchObject({ code: 'decode.corruptZip' });
    }
  });
});

describe('an archive of more than 4 GiB', () => {
  const far = 6 * 1024 ** 3;
  const data = Buffer.from('a,b\n1,2\n');

  /** A member behind 6 GiB of others, as zip64 says where: only what is around it exists. */
  function distant() {
    const [local, directory] = [made({ name: 'x', data, stored: true }), Buffer.alloc(46 + 1 + 28)];
    const head = local.subarray(0, 31 + data.length);
    directory.writeUInt32LE(0x02014b50, 0);
    directory.writeUInt32LE(crc32(data), 16);
    directory.fill(0xff, 20, 28);
    directory.writeUInt16LE(1, 28);
    directory.writeUInt16LE(28, 30);
    directory.fill(0xff, 42, 46);
    directory.write('x', 46);
    directory.writeUInt16LE(1, 47);
    directory.writeUInt16LE(24, 49);
    for (const [index, value] of [data.length, data.length, far].entries()) {
      directory.writeBigUInt64LE(BigInt(value), 51 + 8 * index);
    }
    const end64 = Buffer.alloc(56 + 20);
    const start = far + head.length;
    end64.writeUInt32LE(0x06064b50, 0);
    end64.writeBigUInt64LE(1n, 32);
    end64.writeBigUInt64LE(BigInt(directory.length), 40);
    end64.writeBigUInt64LE(BigInt(start), 48);
    end64.writeUInt32LE(0x07064b50, 56);
    end64.writeBigUInt64LE(BigInt(start + directory.length), 64);
    const end = Buffer.alloc(22, 0xff);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(0, 20);
    const tail = bytesFile(Buffer.concat([Buffer.alloc(200_000), head, directory, end64, end]));
    const shift = far - 200_000;
    return {
      sizeBytes: tail.sizeBytes + shift,
      read: (from: number, until: number) => tail.read(from - shift, until - shift),
    };
  }

  it('is read where zip64 says', async () => {
    const file = distant();

    const { items, error } = await untilError(listZip(file));

    expect(error).toBeUndefined();
    expect(items).toMatchObject([{ path: 'x', sizeBytes: data.length, headerOffset: far }]);
    const found = await untilError(openZipMember(file, items[0] as ZipMember));
    expect([Buffer.concat(found.items).toString(), found.error]).toEqual([data.toString(), undefined]);
  });
});

describe('openZipMember', () => {
  it('stops a member that expands to more than its size', async () => {
    const { members } = await unzipped(made({ name: 'bomb', data: Buffer.alloc(5_000_000), size: 1000 }));

    expect(members[0]?.bytes.length).toBeLessThanOrEqual(1000);
    expect(members[0]?.error).toMatchObject({ code: 'decode.corruptZip' });
  });

  it.each([
    { what: 'another CRC', lie: { crc: 1 } },
    { what: 'a size beyond the data', lie: { size: 9 } },
    { what: 'another CRC, stored', lie: { crc: 1, stored: true } },
  ])('tells damage by $what', async ({ lie }) => {
    const { members } = await unzipped(made({ name: 'x', data: Buffer.from('a,b\n1,2\n'), ...lie }));

    expect(members[0]).toMatchObject({ bytes: Buffer.from('a,b\n1,2\n'), error: { code: 'decode.corruptZip' } });
  });

  it.each([
    { name: 'encrypted', words: 'encrypted' },
    { name: 'aes', words: 'encrypted' },
    { name: 'bzip2', words: 'bzip2 (method 12)' },
    { name: 'deflate64', words: 'Deflate64 (method 9)' },
    { name: 'lzma', words: 'LZMA (method 14)' },
  ])('refuses $name and says what it is', async ({ name, words }) => {
    const { members } = await unzipped(await fixture(name));

    expect(members[0]?.error).toMatchObject({
      code: 'decode.unsupportedZip',
      message: expect.stringContaining(words),
    });
  });

  it('reads a large stored member in ranges and stops reading when nobody asks on', async () => {
    const data = Buffer.alloc(8_000_000, 'x');
    const bytes = made({ name: 'x', data, stored: true });
    const file = bytesFile(bytes);
    const [member] = (await untilError(listZip(file))).items;

    for await (const chunk of openZipMember(file, member as ZipMember)) {
      expect(chunk.length).toBeLessThanOrEqual(1024 * 1024);
      break;
    }

    const read = file.reads.reduce((sum, [start, end]) => sum + end - start, 0);
    expect(read).toBeLessThan(3_000_000);
    expect((await content(bytes, member as ZipMember)).bytes.equals(data)).toBe(true);
  });

  it('gives much from little in small pieces', async () => {
    const file = bytesFile(await fixture('zeros'));
    const [member] = (await untilError(listZip(file))).items;

    let length = 0;
    for await (const chunk of openZipMember(file, member as ZipMember)) {
      expect(chunk.length).toBeLessThanOrEqual(256 * 1024);
      length += chunk.length;
    }

    expect(length).toBe(20_000_000);
  });

  it('passes errors of the file on unchanged', async () => {
    const bytes = await fixture('infozip');
    const [member] = (await untilError(listZip(bytesFile(bytes)))).items;
    const gone = new Error('gone');
    const file = { sizeBytes: bytes.length, read: () => Promise.reject(gone) };

    expect((await untilError(openZipMember(file, member as ZipMember))).error).toBe(gone);
    expect((await untilError(listZip(file))).error).toBe(gone);
  });
});
