/**
 * One standard queue. A message is in exactly one of three places: ready, hidden (received and not yet visible again,
 * or still delayed), or gone. Hidden messages come back by one clock timer per queue, set to the earliest of them and
 * taken back when the last message waiting for it is gone: a queue with nothing pending never holds the clock.
 */
import { randomUUID } from 'node:crypto';
import { ServiceError } from '../aws-json.ts';
import type { Clock } from '../clock.ts';
import type { QueueSettings } from './attributes.ts';
import type { SqsJournal } from './journal.ts';
import type { Delivery, QueuedMessage } from './message.ts';

export interface Queue {
  readonly arn: string;
  settings: QueueSettings;
  readonly createdAt: number;
  add(message: QueuedMessage, delaySeconds: number): void;
  /** Takes back a message that an earlier run left. */
  restore(message: QueuedMessage): void;
  receive(max: number, visibilityTimeoutSeconds?: number): Delivery[];
  remove(receiptHandle: string): void;
  changeVisibility(receiptHandle: string, seconds: number): void;
  whenAvailable(signal: AbortSignal): Promise<void>;
  depth(): { visible: number; inFlight: number; delayed: number };
  purge(): void;
}

/** A standard queue holds this many received, undeleted messages at most (SQS quota). */
const MAX_IN_FLIGHT = 120_000;
/** Longest visibility timeout, in seconds (SQS API, 12 hours). */
const MAX_VISIBILITY_SECONDS = 43_200;

interface Hidden {
  readonly until: number;
  readonly reason: 'inFlight' | 'delayed';
}

/** An empty queue. `bury` takes a message that was received too often; `journal` hears of what comes and goes. */
export function createQueue(
  clock: Clock,
  arn: string,
  initial: QueueSettings,
  bury: (message: QueuedMessage, deadLetterArn: string) => void,
  journal: Pick<SqsJournal, 'add' | 'forget'>,
): Queue {
  const known = new Map<string, QueuedMessage>();
  const ready = new Set<QueuedMessage>();
  const hidden = new Map<QueuedMessage, Hidden>();
  const waiting = new Set<() => void>();
  const timer = createTimer(clock, surfaceDue);

  function makeReady(message: QueuedMessage): void {
    ready.add(message);
    for (const wake of [...waiting]) wake();
  }
  function hide(message: QueuedMessage, until: number, reason: Hidden['reason']): void {
    hidden.set(message, { until, reason });
    timer.add(until);
  }
  function unhide(message: QueuedMessage): void {
    const entry = hidden.get(message);
    if (!entry) return;
    hidden.delete(message);
    timer.remove(entry.until);
  }
  function forget(message: QueuedMessage): void {
    journal.forget(arn, message.id);
    known.delete(message.id);
    ready.delete(message);
    unhide(message);
  }
  function surfaceDue(): void {
    const now = clock.now();
    if ((timer.earliest() ?? Number.POSITIVE_INFINITY) > now) return;
    for (const [message, { until }] of [...hidden]) {
      if (until > now) continue;
      unhide(message);
      makeReady(message);
    }
  }
  function expired(message: QueuedMessage): boolean {
    return message.sentAt + queue.settings.retentionSeconds * 1000 <= clock.now();
  }
  function hasVisible(): boolean {
    surfaceDue();
    for (const message of ready) {
      if (!expired(message)) return true;
      forget(message);
    }
    return false;
  }

  const queue: Queue = {
    arn,
    settings: initial,
    createdAt: clock.now(),
    add(message, delaySeconds) {
      journal.add(arn, message);
      known.set(message.id, message);
      if (delaySeconds > 0) hide(message, clock.now() + delaySeconds * 1000, 'delayed');
      else makeReady(message);
    },
    restore(message) {
      known.set(message.id, message);
      makeReady(message);
    },
    receive(max, visibilityTimeoutSeconds = queue.settings.visibilityTimeoutSeconds) {
      surfaceDue();
      if (hidden.size >= MAX_IN_FLIGHT)
        throw new ServiceError('OverLimit', `${arn}: 120,000 messages are in flight.`, 403);
      const { redrive } = queue.settings;
      const taken: QueuedMessage[] = [];
      for (const message of ready) {
        if (taken.length >= max) break;
        if (expired(message)) forget(message);
        else if (redrive && message.receivedHere >= redrive.maxReceiveCount) {
          // In this order: a process killed in between leaves the message twice, not lost.
          bury(message, redrive.deadLetterArn);
          forget(message);
        } else taken.push(message);
      }
      return taken.map((message) => deliver(message, visibilityTimeoutSeconds));
    },
    remove(receiptHandle) {
      const message = known.get(messageIdOf(arn, receiptHandle));
      if (message) forget(message);
    },
    changeVisibility(receiptHandle, seconds) {
      if (!(seconds >= 0 && seconds <= MAX_VISIBILITY_SECONDS)) {
        throw new ServiceError('InvalidParameterValue', `Value ${seconds} for parameter VisibilityTimeout is invalid.`);
      }
      surfaceDue();
      const message = known.get(messageIdOf(arn, receiptHandle));
      if (!message) {
        const reason = 'Message does not exist or is not available for visibility timeout change.';
        throw new ServiceError(
          'InvalidParameterValue',
          `The receipt handle is of no message in ${arn}. Reason: ${reason}`,
        );
      }
      if (hidden.get(message)?.reason !== 'inFlight') {
        throw new ServiceError('MessageNotInflight', `Message ${message.id} of ${arn} is not in flight.`);
      }
      unhide(message);
      if (seconds > 0) hide(message, clock.now() + seconds * 1000, 'inFlight');
      else makeReady(message);
    },
    whenAvailable(signal) {
      if (signal.aborted || hasVisible()) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = () => {
          waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        waiting.add(wake);
        signal.addEventListener('abort', wake);
      });
    },
    depth() {
      surfaceDue();
      for (const message of [...known.values()]) if (expired(message)) forget(message);
      let delayed = 0;
      for (const { reason } of hidden.values()) if (reason === 'delayed') delayed += 1;
      return { visible: ready.size, inFlight: hidden.size - delayed, delayed };
    },
    purge() {
      for (const message of [...known.values()]) forget(message);
    },
  };

  function deliver(message: QueuedMessage, visibilityTimeoutSeconds: number): Delivery {
    const now = clock.now();
    message.receiveCount += 1;
    message.receivedHere += 1;
    message.firstReceivedAt ??= now;
    if (visibilityTimeoutSeconds > 0) {
      ready.delete(message);
      hide(message, now + visibilityTimeoutSeconds * 1000, 'inFlight');
    }
    const receiptHandle = Buffer.from(`${arn} ${message.id} ${randomUUID()}`).toString('base64');
    return { message: { ...message }, receiptHandle };
  }

  return queue;
}

