import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { grants } from '../../cli/grants.ts';
import { UsageError } from '../../cli/usage-error.ts';

let folder: string;
let out: string[];
let err: string[];

const source = (from: string) => `import { defineSource, ours, text } from 'firn';
void ours;
export default defineSource({ from: ${from}, entity: 'order', fields: { no: text() } });
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firn-grants-'));
  await writeFile(join(folder, 'mine.ts'), source(`{ bucket: ours('mine') }`));
  await writeFile(join(folder, 'partner.ts'), source(`{ bucket: 'partner-out', account: '222233334444' }`));
  await writeFile(join(folder, 'broken.ts'), source(`{ bucket: 'broken-out', account: '22' }`));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  [out, err] = [[], []];
  vi.stubEnv('FIRN_SOURCES', folder);
  vi.stubEnv('AWS_REGION', '');
  vi.spyOn(console, 'log').mockImplementation((line: string) => void out.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void err.push(line));
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('firn grants', () => {
  it('prints what to send to an owner, for people, with a word on the account that is not known', async () => {
    expect(await grants.run(['--source', 'partner'])).toBe(0);
    const text = out.join('\n');
    expect(text).toContain('s3://partner-out, account 222233334444');
    expect(text).toContain('"arn:aws:iam::<account>:role/firn-dev-copy-eu-central-1"');
    expect(text).toMatch(/<account> stands for the account of the stack/);
    expect(text).toMatch(/Deploy stage dev before/);
    expect(text.split('\n').filter((line) => !/["{}[\]]/.test(line) && line.length > 100)).toEqual([]);
  });

  it('prints one JSON object for programs', async () => {
    const args = ['--source', 'partner', '--stage', 'prod', '--account', '111122223333', '--region', 'eu-west-1'];
    expect(await grants.run([...args, '--json'])).toBe(0);
    expect(out).toHaveLength(1);
    expect(JSON.parse(out[0] ?? '')).toMatchObject({
      home: { stage: 'prod', account: '111122223333', region: 'eu-west-1' },
      buckets: [{ bucket: 'partner-out', owner: '222233334444', sources: ['partner'] }],
    });
    expect(out[0]).not.toContain('<account>');
  });

  it('says so when there is nobody to ask', async () => {
    expect(await grants.run(['--source', 'mine'])).toBe(0);
    expect(out).toEqual(['Source mine reads a bucket that the stack makes: there is nobody to ask.']);
  });

  it('asks nobody for anything while the sources have mistakes', async () => {
    expect(await grants.run([])).toBe(1);
    expect(out).toEqual([]);
    expect(err.join('\n')).toMatch(/broken\.ts:3: account '22' is no account[\s\S]*Mend these first/);
  });

  it.each([
    [['--source', 'nobody'], /no source nobody\. There are: broken, mine, partner/],
    [['--account', '123'], /--account 123 is not 12 digits/],
    [['--stage', 'Prod!'], /--stage Prod! names no stage/],
    [['--acount', '1'], /acount/],
  ])('refuses %s', async (args, message) => {
    const run = grants.run(args);
    await expect(run).rejects.toThrow(UsageError);
    await expect(run).rejects.toThrow(message);
  });
});
