import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readMessage } from '../../core/origin/candidate.ts';
import { closeArchives, notedMembers } from '../../core/upload/archive-books.ts';
import { contentId } from '../../core/upload/identity.ts';
import { parseLandingMetadata } from '../../core/upload/landing-metadata.ts';
import type { Manifest } from '../../core/upload/manifest.ts';
import { type Unpacked, unpackArchive } from '../../core/upload/unpack-archive.ts';
import type { UnpackLimits } from '../../core/upload/unpack-passes.ts';
import { type TarEntry, tarOf } from '../support/tar.ts';
import {
  endOf,
  landedMembers,
  manifestOfParent,
  manifests,
  modifiedMs,
  type UnpackWorld,
  unpackWorld,
} from '../support/unpack-world.ts';
import { zipOf } from '../support/zip.ts';

const unpack = (world: UnpackWorld, limits?: Partial<UnpackLimits>) =>
  unpackArchive(world.archiveKey, world.ports(limits));
const zipFixture = (name: string) => readFile(new URL(`../fixtures/zip/${name}`, import.meta.url));

/** Reasons of rejected uploads, by object key. */
const rejections = (world: UnpackWorld) =>
  Object.fromEntries(
    manifests(world)
      .filter((each) => each.uploadState === 'rejected' && each.parentId !== undefined)
      .map((each) => [each.objectKey, each.stateReason?.replace('this member of the archive was not taken: ', '')]),
  );

const rows = (count: number) => Array.from({ length: count }, (_, n) => `{"id":${n}}\n`).join('');
/** One small member, one of several pieces, one without bytes, and one that is not taken. */
const tarEntries: readonly TarEntry[] = [
  { path: 'day/', type: '5' },
  { path: 'day/a.ndjson', body: rows(3) },
  { path: 'day/b.ndjson', body: rows(2000) },
  { path: 'link', type: '2' },
  { path: 'day/c.ndjson', body: '' },
  { path: 'day/d.ndjson', body: rows(1500) },
  { path: 'e.ndjson', body: rows(1) },
];
const archives = {
  tar: () => tarOf(tarEntries),
  'tar.gz': () => gzipSync(tarOf(tarEntries)),
  zip: () =>
    zipOf({
      'day/a.ndjson': rows(3),
      'day/b.ndjson': rows(2000),
      '../up': 'x',
      'day/c.ndjson': '',
      'e.ndjson': rows(1),
    }),
};
const kinds = Object.keys(archives) as (keyof typeof archives)[];
/** So that most members are longer than what is held in memory. */
const tiny = { memberBytes: 100, lanes: 2 };

