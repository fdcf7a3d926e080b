import { describe, expect, it } from 'vitest';
import { createGate } from '../../core/bounded.ts';

/** Work that ends when it is told to. */
function work(log: string[], name: string) {
  let end = (_error?: Error) => {};
  const ended = new Promise<void>((resolve, reject) => {
    end = (error) => (error ? reject(error) : resolve());
  });
  const run = async () => {
    log.push(name);
    await ended;
    return name;
  };
  return { run, end: (error?: Error) => end(error) };
}

describe('a gate', () => {
  it('lets so many through at once, the others in the order they came, after a failure as after a success', async () => {
    const log: string[] = [];
    const gate = createGate(2);
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => work(log, name)) as [Work, Work, Work, Work];
    const done = [a, b, c, d].map(({ run }) => gate(run));
    expect(log).toEqual(['a', 'b']);

    b.end(new Error('b failed'));
    await expect(done[1]).rejects.toThrow('b failed');
    expect(log).toEqual(['a', 'b', 'c']);

    for (const each of [a, c, d]) each.end();
    expect(await Promise.all([done[0], done[2], done[3]])).toEqual(['a', 'c', 'd']);
    expect(log).toEqual(['a', 'b', 'c', 'd']);
    expect(await gate(async () => 'open again')).toBe('open again');
  });
});

type Work = ReturnType<typeof work>;
