import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultBase, readDevOptions } from '../../cli/dev-options.ts';
import { UsageError } from '../../cli/usage-error.ts';
import { root } from '../../deploy/folders.ts';

describe('the options of firn dev', () => {
  it('count ports from a base, and set single ones', () => {
    const none = readDevOptions([]);
    const some = readDevOptions(['--port-base', '9000', '--ports', 'sqs=4100,s3=0']);

    expect(none).toMatchObject({ keep: undefined, json: false, ports: { s3: defaultBase, sqs: defaultBase + 1 } });
    expect(some.ports).toEqual({ s3: 0, sqs: 4100, dynamodb: 9002, snowflake: 9003, secrets: 9004, sts: 9005 });
  });

  it('pick free ports throughout when the base is 0', () => {
    expect(Object.values(readDevOptions(['--port-base', '0']).ports)).toEqual(Array(6).fill(0));
  });

  it('keep in a folder of one’s own, or in the one there is for it', () => {
    expect(readDevOptions(['--keep', '--json'])).toMatchObject({ keep: join(root, '.firn', 'dev'), json: true });
    expect(readDevOptions(['--keep', 'mine']).keep).toBe(resolve('mine'));
    expect(readDevOptions(['--keep=mine']).keep).toBe(resolve('mine'));
  });

  it.each([
    [['--ports', 's3=80,ftp=21'], 'ftp=21'],
    [['--ports', 's3'], '"s3"'],
    [['--ports', 's3=99999'], '99999'],
    [['--ports', 's3=9000,sqs=9000'], 's3'],
    [['--port-base', '70000'], '70000'],
    [['--port-base', '65533'], '65535'],
    [['--port-base', 'x'], '"x"'],
    [['mine'], 'mine'],
    [['--keep', 'one', 'two'], 'two'],
    [['--frobnicate'], 'frobnicate'],
  ])('refuse %j', (args, told) => {
    const read = () => readDevOptions(args);

    expect(read).toThrow(UsageError);
    expect(read).toThrow(told);
  });
});
