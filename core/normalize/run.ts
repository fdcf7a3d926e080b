import { decode } from '../decode/decode.ts';
import { decompress } from '../decode/decompress.ts';
import type { Format, RowBatch } from '../decode/format.ts';
import { sniffFormat } from '../decode/sniff.ts';
import { retryable } from '../failure.ts';
import type { RegisteredSource, Registry } from '../source/registry.ts';
import { registerRevision } from '../source/revision.ts';
import { manifestKey, partKey } from '../table/key.ts';
import type { Table } from '../table/table.ts';
import { type PartBooks, partAttributes } from '../upload/books.ts';
import { contentId } from '../upload/identity.ts';
import { type LandingName, parseLandingKey } from '../upload/landing-key.ts';
import { type LandingFacts, parseLandingMetadata } from '../upload/landing-metadata.ts';
import { noteNormalizing } from '../upload/manifest.ts';
import { RowCounter } from '../upload/row-set.ts';
import { keysPrefix, quarantinePrefix, SideFile, type SideFileStore } from '../upload/side-file.ts';
import { KeysLog } from './keys-log.ts';
import { peek } from './peek.ts';
import { Quarantine } from './quarantine.ts';
import { decodeCode, writeRows } from './write-rows.ts';

/** The landing bucket as normalize sees it. */
export interface LandingStore extends SideFileStore {
  /** Opens a landing object; undefined when it is gone. The body is read once; `discard` whatever is left of it. */
  open(key: string): Promise<LandingObject | undefined>;
}

export interface LandingObject {
  readonly metadata: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
  discard(): void;
}

export interface NormalizePorts {
  readonly registry: Registry;
  readonly table: Table;
  readonly store: LandingStore;
  readonly now: () => number;
  /** Milliseconds left of this invocation. */
  readonly remainingMs: () => number;
}

export type Normalized =
  | { readonly kind: 'normalized'; readonly sourceId: string; readonly uploadId: string; readonly books: PartBooks }
  | { readonly kind: 'rejected'; readonly sourceId: string; readonly uploadId: string; readonly reason: string }
  | { readonly kind: 'already' | 'notLanding' };

/** Only one part until objects are cut. */
const onlyPart = 0;

/**
 * Normalizes the upload that lies under this landing key: decodes, maps and writes it in batches, keeps what does not
 * fit in quarantine, and leaves its books. May run twice and at once: every write is a pure function of the bytes and
 * the revision, and a second worker changes nothing. Memory: a few batches, whatever the object's size.
 * Throws retryable `normalize.deadline`, `normalize.unknownSource`, `normalize.landingGone`.
 */
export async function normalizeLanding(key: string, ports: NormalizePorts): Promise<Normalized> {
  const name = parseLandingKey(key);
  if (!name) return { kind: 'notLanding' };
  const registered = ports.registry.sources.find((each) => each.id === name.sourceId);
  if (!registered) {
    const message = `Normalizing ${key} failed: this build has no source ${name.sourceId}. Deploy it again, or delete the message.`;
    throw retryable('normalize.unknownSource', message);
  }
  const opened = await ports.store.open(key);
  try {
    return await normalizeOpened(key, name, registered, opened, ports);
  } finally {
    opened?.discard();
  }
}

async function normalizeOpened(
  key: string,
  name: LandingName,
  registered: RegisteredSource,
  opened: LandingObject | undefined,
  ports: NormalizePorts,
): Promise<Normalized> {
  const facts = opened && parseLandingMetadata(opened.metadata);
  if (!facts) {
    const why = opened ? 'its metadata is not Firn’s' : 'it is gone';
    throw retryable('normalize.landingGone', `Normalizing ${key} failed: ${why}. Land the object again.`);
  }
  const revision = await registerRevision(ports.table, registered, ports.registry.build);
  const upload = { sourceId: name.sourceId, uploadId: name.uploadId, object: facts.object };
  const started = await noteNormalizing(ports.table, upload, { landingKey: key, revision }, ports.now());
  if (!started) return { kind: 'already' };
  // No worker ever began this upload under another revision: its rows can meet only themselves.
  const onlyRevision = started.firstRevision === revision;
  return run({ key, name, registered, facts, revision, onlyRevision, body: opened.body }, ports);
}

