/**
 * What an SQS keeps on disk: its queues, and the messages that are neither deleted nor expired. Who has received what,
 * how often, and what was delayed is forgotten with the process: after a restart every message is new and visible.
 */
import { type Journal, replayJournal, rewriteJournal } from '../journal.ts';
import type { QueuedMessage } from './message.ts';

/** A message as its sender left it. */
export type SentMessage = Omit<QueuedMessage, 'firstReceivedAt' | 'receiveCount' | 'receivedHere'>;

type Change =
  | { readonly do: 'queue'; readonly arn: string; readonly attributes: Readonly<Record<string, string>> }
  | { readonly do: 'drop'; readonly arn: string }
  | { readonly do: 'add'; readonly arn: string; readonly message: SentMessage }
  | { readonly do: 'forget'; readonly arn: string; readonly id: string };

export interface LeftQueue {
  readonly attributes: Readonly<Record<string, string>>;
  readonly messages: ReadonlyMap<string, SentMessage>;
}

/** Told of each change before it is answered. */
export interface SqsJournal {
  queue(arn: string, attributes: Readonly<Record<string, string>>): void;
  drop(arn: string): void;
  add(arn: string, message: QueuedMessage): void;
  forget(arn: string, id: string): void;
  close(): void;
}

/** Keeps nothing. */
export const noJournal: SqsJournal = { queue() {}, drop() {}, add() {}, forget() {}, close() {} };

/** Opens (or makes) the journal, and hands over the queues that an earlier run left, by ARN. */
export function openJournal(path: string): { journal: SqsJournal; left: ReadonlyMap<string, LeftQueue> } {
  const left = replay(path);
  const file = rewriteJournal<Change>(path, changesOf(left));
  return { journal: journalOn(file), left };
}

function replay(path: string): ReadonlyMap<string, LeftQueue> {
  const left = new Map<string, { attributes: Readonly<Record<string, string>>; messages: Map<string, SentMessage> }>();
  replayJournal<Change>(path, 'SQS', (change) => {
    const messages = left.get(change.arn)?.messages ?? new Map<string, SentMessage>();
    if (change.do === 'queue') left.set(change.arn, { attributes: change.attributes, messages });
    else if (change.do === 'drop') left.delete(change.arn);
    else if (change.do === 'add') messages.set(change.message.id, change.message);
    else messages.delete(change.id);
  });
  return left;
}

function* changesOf(left: ReadonlyMap<string, LeftQueue>): Generator<Change> {
  for (const [arn, { attributes, messages }] of left) {
    yield { do: 'queue', arn, attributes };
    for (const message of messages.values()) yield { do: 'add', arn, message };
  }
}

function journalOn(file: Journal<Change>): SqsJournal {
  return {
    queue: (arn, attributes) => file.append({ do: 'queue', arn, attributes }),
    drop: (arn) => file.append({ do: 'drop', arn }),
    add(arn, { firstReceivedAt: _first, receiveCount: _count, receivedHere: _here, ...message }) {
      file.append({ do: 'add', arn, message });
    },
    forget: (arn, id) => file.append({ do: 'forget', arn, id }),
    close: () => file.close(),
  };
}
