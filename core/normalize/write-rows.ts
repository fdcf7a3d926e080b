import type { RowBatch } from '../decode/format.ts';
import type { RegisteredSource } from '../source/registry.ts';
import { keepsAll } from '../source/source.ts';
import type { Put } from '../table/record-item.ts';
import type { PartBooks } from '../upload/books.ts';
import { contentId } from '../upload/identity.ts';
import type { LandingName } from '../upload/landing-key.ts';
import type { LandingFacts } from '../upload/landing-metadata.ts';
import type { Progress } from '../upload/parts.ts';
import type { KeysLog } from './keys-log.ts';
import { decodeCode } from './open.ts';
import type { NormalizePorts, Run } from './ports.ts';
import type { Quarantine, Rejected } from './quarantine.ts';
import { collapse, compileRows } from './rows.ts';
import { isOutOfTime, isTimeUp } from './time.ts';

/** How far a turn at a part has come. */
export interface Reached extends Pick<PartBooks, 'rowsRead' | 'rowsDropped'>, Omit<Progress, 'books' | 'stalls'> {
  /** False when time ran out before the part's end. */
  readonly ended: boolean;
}

export interface Log {
  readonly quarantine: Quarantine;
  readonly keys: KeysLog;
  /** Writes a checkpoint. False when the part is another worker's by now: nothing more of it is of use. */
  readonly keep: (reached: Reached) => Promise<boolean>;
}

/** Between two checkpoints: what a worker does again at most that dies without warning. */
const keepEveryMs = 120_000;

/**
 * Takes batches of a part through the mapping into the table, until they or the time of this invocation end, and at
 * least one of them. One batch is written while the next is decoded: memory stays flat, and the two halves overlap. No
 * write is under way any more when it returns or throws.
 *
 * Two workers may both write a row, when one lost its lease without noticing: the two puts are equal to the byte, and
 * what either of them counts is kept only under its own epoch.
 */
export async function writeRows(
  run: Run,
  batches: AsyncIterable<RowBatch>,
  before: Progress,
  ports: NormalizePorts,
  { quarantine, keys, keep }: Log,
): Promise<Reached> {
  const normalize = compileRun(run);
  const { books, stalls: _stalls, ...place } = before;
  const reached = { ...place, rowsRead: books.rowsRead, rowsDropped: books.rowsDropped, ended: false };
  let writing: Promise<void> = Promise.resolve();
  let keepAtMs = ports.now() + keepEveryMs;
  try {
    for await (const batch of batches) {
      const made = normalize(batch);
      reached.rowsRead += made.read;
      reached.rowsDropped += made.dropped;
      reached.afterPosition = Math.max(reached.afterPosition, positionAfter(batch));
      reached.nextPosition = batch.next ?? reached.afterPosition;
      if (batch.columns) reached.columnNames = batch.columns;
      for (const row of made.rejected) await quarantine.add(row);
      await writing;
      writing = writeBatch(made.puts, run, ports, quarantine, keys);
      // Awaited above or below; until then a failure must not count as unhandled.
      writing.catch(() => {});
      if (isTimeUp(ports)) {
        await writing;
        return reached;
      }
      if (ports.now() < keepAtMs) continue;
      await writing;
      if (!(await keep(reached))) return reached;
      keepAtMs = ports.now() + keepEveryMs;
    }
  } catch (error) {
    if (isOutOfTime(error)) {
      await writing;
      return reached;
    }
    await writing.catch(() => {});
    const unread = unreadRest(error, reached.afterPosition);
    if (!unread) throw error;
    reached.rowsRead += 1;
    await quarantine.add(unread);
  }
  await writing;
  return { ...reached, ended: true };
}

/** The first position behind the rows of a batch; 0 behind none. */
export function positionAfter(batch: RowBatch): number {
  return Math.max(batch.positions.at(-1) ?? -1, batch.bad.at(-1)?.position ?? -1) + 1;
}

/**
 * When bytes in the middle of an object cannot be decoded: what follows cannot be read, what came before it is in, and
 * this one row in quarantine stands for the rest. Undefined when the error is not about the bytes.
 */
export function unreadRest(error: unknown, position: number): Rejected | undefined {
  const code = decodeCode(error);
  if (!code) return undefined;
  const message = `${(error as Error).message}: the rest of the object was not read`;
  return { position, output: 0, code, message, lengthBytes: 0, raw: new Uint8Array() };
}

/** Compiles a source for the rows of one upload. */
export function compileRun({
  registered,
  facts,
  revision,
  name,
}: {
  readonly registered: RegisteredSource;
  readonly facts: LandingFacts;
  readonly revision: number;
  readonly name: Pick<LandingName, 'sourceId' | 'uploadId'>;
}): ReturnType<typeof compileRows> {
  const { config } = registered.source;
  const { object } = facts;
  const record = {
    entity: config.entity,
    sourceId: name.sourceId,
    uploadId: name.uploadId,
    contentId: contentId(registered.id, object),
    append: keepsAll(config),
  };
  const lastModified = `${new Date(object.lastModifiedMs).toISOString().slice(0, 19)}Z`;
  const file = { key: object.key, lastModified };
  return compileRows(config, { record, lastModifiedMs: object.lastModifiedMs, revision, file });
}

async function writeBatch(
  puts: readonly Put[],
  { registered, onlyRevision }: Run,
  { table }: NormalizePorts,
  quarantine: Quarantine,
  keys: KeysLog,
): Promise<void> {
  const { config } = registered.source;
  const mode = keepsAll(config) && onlyRevision ? 'always' : 'newest';
  for (let left = puts; left.length > 0; ) {
    const { kept, collapsed } = collapse(left, config);
    const outcomes = await table.writeRecords(kept, mode);
    const refused = kept.filter((_put, index) => outcomes[index] === 'refused');
    const without = new Set(refused.map(({ pk }) => pk));
    await keys.add(
      kept,
      outcomes,
      collapsed.filter(({ pk }) => !without.has(pk)),
    );
    for (const { position, output } of refused) {
      const message = 'DynamoDB refuses the record as it is: look for an empty name, or an empty key, in it';
      const row = { position, output, code: 'record.refused', message, lengthBytes: 0, raw: new Uint8Array() };
      await quarantine.add(row);
    }
    // They gave way to a record that never came to be.
    left = collapsed.filter(({ pk }) => without.has(pk));
  }
}
