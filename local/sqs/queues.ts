/** All queues of one local SQS, by ARN: making, finding, redrive between them. The API and the port both stand on it. */
import { randomUUID } from 'node:crypto';
import { ServiceError } from '../aws-json.ts';
import type { Clock } from '../clock.ts';
import {
  applyAttributes,
  defaultSettings,
  MAX_MESSAGE_BYTES,
  type QueueSettings,
  settingAttributes,
} from './attributes.ts';
import { type MessageAttributes, messageBytes } from './checksum.ts';
import { type LeftQueue, noJournal, type SqsJournal } from './journal.ts';
import type { QueuedMessage } from './message.ts';
import { createQueue, type Queue } from './queue.ts';

export interface NewMessage {
  readonly body: string;
  readonly attributes?: MessageAttributes;
  /** Seconds, 0..900; the queue's own delay when absent. */
  readonly delaySeconds?: number | undefined;
  readonly groupId?: string | undefined;
  readonly senderId: string;
}

export interface Queues {
  readonly byArn: ReadonlyMap<string, Queue>;
  arnOf(name: string, accountId?: string): string;
  /** Throws QueueDoesNotExist. */
  find(arn: string): Queue;
  /** Makes a queue, or finds it when it exists with the same settings. Throws QueueNameExists. */
  make(arn: string, attributes: Readonly<Record<string, string>>): Queue;
  change(queue: Queue, attributes: Readonly<Record<string, string>>): void;
  drop(arn: string): void;
  /** Puts a message and returns its id. */
  send(queue: Queue, message: NewMessage): string;
}

/** Everything that XML 1.0 does not allow in text, which SQS does not allow in a message either. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the rule is about control characters.
const FORBIDDEN_TEXT = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uD800-\uDFFF\uFFFE\uFFFF]/u;

export interface QueuesOptions {
  readonly clock: Clock;
  readonly region: string;
  readonly accountId: string;
  readonly journal?: SqsJournal | undefined;
  /** What an earlier run left, by ARN. */
  readonly left?: ReadonlyMap<string, LeftQueue> | undefined;
}

/** The queues that an earlier run left, if any. */
export function createQueues({ clock, region, accountId, journal = noJournal, left }: QueuesOptions): Queues {
  const byArn = new Map<string, Queue>();
  const open = (arn: string, settings: QueueSettings) => {
    const bury = (message: QueuedMessage, deadLetterArn: string) =>
      queues.find(deadLetterArn).add({ ...message, receivedHere: 0, deadLetterSource: arn }, 0);
    const queue = createQueue(clock, arn, settings, bury, journal);
    byArn.set(arn, queue);
    return queue;
  };
  const queues: Queues = {
    byArn,
    arnOf: (name, owner = accountId) => `arn:aws:sqs:${region}:${owner}:${name}`,
    find(arn) {
      const queue = byArn.get(arn);
      if (queue) return queue;
      throw new ServiceError('QueueDoesNotExist', `The specified queue does not exist: ${arn}. Create it first.`);
    },
    make(arn, attributes) {
      checkName(arn);
      const settings = applyAttributes(defaultSettings, attributes);
      checkRedrive(byArn, settings);
      const existing = byArn.get(arn);
      if (existing && !sameSettings(existing.settings, attributes)) {
        const message = `A queue already exists with the same name and a different value for an attribute: ${arn}.`;
        throw new ServiceError('QueueNameExists', message);
      }
      if (existing) return existing;
      journal.queue(arn, settingAttributes(settings));
      return open(arn, settings);
    },
    change(queue, attributes) {
      const settings = applyAttributes(queue.settings, attributes);
      checkRedrive(byArn, settings);
      journal.queue(queue.arn, settingAttributes(settings));
      queue.settings = settings;
    },
    drop(arn) {
      queues.find(arn).purge();
      journal.drop(arn);
      byArn.delete(arn);
    },
    send(queue, message) {
      checkMessage(queue, message);
      const id = randomUUID();
      queue.add(
        {
          id,
          body: message.body,
          attributes: message.attributes ?? {},
          senderId: message.senderId,
          groupId: message.groupId,
          sentAt: clock.now(),
          firstReceivedAt: undefined,
          receiveCount: 0,
          receivedHere: 0,
          deadLetterSource: undefined,
        },
        message.delaySeconds ?? queue.settings.delaySeconds,
      );
      return id;
    },
  };
  const unread = { firstReceivedAt: undefined, receiveCount: 0, receivedHere: 0 };
  for (const [arn, { attributes, messages }] of left ?? []) {
    const queue = open(arn, applyAttributes(defaultSettings, attributes));
    for (const message of messages.values()) queue.restore({ ...message, ...unread });
  }
  return queues;
}

function checkName(arn: string): void {
  const name = arn.slice(arn.lastIndexOf(':') + 1);
  if (name.endsWith('.fifo')) {
    throw new ServiceError(
      'UnsupportedOperation',
      `${name}: FIFO queues are not supported by the local SQS. Use a standard queue.`,
    );
  }
  if (/^[A-Za-z0-9_-]{1,80}$/.test(name)) return;
  throw new ServiceError('InvalidParameterValue', `Queue name "${name}" must be 1 to 80 letters, digits, - or _.`);
}

function checkRedrive(byArn: ReadonlyMap<string, Queue>, settings: QueueSettings): void {
  if (!settings.redrive || byArn.has(settings.redrive.deadLetterArn)) return;
  const reason = `Dead letter target does not exist: ${settings.redrive.deadLetterArn}. Create that queue first.`;
  throw new ServiceError('InvalidParameterValue', `Parameter RedrivePolicy is invalid. Reason: ${reason}`);
}

/** CreateQueue is idempotent as long as each attribute it names has the value that the queue has. */
function sameSettings(settings: QueueSettings, attributes: Readonly<Record<string, string>>): boolean {
  const now = settingAttributes(settings);
  const asked = settingAttributes(applyAttributes(settings, attributes));
  return Object.keys(attributes).every((name) => now[name] === asked[name]);
}

function checkMessage(queue: Queue, { body, attributes = {}, delaySeconds = 0 }: NewMessage): void {
  if (body === '') throw new ServiceError('MissingParameter', 'The request must contain the parameter MessageBody.');
  if (FORBIDDEN_TEXT.test(body)) {
    throw new ServiceError(
      'InvalidMessageContents',
      `A message to ${queue.arn} has characters outside the allowed set.`,
    );
  }
  const limit = Math.min(queue.settings.maxMessageBytes, MAX_MESSAGE_BYTES);
  if (messageBytes(body, attributes) > limit) {
    const reason = `A message to ${queue.arn} must be shorter than ${limit} bytes.`;
    throw new ServiceError('InvalidParameterValue', `One or more parameters are invalid. Reason: ${reason}`);
  }
  if (!(delaySeconds >= 0 && delaySeconds <= 900)) {
    throw new ServiceError(
      'InvalidParameterValue',
      `Value ${delaySeconds} for DelaySeconds must be between 0 and 900.`,
    );
  }
}