export interface Run {
  readonly key: string;
  readonly name: LandingName;
  readonly registered: RegisteredSource;
  readonly facts: LandingFacts;
  readonly revision: number;
  readonly onlyRevision: boolean;
  readonly body: AsyncIterable<Uint8Array>;
}

async function run(run: Run, ports: NormalizePorts): Promise<Normalized> {
  const { key, name, registered, facts, revision } = run;
  const named = { sourceId: name.sourceId, uploadId: name.uploadId };
  const opened = await openRows(run.body, registered.source.config.format, facts.object.key);
  if ('reason' in opened) {
    await finish(run, ports, { uploadState: 'rejected', stateReason: opened.reason, closed: true });
    return { kind: 'rejected', ...named, reason: opened.reason };
  }
  const quarantined = new RowCounter();
  const quarantineFile = new SideFile(ports.store, quarantinePrefix(name, revision, onlyPart));
  const quarantine = new Quarantine({ ...named, landingKey: key, revision }, quarantineFile, quarantined);
  const keys = new KeysLog(new SideFile(ports.store, keysPrefix(name.uploadId, revision, onlyPart)));
  const totals = await writeRows(run, opened, ports, quarantine, keys);
  const codes = await quarantine.list(ports.table);
  await quarantineFile.close();
  const books: PartBooks = { ...totals, quarantined: quarantined.value(), ...(await keys.close()) };
  await ports.table.put({ ...partKey(name.uploadId, revision, onlyPart), ...partAttributes(books) });
  await finish(run, ports, {
    uploadState: 'normalized',
    closed: false,
    dataFormat: opened.format?.name ?? 'empty',
    compression: opened.compression,
    quarantineCodes: codes,
    contentId: contentId(registered.id, facts.object),
  });
  return { kind: 'normalized', ...named, books };
}

async function finish(run: Run, ports: NormalizePorts, set: Readonly<Record<string, unknown>>): Promise<void> {
  await ports.table.update(manifestKey(run.name.uploadId), {
    set: { ...set, revision: run.revision, changedAtMs: ports.now() },
    // A slower worker must not take back what reconcile, or a later revision, has made of the upload since.
    condition: {
      expression:
        'attribute_not_exists(revision) OR revision < :revision OR (revision = :revision AND uploadState IN (:normalizing, :normalized))',
      values: { ':normalizing': 'normalizing', ':normalized': 'normalized', ':revision': run.revision },
    },
  });
}

export interface Opened {
  readonly format: Format | undefined;
  readonly compression: string;
  readonly batches: AsyncIterable<RowBatch>;
}

/**
 * Opens the decoders, up to the first batch: an object that nothing can be read of is rejected as a whole. `declared`
 * is the format that the source names, if any; the object's name counts where its bytes leave the format open.
 */
export async function openRows(
  body: AsyncIterable<Uint8Array>,
  declared: Format | undefined,
  name: string,
): Promise<Opened | { readonly reason: string }> {
  try {
    const plain = await decompress(body, { name });
    const { head, bytes } = await peek(plain.bytes, 64 * 1024);
    if (head.length === 0) return { format: undefined, compression: plain.compression, batches: noBatches() };
    const format = declared ?? sniffFormat(head, name);
    const { head: first, rest } = await firstOf(decode(bytes, format));
    return { format, compression: plain.compression, batches: chain(first, rest) };
  } catch (error) {
    const code = decodeCode(error);
    if (!code) throw error;
    return { reason: `${code}: ${(error as Error).message}` };
  }
}

async function* noBatches(): AsyncIterable<RowBatch> {}

async function firstOf(batches: AsyncIterable<RowBatch>) {
  const rest = batches[Symbol.asyncIterator]();
  const first = await rest.next();
  return { head: first.done ? undefined : first.value, rest };
}

async function* chain(head: RowBatch | undefined, rest: AsyncIterator<RowBatch>): AsyncIterable<RowBatch> {
  try {
    if (head) yield head;
    for (;;) {
      const next = await rest.next();
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}
