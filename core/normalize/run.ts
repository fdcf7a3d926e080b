import { registerRevision } from '../source/revision.ts';
import { keepsAll } from '../source/source.ts';
import { manifestKey, partKey } from '../table/key.ts';
import { contentId } from '../upload/identity.ts';
import { type Manifest, noteNormalizing } from '../upload/manifest.ts';
import { leasedUnderOthers, noteSent, openParts, type Plan, partItems, pinPlan, planOf } from '../upload/parts.ts';
import { finishIfDone, noteFinished } from './finish.ts';
import { factsOf, type Landed, landedAt } from './landed.ts';
import { type Work, workMessage } from './message.ts';
import { type Opened, openRows } from './open.ts';
import { holding, leaseOf, sendAfter, type Turned, takePart, workOn } from './part.ts';
import { firstTurn, planFor } from './plan.ts';
import type { LandingObject, NormalizePorts, Run } from './ports.ts';

export type Normalized =
  | Turned
  /** Cut: messages for its parts are on their way. */
  | { readonly kind: 'planned'; readonly sourceId: string; readonly uploadId: string; readonly parts: number }
  | { readonly kind: 'rejected'; readonly sourceId: string; readonly uploadId: string; readonly reason: string }
  | { readonly kind: 'notLanding' };

/** Does what one message of the normalize queue asks for. */
export function normalize(work: Work, ports: NormalizePorts): Promise<Normalized> {
  return work.kind === 'landed' ? normalizeLanding(work.key, ports) : normalizePart(work, ports);
}

/**
 * Normalizes the upload that lies under this landing key: decodes, maps and writes it in batches, keeps what does not
 * fit in quarantine, and leaves its books. A large object that can be cut is only planned here: its parts are sent as
 * messages of their own. May run twice and at once: every write is a pure function of the bytes and the revision, and
 * of two workers at one part only one counts. Memory: a few batches, whatever the object's size.
 * Throws retryable `normalize.unknownSource`, `normalize.landingGone`, `revision.olderBuild`.
 */
export async function normalizeLanding(key: string, ports: NormalizePorts): Promise<Normalized> {
  const landed = landedAt(key, ports.registry);
  if (!landed) return { kind: 'notLanding' };
  const object = await ports.store.open(key);
  try {
    return await normalizeOpened(landed, object, ports);
  } finally {
    object?.discard();
  }
}

async function normalizeOpened(
  landed: Landed,
  object: LandingObject | undefined,
  ports: NormalizePorts,
): Promise<Normalized> {
  const { key, name, registered } = landed;
  const facts = factsOf(key, object);
  const revision = await registerRevision(ports.table, registered, ports.registry.build);
  const upload = { ...name, parentId: facts.member?.parentId, object: facts.object };
  const started = await noteNormalizing(ports.table, upload, { landingKey: key, revision }, ports.now());
  if (!started || !object) return { kind: 'already' };
  const run: Run = { ...landed, facts, revision, onlyRevision: started.firstRevision === revision };
  if (!run.onlyRevision && keepsAll(registered.source.config)) {
    // They write without conditions, so they would put older rows over those of this revision.
    const leasedUntilMs = await leasedUnderOthers(ports.table, name.uploadId, revision);
    if (leasedUntilMs > ports.now()) {
      await sendAfter(key, { revision, part: 0 }, leasedUntilMs, ports);
      return { kind: 'postponed', sourceId: name.sourceId, uploadId: name.uploadId };
    }
  }
  const opened = await openRows(object, registered.source.config.format, facts.object.key, ports.spool, ports.limits);
  if ('reason' in opened) return reject(run, opened.reason, ports);
  try {
    return await pinAndWork(landed, run, object, opened, ports);
  } finally {
    await opened.close();
  }
}

/** Decides whether the object is cut; works on it if it is not, and if nobody else does. */
async function pinAndWork(
  landed: Landed,
  run: Run,
  object: LandingObject,
  opened: Opened,
  ports: NormalizePorts,
): Promise<Normalized> {
  const { facts, name, registered, revision } = run;
  const found = planFor(opened, object.sizeBytes, ports.partBytes);
  if ('reason' in found) return reject(run, found.reason, ports);
  const plan = { ...found, contentId: contentId(registered.id, facts.object) };
  const runName = { uploadId: name.uploadId, revision };
  const pin = await pinPlan(ports.table, runName, plan, leaseOf(ports));
  if (pin.plan.parts > 1) return sendParts(run, pin, ports);
  // Before the object is opened once more: a temporary file may be as large as the disk.
  if (!pin.pinned) await opened.close();
  if (!pin.pinned) return takePart(landed, run, pin.plan, 0, ports);
  const turn = firstTurn(revision);
  return holding(turn, name.uploadId, ports, () => workOn(run, plan, turn, opened.batches, ports));
}

/**
 * Works on one part of an upload that was cut, or goes on with one that outlived an invocation. When another build
 * has registered a revision since, the upload begins anew under that.
 */
async function normalizePart(work: Extract<Work, { kind: 'part' }>, ports: NormalizePorts): Promise<Normalized> {
  const landed = landedAt(work.key, ports.registry);
  if (!landed) return { kind: 'notLanding' };
  const { uploadId } = landed.name;
  const revision = await registerRevision(ports.table, landed.registered, ports.registry.build);
  const manifest = (await ports.table.get(manifestKey(uploadId))) as Manifest | undefined;
  if (manifest?.revision !== undefined && manifest.revision >= revision) return { kind: 'already' };
  const first = manifest && (await ports.table.get(partKey(uploadId, revision, 0)));
  const plan = first && planOf(first);
  if (!manifest || !plan) return normalizeLanding(work.key, ports);
  if (work.revision !== revision) {
    // Each part of the older revision comes here; only as long as it is not sure that the new ones are sent, each helps.
    // An object that is left whole now has a worker that may die, and this message may be the one it works for.
    if (first['partsSent'] === true) return { kind: 'already' };
    return sendParts({ key: work.key, name: landed.name, revision }, { pinned: false, plan }, ports);
  }
  if (work.part >= plan.parts) return { kind: 'already' };
  const run = { revision, onlyRevision: manifest.firstRevision === revision };
  return takePart(landed, run, plan, work.part, ports);
}

/** Sends a message for each part that is not done: again whenever the upload is announced again, as a redrive does. */
async function sendParts(
  { key, name, revision }: Pick<Run, 'key' | 'name' | 'revision'>,
  { pinned, plan }: { readonly pinned: boolean; readonly plan: Plan },
  ports: NormalizePorts,
): Promise<Normalized> {
  const { sourceId, uploadId } = name;
  const items = pinned ? [] : await partItems(ports.table, uploadId, revision);
  const open = openParts(plan, revision, items);
  if (open.length === 0) {
    await finishIfDone(ports.table, { uploadId, revision }, plan, ports.now());
    return { kind: 'already' };
  }
  await ports.send(open.map((part) => workMessage({ kind: 'part', key, revision, part })));
  await noteSent(ports.table, uploadId, revision);
  return { kind: 'planned', sourceId, uploadId, parts: plan.parts };
}

async function reject(run: Run, reason: string, { table, now }: NormalizePorts): Promise<Normalized> {
  const { sourceId, uploadId } = run.name;
  const end = { uploadState: 'rejected', stateReason: reason, closed: true };
  await noteFinished(table, { uploadId, revision: run.revision }, end, now());
  return { kind: 'rejected', sourceId, uploadId, reason };
}
