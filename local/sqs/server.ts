/**
 * SQS for one machine: standard queues in memory (and in a journal, if asked), behind the JSON protocol that the SDK speaks, and in-process for the
 * event source mappings. Messages may come twice and in any order; time is the clock's alone.
 */
import { ServiceError, startAwsJson } from '../aws-json.ts';
import type { Clock } from '../clock.ts';
import type { FaultHook } from '../faults.ts';
import { carryOut, type SqsApi, systemAttributes } from './api.ts';
import { noJournal, openJournal } from './journal.ts';
import { createQueues } from './queues.ts';

export interface QueueConfig {
  readonly name: string;
  /** The owner; the server's own account when absent. */
  readonly accountId?: string;
  /** 30 when absent. */
  readonly visibilityTimeoutSeconds?: number;
  /** 345,600 (four days) when absent. */
  readonly retentionSeconds?: number;
  readonly delaySeconds?: number;
  readonly redrive?: { readonly deadLetterArn: string; readonly maxReceiveCount: number };
}

/** A message as a Lambda event carries it. */
export interface Message {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  /** ApproximateReceiveCount, SentTimestamp, …: numbers and times (milliseconds) are strings. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly messageAttributes: Readonly<Record<string, unknown>>;
}

export interface LocalSqs {
  readonly endpoint: string;
  /** Makes the queue, or configures it when it is there already. The dead-letter queue must exist first. */
  createQueue(config: QueueConfig): { arn: string; url: string };
  send(arn: string, body: string, options?: { delaySeconds?: number; messageGroupId?: string }): void;
  /** Takes up to `max` visible messages, more than the API's ten if asked to. */
  receive(arn: string, max: number, visibilityTimeoutSeconds?: number): Message[];
  /** Any handle ever given out for the message deletes it; deleting twice is no error. */
  remove(arn: string, receiptHandle: string): void;
  changeVisibility(arn: string, receiptHandle: string, seconds: number): void;
  /** Resolves as soon as a message is visible, or the signal aborts. */
  whenAvailable(arn: string, signal: AbortSignal): Promise<void>;
  depth(arn: string): { visible: number; inFlight: number; delayed: number };
  /** ARNs of all queues. */
  queues(): readonly string[];
  urlOf(arn: string): string;
  close(): Promise<void>;
}

export interface SqsOptions {
  readonly clock: Clock;
  readonly region: string;
  readonly accountId: string;
  readonly port?: number;
  /** Journal file that keeps queues and messages, for the next SQS started on it; in memory only when absent. */
  readonly file?: string;
  readonly faults?: FaultHook;
}

/** Starts a local SQS; without `file`, or with a new one, it begins without queues. Rejects when the port is taken. */
export async function startSqs({ clock, region, accountId, port, file, faults }: SqsOptions): Promise<LocalSqs> {
  const { journal, left } = file === undefined ? { journal: noJournal, left: undefined } : openJournal(file);
  const queues = createQueues({ clock, region, accountId, journal, left });
  let endpoint = '';
  const urlOf = (arn: string) => `${endpoint}/${arn.split(':').slice(-2).join('/')}`;
  const api: SqsApi = { queues, clock, urlOf };
  const server = await startAwsJson({
    service: 'sqs',
    target: 'AmazonSQS',
    contentType: 'application/x-amz-json-1.0',
    namespace: 'com.amazonaws.sqs',
    throttled: () => new ServiceError('RequestThrottled', 'The request was denied due to request throttling.', 403),
    errorHeaders: queryError,
    carryOut: (exchange) => carryOut(api, exchange),
    clock,
    port,
    faults,
  });
  endpoint = server.endpoint;
  return {
    endpoint,
    createQueue(config) {
      const arn = queues.arnOf(config.name, config.accountId);
      const there = queues.byArn.get(arn);
      if (there) queues.change(there, attributesOf(config));
      else queues.make(arn, attributesOf(config));
      return { arn, url: urlOf(arn) };
    },
    send(arn, body, { delaySeconds, messageGroupId } = {}) {
      queues.send(queues.find(arn), { body, delaySeconds, groupId: messageGroupId, senderId: accountId });
    },
    receive: (arn, max, visibilityTimeoutSeconds) =>
      queues
        .find(arn)
        .receive(max, visibilityTimeoutSeconds)
        .map(({ message, receiptHandle }) => ({
          messageId: message.id,
          receiptHandle,
          body: message.body,
          attributes: systemAttributes(message),
          messageAttributes: lambdaAttributes(message.attributes),
        })),
    remove: (arn, receiptHandle) => queues.find(arn).remove(receiptHandle),
    changeVisibility: (arn, receiptHandle, seconds) => queues.find(arn).changeVisibility(receiptHandle, seconds),
    whenAvailable: (arn, signal) => queues.find(arn).whenAvailable(signal),
    depth: (arn) => queues.find(arn).depth(),
    queues: () => [...queues.byArn.keys()],
    urlOf,
    async close() {
      await server.close();
      journal.close();
      for (const queue of queues.byArn.values()) queue.purge();
    },
  };
}

/** The header that gives clients of the older query protocol their error code. */
function queryError(error: ServiceError): Record<string, string> {
  const code = error.code === 'QueueDoesNotExist' ? 'AWS.SimpleQueueService.NonExistentQueue' : error.code;
  return { 'x-amzn-query-error': `${code};${error.status < 500 ? 'Sender' : 'Receiver'}` };
}

function attributesOf(config: QueueConfig): Record<string, string> {
  const attributes: Record<string, string> = {};
  const { visibilityTimeoutSeconds, retentionSeconds, delaySeconds, redrive } = config;
  if (visibilityTimeoutSeconds !== undefined) attributes['VisibilityTimeout'] = String(visibilityTimeoutSeconds);
  if (retentionSeconds !== undefined) attributes['MessageRetentionPeriod'] = String(retentionSeconds);
  if (delaySeconds !== undefined) attributes['DelaySeconds'] = String(delaySeconds);
  if (redrive) {
    const { deadLetterArn, maxReceiveCount } = redrive;
    attributes['RedrivePolicy'] = JSON.stringify({ deadLetterTargetArn: deadLetterArn, maxReceiveCount });
  }
  return attributes;
}

/** The Lambda event writes the same attributes with small initials and two lists that are always empty. */
function lambdaAttributes(
  attributes: Readonly<Record<string, { DataType: string; StringValue?: string; BinaryValue?: string }>>,
) {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      {
        ...(StringValue === undefined ? {} : { stringValue: StringValue }),
        ...(BinaryValue === undefined ? {} : { binaryValue: BinaryValue }),
        stringListValues: [],
        binaryListValues: [],
        dataType: DataType,
      },
    ]),
  );
}
