import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Clock, createClock } from '../../local/clock.ts';
import { type LocalSqs, startSqs } from '../../local/sqs/server.ts';

const dead = { name: 'dead' };
const settings = { name: 'work', visibilityTimeoutSeconds: 60 };

let clock: Clock;
let dir: string;
let sqs: LocalSqs;
const file = () => join(dir, 'journal.ndjson');
const start = () => startSqs({ clock, region: 'eu-west-1', accountId: '111122223333', file: file() });

beforeEach(async () => {
  clock = createClock();
  dir = await mkdtemp(join(tmpdir(), 'firn-sqs-'));
  sqs = await start();
});
afterEach(async () => {
  await sqs.close();
  await rm(dir, { recursive: true });
});

/** A process that is gone without a word: nothing is closed, nothing purged. */
async function restart(): Promise<void> {
  const before = sqs;
  sqs = await start();
  await before.close();
}

const bodies = (arn: string) => sqs.receive(arn, 100).map(({ body }) => body);

test('what was sent and not deleted is there again, in flight or not; what was deleted is not', async () => {
  const { arn } = sqs.createQueue(settings);
  for (const body of ['ready', 'in flight', 'done']) sqs.send(arn, body);
  sqs.send(arn, 'delayed', { delaySeconds: 900 });
  const received = sqs.receive(arn, 10);
  for (const { body, receiptHandle } of received) if (body === 'done') sqs.remove(arn, receiptHandle);
  for (const { body, receiptHandle } of received) if (body === 'ready') sqs.changeVisibility(arn, receiptHandle, 0);
  await appendFile(file(), '{"do":"add","arn":"arn:aws');

  await restart();

  expect(bodies(arn).sort()).toEqual(['delayed', 'in flight', 'ready']);
});

test('a message that was given up waits with the dead letters, and only there', async () => {
  const { arn: deadLetterArn } = sqs.createQueue(dead);
  const { arn } = sqs.createQueue({ ...settings, redrive: { deadLetterArn, maxReceiveCount: 1 } });
  sqs.send(arn, 'poison');
  sqs.receive(arn, 1);
  clock.skipTo(clock.now() + 61_000);
  expect(sqs.receive(arn, 1)).toEqual([]);

  await restart();

  expect(bodies(arn)).toEqual([]);
  expect(bodies(deadLetterArn)).toEqual(['poison']);
});

test('a queue is configured anew with its messages in it, and a message keeps its age', async () => {
  const { arn } = sqs.createQueue({ ...settings, retentionSeconds: 3_600 });
  sqs.send(arn, 'old');
  clock.skipTo(clock.now() + 1_800_000);

  await restart();
  sqs.createQueue({ ...settings, retentionSeconds: 7_200 });
  clock.skipTo(clock.now() + 3_600_000);
  expect(sqs.depth(arn).visible).toBe(1);
  clock.skipTo(clock.now() + 1_800_001);
  expect(sqs.depth(arn).visible).toBe(0);
});

test('closing loses nothing', async () => {
  const { arn } = sqs.createQueue(settings);
  sqs.send(arn, 'kept');
  await sqs.close();

  sqs = await start();

  expect(bodies(arn)).toEqual(['kept']);
});