describe('an archive', () => {
  test.each(kinds)('as %s lands one object a member, with what an upload of its own needs', async (kind) => {
    const world = unpackWorld(archives[kind](), 'in/pack');

    const done = await unpack(world);

    const landed = landedMembers(world);
    expect([...landed.keys()]).toEqual(
      ['day/a', 'day/b', 'day/c', ...(kind === 'zip' ? [] : ['day/d']), 'e'].map((each) => `in/pack/${each}.ndjson`),
    );
    expect(landed.get('in/pack/day/a.ndjson')?.content).toBe(rows(3));
    expect(done).toMatchObject({ kind: 'unpacked', members: landed.size + 1, rejected: 1, fault: '' });
    expect(manifestOfParent(world)).toMatchObject({
      ...{ uploadState: 'unpacked', closed: false, memberCount: landed.size + 1, membersRejected: 1 },
      ...{ landingKey: world.archiveKey, objectKey: 'in/pack' },
    });
    for (const [key, { uploadId, key: landingKey, etag }] of landed) {
      expect(landingKey).toBe(`landing/source=orders/dt=2026-03-01/${uploadId}/${key.split('/').at(-1)}`);
      expect(manifests(world).find((each) => each.pk === `U#${uploadId}`)).toMatchObject({
        ...{ sourceId: 'orders', uploadState: 'landed', landingKey, parentId: world.parentId, etag },
        ...{ bucketName: 'theirs', objectKey: key, lastModifiedMs: modifiedMs },
        gsi1pk: 'UD#orders#2026-03-01',
      });
      const facts = parseLandingMetadata(world.objects.get(landingKey)?.metadata ?? {});
      expect(facts?.member).toMatchObject({ parentId: world.parentId, archiveKey: 'in/pack' });
    }
    const noted = await notedMembers(world.table, world.parentId);
    expect([...noted.values()].map((each) => each.memberState).sort()).toEqual([
      ...[...landed].map(() => 'landed'),
      'rejected',
    ]);
  });

  test.each(kinds)('as %s gives the same, whatever is held in memory', async (kind) => {
    const ends = [];
    for (const limits of [{}, tiny, { memberBytes: 4000, lanes: 1 }]) {
      const world = unpackWorld(archives[kind]());
      await unpack(world, limits);
      ends.push(endOf(world));
    }
    expect(ends[1]).toEqual(ends[0]);
    expect(ends[2]).toEqual(ends[0]);
  });

  test('put again with a member more gives its other members the same content', async () => {
    const first = unpackWorld(archives.tar());
    const second = unpackWorld(tarOf([{ path: 'new', body: 'x' }, ...tarEntries]));
    for (const world of [first, second]) await unpack(world);

    const [before, after] = [landedMembers(first), landedMembers(second)];
    const contentOf = (members: typeof before, key: string) => {
      const { etag = '', content = '' } = members.get(key) ?? {};
      return contentId('orders', { bucket: 'theirs', key, etag, sizeBytes: content.length });
    };
    for (const key of before.keys()) expect(contentOf(after, key)).toBe(contentOf(before, key));
    for (const [key, { uploadId }] of before) expect(after.get(key)?.uploadId).not.toBe(uploadId);
    expect(first.parentId).not.toBe(second.parentId);
  });

  test('may hold equal names in two folders, and the same bytes twice', async () => {
    const world = unpackWorld(zipOf({ 'a/x.csv': 'id\n1\n', 'b/x.csv': 'id\n1\n' }));
    await unpack(world);

    const members = [...landedMembers(world).values()];
    expect(new Set(members.map((each) => each.uploadId)).size).toBe(2);
    const keys = [...landedMembers(world).keys()];
    expect(keys).toEqual(['in/pack.zip/a/x.csv', 'in/pack.zip/b/x.csv']);
  });

  test('holds things that nobody sent: folders, and what macOS adds', async () => {
    const world = unpackWorld(
      zipOf({ 'a/': '', 'a/.DS_Store': 'x', '__MACOSX/a/x': 'x', 'a/._x.csv': 'x', './a//x.csv': 'id\n1\n' }),
    );
    await unpack(world);

    expect([...landedMembers(world).keys()]).toEqual(['in/pack.zip/a/x.csv']);
    expect(manifestOfParent(world)).toMatchObject({ memberCount: 1, membersRejected: 0 });
  });

  test('lands what calls itself a folder and holds data', async () => {
    const world = unpackWorld(zipOf({ 'a/': 'id\n1\n', 'b/': '' }), 'p');
    await unpack(world);

    expect([...landedMembers(world).keys()]).toEqual(['p/a']);
  });

  test('rejects a member alone whose path, kind or content cannot be trusted', async () => {
    const world = unpackWorld(
      tarOf([
        ...['/abs.csv', '../up.csv', 'a/../b.csv', 'C:x.csv', 'a\\b.csv', 'ok.csv'].map((path) => ({
          path,
          body: 'id\n',
        })),
        { path: './ok.csv', body: 'id\n2\n' },
        { path: 'device', type: '3' },
        { path: 'inner.zip', body: zipOf({ a: 'x' }) },
        { path: 'inner.tar.gz', body: gzipSync(tarOf([{ path: 'a', body: 'x'.repeat(600) }])) },
        { path: 'fine.csv.gz', body: gzipSync('id\n1\n') },
      ]),
      'p',
    );
    const done = await unpack(world);

    expect([...landedMembers(world).keys()]).toEqual(['p/fine.csv.gz', 'p/ok.csv']);
    expect(done).toMatchObject({ members: 11, rejected: 9 });
    expect(Object.values(rejections(world)).map((each) => each?.split(',')[0])).toEqual([
      'its path is absolute',
      "its path holds '..'",
      "its path holds '..'",
      'its path begins with a drive',
      'its path holds a backslash',
      'another member before it has the same path',
      'it is a device',
      'it is a zip archive',
      'it is a tar archive',
    ]);
    expect(manifestOfParent(world)).toMatchObject({ uploadState: 'unpacked', stateReason: '' });
  });

  test.each([
    ['encrypted.zip', 'it is encrypted'],
    ['symlink.zip', 'it is a symbolic link or a device'],
    ['lzma.zip', 'decode.unsupportedZip'],
  ])('rejects what %s holds, and says why', async (name, reason) => {
    const world = unpackWorld(await zipFixture(name));
    await unpack(world);

    expect(Object.values(rejections(world)).join()).toContain(reason);
    expect(manifestOfParent(world)).toMatchObject({ uploadState: 'unpacked' });
  });

  test('rejects a member whose path is too long to be kept', async () => {
    const path = `${'x'.repeat(1600)}.csv`;
    const world = unpackWorld(zipOf({ [path]: 'id\n1\n', 'y.csv': 'id\n1\n' }));
    await unpack(world);

    expect([...landedMembers(world).keys()]).toEqual(['in/pack.zip/y.csv']);
    expect(Object.values(rejections(world))).toEqual(['its path is too long to be kept with its copy']);
  });
});

