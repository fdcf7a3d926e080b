import type { RowBatch } from '../decode/format.ts';
import type { PartBooks } from '../upload/books.ts';
import { type Claim, claimPart, keepProgress, type Plan, type Progress, releasePart } from '../upload/parts.ts';
import { keysPrefix, quarantinePrefix, SideFile } from '../upload/side-file.ts';
import { finishIfDone, noteFailed, noteNormalized } from './finish.ts';
import { KeysLog } from './keys-log.ts';
import { factsOf, type Landed } from './landed.ts';
import { workMessage } from './message.ts';
import { isReadInPlace, rowsAt } from './open.ts';
import { placeOf } from './plan.ts';
import type { NormalizePorts, Run } from './ports.ts';
import { Quarantine } from './quarantine.ts';
import { refuseWhenTimeIsUp } from './time.ts';
import { type Reached, writeRows } from './write-rows.ts';

/** What became of a worker's turn at a part. */
export type Turned =
  /** The part is done; `books` are those of all its turns. */
  | { readonly kind: 'normalized'; readonly sourceId: string; readonly uploadId: string; readonly books: PartBooks }
  /** Another turn goes on with it. */
  | { readonly kind: 'continued' | 'postponed'; readonly sourceId: string; readonly uploadId: string }
  | { readonly kind: 'failed'; readonly sourceId: string; readonly uploadId: string; readonly reason: string }
  | { readonly kind: 'already' };

/** Turns one after another that may come no further before a person has to look. */
const mostStalls = 3;

/** When a message comes back whose part another worker took over: by then that one has a lease of its own. */
const takenOverSeconds = 60;
/** The longest delay of a message in SQS. */
const longestDelaySeconds = 900;

/** Takes a part, if it is free, and works on it from where its last checkpoint is. */
export async function takePart(
  landed: Landed,
  run: Pick<Run, 'revision' | 'onlyRevision'>,
  plan: Plan,
  part: number,
  ports: NormalizePorts,
): Promise<Turned> {
  const { revision } = run;
  const { sourceId, uploadId } = landed.name;
  const claim = await claimPart(ports.table, uploadId, plan, { revision, part }, leaseOf(ports));
  if (claim === 'done') {
    await finishIfDone(ports.table, { uploadId, revision }, plan, ports.now());
    return { kind: 'already' };
  }
  if ('busyUntilMs' in claim) {
    // Neither dropped (the other may die, and its message may be this very one) nor failed: it is sent anew, so that
    // waiting for a healthy worker uses up none of its receives.
    await sendAfter(landed.key, { revision, part }, claim.busyUntilMs, ports);
    return { kind: 'postponed', sourceId, uploadId };
  }
  return holding(claim, uploadId, ports, async () => {
    const place = placeOf(plan, claim);
    const isAtEnd = place.from >= plan.sizeBytes;
    const inPlace = isReadInPlace(plan);
    const object = await ports.store.open(landed.key, inPlace && !isAtEnd ? place.from : 0);
    try {
      const facts = factsOf(landed.key, object);
      const onPassed = () => refuseWhenTimeIsUp(ports);
      const rows =
        object === undefined || (inPlace && isAtEnd)
          ? nothing()
          : rowsAt(object, plan, facts.object.key, place, { ...ports, onPassed });
      return await workOn({ ...landed, ...run, facts }, plan, claim, rows, ports);
    } finally {
      object?.discard();
    }
  });
}

async function* nothing(): AsyncIterable<RowBatch> {}

export function leaseOf(ports: NormalizePorts): { readonly nowMs: number; readonly untilMs: number } {
  const nowMs = ports.now();
  return { nowMs, untilMs: nowMs + ports.remainingMs() };
}

/** Does work under a claim. If it throws, the lease is ended, so that the next try need not wait for its end. */
export async function holding<T>(
  claim: Claim,
  uploadId: string,
  { table }: NormalizePorts,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await releasePart(table, uploadId, claim).catch(() => {});
    throw error;
  }
}

