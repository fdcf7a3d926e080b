import { describe, expect, it } from 'vitest';
import { type FileBooks, noCounts, type PartBooks, sumParts } from '../../core/upload/books.ts';
import { closing, type Evidence, judge, type ListedRows, type Verdict } from '../../core/upload/close.ts';
import { emptySet, RowCounter } from '../../core/upload/row-set.ts';

const me = 'upload-a';

function setOf(...positions: readonly number[]) {
  const counter = new RowCounter();
  for (const position of positions) counter.add(position, 0);
  return counter.value();
}

const part = (change: Partial<PartBooks> = {}): PartBooks => ({
  ...sumParts([]),
  rowsRead: 4,
  accepted: setOf(0, 1, 2, 3),
  ...change,
});
const file = (name: string, change: Partial<FileBooks>): FileBooks => ({
  exportFile: name,
  exported: emptySet,
  unchanged: emptySet,
  leansOn: {},
  unchangedFile: '',
  contradictions: 0,
  ...change,
});
const evidence = (change: Partial<Evidence>): Evidence => ({
  uploadId: me,
  revision: 1,
  part: part(),
  files: [],
  loaded: new Set(),
  failed: new Set(),
  ...change,
});
/** Rows that export files hold, all of them in files that are loaded. */
const inFiles = (...rows: readonly number[]) => new Map(rows.map((row) => [String(row), true]));
const notAsked = async (): Promise<ListedRows> => {
  throw new Error('the rows were listed without need');
};
const listed = (change: Partial<ListedRows>) => async (): Promise<ListedRows> => ({
  accepted: new Map([0, 1, 2, 3].map((row) => [String(row), 'w'])),
  exported: new Map(),
  unchanged: new Map(),
  ...change,
});

describe('books whose sets agree', () => {
  const split = evidence({
    part: part({ stale: setOf(2), collapsed: setOf(3) }),
    files: [
      file('f1', { exported: setOf(0) }),
      file('', {
        unchanged: setOf(1),
        leansOn: { 'upload-b#1': 1, 'upload-b#2': 1, [`${me}#1`]: 1 },
        unchangedFile: 'u1',
      }),
    ],
  });

  it('are covered, without looking at any row', async () =>
    expect(await judge(split, notAsked)).toEqual({
      uploadId: me,
      revision: 1,
      covered: true,
      loaded: false,
      leansOn: ['upload-b#1', 'upload-b#2'],
      counts: { ...noCounts, rowsRead: 4, accepted: 4, collapsed: 1, stale: 1, unchanged: 1, exported: 1 },
    }));

  it('are loaded once every export file is', async () => {
    const files = [file('f1', { exported: setOf(0, 1) }), file('f2', { exported: setOf(2, 3) })];
    expect(await judge(evidence({ files, loaded: new Set(['f1']) }), notAsked)).toMatchObject({
      covered: true,
      loaded: false,
      counts: { loaded: 2 },
    });
    expect(await judge(evidence({ files, loaded: new Set(['f1', 'f2']) }), notAsked)).toMatchObject({
      covered: true,
      loaded: true,
      counts: { loaded: 4 },
    });
  });

  it('of an upload without rows are loaded', async () =>
    expect(await judge(evidence({ part: part({ accepted: emptySet }) }), notAsked)).toMatchObject({ loaded: true }));

  const exportedAll = file('f1', { exported: setOf(0, 1, 2, 3) });

  it.each([
    ['a row met one of the same version and other content', { part: part({ contradictions: 1 }) }],
    ['a row replaced one of the same version and other content', { files: [{ ...exportedAll, contradictions: 1 }] }],
  ])('stay open when %s', async (_what, change) =>
    expect(await judge(evidence({ files: [exportedAll], loaded: new Set(['f1']), ...change }), notAsked)).toMatchObject(
      { covered: false, loaded: false },
    ),
  );

  it('lean on an earlier revision of their own upload where rows are unchanged since then', async () => {
    const leaning = file('', { unchanged: setOf(0, 1, 2, 3), leansOn: { [`${me}#1`]: 4 }, unchangedFile: 'u1' });
    const second = evidence({ revision: 2, files: [leaning] });
    expect(await judge(second, notAsked)).toMatchObject({ covered: true, loaded: true, leansOn: [`${me}#1`] });
  });
});

describe('books with fewer rows than were accepted', () => {
  it('are open, without looking at any row', async () =>
    expect(
      await judge(evidence({ files: [file('f1', { exported: setOf(0, 1, 2) })], loaded: new Set(['f1']) }), notAsked),
    ).toMatchObject({ covered: false, loaded: false, leansOn: [], counts: { exported: 3, accepted: 4 } }));
});

