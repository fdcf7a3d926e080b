import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { KeysLog } from '../../core/normalize/keys-log.ts';
import type { Put } from '../../core/table/record-item.ts';
import { versionWriter } from '../../core/table/version.ts';
import { noRows, sumParts } from '../../core/upload/books.ts';
import { listRows } from '../../core/upload/listed-rows.ts';
import { RowCounter } from '../../core/upload/row-set.ts';
import { keysPrefix, quarantinePrefix, SideFile, sideFileKey } from '../../core/upload/side-file.ts';

function memoryStore() {
  const objects = new Map<string, Uint8Array>();
  const putObject = async (key: string, body: Uint8Array, contentType: string) => {
    if (contentType !== 'application/gzip') throw new Error(contentType);
    objects.set(key, body);
  };
  return { objects, putObject, texts: () => [...objects].map(([key, body]) => [key, gunzipSync(body).toString()]) };
}

describe('a side file', () => {
  it('holds all lines, each with its end, in one gzip object', async () => {
    const store = memoryStore();
    const file = new SideFile(store, 'keys/a/1/0000');
    for (const line of ['[1]', 'ü', '']) file.add(line);
    expect(await file.flush()).toEqual([{ prefix: 'keys/a/1/0000', files: 1 }]);
    expect(store.texts()).toEqual([['keys/a/1/0000-0000.ndjson.gz', '[1]\nü\n\n']]);
  });

  it('without lines is no object at all', async () => {
    const store = memoryStore();
    expect(await new SideFile(store, 'p').flush()).toEqual([]);
    expect(store.objects.size).toBe(0);
  });

  // Enough text for several objects of several lines each.
  const lines = Array.from({ length: 60 }, (_, n) => String.fromCharCode(65 + n).repeat(450_000 + n));

  async function written(isReady: (line: number) => boolean) {
    const store = memoryStore();
    const file = new SideFile(store, 'p');
    for (const [n, line] of lines.entries()) {
      file.add(line);
      if (isReady(n)) await file.ready();
    }
    expect(await file.flush()).toEqual([{ prefix: 'p', files: store.objects.size }]);
    return store;
  }

  it('is cut into the same objects, byte for byte, whenever they are sent on their way', async () => {
    const never = await written(() => false);
    expect([...never.objects.keys()]).toEqual([...never.objects].map((_, n) => sideFileKey('p', n)));
    expect(never.objects.size).toBeGreaterThan(2);
    expect(never.objects.size).toBeLessThan(lines.length);
    expect(
      never
        .texts()
        .map(([, text]) => text)
        .join(''),
    ).toBe(lines.map((line) => `${line}\n`).join(''));
    for (const isReady of [() => true, (n: number) => n % 3 === 0, (n: number) => n === 45]) {
      expect((await written(isReady)).objects).toEqual(never.objects);
    }
  });

  it('tells of a write that failed, at the latest when it is flushed', async () => {
    const fails = { putObject: () => Promise.reject(new Error('no such bucket')) };
    const file = new SideFile(fails, 'p');
    file.add('x');
    await expect(file.flush()).rejects.toThrow('no such bucket');
    const early = new SideFile(fails, 'p');
    const all = async () => {
      for (const line of lines.slice(0, 25)) {
        early.add(line);
        await early.ready();
      }
      await early.flush();
    };
    await expect(all()).rejects.toThrow('no such bucket');
  });

  it('loses no write from sight when two callers wait for it at once', async () => {
    const putObject = async (key: string) => {
      if (key === sideFileKey('p', 0)) throw new Error('no such bucket');
    };
    const file = new SideFile({ putObject }, 'p');
    const addMany = (from: number) => {
      for (const line of lines.slice(from, from + 30)) file.add(line);
      return file.ready();
    };
    await Promise.allSettled([addMany(0), addMany(30)]);
    await expect(file.flush()).rejects.toThrow('no such bucket');
  });

  it('has keys by upload, revision, part and the epoch of its worker', () => {
    const turn = { revision: 2, part: 1, epoch: 7 };
    expect(sideFileKey(keysPrefix('u', turn), 3)).toBe('keys/u/2/0001-7-0003.ndjson.gz');
    const name = { sourceId: 'orders', day: '2026-03-01', uploadId: 'u' };
    expect(quarantinePrefix(name, turn)).toBe('quarantine/source=orders/dt=2026-03-01/u/2-0001-7');
  });
});

