import { setImmediate as turn } from 'node:timers/promises';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, createClock } from '../../local/clock.ts';
import type { Call, FaultHook } from '../../local/faults.ts';
import { startSecrets } from '../../local/secrets/server.ts';
import { type LocalSqs, startSqs } from '../../local/sqs/server.ts';

const region = 'eu-west-1';
const accountId = '111122223333';
const credentials = { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' };
const MINUTE = 60_000;

let clock: Clock;
let sqs: LocalSqs;
let client: SQSClient;
let fault: FaultHook;

beforeEach(async () => {
  clock = createClock();
  fault = () => undefined;
  sqs = await startSqs({ clock, region, accountId, faults: (call, phase) => fault(call, phase) });
  client = new SQSClient({ region, endpoint: sqs.endpoint, credentials });
});

afterEach(async () => {
  client.destroy();
  await sqs.close();
});

const receive = async (url: string, extra: object = {}) =>
  (await client.send(new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, ...extra }))).Messages ?? [];

describe('messages', () => {
  test('a message arrives with body, attributes and checksums that the SDK accepts', async () => {
    const { url } = sqs.createQueue({ name: 'landing' });
    const body = 'snow ❄ and ice';
    const sent = await client.send(
      new SendMessageCommand({
        QueueUrl: url,
        MessageBody: body,
        MessageGroupId: 'orders',
        MessageAttributes: {
          colour: { DataType: 'String', StringValue: 'white' },
          bytes: { DataType: 'Binary', BinaryValue: Buffer.from([1, 2, 255]) },
        },
      }),
    );

    const [message] = await receive(url, { MessageSystemAttributeNames: ['All'], MessageAttributeNames: ['All'] });

    expect(message?.MessageId).toBe(sent.MessageId);
    expect(message?.Body).toBe(body);
    expect(message?.MD5OfMessageAttributes).toBe(sent.MD5OfMessageAttributes);
    expect(message?.MessageAttributes?.['colour']?.StringValue).toBe('white');
    expect([...(message?.MessageAttributes?.['bytes']?.BinaryValue ?? [])]).toEqual([1, 2, 255]);
    expect(message?.Attributes).toMatchObject({
      ApproximateReceiveCount: '1',
      MessageGroupId: 'orders',
      SenderId: 'AKIDTEST',
    });
    expect(Number(message?.Attributes?.SentTimestamp)).toBeLessThanOrEqual(clock.now());
  });

  test('an event source mapping gets messages as Lambda hands them on, more than ten if asked', async () => {
    const { arn, url } = sqs.createQueue({ name: 'landing' });
    const MessageAttributes = { colour: { DataType: 'String', StringValue: 'white' } };
    await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'attributed', MessageAttributes }));
    for (let index = 0; index < 11; index += 1) sqs.send(arn, `plain ${index}`, { messageGroupId: 'orders' });

    const messages = sqs.receive(arn, 100);

    expect(messages).toHaveLength(12);
    expect(messages.find(({ body }) => body === 'attributed')?.messageAttributes).toEqual({
      colour: { stringValue: 'white', stringListValues: [], binaryListValues: [], dataType: 'String' },
    });
    expect(messages.filter(({ attributes }) => attributes['MessageGroupId'] === 'orders')).toHaveLength(11);
  });

  test('only the system attributes asked for come back', async () => {
    const { arn, url } = sqs.createQueue({ name: 'landing' });
    sqs.send(arn, 'one');

    const [message] = await receive(url, { MessageSystemAttributeNames: ['SentTimestamp'] });

    expect(Object.keys(message?.Attributes ?? {})).toEqual(['SentTimestamp']);
  });

  test('a batch answers each entry, and one receive takes ten at most', async () => {
    const { arn, url } = sqs.createQueue({ name: 'landing' });
    const entries = Array.from({ length: 10 }, (_, index) => ({ Id: `e${index}`, MessageBody: `body ${index}` }));
    const sent = await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: entries }));
    sqs.send(arn, 'the eleventh');

    const taken = await receive(url);

    expect(sent.Successful).toHaveLength(10);
    expect(taken).toHaveLength(10);
    expect(sqs.depth(arn)).toEqual({ visible: 1, inFlight: 10, delayed: 0 });
    await expect(receive(url, { MaxNumberOfMessages: 11 })).rejects.toThrow(/between 1 and 10/);
  });

  test('one bad handle of a batch fails alone', async () => {
    const { arn, url } = sqs.createQueue({ name: 'landing' });
    sqs.send(arn, 'one');
    const [message] = await receive(url);

    const reply = await client.send(
      new DeleteMessageBatchCommand({
        QueueUrl: url,
        Entries: [
          { Id: 'good', ReceiptHandle: message?.ReceiptHandle },
          { Id: 'bad', ReceiptHandle: 'nonsense' },
        ],
      }),
    );

    expect(reply.Successful?.map(({ Id }) => Id)).toEqual(['good']);
    expect(reply.Failed).toMatchObject([{ Id: 'bad', Code: 'ReceiptHandleIsInvalid', SenderFault: true }]);
    expect(sqs.depth(arn)).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  });

  test('message and batch are limited to 1 MiB', async () => {
    const { url } = sqs.createQueue({ name: 'landing' });
    const half = 'x'.repeat(524_288);
    const send = (...bodies: string[]) =>
      client.send(
        new SendMessageBatchCommand({
          QueueUrl: url,
          Entries: bodies.map((body, at) => ({ Id: `e${at}`, MessageBody: body })),
        }),
      );

    await expect(send(half, half)).resolves.toMatchObject({ Successful: [{ Id: 'e0' }, { Id: 'e1' }] });
    await expect(send(half, `${half}x`)).rejects.toMatchObject({ name: 'BatchRequestTooLong' });
    await expect(
      client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'x'.repeat(1_048_577) })),
    ).rejects.toThrow(/1048576/);
  });

  test('a message past its retention is gone, in flight or not', async () => {
    const { arn, url } = sqs.createQueue({ name: 'short', retentionSeconds: 60, visibilityTimeoutSeconds: 40 });
    sqs.send(arn, 'taken');
    await receive(url);
    sqs.send(arn, 'never taken');

    clock.skipTo(clock.now() + MINUTE);

    expect(await receive(url)).toEqual([]);
    expect(sqs.depth(arn)).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  });
});

