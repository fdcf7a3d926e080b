import { mapBounded } from '../bounded.ts';
import { parseExportKey } from '../export/file.ts';
import { retryable } from '../failure.ts';
import type { Registry } from '../source/registry.ts';
import { exportFileKey, manifestKey, uploadsOfDay } from '../table/key.ts';
import type { Item, Table } from '../table/table.ts';
import { closeArchives } from './archive-books.ts';
import { type FileBooks, fileBooks, partBooks, sumParts } from './books.ts';
import { closing as closingRuns, type Evidence, judge, type Leaning, runName, type Verdict } from './close.ts';
import { dayOf } from './landing-key.ts';
import { type ListedRowsStore, listRows } from './listed-rows.ts';
import { collectEvidence, type LoadReport, type Warehouse } from './load-evidence.ts';
import { type Manifest, uploadIdOf } from './manifest.ts';
import { areDone } from './parts.ts';
import { type RedrivePorts, redrive } from './redrive.ts';

export interface ReconcilePorts extends RedrivePorts {
  readonly registry: Registry;
  readonly store: ListedRowsStore;
  /** Undefined without Snowflake credentials. */
  readonly warehouse: Warehouse | undefined;
}

export interface ReconcileReport {
  readonly files: LoadReport;
  readonly closed: number;
  readonly open: number;
  readonly redriven: number;
  readonly failed: number;
  /** Uploads that could not be judged, with why; they stay open. */
  readonly unjudged: readonly { readonly uploadId: string; readonly reason: string }[];
}

/** COPY_HISTORY goes back 14 days, and so does the look for open books. */
export const lookbackDays = 14;
const judgedAtOnce = 16;
/** Rows of one upload that are listed: about 250 bytes each, and an invocation that runs out of memory closes no books. */
const mostListedRows = 3_000_000;
const dayMs = 24 * 60 * 60 * 1000;

/**
 * Closes books: collects load evidence, judges every upload of the last days that is not closed, and sends uploads
 * that got stuck on their way again. One source after the other, so that what is done stays done when time runs out;
 * an upload that cannot be judged keeps no other open. Idempotent; two at once do no harm.
 */
export async function reconcile(ports: ReconcilePorts): Promise<ReconcileReport> {
  const entities = [...new Set(ports.registry.sources.map((each) => each.source.config.entity))];
  let trouble: { readonly error: unknown } | undefined;
  const evidence = collectEvidence(ports.table, ports.warehouse, entities, ports.now(), lookbackDays);
  const files = await evidence.catch((error: unknown): LoadReport => {
    // A warehouse that does not answer must not keep stuck uploads where they are: thrown when all else is done.
    trouble = { error };
    return { verified: 0, failed: [], waiting: 0 };
  });
  const total = { closed: 0, open: 0, redriven: 0, failed: 0 };
  const unjudged: { uploadId: string; reason: string }[] = [];
  for (const { id } of ports.registry.sources) {
    const open = await openUploads(id, ports);
    const closed = (await closeBooks(open, ports, unjudged)) + (await closeArchives(open, ports.table, ports.now()));
    total.closed += closed;
    total.open += open.length - closed;
    for (const manifest of open) {
      const outcome = await redrive(manifest, ports);
      if (outcome) total[outcome] += 1;
    }
  }
  if (trouble) throw trouble.error;
  return { files, ...total, unjudged };
}

async function openUploads(sourceId: string, { table, now }: ReconcilePorts): Promise<readonly Manifest[]> {
  const open: Manifest[] = [];
  for (let back = lookbackDays; back >= 0; back -= 1) {
    for await (const keys of table.queryIndex(uploadsOfDay(sourceId, dayOf(now() - back * dayMs)))) {
      const manifests = (await table.getMany(keys)) as readonly Manifest[];
      open.push(...manifests.filter((each) => each.closed !== true));
    }
  }
  return open;
}

/** Judges the uploads of one source and notes the verdicts; answers how many closed. Unchanged rows lean within a source. */
async function closeBooks(
  open: readonly Manifest[],
  ports: ReconcilePorts,
  unjudged: { uploadId: string; reason: string }[],
): Promise<number> {
  const moving = open.filter((each) => each.uploadState === 'normalized' || each.uploadState === 'exported');
  const oneAtATime = serial();
  const judged = await mapBounded(moving, judgedAtOnce, async (manifest) => {
    try {
      return await judgeUpload(manifest, ports, oneAtATime);
    } catch (error) {
      // Its code or kind only: an error of reading lines may quote them.
      const { code, name } = error as { code?: string; name?: string };
      unjudged.push({ uploadId: uploadIdOf(manifest), reason: code ?? name ?? 'unknown' });
      return undefined;
    }
  });
  const verdicts = judged.filter((each) => each !== undefined);
  const beside = await runsBeside(verdicts, ports.table);
  const closing = closingRuns([...verdicts, ...beside.open], beside.closed);
  const closed = verdicts.filter((verdict) => closing.has(runName(verdict)));
  for (const verdict of verdicts) await noteVerdict(verdict, closed.includes(verdict), ports);
  return closed.length;
}