describe('books that count a row twice', () => {
  const twice = evidence({
    part: part({ stale: setOf(3) }),
    files: [
      file('f1', { exported: setOf(0, 1, 2) }),
      file('f2', { exported: setOf(2, 3) }),
      file('', { unchanged: setOf(1), leansOn: { 'upload-b#1': 1 }, unchangedFile: 'u1' }),
    ],
    loaded: new Set(['f1', 'f2']),
  });
  const outcomes = (...letters: readonly string[]) => new Map(letters.map((letter, row) => [String(row), letter]));

  it('are covered when the listed rows are, each counted once for its strongest explanation', async () => {
    const unchanged = new Map([['1', 'upload-b#1']]);
    const rows = listed({ accepted: outcomes('w', 'w', 'w', 's'), exported: inFiles(0, 1, 2, 3), unchanged });
    expect(await judge(twice, rows)).toMatchObject({
      covered: true,
      loaded: true,
      leansOn: [],
      counts: { exported: 4, unchanged: 0, stale: 0, collapsed: 0, loaded: 4 },
    });
  });

  it('lean on uploads by the rows that no file exports', async () => {
    const unchanged = new Map([
      ['1', 'upload-b#3'],
      ['0', 'upload-c#1'],
    ]);
    const rows = listed({ accepted: outcomes('w', 'w', 'c', 's'), exported: inFiles(0), unchanged });
    expect(await judge(twice, rows)).toMatchObject({
      covered: true,
      leansOn: ['upload-b#3'],
      counts: { exported: 1, unchanged: 1, stale: 1, collapsed: 1 },
    });
  });

  it('never lean on themselves', async () => {
    const unchanged = new Map([0, 1, 2, 3].map((row) => [String(row), `${me}#1`]));
    expect(await judge(twice, listed({ unchanged }))).toMatchObject({ covered: true, loaded: true, leansOn: [] });
  });

  it('do not hide that another is lost', async () => {
    const files = [file('f1', { exported: setOf(0, 1, 2) }), file('f2', { exported: setOf(2) })];
    const exported = inFiles(0, 1, 2);
    expect(await judge(evidence({ files, loaded: new Set(['f1', 'f2']) }), listed({ exported }))).toMatchObject({
      covered: false,
      loaded: false,
      counts: { exported: 3 },
    });
  });

  it('do not hide a row that met a contradiction', async () => {
    const rows = listed({ accepted: outcomes('w', 'w', 'w', 'x'), exported: inFiles(0, 1, 2) });
    expect(await judge(twice, rows)).toMatchObject({ covered: false, loaded: false });
  });

  it('stay open after a contradiction, even when every row was exported', async () => {
    const contradicted = { ...twice, part: { ...twice.part, contradictions: 1 } };
    expect(await judge(contradicted, listed({ exported: inFiles(0, 1, 2, 3) }))).toMatchObject({
      covered: false,
      loaded: false,
    });
  });

  it('stay open when a list of rows is gone', async () => {
    const rows = listed({ accepted: outcomes('w'), exported: inFiles(0) });
    expect(await judge(twice, rows)).toMatchObject({ covered: false });
  });

  it('wait, without looking at any row, while a file is on its way', async () =>
    expect(await judge({ ...twice, loaded: new Set(['f1']) }, notAsked)).toMatchObject({ covered: false }));

  it('do not need a file that failed when others that are loaded have its rows', async () => {
    const failed = { ...twice, loaded: new Set(['f1']), failed: new Set(['f2']) };
    expect(await judge(failed, listed({ exported: inFiles(0, 1, 2, 3) }))).toMatchObject({ loaded: true });
    const exported = new Map([...inFiles(0, 1, 2), ['3', false] as const]);
    expect(await judge(failed, listed({ exported }))).toMatchObject({
      covered: true,
      loaded: false,
      counts: { exported: 4, loaded: 3 },
    });
  });
});

describe('closing books together', () => {
  const verdict = (uploadId: string, leansOn: readonly string[] = [], loaded = true) =>
    ({ uploadId, revision: 1, leansOn: leansOn.map((on) => `${on}#1`), loaded, covered: true }) as unknown as Verdict;
  const close = (verdicts: readonly Verdict[], before: readonly string[] = []) =>
    [...closing(verdicts, new Set(before.map((on) => `${on}#1`)))].map((run) => run.replace('#1', '')).sort();

  it('closes what is loaded and leans on nothing', () =>
    expect(close([verdict('a'), verdict('b', [], false)])).toEqual(['a']));

  it('closes a chain that ends in closed books, in any order', () => {
    const chain = [verdict('a', ['b']), verdict('b', ['c']), verdict('c', ['old'])];
    expect(close(chain, ['old'])).toEqual(['a', 'b', 'c']);
    expect(close(chain.toReversed(), ['old'])).toEqual(['a', 'b', 'c']);
    expect(close(chain)).toEqual([]);
  });

  it('does not take a later revision of an upload for the one that is leant on', () => {
    const later = { ...verdict('a'), revision: 2 };
    expect(close([later, verdict('b', ['a'])])).toEqual(['a#2']);
  });

  it('closes uploads that lean on each other', () =>
    expect(close([verdict('a', ['b']), verdict('b', ['a']), verdict('c', ['a', 'b'])])).toEqual(['a', 'b', 'c']));

  it('keeps open what leans on a circle that waits for another upload', () => {
    const circle = [verdict('x', ['y', 'z']), verdict('y', ['x']), verdict('z', [], false)];
    expect(close([verdict('v', ['y']), ...circle])).toEqual([]);
    expect(close([verdict('v', ['y']), ...circle.slice(0, 2), verdict('z')])).toEqual(['v', 'x', 'y', 'z']);
  });

  it('keeps a whole circle open when one of it leans on open books', () =>
    expect(close([verdict('a', ['b']), verdict('b', ['a', 'x']), verdict('c')])).toEqual(['c']));

  it('keeps open what leans on an upload that is not loaded, however far away', () =>
    expect(close([verdict('a', ['b']), verdict('b', ['c']), verdict('c', [], false), verdict('d')])).toEqual(['d']));
});