describe('visibility', () => {
  test('a message that is not deleted comes again after its visibility timeout, under a new handle', async () => {
    const { arn, url } = sqs.createQueue({ name: 'landing', visibilityTimeoutSeconds: 5_400 });
    sqs.send(arn, 'one');
    const [first] = await receive(url);
    expect(await receive(url)).toEqual([]);

    const due = clock.nextTimer();
    expect(due).toBeGreaterThan(clock.now() + 5_000_000);
    clock.skipTo(due ?? 0);
    const [second] = await receive(url, { MessageSystemAttributeNames: ['All'] });

    expect(second?.MessageId).toBe(first?.MessageId);
    expect(second?.ReceiptHandle).not.toBe(first?.ReceiptHandle);
    expect(second?.Attributes?.ApproximateReceiveCount).toBe('2');
  });

  test('an old receipt handle still deletes, and deleting again is no error', async () => {
    const { arn, url } = sqs.createQueue({ name: 'landing' });
    sqs.send(arn, 'one');
    const [first] = await receive(url);
    clock.skipTo(clock.now() + MINUTE);
    await receive(url);

    const handle = { QueueUrl: url, ReceiptHandle: first?.ReceiptHandle };
    await client.send(new DeleteMessageCommand(handle));
    await client.send(new DeleteMessageCommand(handle));
    clock.skipTo(clock.now() + MINUTE);

    expect(await receive(url)).toEqual([]);
  });

  test('a deleted message holds no timer, and the next one in flight takes over', () => {
    const { arn } = sqs.createQueue({ name: 'landing' });
    sqs.send(arn, 'one');
    sqs.send(arn, 'two');
    const [one] = sqs.receive(arn, 1, 10);
    const [two] = sqs.receive(arn, 1, 600);
    expect((clock.nextTimer() ?? 0) - clock.now()).toBeLessThanOrEqual(10_000);

    sqs.remove(arn, one?.receiptHandle ?? '');
    expect((clock.nextTimer() ?? 0) - clock.now()).toBeGreaterThan(500_000);
    sqs.remove(arn, two?.receiptHandle ?? '');

    expect(clock.nextTimer()).toBeUndefined();
  });

  test('visibility can be ended or extended while in flight, not otherwise', async () => {
    const { arn, url } = sqs.createQueue({ name: 'landing', visibilityTimeoutSeconds: 10 });
    sqs.send(arn, 'one');
    const [message] = await receive(url);
    const change = (seconds: number) =>
      client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: url,
          ReceiptHandle: message?.ReceiptHandle,
          VisibilityTimeout: seconds,
        }),
      );

    await change(100);
    clock.skipTo(clock.now() + 50_000);
    expect(await receive(url)).toEqual([]);
    await change(0);

    await expect(change(10)).rejects.toMatchObject({ name: 'MessageNotInflight' });
    expect(await receive(url)).toHaveLength(1);
    await expect(change(43_201)).rejects.toThrow(/VisibilityTimeout/);
  });

  test('a delayed message is not visible before its time', async () => {
    const { arn, url } = sqs.createQueue({ name: 'landing', delaySeconds: 5 });
    await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'queue delay' }));
    await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'own delay', DelaySeconds: 900 }));
    expect(sqs.depth(arn)).toEqual({ visible: 0, inFlight: 0, delayed: 2 });

    clock.skipTo(clock.now() + 5_000);

    expect((await receive(url)).map(({ Body }) => Body)).toEqual(['queue delay']);
    expect(sqs.depth(arn)).toEqual({ visible: 0, inFlight: 1, delayed: 1 });
  });

  test('a waiter wakes when a message becomes visible, and when it gives up', async () => {
    const { arn } = sqs.createQueue({ name: 'landing' });
    const woken: string[] = [];
    const giveUp = new AbortController();
    const first = sqs.whenAvailable(arn, new AbortController().signal).then(() => woken.push('available'));
    const second = sqs.whenAvailable(arn, giveUp.signal).then(() => woken.push('gave up'));
    await turn();
    expect(woken).toEqual([]);

    giveUp.abort();
    await second;
    sqs.send(arn, 'one');
    await first;

    expect(woken).toEqual(['gave up', 'available']);
  });
});