/** Runs what it is given one after the other: a list of all rows of an upload is as long as the upload. */
function serial(): <T>(run: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const next = last.then(run, run);
    last = next;
    return next;
  };
}

async function judgeUpload(
  manifest: Manifest,
  { table, store }: ReconcilePorts,
  oneAtATime: ReturnType<typeof serial>,
): Promise<Verdict> {
  const uploadId = uploadIdOf(manifest);
  const revision = manifest.revision ?? 0;
  const files = (await allItems(table, manifest.pk, `B#${revision}#`)).map(fileBooks);
  const parts = await allItems(table, manifest.pk, `P#${revision}#`);
  if (!areDone(revision, parts)) {
    throw retryable('books.partsMissing', `${uploadId} is normalized, but items of its parts are missing in the table`);
  }
  const states = await loadStates(exportFilesOf(files), table);
  const inState = (state: string) => new Set([...states].filter(([, each]) => each === state).map(([key]) => key));
  const evidence: Evidence = {
    uploadId,
    revision,
    part: sumParts(parts.map(partBooks)),
    files,
    loaded: inState('loaded'),
    failed: inState('failed'),
  };
  return judge(evidence, () => {
    if (evidence.part.accepted.count > mostListedRows) {
      throw retryable('books.tooManyRows', `listing the rows of ${uploadId} would take more memory than reconcile has`);
    }
    return oneAtATime(() => listRows(evidence, store));
  });
}

function exportFilesOf(files: readonly FileBooks[]): readonly string[] {
  return files.map((file) => file.exportFile).filter((key) => key !== '');
}

async function loadStates(exportFiles: readonly string[], table: Table): Promise<ReadonlyMap<string, string>> {
  const names = exportFiles.map(parseExportKey).filter((name) => name !== undefined);
  const items = await table.getMany(names.map(({ entity, day, load, name }) => exportFileKey(entity, day, load, name)));
  return new Map(items.map((item) => [String(item['exportFile']), String(item['loadState'])]));
}

async function allItems(table: Table, pk: string, sortKeyPrefix: string): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const page of table.query(pk, sortKeyPrefix)) items.push(...page);
  return items;
}

/**
 * The runs that these verdicts lean on, and those lean on in turn, as far as they are not closed: what is loaded of
 * them. Where books are closed already the chain ends, or it would grow with every snapshot.
 */
async function runsBeside(
  verdicts: readonly Verdict[],
  table: Table,
): Promise<{ readonly closed: ReadonlySet<string>; readonly open: readonly Leaning[] }> {
  const seen = new Set(verdicts.map(runName));
  const closed = new Set<string>();
  const open: Leaning[] = [];
  let next = verdicts.flatMap((each) => each.leansOn);
  while (next.length > 0) {
    const fresh = [...new Set(next)].filter((run) => !seen.has(run));
    next = [];
    for (const run of fresh) {
      seen.add(run);
      const found = await runOf(run, table);
      if (found === 'closed') closed.add(run);
      else {
        open.push(found);
        next.push(...found.leansOn);
      }
    }
  }
  return { closed, open };
}

async function runOf(run: string, table: Table): Promise<Leaning | 'closed'> {
  const [uploadId = '', number = ''] = run.split('#');
  const revision = Number(number);
  const manifest = (await table.get(manifestKey(uploadId))) as Manifest | undefined;
  if (manifest?.closed === true && manifest.uploadState === 'loaded' && manifest.revision === revision) return 'closed';
  const files = (await allItems(table, manifestKey(uploadId).pk, `B#${revision}#`)).map(fileBooks);
  const keys = exportFilesOf(files);
  const states = await loadStates(keys, table);
  const loaded = files.length > 0 && keys.every((key) => states.get(key) === 'loaded');
  const leansOn = files.flatMap((file) => Object.keys(file.leansOn)).filter((on) => on !== run);
  return { uploadId, revision, loaded, leansOn };
}

async function noteVerdict(verdict: Verdict, closed: boolean, { table, now }: ReconcilePorts): Promise<void> {
  const uploadState = closed ? 'loaded' : verdict.covered ? 'exported' : 'normalized';
  await table.update(manifestKey(verdict.uploadId), {
    set: { uploadState, closed, counts: verdict.counts, ...(closed ? { closedAtMs: now() } : {}) },
    // A newer revision may have begun since the books were read.
    condition: {
      expression: 'revision = :revision AND uploadState IN (:normalized, :exported)',
      values: { ':revision': verdict.revision, ':normalized': 'normalized', ':exported': 'exported' },
    },
  });
}
