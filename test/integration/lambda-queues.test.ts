import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, createClock } from '../../local/clock.ts';
import type { FaultHook } from '../../local/faults.ts';
import type { Mapping } from '../../local/lambda/mapping.ts';
import type { Pool } from '../../local/lambda/pool.ts';
import { type SqsMappingOptions, startSqsMapping } from '../../local/lambda/sqs-mapping.ts';
import { type LocalSqs, startSqs } from '../../local/sqs/server.ts';
import { settle } from '../../local/stack/settle.ts';
import { bundle, createGate, createWorkshop, REGION } from './lambda-support.ts';

let clock: Clock;
let sqs: LocalSqs;
let fault: FaultHook;
let workshop: ReturnType<typeof createWorkshop>;
let gate: Awaited<ReturnType<typeof createGate>>;
let mappings: Mapping[];

beforeEach(async () => {
  clock = createClock();
  fault = () => undefined;
  sqs = await startSqs({
    clock,
    region: REGION,
    accountId: '111122223333',
    faults: (call, phase) => fault(call, phase),
  });
  workshop = createWorkshop(clock);
  gate = await createGate();
  mappings = [];
});
afterEach(async () => {
  await workshop.close();
  await Promise.all(mappings.map((mapping) => mapping.close()));
  await gate.close();
  await sqs.close();
});

const atRest = () => settle({ clock, activity: workshop.activity, mappings, extraIdle: () => true });
const map = (queueArn: string, pool: Pool, options: Partial<SqsMappingOptions> = {}) => {
  mappings.push(startSqsMapping({ queues: sqs, queueArn, pool, clock, ...options }));
};
/** Reports the bodies of its batch to the gate and does what the gate answers: `throw`, or a reply as JSON. */
const ASKING = `export const handler = async (event) => {
  const body = JSON.stringify(event.Records.map((record) => record.body));
  const answer = await (await fetch(process.env.GATE, { method: 'POST', body })).text();
  if (answer === 'throw') throw new Error('asked to');
  const ids = event.Records.map((record) => record.messageId);
  return answer === '' ? undefined : JSON.parse(answer.replace(/ID(\\d)/g, (_, index) => ids[index]));
};`;
const asking = (spec = {}) => workshop.pool(ASKING, { environment: { GATE: gate.url }, ...spec });
const bodiesOf = ({ body }: { body: string }): string[] => JSON.parse(body);