describe('long polling', () => {
  test('a long poll ends with the first message and does not hold the clock', async () => {
    const { arn, url } = sqs.createQueue({ name: 'landing' });
    const polled = receive(url, { WaitTimeSeconds: 20 });
    await reached('ReceiveMessage', polled);
    expect(clock.nextTimer()).toBeUndefined();

    sqs.send(arn, 'late');

    expect((await polled).map(({ Body }) => Body)).toEqual(['late']);
  });

  test('a long poll ends empty at its deadline', async () => {
    const { url } = sqs.createQueue({ name: 'landing' });
    const polled = receive(url, { WaitTimeSeconds: 20 });
    await reached('ReceiveMessage', polled);

    clock.skipTo(clock.now() + 20_000);

    expect(await polled).toEqual([]);
  });

  test('a caller that hung up takes no message', async () => {
    const { arn, url } = sqs.createQueue({ name: 'landing' });
    const caller = new AbortController();
    const polled = client.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 20 }), {
      abortSignal: caller.signal,
    });
    await reached('ReceiveMessage', polled);
    const after = new Promise<void>((resolve) => {
      fault = (call, phase) => void (call.operation === 'ReceiveMessage' && phase === 'after' && resolve());
    });

    caller.abort();
    await expect(polled).rejects.toMatchObject({ name: 'AbortError' });
    await after;
    sqs.send(arn, 'for someone else');

    expect(sqs.depth(arn)).toEqual({ visible: 1, inFlight: 0, delayed: 0 });
  });
});

/** Waits until the server has begun to carry out a call of this operation. */
async function reached(operation: string, call: Promise<unknown>): Promise<void> {
  call.catch(() => undefined);
  await new Promise<void>((resolve) => {
    fault = ({ operation: seen }: Call, phase) => void (seen === operation && phase === 'before' && resolve());
  });
  await turn();
}

describe('redrive', () => {
  test('a message received maxReceiveCount times moves to the dead-letter queue at the next receive', async () => {
    const dead = sqs.createQueue({ name: 'landing-dead' });
    const { arn, url } = sqs.createQueue({
      name: 'landing',
      visibilityTimeoutSeconds: 10,
      redrive: { deadLetterArn: dead.arn, maxReceiveCount: 2 },
    });
    sqs.send(arn, 'poison');
    const sentAt = [];
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      const [message] = sqs.receive(arn, 10);
      sentAt.push(message?.attributes['SentTimestamp']);
      expect(message?.attributes['ApproximateReceiveCount']).toBe(String(attempt));
      clock.skipTo(clock.now() + 10_000);
    }

    expect(await receive(url)).toEqual([]);
    const [buried] = await receive(dead.url, { MessageSystemAttributeNames: ['All'] });

    expect(buried?.Body).toBe('poison');
    expect(buried?.Attributes).toMatchObject({
      ApproximateReceiveCount: '3',
      DeadLetterQueueSourceArn: arn,
      SentTimestamp: sentAt[0],
    });
    expect(sqs.depth(arn)).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  });

  test('a redrive to a queue that does not exist is refused', () => {
    const deadLetterArn = `arn:aws:sqs:${region}:${accountId}:nowhere`;
    expect(() => sqs.createQueue({ name: 'landing', redrive: { deadLetterArn, maxReceiveCount: 5 } })).toThrow(
      /Dead letter target does not exist/,
    );
  });
});