test('an archive of endless paths is rejected by what can be kept of them', async () => {
  const path = (name: string) => `${name}/${'x'.repeat(900_000)}.csv`;
  const named = (name: string): readonly TarEntry[] => [
    { path: '././@LongLink', type: 'L', body: path(name) },
    { path: 'cut', body: 'id\n1\n' },
  ];
  const world = unpackWorld(gzipSync(tarOf([...named('a'), ...named('b'), { path: 'y.csv', body: 'id\n1\n' }])), 'p');
  await unpack(world);

  expect([...landedMembers(world).keys()]).toEqual(['p/y.csv']);
  const rejected = Object.entries(rejections(world));
  expect(rejected.map(([, reason]) => reason)).toEqual(Array(2).fill('its path is too long to be kept with its copy'));
  expect(rejected.map(([key]) => key.slice(0, 5))).toEqual(['p/a/x', 'p/b/x']);
  // DynamoDB takes items of 400 KB.
  for (const item of world.table.items.values()) expect(JSON.stringify(item).length).toBeLessThan(8_000);
});

describe('a damaged archive', () => {
  test.each([{}, tiny])('as tar.gz lands what was whole before the damage, and says so', async (limits) => {
    const bytes = archives['tar.gz']();
    const world = unpackWorld(bytes.subarray(0, bytes.length - 800), 'p');
    const done = await unpack(world, limits);

    const landed = [...landedMembers(world).keys()];
    expect(landed.slice(0, 1)).toEqual(['p/day/a.ndjson']);
    expect(landed).not.toContain('p/e.ndjson');
    expect(done).toMatchObject({ kind: 'unpacked', fault: expect.stringContaining('decode.corruptGzip') });
    expect(manifestOfParent(world)).toMatchObject({
      ...{ uploadState: 'rejected', closed: true, memberCount: expect.any(Number) },
      stateReason: expect.stringMatching(/decode\.corruptGzip: .*; \d of its members landed/),
    });
    expect(await unpack(world, limits)).toEqual({ kind: 'already' });
  });

  test('as zip loses only the damaged member', async () => {
    const bytes = Buffer.from(zipOf({ 'a.csv': 'id\n1\n', 'b.csv': rows(200), 'c.csv': 'id\n3\n' }));
    const at = bytes.indexOf('b.csv') + 60;
    bytes[at] = (bytes[at] as number) ^ 0xff;
    const world = unpackWorld(bytes, 'p');
    await unpack(world);

    expect([...landedMembers(world).keys()]).toEqual(['p/a.csv', 'p/c.csv']);
    expect(rejections(world)).toEqual({ 'p/b.csv': expect.stringContaining('decode.corruptZip') });
    expect(manifestOfParent(world)).toMatchObject({ uploadState: 'unpacked', membersRejected: 1 });
  });

  test('as zip without its directory lands nothing, and says so', async () => {
    const bytes = zipOf({ 'a.csv': 'id\n1\n' });
    const world = unpackWorld(bytes.subarray(0, bytes.length - 30));
    await unpack(world);

    expect(manifestOfParent(world)).toMatchObject({
      ...{ uploadState: 'rejected', closed: true, memberCount: 0 },
      stateReason: expect.stringContaining('decode.corruptZip'),
    });
  });

  test.each([
    ['more members than are taken', { maxMembers: 4 }, 'decode.tooManyMembers'],
    ['more bytes than are taken', { maxBytes: 1000 }, 'decode.bomb'],
    ['far more bytes than it has itself', { maxRatio: 1, ratioFromBytes: 1000 }, 'decode.bomb'],
  ])('with %s lands those before', async (_what, limits, code) => {
    for (const kind of ['tar.gz', 'zip'] as const) {
      const world = unpackWorld(archives[kind](), 'p');
      await unpack(world, limits);

      expect([...landedMembers(world).keys()].slice(0, 1)).toEqual(['p/day/a.ndjson']);
      expect(landedMembers(world).has('p/e.ndjson')).toBe(false);
      expect(manifestOfParent(world)).toMatchObject({
        ...{ uploadState: 'rejected', stateReason: expect.stringContaining(code) },
      });
    }
  });
});

