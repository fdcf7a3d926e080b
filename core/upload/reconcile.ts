import { mapBounded } from '../bounded.ts';
import { envelope } from '../origin/candidate.ts';
import type { Registry } from '../source/registry.ts';
import { manifestKey, uploadsOfDay } from '../table/key.ts';
import type { Item, Table } from '../table/table.ts';
import { fileBooks, partBooks, sumParts } from './books.ts';
import { closing, type Evidence, judge, type Verdict } from './close.ts';
import { dayOf } from './landing-key.ts';
import { type ListedRowsStore, listRows } from './listed-rows.ts';
import { collectEvidence, type LoadReport, type Warehouse } from './load-evidence.ts';
import { type Manifest, uploadIdOf } from './manifest.ts';

export interface ReconcilePorts {
  readonly registry: Registry;
  readonly table: Table;
  readonly store: ListedRowsStore;
  /** Undefined without Snowflake credentials. */
  readonly warehouse: Warehouse | undefined;
  readonly landingBucket: string;
  readonly sendToCopy: (body: string) => Promise<void>;
  readonly sendToNormalize: (body: string) => Promise<void>;
  readonly now: () => number;
}

export interface ReconcileReport {
  readonly files: LoadReport;
  readonly closed: number;
  readonly open: number;
  readonly redriven: number;
  readonly failed: number;
}

/** COPY_HISTORY goes back 14 days, and so does the look for open books. */
const lookbackDays = 14;
/** A queue message may be invisible for this long while a worker that died held it: longer than any visibility timeout. */
const stuckMs = 2 * 60 * 60 * 1000;
const redrives = 3;
const judgedAtOnce = 16;
const dayMs = 24 * 60 * 60 * 1000;

/**
 * Closes books: collects load evidence, judges every upload of the last days that is not closed, and sends uploads
 * that got stuck on their way again. Idempotent; two at once do no harm.
 */
export async function reconcile(ports: ReconcilePorts): Promise<ReconcileReport> {
  const entities = [...new Set(ports.registry.sources.map((each) => each.source.config.entity))];
  const files = await collectEvidence(ports.table, ports.warehouse, entities, ports.now(), lookbackDays);
  const open = await openUploads(ports);
  const moving = open.filter((each) => each.uploadState === 'normalized' || each.uploadState === 'exported');
  const verdicts = await mapBounded(moving, judgedAtOnce, (manifest) => judgeUpload(manifest, ports));
  const closed = closing(verdicts, await closedAmong(verdicts, ports.table));
  for (const verdict of verdicts) await noteVerdict(verdict, closed.has(verdict.uploadId), ports);
  let redriven = 0;
  let failed = 0;
  for (const manifest of open) {
    const outcome = await redrive(manifest, ports);
    if (outcome === 'redriven') redriven += 1;
    if (outcome === 'failed') failed += 1;
  }
  return { files, closed: closed.size, open: open.length - closed.size, redriven, failed };
}

async function openUploads({ registry, table, now }: ReconcilePorts): Promise<readonly Manifest[]> {
  const open: Manifest[] = [];
  for (const { id } of registry.sources) {
    for (let back = lookbackDays; back >= 0; back -= 1) {
      for await (const keys of table.queryIndex(uploadsOfDay(id, dayOf(now() - back * dayMs)))) {
        const manifests = (await table.getMany(keys)) as readonly Manifest[];
        open.push(...manifests.filter((each) => each.closed !== true));
      }
    }
  }
  return open;
}

async function judgeUpload(manifest: Manifest, { table, store }: ReconcilePorts): Promise<Verdict> {
  const uploadId = uploadIdOf(manifest);
  const revision = manifest.revision ?? 0;
  const all = async (prefix: string) => {
    const items: Item[] = [];
    for await (const page of table.query(manifest.pk, `${prefix}#${revision}#`)) items.push(...page);
    return items;
  };
  const files = (await all('B')).map(fileBooks);
  const evidence: Evidence = {
    uploadId,
    revision,
    part: sumParts((await all('P')).map(partBooks)),
    files,
    loaded: await loadedFiles(
      files.map((file) => file.exportFile).filter((key) => key !== ''),
      table,
    ),
  };
  return judge(evidence, () => listRows(evidence, store));
}