const put = (position: number, output = 0) =>
  ({ pk: `R#order#"${position}"`, sk: 'orders', position, output }) as unknown as Put;

function setOf(...rows: readonly (readonly [number, number])[]) {
  const counter = new RowCounter();
  for (const [position, output] of rows) counter.add(position, output);
  return counter.value();
}

/** Two turns: the second goes on from the books of the first. */
async function keysOf(store: ReturnType<typeof memoryStore>) {
  const prefix = (epoch: number) => keysPrefix('me', { revision: 1, part: 0, epoch });
  const first = new KeysLog(new SideFile(store, prefix(1)), noRows);
  await first.add([put(0), put(10), put(20)], ['written', 'stale', 'contradiction'], [put(5, 2)]);
  const second = new KeysLog(new SideFile(store, prefix(2)), await first.flush());
  // What the table refuses goes to quarantine and is not accepted.
  await second.add([put(30), put(40)], ['written', 'refused'], []);
  return second.flush();
}

describe('the log of keys', () => {
  it('counts what became of each record and lists it with its key', async () => {
    const store = memoryStore();
    expect(await keysOf(store)).toEqual({
      accepted: setOf([0, 0], [10, 0], [20, 0], [5, 2], [30, 0]),
      collapsed: setOf([5, 2]),
      stale: setOf([10, 0]),
      contradictions: 1,
      keyFiles: [
        { prefix: 'keys/me/1/0000-1', files: 1 },
        { prefix: 'keys/me/1/0000-2', files: 1 },
      ],
    });
    const text = store
      .texts()
      .map(([, each]) => each)
      .join('');
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      [0, 0, 'w', 'R#order#"0"', 'orders'],
      [10, 0, 's', 'R#order#"10"', 'orders'],
      [20, 0, 'x', 'R#order#"20"', 'orders'],
      [5, 2, 'c', 'R#order#"5"', 'orders'],
      [30, 0, 'w', 'R#order#"30"', 'orders'],
    ]);
  });
});

describe('the rows of an upload, listed', () => {
  const version = (revision: number) =>
    versionWriter({ lastModifiedMs: 0, uploadId: 'a'.repeat(26), revision })(undefined, 0, 0);
  const line = (UPLOAD_ID: string, revision: number, ROW_NO: string) =>
    JSON.stringify({ UPLOAD_ID, VERSION: version(revision), ROW_NO });
  const gz = (...all: readonly string[]) => gzipSync(`${all.join('\n')}\n`);

  it('are those of this upload under this revision, and say whether a file that has them is loaded', async () => {
    const store = memoryStore();
    // A worker that lost its turn wrote this: the books do not name it.
    await store.putObject('keys/me/1/0000-3-0000.ndjson.gz', gz('[99,0,"w","",""]'), 'application/gzip');
    const part = { ...sumParts([]), ...(await keysOf(store)) };
    const exports = new Map([
      ['f1', gz(line('me', 1, '0'), line('me', 1, '10'), line('other', 1, '30'), line('me', 2, '20'))],
      ['f2', gz(line('me', 1, '0'), line('me', 1, '5.2'))],
      ['u1', gz('["me",1,"30","before#1"]', '["other",1,"0","x#1"]', '["me",2,"0","x#1"]')],
    ]);
    const file = { exported: setOf(), unchanged: setOf(), leansOn: {}, contradictions: 0 };
    const files = [
      { ...file, exportFile: 'f1', unchangedFile: '' },
      { ...file, exportFile: 'f2', unchangedFile: '' },
      { ...file, exportFile: '', unchangedFile: 'u1' },
      { ...file, exportFile: 'gone', unchangedFile: '' },
    ];
    const rows = await listRows(
      { uploadId: 'me', revision: 1, part, files, loaded: new Set(['f2']) },
      { readLanding: async (key) => store.objects.get(key), readExport: async (key) => exports.get(key) },
    );
    expect(Object.fromEntries(rows.accepted)).toEqual({ 0: 'w', 10: 's', 20: 'x', '5.2': 'c', 30: 'w' });
    expect([...rows.exported]).toEqual([
      ['0', true],
      ['10', false],
      ['5.2', true],
    ]);
    expect([...rows.unchanged]).toEqual([['30', 'before#1']]);
  });
});
