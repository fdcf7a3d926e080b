import { describe, expect, it } from 'vitest';
import { readWork, workMessage } from '../../core/normalize/message.ts';
import { envelope } from '../../core/origin/candidate.ts';

describe('a message of the normalize queue', () => {
  it('asks for one part of an upload', () => {
    const part = { kind: 'part', key: 'landing/source=a/…', revision: 2, part: 17 } as const;
    expect(JSON.parse(workMessage(part))).toEqual({ v: 1, ...part });
    expect(readWork(workMessage(part))).toEqual([part]);
  });

  it('tells of objects that landed, whoever says so', () => {
    expect(readWork(envelope({ bucket: 'landing', key: 'landing/a "part"' }))).toEqual([
      { kind: 'landed', key: 'landing/a "part"' },
    ]);
    expect(readWork('{"Event":"s3:TestEvent"}')).toEqual([]);
  });

  it.each([
    'part',
    '{"v":2,"kind":"part","key":"k","revision":1,"part":0}',
    '{"v":1,"kind":"part","revision":1,"part":0}',
    '{"v":1,"kind":"part","key":"k","revision":-1,"part":0}',
    '{"v":1,"kind":"part","key":"k","revision":1,"part":"0"}',
    '{"v":1,"kind":"part","key":"k","revision":1.5,"part":0}',
  ])('that is nothing of this is unreadable: %s', (body) => {
    expect(readWork(body)).toEqual({ unreadable: expect.any(String) });
  });
});
