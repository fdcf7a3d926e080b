import { type FileBooks, noCounts, type PartBooks, type UploadCounts } from './books.ts';
import { equalSets, sum } from './row-set.ts';

/** What is known of one upload under its revision, gathered from its items. */
export interface Evidence {
  readonly uploadId: string;
  readonly revision: number;
  readonly part: PartBooks;
  /** Its files under this revision. */
  readonly files: readonly FileBooks[];
  /** Export files that Snowflake has loaded completely. */
  readonly loaded: ReadonlySet<string>;
  /** Export files that Snowflake has not loaded and will not: their rows count only if another file has them. */
  readonly failed: ReadonlySet<string>;
}

/** Row numbers of one upload, listed: what fingerprints cannot tell apart when attempts overlapped. */
export interface ListedRows {
  /** Row number → what normalize says became of it: w written, s stale, c collapsed, x contradiction. */
  readonly accepted: ReadonlyMap<string, string>;
  /** Row number → true when a file that has it is loaded. */
  readonly exported: ReadonlyMap<string, boolean>;
  /** Row number → `<uploadId>#<revision>` whose content it still is. */
  readonly unchanged: ReadonlyMap<string, string>;
}

export interface Verdict {
  readonly uploadId: string;
  readonly revision: number;
  readonly counts: UploadCounts;
  /** Every accepted row is accounted for, and nothing contradicts itself. */
  readonly covered: boolean;
  /** Covered, and every exported row is loaded. Closed when the uploads it leans on are, too. */
  readonly loaded: boolean;
  /** Other runs (`<uploadId>#<revision>`) whose content unchanged rows still are. */
  readonly leansOn: readonly string[];
}

/** What is asked of a run by those that lean on it. */
export type Leaning = Pick<Verdict, 'uploadId' | 'revision' | 'loaded' | 'leansOn'>;

/** One upload under one revision, as unchanged rows name it. */
export function runName({ uploadId, revision }: { readonly uploadId: string; readonly revision: number }): string {
  return `${uploadId}#${revision}`;
}

/**
 * Compares the books of an upload layer by layer. `listed` is asked for only when no file is still on its way, counts
 * say that nothing is missing, and fingerprints say that something was counted twice: it is as long as the upload.
 */
export async function judge(evidence: Evidence, listed: () => Promise<ListedRows>): Promise<Verdict> {
  const { part, files, uploadId, revision } = evidence;
  const exported = sum(...files.map((file) => file.exported));
  const unchanged = sum(...files.map((file) => file.unchanged));
  const covering = sum(exported, unchanged, part.stale, part.collapsed);
  const exportFiles = files.map((file) => file.exportFile).filter((key) => key !== '');
  const counted = { exported: exported.count, unchanged: unchanged.count, loaded: loadedRows(evidence) };
  const counts = countsOf(part, counted);
  const verdict = { uploadId, revision, counts, covered: false, loaded: false, leansOn: [] };
  if (equalSets(covering, part.accepted)) {
    const covered = !contradicts(evidence);
    const loaded = covered && exportFiles.every((key) => evidence.loaded.has(key));
    return {
      ...verdict,
      covered,
      loaded,
      leansOn: otherRuns(
        evidence,
        files.flatMap((file) => Object.keys(file.leansOn)),
      ),
    };
  }
  const settled = exportFiles.every((key) => evidence.loaded.has(key) || evidence.failed.has(key));
  if (!settled || covering.count < part.accepted.count) return verdict;
  return judgeListed(evidence, await listed());
}

/** The exact union, row by row: each accepted row counts once, for the strongest of its explanations. */
function judgeListed(evidence: Evidence, rows: ListedRows): Verdict {
  const { uploadId, revision, part } = evidence;
  const tally = { exported: 0, loaded: 0, unchanged: 0, stale: 0, collapsed: 0 };
  const leaning = new Set<string>();
  let missing = 0;
  for (const [row, outcome] of rows.accepted) {
    const loaded = rows.exported.get(row);
    const since = rows.unchanged.get(row);
    if (loaded !== undefined) {
      tally.exported += 1;
      if (loaded) tally.loaded += 1;
    } else if (since !== undefined) {
      tally.unchanged += 1;
      leaning.add(since);
    } else if (outcome === 's') tally.stale += 1;
    else if (outcome === 'c') tally.collapsed += 1;
    else missing += 1;
  }
  const covered = missing === 0 && !contradicts(evidence) && rows.accepted.size === part.accepted.count;
  const loaded = covered && tally.loaded === tally.exported;
  const leansOn = otherRuns(evidence, [...leaning]);
  return { uploadId, revision, counts: { ...countsOf(part, tally), ...tally }, covered, loaded, leansOn };
}

function contradicts({ part, files }: Evidence): boolean {
  return part.contradictions > 0 || files.some((file) => file.contradictions > 0);
}

/** Rows that lean on this very run have what they lean on in its own books. */
function otherRuns(evidence: Evidence, runs: readonly string[]): readonly string[] {
  return [...new Set(runs)].filter((run) => run !== runName(evidence));
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

/**
 * Runs whose books close: loaded themselves, and leaning only on runs that close, or on those that `loadedBefore` names.
 * Identical uploads that ran side by side may lean on each other, so this is the largest set for which that is true.
 */
export function closing(verdicts: readonly Leaning[], loadedBefore: ReadonlySet<string>): ReadonlySet<string> {
  const candidates = new Map(verdicts.filter((each) => each.loaded).map((each) => [runName(each), each]));
  for (;;) {
    const open = [...candidates.values()].filter((each) =>
      each.leansOn.some((on) => !candidates.has(on) && !loadedBefore.has(on)),
    );
    if (open.length === 0) return new Set(candidates.keys());
    for (const each of open) candidates.delete(runName(each));
  }
}
