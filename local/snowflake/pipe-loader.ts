import type { DuckDBConnection } from '@duckdb/node-api';
import type { Clock } from '../clock.ts';
import { openLoadBooks, type PendingLoad } from './load-books.ts';
import { type LoadPorts, loadFile } from './load-file.ts';
import { stagedObjects } from './pipe-events.ts';

/** The queue that Snowflake owns for auto-ingest. */
export interface NotificationQueue {
  readonly arn: string;
  receive(max: number): readonly { readonly body: string; readonly receiptHandle: string }[];
  remove(receiptHandle: string): void;
  whenAvailable(signal: AbortSignal): Promise<void>;
}

export interface PipeLoader {
  /** Takes everything the queue holds at this moment. */
  drain(): Promise<void>;
  /** Nothing in the queue, nothing waiting, nothing loading. */
  idle(): boolean;
  /** Nothing moves by itself: what is left, if anything, waits for the clock. */
  quiet(): boolean;
  progress(pipe: string): Promise<Readonly<Record<string, unknown>>>;
  close(): Promise<void>;
}

interface LoaderOptions extends LoadPorts {
  readonly queue: NotificationQueue;
}

/** A staged file that could not be read is tried again after this long, on the clock. */
const RETRY_MS = 30_000;

/** Snowpipe: takes announcements from the queue for as long as it is open, and loads one file at a time. */
export async function startPipeLoader(
  connect: () => Promise<DuckDBConnection>,
  options: LoaderOptions,
): Promise<PipeLoader> {
  const { clock, queue, catalogue, quirks } = options;
  // Announcements go on being entered while a file's transaction is open, so they need a connection of their own.
  const [connection, booksConnection] = [await connect(), await connect()];
  const books = await openLoadBooks(booksConnection, catalogue);
  const stop = new AbortController();
  /** Announced, not finished: what idle() waits for, and the oldest of which PIPE_STATUS shows. */
  const open = new Map<number, PendingLoad>();
  const ready: PendingLoad[] = [];
  const last = new Map<string, { readonly path: string; readonly atMs: number }>();
  let entering = 0;
  /** Loads that pause between two transactions. */
  let paused = 0;
  const pausing: Clock = {
    ...clock,
    async sleep(ms, given) {
      paused++;
      await clock.sleep(ms, given);
      paused--;
    },
  };
  let intake: Promise<void> = Promise.resolve();
  let worker: Promise<void> | undefined;

  const schedule = async (load: PendingLoad, delayMs: number) => {
    open.set(load.id, load);
    await clock.sleep(delayMs, { signal: stop.signal });
    if (stop.signal.aborted) return;
    ready.push(load);
    worker ??= work().finally(() => {
      worker = undefined;
    });
  };
  const work = async () => {
    while (ready.length > 0 && !stop.signal.aborted) {
      const [load] = ready.splice(Math.floor((quirks.shuffle?.() ?? 0) * ready.length), 1);
      if (load) await loadOne(load);
    }
  };
  const loadOne = async (load: PendingLoad) => {
    try {
      await loadFile(load, connection, books, { ...options, clock: pausing }, stop.signal);
      last.set(load.pipe, { path: load.fileName, atMs: clock.now() });
      open.delete(load.id);
    } catch (error) {
      if (stop.signal.aborted) return;
      // The file could not be read just now; nothing of it is committed.
      lastFault.set(load.pipe, error instanceof Error ? error.message : String(error));
      void schedule(load, RETRY_MS);
    }
  };
  const lastFault = new Map<string, string>();

  /** Messages leave the queue once their files are in the books. */
  const take = (): boolean => {
    const messages = queue.receive(10);
    if (messages.length === 0) return false;
    entering++;
    intake = intake
      .then(async () => {
        for (const { body, receiptHandle } of messages) {
          for (const object of stagedObjects(body))
            for (const load of await books.enter(object, clock.now())) void schedule(load, quirks.delayMs?.() ?? 0);
          queue.remove(receiptHandle);
        }
      })
      .finally(() => {
        entering--;
      });
    return true;
  };
  const takeAll = () => {
    while (take());
  };
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()));
  const listen = async () => {
    while (!stop.signal.aborted) {
      takeAll();
      await intake;
      await Promise.race([queue.whenAvailable(stop.signal), stopped]);
    }
  };

  for (const load of await books.unfinished()) void schedule(load, 0);
  const listening = listen();
  return {
    async drain() {
      takeAll();
      await intake;
    },
    idle() {
      takeAll();
      return entering === 0 && open.size === 0;
    },
    quiet() {
      takeAll();
      return entering === 0 && (worker === undefined || paused > 0);
    },
    async progress(pipe) {
      const pending = [...open.values()].filter((load) => load.pipe === pipe);
      const oldest = pending[0];
      const ingested = last.get(pipe);
      const fault = lastFault.get(pipe);
      return {
        pendingFileCount: pending.length,
        ...(oldest && {
          oldestPendingFilePath: oldest.fileName,
          oldestFileTimestamp: new Date(oldest.receivedAtMs).toISOString(),
        }),
        ...(ingested && {
          lastIngestedFilePath: ingested.path,
          lastIngestedTimestamp: new Date(ingested.atMs).toISOString(),
        }),
        ...(fault && { fault }),
      };
    },
    async close() {
      stop.abort();
      await Promise.allSettled([listening, intake, worker]);
      for (const each of [connection, booksConnection]) each.closeSync();
    },
  };
}
