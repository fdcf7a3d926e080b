import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { mapBounded } from '../core/bounded.ts';
import { retryable } from '../core/failure.ts';

export function createSqs(): SQSClient {
  return new SQSClient({});
}

/** A function that sends one message to this queue. */
export function sender(sqs: SQSClient, queueUrl: string): (body: string) => Promise<void> {
  return async (body) => {
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
  };
}

/** A function that sends one message to this queue which comes after so many seconds, at most 900. */
export function laterSender(sqs: SQSClient, queueUrl: string): (body: string, seconds: number) => Promise<void> {
  return async (body, seconds) => {
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body, DelaySeconds: seconds }));
  };
}

/** SendMessageBatch takes ten messages, of 1 MiB together; messages of objects are under 8 KB. */
const batchSize = 10;
const batchesAtOnce = 8;
const batchTries = 4;

/** A function that sends messages to this queue, in batches side by side. Throws when one could not be sent. */
export function batchSender(sqs: SQSClient, queueUrl: string): (bodies: readonly string[]) => Promise<void> {
  return async (bodies) => {
    const batches = Array.from({ length: Math.ceil(bodies.length / batchSize) }, (_, index) =>
      bodies.slice(index * batchSize, (index + 1) * batchSize),
    );
    await mapBounded(batches, batchesAtOnce, (batch) => sendBatch(sqs, queueUrl, batch));
  };
}

async function sendBatch(sqs: SQSClient, queueUrl: string, bodies: readonly string[]): Promise<void> {
  let left = bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
  for (let attempt = 1; ; attempt += 1) {
    const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: left }));
    const failed = new Set(Failed.map(({ Id }) => Id));
    left = left.filter(({ Id }) => failed.has(Id));
    if (left.length === 0) return;
    if (attempt === batchTries) {
      const codes = [...new Set(Failed.map(({ Code }) => Code))].join(', ');
      throw retryable(
        'queue.refused',
        `Sending ${left.length} messages to ${queueUrl} failed: ${codes}. It is tried again.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, attempt * batchPauseMs));
  }
}

const batchPauseMs = 200;

/** A function that makes a received message of this queue come back after so many seconds. */
export function delayer(sqs: SQSClient, queueUrl: string): (receiptHandle: string, seconds: number) => Promise<void> {
  return async (receiptHandle, seconds) => {
    const change = { QueueUrl: queueUrl, ReceiptHandle: receiptHandle, VisibilityTimeout: seconds };
    await sqs.send(new ChangeMessageVisibilityCommand(change));
  };
}