describe('a queue that feeds a function', () => {
  test('hands over the event that Lambda makes of a message', async () => {
    const { arn, url } = sqs.createQueue({ name: 'copy' });
    map(
      arn,
      workshop.pool(
        `export const handler = async (event) => {
      await fetch(process.env.GATE, { method: 'POST', body: JSON.stringify(event) }); };`,
        { environment: { GATE: gate.url } },
      ),
    );
    const client = new SQSClient({
      region: REGION,
      endpoint: sqs.endpoint,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    const MessageAttributes = { kind: { DataType: 'String', StringValue: 'poll' } };
    await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: '{"a":1}', MessageAttributes }));
    client.destroy();
    const arrival = await gate.next();
    arrival.answer();
    const [record, ...others] = JSON.parse(arrival.body).Records;
    expect(others).toEqual([]);
    expect(record).toMatchObject({
      body: '{"a":1}',
      md5OfBody: 'bb6cb5c68df4652941caf652a366f2d8',
      attributes: { ApproximateReceiveCount: '1' },
      messageAttributes: {
        kind: { stringValue: 'poll', stringListValues: [], binaryListValues: [], dataType: 'String' },
      },
      eventSource: 'aws:sqs',
      eventSourceARN: arn,
      awsRegion: REGION,
    });
    expect(record.messageId).toMatch(/^[0-9a-f-]{36}$/);
    expect(record.attributes.SentTimestamp).toMatch(/^\d{13}$/);
  });

  test.each([
    ['nothing', '', []],
    ['null', 'null', []],
    ['an empty object', '{}', []],
    ['a null list', '{"batchItemFailures":null}', []],
    ['an empty list', '{"batchItemFailures":[]}', []],
    ['one of three', '{"batchItemFailures":[{"itemIdentifier":"ID1"}]}', ['b']],
    ['the same one twice', '{"batchItemFailures":[{"itemIdentifier":"ID0"},{"itemIdentifier":"ID0"}]}', ['a']],
    [
      'all of them',
      '{"batchItemFailures":[{"itemIdentifier":"ID0"},{"itemIdentifier":"ID1"},{"itemIdentifier":"ID2"}]}',
      ['a', 'b', 'c'],
    ],
    [
      'one that is known and one that is not',
      '{"batchItemFailures":[{"itemIdentifier":"ID0"},{"itemIdentifier":"x"}]}',
      ['a', 'b', 'c'],
    ],
    ['an empty identifier', '{"batchItemFailures":[{"itemIdentifier":""}]}', ['a', 'b', 'c']],
    ['a null identifier', '{"batchItemFailures":[{"itemIdentifier":null}]}', ['a', 'b', 'c']],
    ['another key', '{"batchItemFailures":[{"messageId":"ID0"}]}', ['a', 'b', 'c']],
    ['a list that is none', '{"batchItemFailures":"ID0"}', ['a', 'b', 'c']],
    ['a text', '"ok"', ['a', 'b', 'c']],
    ['an error', 'throw', ['a', 'b', 'c']],
  ])('with a reply that names %s, exactly the rest is deleted', async (_, reply, left) => {
    const { arn } = sqs.createQueue({ name: 'copy', visibilityTimeoutSeconds: 90 });
    for (const body of ['a', 'b', 'c']) sqs.send(arn, body);
    map(arn, asking(), { reportBatchItemFailures: true });
    const first = await gate.next();
    expect(bodiesOf(first)).toEqual(['a', 'b', 'c']);
    first.answer(reply);
    const resting = atRest();
    const again: string[] = [];
    while (again.length < left.length) {
      const arrival = await gate.next();
      again.push(...bodiesOf(arrival));
      arrival.answer();
    }
    await resting;
    expect(again.sort()).toEqual(left);
    expect(sqs.depth(arn)).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
    expect(gate.arrived).toEqual([]);
  });

  test('without partial replies a reply means nothing, and success deletes all', async () => {
    const { arn } = sqs.createQueue({ name: 'copy' });
    sqs.send(arn, 'a');
    map(arn, asking());
    (await gate.next()).answer('{"batchItemFailures":[{"itemIdentifier":"ID0"}]}');
    await atRest();
    expect(sqs.depth(arn)).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  });

  test('what keeps failing comes back until its receives are used up, then lies with the dead letters', async () => {
    const dead = sqs.createQueue({ name: 'copy-dead' });
    const redrive = { deadLetterArn: dead.arn, maxReceiveCount: 3 };
    const { arn } = sqs.createQueue({ name: 'copy', visibilityTimeoutSeconds: 5400, redrive });
    sqs.send(arn, 'poison');
    const began = clock.now();
    map(arn, workshop.pool("export const handler = async () => { throw new Error('never'); };"));
    await atRest();
    expect(workshop.failures).toHaveLength(3);
    expect(sqs.depth(dead.arn).visible).toBe(1);
    expect(sqs.depth(arn)).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
    expect(clock.now() - began).toBeGreaterThanOrEqual(3 * 5_400_000);
  });

  test('a message whose visibility ends while its handler still runs is delivered a second time', async () => {
    const { arn } = sqs.createQueue({ name: 'copy', visibilityTimeoutSeconds: 30 });
    sqs.send(arn, 'slow');
    map(arn, asking({ timeoutSeconds: 900 }));
    const first = await gate.next();
    clock.skipTo(clock.now() + 30_000);
    const second = await gate.next();
    expect([bodiesOf(first), bodiesOf(second)]).toEqual([['slow'], ['slow']]);
    second.answer();
    first.answer();
    await atRest();
    expect(sqs.depth(arn)).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
    expect(gate.arrived).toEqual([]);
  });

  test('a window gathers what comes in, and a full batch does not wait for its end', async () => {
    const { arn } = sqs.createQueue({ name: 'copy', visibilityTimeoutSeconds: 360 });
    map(arn, asking(), { batchSize: 3, windowSeconds: 60, maximumConcurrency: 1 });
    for (const body of ['a', 'b', 'c', 'd']) sqs.send(arn, body);
    const full = await gate.next();
    expect(bodiesOf(full)).toEqual(['a', 'b', 'c']);
    full.answer();
    const resting = atRest();
    const rest = await gate.next();
    expect(bodiesOf(rest)).toEqual(['d']);
    rest.answer();
    await resting;
  });

  test('never runs more batches at once than its maximum concurrency', async () => {
    const { arn } = sqs.createQueue({ name: 'copy' });
    for (let message = 0; message < 6; message += 1) sqs.send(arn, String(message));
    const pool = asking();
    map(arn, pool, { batchSize: 1, maximumConcurrency: 2 });
    const seen: string[] = [];
    let open = [await gate.next(), await gate.next()];
    while (open.length > 0) {
      expect(sqs.depth(arn).visible).toBe(6 - seen.length - open.length);
      const [first, ...others] = open;
      seen.push(...bodiesOf(first as { body: string }));
      first?.answer();
      const more = seen.length + others.length < 6;
      open = more ? [...others, await gate.next()] : others;
    }
    await atRest();
    expect(seen.sort()).toEqual(['0', '1', '2', '3', '4', '5']);
    expect(pool.principals()).toHaveLength(2);
  });

  test('packs no more messages into an event than its 6 MB hold', async () => {
    const { arn } = sqs.createQueue({ name: 'copy', visibilityTimeoutSeconds: 90 });
    const body = 'x'.repeat(1024 * 1024 - 1);
    for (let message = 0; message < 8; message += 1) sqs.send(arn, body);
    map(
      arn,
      workshop.pool(
        `export const handler = async (event) => {
          await fetch(process.env.GATE, { method: 'POST', body: String(event.Records.length) }); };`,
        { environment: { GATE: gate.url } },
      ),
      { maximumConcurrency: 1 },
    );
    const counts: number[] = [];
    while (counts.reduce((sum, each) => sum + each, 0) < 8) {
      const arrival = await gate.next();
      counts.push(Number(arrival.body));
      arrival.answer();
    }
    await atRest();
    expect(counts).toEqual([5, 3]);
    expect(workshop.failures).toEqual([]);
  });

  test.each([
    [{ batchSize: 11 }, 'needs MaximumBatchingWindowInSeconds of at least 1'],
    [{ batchSize: 0 }, 'BatchSize 0 is outside 1 to 10,000'],
    [{ windowSeconds: 301 }, 'MaximumBatchingWindowInSeconds 301 is outside 0 to 300'],
  ])('refuses %o as Lambda does', (options, message) => {
    const { arn } = sqs.createQueue({ name: 'copy' });
    expect(() => map(arn, asking(), options)).toThrow(message);
  });
});

