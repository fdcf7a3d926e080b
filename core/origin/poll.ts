import { mapBounded } from '../bounded.ts';
import { type BucketNaming, bucketName } from '../source/buckets.ts';
import type { RegisteredSource, Registry } from '../source/registry.ts';
import type { Poll } from '../source/source.ts';
import { pollStateKey } from '../table/key.ts';
import type { Table } from '../table/table.ts';
import { type Held, release, renew, take } from './poll-lease.ts';
import { type SweepPorts, sweep } from './sweep.ts';

export interface PollPorts extends SweepPorts {
  readonly registry: Registry;
  readonly naming: BucketNaming;
  readonly table: Table;
  readonly now: () => number;
  /** Milliseconds this run may still take. */
  readonly remainingMs: () => number;
}

/** What one run did for one source. */
export interface PolledSource {
  readonly sourceId: string;
  readonly listCalls: number;
  /** Objects of the source on the pages of this run. */
  readonly keysSeen: number;
  readonly sent: number;
  /** True when this run came to the end of the listing. */
  readonly finished: boolean;
  readonly dueAtMs: number;
  /** Why it stopped before its time: the source is tried again, the others are not held up. */
  readonly problem?: { readonly code: string; readonly message: string };
}

const pollDefaults = { everyMinutes: 15, listCalls: 100 } as const;
const minuteMs = 60_000;
/** A run begins a little sooner or later than its schedule says; that must not cost a source a whole turn. */
const toleranceMs = minuteMs;
const sourcesAtOnce = 4;
/** A page is listed, sent and kept in far less. */
const pageMs = 60_000;
/** After a problem a source waits this long at most. */
const retryMs = 15 * minuteMs;

/** The settings of a source's poll, with what is not given. `sinceMs` 0: objects of any age. */
function pollSettings(poll: Poll): { everyMs: number; listCalls: number; sinceMs: number } {
  const { everyMinutes, listCalls } = { ...pollDefaults, ...poll };
  return {
    everyMs: everyMinutes * minuteMs,
    listCalls,
    sinceMs: poll.since === undefined ? 0 : Date.parse(poll.since),
  };
}

/**
 * Sweeps every polled source that is due, the longest overdue first, each under its lease and within its LIST calls.
 * A sweep that does not fit goes on where it stopped in the next run. Several runs at once do no harm: a source that
 * another run holds is left to it. Throws only when the states of the sources cannot be read.
 */
export async function pollSources(ports: PollPorts): Promise<readonly PolledSource[]> {
  const polled = ports.registry.sources.filter(({ source }) => source.config.from.poll !== undefined);
  if (polled.length === 0) return [];
  const states = await ports.table.getMany(polled.map(({ id }) => pollStateKey(id)));
  const dueAt = new Map(states.map((state) => [state.pk, Number(state['dueAtMs'] ?? 0)]));
  const dueOf = ({ id }: RegisteredSource) => dueAt.get(pollStateKey(id).pk) ?? 0;
  const due = polled.filter((each) => dueOf(each) - toleranceMs <= ports.now());
  due.sort((a, b) => dueOf(a) - dueOf(b));
  const reports = await mapBounded(due, sourcesAtOnce, (source) => pollOne(source, ports));
  return reports.filter((each) => each !== undefined);
}

/** One source's turn; undefined when another run holds it or no time is left to begin. */
async function pollOne(source: RegisteredSource, ports: PollPorts): Promise<PolledSource | undefined> {
  if (ports.remainingMs() < pageMs) return undefined;
  const { id } = source;
  const done = { listCalls: 0, keysSeen: 0, sent: 0 };
  let held: Held | undefined;
  try {
    held = await take(ports.table, id, ports.now());
    if (!held) return undefined;
    const { finished, dueAtMs } = await turn(source, held, done, ports);
    return { sourceId: id, ...done, finished, dueAtMs };
  } catch (error) {
    const { code = 'unknown', message = String(error) } = error as { code?: string; message?: string };
    const { everyMs } = pollSettings(source.source.config.from.poll ?? {});
    const dueAtMs = ports.now() + Math.min(everyMs, retryMs);
    // When not even this can be written, the lease runs out by itself.
    if (held) await release(ports.table, held, { dueAtMs, pollProblem: message }).catch(() => {});
    return { sourceId: id, ...done, finished: false, dueAtMs, problem: { code, message } };
  }
}

/** Pages until the sweep is finished, the LIST calls are used up, time is short, or the lease went to another run. */
async function turn(
  source: RegisteredSource,
  held: Held,
  done: { listCalls: number; keysSeen: number; sent: number },
  ports: PollPorts,
): Promise<{ finished: boolean; dueAtMs: number }> {
  const { from } = source.source.config;
  const { everyMs, listCalls, sinceMs } = pollSettings(from.poll ?? {});
  const swept = { source, bucket: bucketName(from, ports.naming), sinceMs };
  for await (const step of sweep(swept, held.state, ports)) {
    done.listCalls += 1;
    done.keysSeen += step.keysSeen;
    done.sent += step.sent;
    const nowMs = ports.now();
    if (step.finished) {
      const dueAtMs = Math.max(nowMs, step.state.sweep + everyMs);
      const { sweep: earlierSweep, chunks: earlierChunks } = step.state;
      await release(ports.table, held, { dueAtMs, pollProblem: '', sweep: 0, earlierSweep, earlierChunks });
      return { finished: true, dueAtMs };
    }
    if (!(await renew(ports.table, held, step.state, nowMs))) break;
    if (done.listCalls >= listCalls || ports.remainingMs() < pageMs) {
      await release(ports.table, held, { dueAtMs: nowMs, pollProblem: '' });
      break;
    }
  }
  return { finished: false, dueAtMs: ports.now() };
}
