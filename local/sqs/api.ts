/** The operations of the SQS API, one function each: a request document in, a reply document out. */
import { type Exchange, type Json, parseBody, ServiceError, unsupported } from '../aws-json.ts';
import type { Clock } from '../clock.ts';
import { MAX_MESSAGE_BYTES, settingAttributes } from './attributes.ts';
import { type MessageAttributes, md5OfAttributes, md5OfBody, messageBytes } from './checksum.ts';
import { batchEntries, eachEntry, names, optionalNumber, text, within } from './input.ts';
import type { Delivery } from './message.ts';
import type { Queue } from './queue.ts';
import type { Queues } from './queues.ts';

export interface SqsApi {
  readonly queues: Queues;
  readonly clock: Clock;
  readonly urlOf: (arn: string) => string;
}

type Operation = (api: SqsApi, input: Json, exchange: Exchange) => Json | Promise<Json>;

const operations: Readonly<Record<string, Operation>> = {
  CreateQueue: ({ queues, urlOf }, input) => {
    const arn = queues.arnOf(text(input, 'QueueName'));
    queues.make(arn, (input['Attributes'] ?? {}) as Record<string, string>);
    return { QueueUrl: urlOf(arn) };
  },
  GetQueueUrl: ({ queues, urlOf }, input) => {
    const owner = input['QueueOwnerAWSAccountId'];
    const arn = queues.arnOf(text(input, 'QueueName'), owner === undefined ? undefined : String(owner));
    return { QueueUrl: urlOf(queues.find(arn).arn) };
  },
  ListQueues: ({ queues, urlOf }, input) => {
    const prefix = String(input['QueueNamePrefix'] ?? '');
    const after = String(input['NextToken'] ?? '');
    const max = optionalNumber(input, 'MaxResults') ?? 1_000;
    const urls = [...queues.byArn.keys()]
      .filter((arn) => arn.slice(arn.lastIndexOf(':') + 1).startsWith(prefix))
      .map(urlOf)
      .sort()
      .filter((url) => url > after);
    const page = urls.slice(0, max);
    return { QueueUrls: page, ...(urls.length > max ? { NextToken: page.at(-1) } : {}) };
  },
  DeleteQueue: (api, input) => {
    api.queues.drop(queueOf(api, input).arn);
    return {};
  },
  PurgeQueue: (api, input) => {
    queueOf(api, input).purge();
    return {};
  },
  GetQueueAttributes: (api, input) => ({
    Attributes: queueAttributes(queueOf(api, input), names(input, 'AttributeNames')),
  }),
  SetQueueAttributes: (api, input) => {
    api.queues.change(queueOf(api, input), (input['Attributes'] ?? {}) as Record<string, string>);
    return {};
  },
  SendMessage: (api, input, { principal }) => sendOne(api, queueOf(api, input), input, principal),
  SendMessageBatch: (api, input, { principal }) => {
    const queue = queueOf(api, input);
    const entries = batchEntries(input);
    let bytes = 0;
    for (const entry of entries) bytes += messageBytes(text(entry, 'MessageBody'), attributesOf(entry));
    if (bytes > MAX_MESSAGE_BYTES) {
      throw new ServiceError(
        'BatchRequestTooLong',
        `Batch requests to ${queue.arn} cannot be longer than 1048576 bytes.`,
      );
    }
    return eachEntry(entries, (entry) => sendOne(api, queue, entry, principal));
  },
  ReceiveMessage: receiveMessage,
  DeleteMessage: (api, input) => {
    queueOf(api, input).remove(text(input, 'ReceiptHandle'));
    return {};
  },
  DeleteMessageBatch: (api, input) => {
    const queue = queueOf(api, input);
    return eachEntry(batchEntries(input), (entry) => {
      queue.remove(text(entry, 'ReceiptHandle'));
      return {};
    });
  },
  ChangeMessageVisibility: (api, input) => changeVisibility(queueOf(api, input), input),
  ChangeMessageVisibilityBatch: (api, input) => {
    const queue = queueOf(api, input);
    return eachEntry(batchEntries(input), (entry) => changeVisibility(queue, entry));
  },
};

/** Carries out one request. Throws ServiceError. */
export async function carryOut(api: SqsApi, exchange: Exchange): Promise<Json> {
  const operation = Object.hasOwn(operations, exchange.operation) ? operations[exchange.operation] : undefined;
  if (!operation) throw unsupported('SQS', exchange.operation, `It has ${Object.keys(operations).join(', ')}.`);
  return operation(api, parseBody(exchange.body), exchange);
}