describe('a function that dies after what it did is committed', () => {
  let sending: string;
  beforeAll(async () => {
    sending = await bundle(`
      import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
      const client = new SQSClient({ maxAttempts: 1 });
      export const handler = async (event) => {
        for (const { body } of event.Records) {
          await client.send(new SendMessageCommand({ QueueUrl: process.env.TARGET, MessageBody: body }));
        }
      };`);
  });

  test('gets its message again, and what it did before is done twice', async () => {
    const { arn } = sqs.createQueue({ name: 'copy', visibilityTimeoutSeconds: 90 });
    const target = sqs.createQueue({ name: 'landed' });
    const pool = workshop.pool(sending, {
      environment: { TARGET: target.url },
      endpoints: { AWS_ENDPOINT_URL_SQS: sqs.endpoint },
    });
    const killed: string[] = [];
    fault = async ({ operation, principal }, phase) => {
      if (operation !== 'SendMessage' || phase !== 'after' || killed.length > 0) return undefined;
      killed.push(principal);
      await pool.kill(principal);
      return { kind: 'lostReply' };
    };
    sqs.send(arn, 'once');
    map(arn, pool);
    await atRest();
    expect(killed).toEqual(['copy-1']);
    expect(workshop.failures).toMatchObject([{ principal: 'copy-1', reason: 'crash', name: 'Runtime.Killed' }]);
    expect(sqs.receive(target.arn, 10).map((message) => message.body)).toEqual(['once', 'once']);
    expect(sqs.depth(arn)).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
    expect(pool.principals()).toEqual(['copy-2']);
  });
});
