import type { RowBatch } from '../decode/format.ts';
import { retryable } from '../failure.ts';
import type { RegisteredSource } from '../source/registry.ts';
import { keepsAll } from '../source/source.ts';
import type { Put } from '../table/record-item.ts';
import type { PartBooks } from '../upload/books.ts';
import { contentId } from '../upload/identity.ts';
import type { LandingName } from '../upload/landing-key.ts';
import type { LandingFacts } from '../upload/landing-metadata.ts';
import type { KeysLog } from './keys-log.ts';
import type { Quarantine, Rejected } from './quarantine.ts';
import { collapse, compileRows } from './rows.ts';
import type { NormalizePorts, Opened, Run } from './run.ts';

export type Totals = Pick<PartBooks, 'rowsRead' | 'rowsDropped'>;

/** Time that finishing takes at most: side files, part item and manifest. */
const finishMs = 20_000;

/** Code of an error that says the bytes are at fault, not the way to them. */
export function decodeCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && code.startsWith('decode.') ? code : undefined;
}

/**
 * Takes all batches of an upload through the mapping into the table. One batch is written while the next is decoded:
 * memory stays flat, and the two halves overlap. No write is under way any more when it returns or throws.
 * Throws retryable `normalize.deadline`.
 */
export async function writeRows(
  run: Run,
  opened: Opened,
  ports: NormalizePorts,
  quarantine: Quarantine,
  keys: KeysLog,
): Promise<Totals> {
  const normalize = compileRun(run);
  const totals = { rowsRead: 0, rowsDropped: 0 };
  let after = 0;
  let writing: Promise<void> = Promise.resolve();
  try {
    for await (const batch of opened.batches) {
      const made = normalize(batch);
      totals.rowsRead += made.read;
      totals.rowsDropped += made.dropped;
      after = Math.max(after, positionAfter(batch));
      for (const row of made.rejected) await quarantine.add(row);
      await writing;
      writing = writeBatch(made.puts, run, ports, quarantine, keys);
      // Awaited above or below; until then a failure must not count as unhandled.
      writing.catch(() => {});
      if (ports.remainingMs() < finishMs) {
        const message = `Normalizing ${run.key} did not fit into one invocation. It is tried again from the start.`;
        throw retryable('normalize.deadline', message);
      }
    }
  } catch (error) {
    const unread = unreadRest(error, after);
    if (!unread) {
      await writing.catch(() => {});
      throw error;
    }
    totals.rowsRead += 1;
    await quarantine.add(unread);
  }
  await writing;
  return totals;
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
  const { kept, collapsed } = collapse(puts, config);
  const outcomes = await table.writeRecords(kept, keepsAll(config) && onlyRevision ? 'always' : 'newest');
  await keys.add(kept, outcomes, collapsed);
  for (const [index, { position, output }] of kept.entries()) {
    if (outcomes[index] !== 'refused') continue;
    const message = 'DynamoDB refuses the record as it is: look for an empty name, or an empty key, in it';
    await quarantine.add({ position, output, code: 'record.refused', message, lengthBytes: 0, raw: new Uint8Array() });
  }
}