/** Works on a part until it is done or the time is up, and leaves its books or a checkpoint. */
export async function workOn(
  run: Run,
  plan: Plan,
  claim: Claim,
  batches: AsyncIterable<RowBatch>,
  ports: NormalizePorts,
): Promise<Turned> {
  const { key, name, revision } = run;
  const { table, store } = ports;
  const named = { sourceId: name.sourceId, uploadId: name.uploadId };
  const { progress: before, part } = claim;
  const upload = { ...named, landingKey: key, revision };
  const quarantineFile = new SideFile(store, quarantinePrefix(name, claim));
  const quarantine = new Quarantine(upload, quarantineFile, before.books, plan.parts);
  const keys = new KeysLog(new SideFile(store, keysPrefix(name.uploadId, claim)), before.books);
  const progressAt = async (reached: Reached): Promise<Progress> => {
    const { rowsRead, rowsDropped } = reached;
    const books = { rowsRead, rowsDropped, ...(await quarantine.flush(table)), ...(await keys.flush()) };
    return { ...placeIn(reached, before), books };
  };
  const { untilMs } = leaseOf(ports);
  const keep = async (reached: Reached) => {
    const progress = await progressAt(reached);
    const kept = { progress, partState: 'running', leaseUntilMs: untilMs, nowMs: ports.now() } as const;
    return keepProgress(table, name.uploadId, claim, kept);
  };
  const reached = await writeRows(run, batches, before, ports, { quarantine, keys, keep });
  const progress = await progressAt(reached);
  const partState = reached.ended ? 'done' : 'running';
  const last = { progress, partState, leaseUntilMs: 0, nowMs: ports.now() } as const;
  if (!(await keepProgress(table, name.uploadId, claim, last))) {
    await sendLater(key, { revision, part }, takenOverSeconds, ports);
    return { kind: 'postponed', ...named };
  }
  if (reached.ended) {
    const runName = { uploadId: name.uploadId, revision };
    const { books } = progress;
    if (plan.parts === 1) await noteNormalized(table, runName, plan, books.quarantineCodes, ports.now());
    else await finishIfDone(table, runName, plan, ports.now());
    return { kind: 'normalized', ...named, books };
  }
  if (progress.stalls < mostStalls) {
    await ports.send([workMessage({ kind: 'part', key, revision, part })]);
    return { kind: 'continued', ...named };
  }
  const reason = stuckReason(key, part, progress);
  await noteFailed(table, { uploadId: name.uploadId, revision }, reason, ports.now());
  return { kind: 'failed', ...named, reason };
}

function placeIn(reached: Reached, before: Progress): Omit<Progress, 'books'> {
  const { nextPosition, afterPosition, columnNames, ended } = reached;
  const moved = ended || nextPosition !== before.nextPosition;
  // A part that is done needs no names, and the item costs by its size.
  return { nextPosition, afterPosition, columnNames: ended ? [] : columnNames, stalls: moved ? 0 : before.stalls + 1 };
}

function stuckReason(key: string, part: number, { nextPosition = 0 }: Progress): string {
  const where = `part ${part} of ${key} came no further than position ${nextPosition} in ${mostStalls} invocations`;
  return `${where}: reading up to there takes all of their time. Deliver the object uncompressed, or in smaller ones`;
}

/** Sends a part anew for when a lease is over. */
export function sendAfter(
  key: string,
  part: { readonly revision: number; readonly part: number },
  leaseUntilMs: number,
  ports: NormalizePorts,
): Promise<void> {
  return sendLater(key, part, Math.ceil((leaseUntilMs - ports.now()) / 1000) + 1, ports);
}

async function sendLater(
  key: string,
  { revision, part }: { readonly revision: number; readonly part: number },
  seconds: number,
  ports: NormalizePorts,
): Promise<void> {
  const message = workMessage({ kind: 'part', key, revision, part });
  await ports.sendLater(message, Math.min(longestDelaySeconds, Math.max(1, seconds)));
}
