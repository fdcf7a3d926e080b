import { join } from 'node:path';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../../deploy/folders.ts';
import type { Call } from '../../local/faults.ts';
import { bootPipeline, type Pipeline } from '../../local/pipeline.ts';
import { createSteppedClock } from '../support/stepped-clock.ts';

const folder = join(root, '.firn', 'test', 'foreign');
const calls: Call[] = [];
const logs: string[] = [];
let pipeline: Pipeline;

beforeAll(async () => {
  pipeline = await bootPipeline({
    dataDir: join(folder, 'data'),
    packageDir: join(folder, 'package'),
    sourcesDir: join(root, 'test', 'fixtures', 'foreign-sources'),
    clock: createSteppedClock(Date.UTC(2031, 0, 6)),
    onLog: (_name, line) => void logs.push(line),
    faults(call, phase) {
      if (phase === 'before') calls.push(call);
      return undefined;
    },
  });
}, 120_000);
afterAll(() => pipeline?.close());

const put = (Bucket: string, Key: string, Body: string) =>
  pipeline.s3.send(new PutObjectCommand({ Bucket, Key, Body }));

/** How far the one upload of a source came. */
async function stateOf(sourceId: string): Promise<unknown> {
  const landing = pipeline.cloud.physicalId('LandingBucket');
  const Prefix = `landing/source=${sourceId}/`;
  const { Contents = [] } = await pipeline.s3.send(new ListObjectsV2Command({ Bucket: landing, Prefix }));
  expect(Contents).toHaveLength(1);
  const uploadId = Contents[0]?.Key?.split('/')[3];
  return (await pipeline.table.get({ pk: `U#${uploadId}`, sk: 'META' }))?.['uploadState'];
}

describe("other people's buckets on the packaged stack", () => {
  it('are loaded from, each reached in its own way', async () => {
    await put('role-deliveries', 'a.ndjson', '{"id":"role"}\n');
    await put('partner-deliveries', 'daily/a.ndjson', '{"id":"policy"}\n');
    await put('public-data', 'a.ndjson', '{"id":"poll"}\n');
    await pipeline.cloud.invoke('poll', {});

    await pipeline.drain();

    expect(await stateOf('by-role')).toBe('loaded');
    expect(await stateOf('by-policy')).toBe('loaded');
    expect(await stateOf('by-poll')).toBe('loaded');
    expect(pipeline.cloud.deadLetters()).toEqual([]);
    const inRole = calls.filter(({ operation, principal }) => operation === 'AssumeRole' && /^copy-/.test(principal));
    expect(inRole).toHaveLength(1);
  });

  it('leave no trace of what a source excludes but a count', async () => {
    logs.length = 0;

    await put('partner-deliveries', 'daily/b.tmp', 'x');
    await pipeline.drain();

    expect(logs.filter((line) => line.includes('"excluded":1'))).toHaveLength(1);
    expect(logs.join('\n')).not.toContain('no source claims this object');
    expect(await stateOf('by-policy')).toBe('loaded');
  });

  it('that deny access end in dead letters with what to ask for, never in silence', async () => {
    logs.length = 0;
    const access = { owner: '222233334444', readers: [] };
    const queueArn = pipeline.cloud.attribute('CopyQueue', 'Arn');
    const notifications = [{ queueArn, events: ['s3:ObjectCreated:*'] }];
    await pipeline.cloud.s3.configureBucket('partner-deliveries', { access, notifications });

    await put('partner-deliveries', 'daily/c.ndjson', '{"id":"denied"}\n');
    await pipeline.drain();

    expect(pipeline.cloud.deadLetters()).toMatchObject([{ count: 1 }]);
    const told = logs.filter((line) => line.includes('copy.accessDenied'));
    expect(told).toHaveLength(5);
    for (const line of told) expect(line).toContain('npx firn grants --source by-policy');
  });
});
