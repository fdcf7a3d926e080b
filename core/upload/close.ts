import { type FileBooks, noCounts, type PartBooks, type UploadCounts } from './books.ts';
import { equalSets, sum } from './row-set.ts';

/** What is known of one upload under its revision, gathered from its items. */
export interface Evidence {
  readonly uploadId: string;
  readonly revision: number;
  readonly part: PartBooks;
  readonly files: readonly FileBooks[];
  /** Export files that Snowflake has loaded completely. */
  readonly loaded: ReadonlySet<string>;
}

/** Row numbers of one upload, listed: what fingerprints cannot tell apart when attempts overlapped. */
export interface ListedRows {
  /** Row number → what normalize says became of it: w written, s stale, c collapsed, x contradiction. */
  readonly accepted: ReadonlyMap<string, string>;
  readonly exported: ReadonlySet<string>;
  /** Row number → the upload whose content it still is. */
  readonly unchanged: ReadonlyMap<string, string>;
}

export interface Verdict {
  readonly uploadId: string;
  readonly counts: UploadCounts;
  /** Every accepted row is accounted for, and nothing contradicts itself. */
  readonly covered: boolean;
  /** Covered, and every export file of the upload is loaded. Closed when those it leans on are, too. */
  readonly loaded: boolean;
  readonly leansOn: readonly string[];
}

/**
 * Compares the books of an upload layer by layer. `listed` is asked for only when counts say that nothing is missing
 * and fingerprints say that something was counted twice; it is as long as the upload.
 */
export async function judge(evidence: Evidence, listed: () => Promise<ListedRows>): Promise<Verdict> {
  const { part, files } = evidence;
  const exported = sum(...files.map((file) => file.exported));
  const unchanged = sum(...files.map((file) => file.unchanged));
  const covering = sum(exported, unchanged, part.stale, part.collapsed);
  const allLoaded = files.every((file) => file.exportFile === '' || evidence.loaded.has(file.exportFile));
  const counted = countsOf(part, {
    exported: exported.count,
    unchanged: unchanged.count,
    loaded: loadedRows(evidence),
  });
  const verdict = { uploadId: evidence.uploadId, counts: counted };
  if (equalSets(covering, part.accepted)) {
    const covered = part.contradictions === 0;
    return { ...verdict, covered, loaded: covered && allLoaded, leansOn: leans(files, evidence.uploadId) };
  }
  if (covering.count < part.accepted.count) return { ...verdict, covered: false, loaded: false, leansOn: [] };
  return judgeListed(evidence, await listed(), allLoaded);
}

/** The exact union, row by row: each accepted row counts once, for the strongest of its explanations. */
function judgeListed(evidence: Evidence, rows: ListedRows, allLoaded: boolean): Verdict {
  const tally = { exported: 0, unchanged: 0, stale: 0, collapsed: 0 };
  const leansOn = new Set<string>();
  let missing = 0;
  for (const [row, outcome] of rows.accepted) {
    const since = rows.unchanged.get(row);
    if (rows.exported.has(row)) tally.exported += 1;
    else if (since !== undefined) {
      tally.unchanged += 1;
      if (since !== evidence.uploadId) leansOn.add(since);
    } else if (outcome === 's') tally.stale += 1;
    else if (outcome === 'c') tally.collapsed += 1;
    else missing += 1;
  }
  const covered =
    missing === 0 && evidence.part.contradictions === 0 && rows.accepted.size === evidence.part.accepted.count;
  const loaded = allLoaded ? tally.exported : Math.min(tally.exported, loadedRows(evidence));
  const counts: UploadCounts = {
    ...countsOf(evidence.part, { exported: tally.exported, unchanged: tally.unchanged, loaded }),
    stale: tally.stale,
    collapsed: tally.collapsed,
  };
  return { uploadId: evidence.uploadId, counts, covered, loaded: covered && allLoaded, leansOn: [...leansOn] };
}

function countsOf(part: PartBooks, of: { exported: number; unchanged: number; loaded: number }): UploadCounts {
  return {
    ...noCounts,
    rowsRead: part.rowsRead,
    dropped: part.rowsDropped,
    quarantined: part.quarantined.count,
    accepted: part.accepted.count,
    collapsed: part.collapsed.count,
    stale: part.stale.count,
    ...of,
  };
}

function loadedRows({ files, loaded }: Evidence): number {
  return files.reduce((rows, file) => rows + (loaded.has(file.exportFile) ? file.exported.count : 0), 0);
}

function leans(files: readonly FileBooks[], uploadId: string): readonly string[] {
  return [...new Set(files.flatMap((file) => Object.keys(file.leansOn)))].filter((each) => each !== uploadId);
}

/**
 * Uploads whose books close: loaded themselves, and leaning only on uploads that close, or that are closed already.
 * Identical uploads that ran side by side may lean on each other, so this is the largest set for which that is true.
 */
export function closing(verdicts: readonly Verdict[], closedBefore: ReadonlySet<string>): ReadonlySet<string> {
  const candidates = new Map(verdicts.filter((each) => each.loaded).map((each) => [each.uploadId, each]));
  for (;;) {
    const open = [...candidates.values()].filter((each) =>
      each.leansOn.some((on) => !candidates.has(on) && !closedBefore.has(on)),
    );
    if (open.length === 0) return new Set(candidates.keys());
    for (const each of open) candidates.delete(each.uploadId);
  }
}