/** A long poll ends with the first message, at its deadline, or when the caller hangs up: then it takes nothing. */
async function receiveMessage(api: SqsApi, input: Json, exchange: Exchange): Promise<Json> {
  const queue = queueOf(api, input);
  const max = within(input, 'MaxNumberOfMessages', 1, 10) ?? 1;
  const wait = within(input, 'WaitTimeSeconds', 0, 20) ?? queue.settings.receiveWaitSeconds;
  const visibility = within(input, 'VisibilityTimeout', 0, 43_200);
  let taken = queue.receive(max, visibility);
  if (taken.length === 0 && wait > 0) {
    const deadline = new AbortController();
    const over = AbortSignal.any([deadline.signal, exchange.gone()]);
    // In the background: an idle poller is no reason to move the clock.
    void api.clock.sleep(wait * 1000, { signal: over, background: true }).then(() => deadline.abort());
    while (taken.length === 0 && !over.aborted) {
      await queue.whenAvailable(over);
      if (!exchange.gone().aborted) taken = queue.receive(max, visibility);
    }
    deadline.abort();
  }
  if (taken.length === 0) return {};
  const system = new Set([...names(input, 'AttributeNames'), ...names(input, 'MessageSystemAttributeNames')]);
  const wanted = names(input, 'MessageAttributeNames');
  return { Messages: taken.map((delivery) => apiMessage(delivery, system, wanted)) };
}

function apiMessage(
  { message, receiptHandle }: Delivery,
  system: ReadonlySet<string>,
  wanted: readonly string[],
): Json {
  const attributes = Object.fromEntries(
    Object.entries(systemAttributes(message)).filter(([name]) => system.has('All') || system.has(name)),
  );
  const own = Object.fromEntries(
    Object.entries(message.attributes).filter(([name]) =>
      wanted.some(
        (each) => each === 'All' || each === name || (each.endsWith('.*') && name.startsWith(each.slice(0, -2))),
      ),
    ),
  );
  return {
    MessageId: message.id,
    ReceiptHandle: receiptHandle,
    Body: message.body,
    MD5OfBody: md5OfBody(message.body),
    ...(Object.keys(attributes).length > 0 ? { Attributes: attributes } : {}),
    ...(Object.keys(own).length > 0 ? { MessageAttributes: own, MD5OfMessageAttributes: md5OfAttributes(own) } : {}),
  };
}

/** What SQS says about a message, as the strings that the API and the Lambda event carry; times in milliseconds. */
export function systemAttributes(message: Delivery['message']): Record<string, string> {
  return {
    ApproximateReceiveCount: String(message.receiveCount),
    SentTimestamp: String(message.sentAt),
    SenderId: message.senderId,
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
    ...(message.groupId === undefined ? {} : { MessageGroupId: message.groupId }),
    ...(message.deadLetterSource === undefined ? {} : { DeadLetterQueueSourceArn: message.deadLetterSource }),
  };
}

function sendOne(api: SqsApi, queue: Queue, input: Json, senderId: string): Json {
  const body = text(input, 'MessageBody');
  const attributes = attributesOf(input);
  const id = api.queues.send(queue, {
    body,
    attributes,
    delaySeconds: optionalNumber(input, 'DelaySeconds'),
    groupId: input['MessageGroupId'] === undefined ? undefined : String(input['MessageGroupId']),
    senderId,
  });
  const md5 = md5OfAttributes(attributes);
  return { MessageId: id, MD5OfMessageBody: md5OfBody(body), ...(md5 ? { MD5OfMessageAttributes: md5 } : {}) };
}

function changeVisibility(queue: Queue, input: Json): Json {
  queue.changeVisibility(text(input, 'ReceiptHandle'), optionalNumber(input, 'VisibilityTimeout') ?? Number.NaN);
  return {};
}

function queueAttributes(queue: Queue, wanted: readonly string[]): Json {
  const { visible, inFlight, delayed } = queue.depth();
  const created = String(Math.floor(queue.createdAt / 1000));
  const all: Record<string, string> = {
    ...settingAttributes(queue.settings),
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
    CreatedTimestamp: created,
    LastModifiedTimestamp: created,
  };
  return Object.fromEntries(Object.entries(all).filter(([name]) => wanted.includes('All') || wanted.includes(name)));
}

/** A queue URL counts by its last two segments, account and name; host and port may be any that lead here. */
function queueOf({ queues }: SqsApi, input: Json): Queue {
  const [accountId, name] = text(input, 'QueueUrl').split('/').slice(-2);
  return queues.find(queues.arnOf(name ?? '', accountId));
}

function attributesOf(input: Json): MessageAttributes {
  return (input['MessageAttributes'] ?? {}) as MessageAttributes;
}