test('an archive with any byte changed ends with books that say what became of it', async () => {
  const originals = kinds.map((kind) => Buffer.from(archives[kind]()));
  const change = fc.record({ which: fc.nat(2), at: fc.nat(), byte: fc.nat(255), cut: fc.nat(40) });
  await fc.assert(
    fc.asyncProperty(change, async ({ which, at, byte, cut }) => {
      const original = originals[which] as Buffer;
      const bytes = Buffer.from(original.subarray(0, original.length - cut));
      bytes[at % bytes.length] = byte;
      const world = unpackWorld(bytes, 'p');
      await unpack(world, tiny);

      const { uploadState, memberCount, stateReason } = manifestOfParent(world) ?? {};
      expect(memberCount).toBeDefined();
      expect(['unpacked', 'rejected']).toContain(uploadState);
      if (uploadState === 'rejected') expect(stateReason).toMatch(/decode\.|no archive/);
      expect(manifests(world).filter((each) => each.parentId !== undefined)).toHaveLength(memberCount ?? -1);
    }),
    { numRuns: 200 },
  );
});

describe('unpacking', () => {
  test('is done once: a message too many changes nothing', async () => {
    const world = unpackWorld(archives.tar());
    await unpack(world);
    const before = endOf(world);

    expect(await unpack(world)).toEqual({ kind: 'already' });
    expect(endOf(world)).toEqual(before);
  });

  test.each(kinds)('%s by two workers at once gives what one gives', async (kind) => {
    const alone = unpackWorld(archives[kind]());
    await unpack(alone, tiny);
    const world = unpackWorld(archives[kind]());
    await Promise.all([unpack(world, tiny), unpack(world, tiny), unpack(world)]);

    expect(endOf(world)).toEqual(endOf(alone));
  });

  test.each(kinds.flatMap((kind) => [[kind, {}] as const, [kind, tiny] as const]))(
    '%s killed after any call and begun again gives what one run gives (%o)',
    async (kind, limits) => {
      const clean = unpackWorld(archives[kind](), 'p', () => {
        calls += 1;
      });
      let calls = 0;
      await unpack(clean, limits);
      const total = calls;
      for (let n = 1; n <= total; n += 1) {
        let left = n;
        const world = unpackWorld(archives[kind](), 'p', () => {
          left -= 1;
          // A dead worker gets nothing done any more.
          if (left <= 0) throw new Error('killed');
        });
        await expect(unpack(world, limits)).rejects.toThrow('killed');
        left = Number.POSITIVE_INFINITY;
        await unpack(world, limits);
        expect(endOf(world), `call ${n} of ${total}`).toEqual(endOf(clean));
      }
      expect(total).toBeGreaterThan(15);
    },
  );

  /** Runs until the queue is empty; each run may read so many times. Answers how many there were. */
  async function inGoes(world: UnpackWorld, reads: number, limits: Partial<UnpackLimits>): Promise<number> {
    let runs = 0;
    let queue = [world.archiveKey];
    for (let key = queue.shift(); key !== undefined; key = queue.shift()) {
      runs += 1;
      if (runs > 100) throw new Error('it never ends');
      let left = reads;
      const remainingMs = () => {
        left -= 1;
        return left >= 0 ? 100_000 : 0;
      };
      const done: Unpacked = await unpackArchive(key, world.ports(limits, { remainingMs }));
      if (done.kind === 'unpacked') return runs;
      queue = world.sent.splice(0).flatMap((body) => {
        const message = readMessage(body);
        return message.kind === 'candidates' ? message.candidates.map((each) => each.key) : [];
      });
    }
    throw new Error('it stopped without an end');
  }

  test('goes on where it stopped, in as many goes as it takes', async () => {
    const alone = unpackWorld(archives.zip());
    await unpack(alone, tiny);
    const world = unpackWorld(archives.zip());
    const runs = await inGoes(world, 3, tiny);

    expect(runs).toBeGreaterThan(1);
    expect(endOf(world)).toEqual(endOf(alone));
  });

  test('goes on with the long members of a tar once their content has a name', async () => {
    // More bytes than one request, so that there are several reads.
    const noise = Uint8Array.from({ length: 3_000_000 }, (_, at) => (Math.imul(at, 2654435761) >>> 13) & 127);
    const bytes = tarOf(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((path) => ({ path, body: noise })));
    const limits = { memberBytes: 100_000 };
    const alone = unpackWorld(bytes);
    await unpack(alone, limits);
    const world = unpackWorld(bytes);
    const runs = await inGoes(world, 3, limits);

    expect(runs).toBeGreaterThan(1);
    expect(endOf(world)).toEqual(endOf(alone));
    expect(landedMembers(world).size).toBe(8);
  });

  test('is tried again when a whole run is too short for anything, and given up the third time', async () => {
    const world = unpackWorld(archives.zip());
    const run = () => unpackArchive(world.archiveKey, world.ports({}, { remainingMs: () => 0 }));

    for (const _ of [1, 2]) await expect(run()).rejects.toMatchObject({ kind: 'retryable', code: 'unpack.noProgress' });
    expect(manifestOfParent(world)).toMatchObject({ uploadState: 'landed', closed: false });
    expect(await run()).toMatchObject({ kind: 'unpacked', fault: expect.stringContaining('too short') });
    expect(manifestOfParent(world)).toMatchObject({ uploadState: 'rejected', closed: true, memberCount: 0 });
    expect(world.sent).toEqual([]);
  });

  test('takes a member that outlived its manifest for what it is', async () => {
    const world = unpackWorld(archives.zip());
    await unpack(world);
    const items = new Map(world.table.items);
    const lost = unpackWorld(archives.zip());
    for (const [key, object] of world.objects) lost.objects.set(key, object);
    await unpack(lost);

    expect(new Map(lost.table.items)).toEqual(items);
  });

  test('leaves alone what is no archive of its own', async () => {
    const world = unpackWorld(archives.zip());
    const key = 'landing/source=orders/dt=2026-03-01/aaaaaaaaaaaaaaaaaaaaaaaaaa/x';
    expect(await unpackArchive(key, world.ports())).toEqual({ kind: 'notArchive' });
    await expect(unpackArchive(world.archiveKey.replace('pack', 'gone'), world.ports())).rejects.toMatchObject({
      code: 'unpack.archiveGone',
    });
  });
});

