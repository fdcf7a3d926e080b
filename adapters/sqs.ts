import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';

export function createSqs(): SQSClient {
  return new SQSClient({});
}

/** A function that sends one message to this queue. */
export function sender(sqs: SQSClient, queueUrl: string): (body: string) => Promise<void> {
  return async (body) => {
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
  };
}