/** Every handle ever given out for a message stands for it, as on a standard queue. Throws when it is no handle. */
function messageIdOf(arn: string, receiptHandle: string): string {
  const [owner, id] = Buffer.from(receiptHandle, 'base64').toString().split(' ');
  if (owner !== arn || !id) {
    throw new ServiceError('ReceiptHandleIsInvalid', `The receipt handle was not given out by ${arn}.`, 404);
  }
  return id;
}

/** One clock sleep to the earliest of the times that are still waited for. */
function createTimer(clock: Clock, due: () => void) {
  const times = new Map<number, number>();
  let armed: { readonly at: number; readonly cancel: AbortController } | undefined;
  let earliest: number | undefined;

  function arm(): void {
    if (armed?.at === earliest) return;
    armed?.cancel.abort();
    armed = undefined;
    if (earliest === undefined) return;
    const mine = { at: earliest, cancel: new AbortController() };
    armed = mine;
    void clock.sleep(mine.at - clock.now(), { signal: mine.cancel.signal }).then(() => {
      if (armed !== mine) return;
      armed = undefined;
      due();
      arm();
    });
  }
  return {
    earliest: () => earliest,
    add(at: number): void {
      times.set(at, (times.get(at) ?? 0) + 1);
      if (earliest === undefined || at < earliest) earliest = at;
      arm();
    },
    remove(at: number): void {
      const left = (times.get(at) ?? 0) - 1;
      if (left > 0) {
        times.set(at, left);
        return;
      }
      times.delete(at);
      if (at !== earliest) return;
      earliest = undefined;
      for (const each of times.keys()) if (earliest === undefined || each < earliest) earliest = each;
      arm();
    },
  };
}