async function loadedFiles(exportFiles: readonly string[], table: Table): Promise<ReadonlySet<string>> {
  const items = await table.getMany(exportFiles.map(exportFileItemKey));
  return new Set(items.filter((item) => item['loadState'] === 'loaded').map((item) => String(item['exportFile'])));
}

/** The key of an export file's item, from the object key: `export/entity=<e>/load=<n>/dt=<day>/<name>.<ext>`. */
function exportFileItemKey(exportFile: string): { pk: string; sk: string } {
  const [, entity, day, name] =
    /^export\/entity=([^/]+)\/load=\d+\/dt=([^/]+)\/(.+)\.ndjson\.gz$/.exec(exportFile) ?? [];
  return { pk: `E#${entity}#${day}`, sk: name ?? '' };
}

async function closedAmong(verdicts: readonly Verdict[], table: Table): Promise<ReadonlySet<string>> {
  const here = new Set(verdicts.map((each) => each.uploadId));
  const elsewhere = [...new Set(verdicts.flatMap((each) => each.leansOn))].filter((each) => !here.has(each));
  const manifests = (await table.getMany(elsewhere.map(manifestKey))) as readonly Manifest[];
  return new Set(manifests.filter((each) => each.closed === true).map(uploadIdOf));
}

async function noteVerdict(verdict: Verdict, closed: boolean, { table, now }: ReconcilePorts): Promise<void> {
  const state = closed ? 'loaded' : verdict.covered ? 'exported' : 'normalized';
  await table.update(manifestKey(verdict.uploadId), {
    set: { uploadState: state, closed, counts: verdict.counts, ...(closed ? { closedAtMs: now() } : {}) },
    condition: {
      expression: 'uploadState IN (:normalized, :exported)',
      values: { ':normalized': 'normalized', ':exported': 'exported' },
    },
  });
}

/** Sends a stuck upload on its way again, a few times; then it is failed, and a person has to look. */
async function redrive(manifest: Manifest, ports: ReconcilePorts): Promise<'redriven' | 'failed' | undefined> {
  const { uploadState, changedAtMs } = manifest;
  const waiting = uploadState === 'seen' || uploadState === 'landed' || uploadState === 'normalizing';
  if (!waiting || ports.now() - changedAtMs < stuckMs) return undefined;
  const before = Number(manifest['redrives'] ?? 0);
  const key = manifestKey(uploadIdOf(manifest));
  const condition = { expression: 'changedAtMs = :then', values: { ':then': changedAtMs } };
  if (before >= redrives) {
    const stateReason = `it stopped while ${uploadState}, and again after each of ${redrives} new tries: look for its message in the dead-letter queue`;
    await ports.table.update(key, { set: { uploadState: 'failed', stateReason, changedAtMs: ports.now() }, condition });
    return 'failed';
  }
  // Sent first: a message too many does no harm, one too few would lose the upload.
  if (uploadState === 'seen' || manifest.landingKey === undefined)
    await ports.sendToCopy(envelope(candidateOf(manifest)));
  else await ports.sendToNormalize(envelope({ bucket: ports.landingBucket, key: manifest.landingKey }));
  await ports.table.update(key, { set: { redrives: before + 1, changedAtMs: ports.now() }, condition });
  return 'redriven';
}

function candidateOf(manifest: Manifest) {
  const { bucketName: bucket, objectKey: key, versionId, etag, sizeBytes, lastModifiedMs } = manifest;
  return { bucket, key, versionId, etag, sizeBytes, lastModifiedMs };
}