describe('the books of an archive', () => {
  async function closeMembers(world: UnpackWorld, which: (manifest: Manifest) => boolean): Promise<void> {
    const members = manifests(world).filter((each) => each.parentId !== undefined);
    for (const { pk, sk } of members.filter(which)) {
      await world.table.update({ pk, sk }, { set: { closed: true, uploadState: 'loaded' } });
    }
  }

  test('close when those of all its members are closed, and not before', async () => {
    const world = unpackWorld(archives.zip());
    await unpack(world);

    await closeMembers(world, ({ objectKey }) => !objectKey.endsWith('/e.ndjson'));
    expect(await closeArchives(manifests(world), world.table, modifiedMs)).toBe(0);
    expect(manifestOfParent(world)).toMatchObject({ uploadState: 'unpacked', closed: false });
    await closeMembers(world, () => true);
    expect(await closeArchives(manifests(world), world.table, modifiedMs)).toBe(1);
    expect(manifestOfParent(world)).toMatchObject({ uploadState: 'loaded', closed: true, memberCount: 5 });
    expect(await closeArchives(manifests(world), world.table, modifiedMs)).toBe(0);
  });

  test('close when it has no members', async () => {
    const world = unpackWorld(await zipFixture('empty.zip'));
    await unpack(world);

    expect(await closeArchives(manifests(world), world.table, modifiedMs)).toBe(1);
    expect(manifestOfParent(world)).toMatchObject({ uploadState: 'loaded', memberCount: 0 });
  });
});