describe('queues', () => {
  test('queues are made, found, listed, changed, purged and deleted through the API', async () => {
    const make = (visibility: string) =>
      client.send(new CreateQueueCommand({ QueueName: 'landing', Attributes: { VisibilityTimeout: visibility } }));
    const { QueueUrl: url = '' } = await make('60');
    expect((await make('60')).QueueUrl).toBe(url);
    await expect(make('61')).rejects.toMatchObject({ name: 'QueueNameExists' });
    expect((await client.send(new GetQueueUrlCommand({ QueueName: 'landing' }))).QueueUrl).toBe(url);
    sqs.createQueue({ name: 'other' });
    expect((await client.send(new ListQueuesCommand({ QueueNamePrefix: 'land' }))).QueueUrls).toEqual([url]);

    await client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { MessageRetentionPeriod: '120' } }));
    await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'one' }));
    const read = () => client.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }));
    expect((await read()).Attributes).toMatchObject({
      QueueArn: `arn:aws:sqs:${region}:${accountId}:landing`,
      VisibilityTimeout: '60',
      MessageRetentionPeriod: '120',
      ApproximateNumberOfMessages: '1',
    });

    await client.send(new PurgeQueueCommand({ QueueUrl: url }));
    expect((await read()).Attributes).toMatchObject({ ApproximateNumberOfMessages: '0' });
    await client.send(new DeleteQueueCommand({ QueueUrl: url }));
    await expect(read()).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  });

  test('a queue of another account is a queue of its own', () => {
    const ours = sqs.createQueue({ name: 'landing' });
    const theirs = sqs.createQueue({ name: 'landing', accountId: '444455556666' });
    sqs.send(theirs.arn, 'theirs');

    expect(theirs.url).toBe(`${sqs.endpoint}/444455556666/landing`);
    expect(sqs.depth(ours.arn).visible).toBe(0);
    expect(sqs.queues()).toEqual([ours.arn, theirs.arn]);
  });

  test('what is not supported is refused by name', async () => {
    await expect(client.send(new StartMessageMoveTaskCommand({ SourceArn: 'arn' }))).rejects.toThrow(
      /StartMessageMoveTask is not supported by the local SQS/,
    );
    expect(() => sqs.createQueue({ name: 'landing.fifo' })).toThrow(/FIFO/);
  });
});

describe('faults', () => {
  test('a throttled call is carried out by the retry, once', async () => {
    const { arn, url } = sqs.createQueue({ name: 'landing' });
    let calls = 0;
    fault = (_, phase) => (phase === 'before' && calls++ === 0 ? { kind: 'throttle' } : undefined);

    await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'one' }));

    expect(calls).toBe(2);
    expect(sqs.depth(arn).visible).toBe(1);
  });

  test('a message sent twice because the reply was lost is there twice', async () => {
    const { arn, url } = sqs.createQueue({ name: 'landing' });
    let lost = 0;
    fault = (_, phase) => (phase === 'after' && lost++ === 0 ? { kind: 'lostReply' } : undefined);

    await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'one' }));

    expect(sqs.depth(arn).visible).toBe(2);
  });
});

describe('secrets', () => {
  test('a secret is read by name and by ARN, and a missing one is named', async () => {
    const arn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:snowflake/key-AbCdEf';
    const store = { 'partner/token': 'first', [arn]: '{"user":"firn"}' };
    const secrets = await startSecrets({ clock, secrets: store });
    const reader = new SecretsManagerClient({ region, endpoint: secrets.endpoint, credentials });
    const read = (SecretId: string) => reader.send(new GetSecretValueCommand({ SecretId }));
    try {
      const before = await read('partner/token');
      store['partner/token'] = 'second';
      const after = await read('partner/token');

      expect([before.SecretString, after.SecretString]).toEqual(['first', 'second']);
      expect(before.VersionId).not.toBe(after.VersionId);
      expect(await read(arn)).toMatchObject({ SecretString: '{"user":"firn"}', Name: 'snowflake/key', ARN: arn });
      expect(await read('snowflake/key')).toMatchObject({ ARN: arn, VersionStages: ['AWSCURRENT'] });
      await expect(read('nothing')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    } finally {
      reader.destroy();
      await secrets.close();
    }
  });
});
