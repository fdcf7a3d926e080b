import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareKeys } from '../../core/origin/byte-order.ts';
import { pollSources } from '../../core/origin/poll.ts';
import { pollStateKey } from '../../core/table/key.ts';
import { minute, type PolledWorld, polledWorld, startMs } from '../support/polled-world.ts';

const bucket = 'partner';

/** Lets the next sweep be due, and runs the poller until every sweep is finished. */
async function sweepAll(world: PolledWorld): Promise<void> {
  world.nowMs += 15 * minute;
  for (let run = 0; run < 200; run += 1) {
    const polled = await pollSources(world.ports());
    if (polled.length === 0 || polled.every(({ finished }) => finished)) return;
    world.nowMs += 5 * minute;
  }
  throw new Error('the sweeps did not come to an end');
}

const sentKeys = (world: PolledWorld) => world.sent.map(({ key }) => key).sort();
const listCalls = (world: PolledWorld) => world.calls.filter((name) => name === 'list').length;

describe('a sweep', () => {
  test('sends what it sees the first time, and nothing when nothing changes', async () => {
    const world = polledWorld({ prices: { bucket, prefix: 'in/', poll: {} } }, 2);
    for (const name of ['a', 'b', 'c', 'd', 'e']) world.put(bucket, `in/${name}`);
    world.put(bucket, 'elsewhere/x');

    await sweepAll(world);

    expect(sentKeys(world)).toEqual(['in/a', 'in/b', 'in/c', 'in/d', 'in/e']);
    world.sent.length = 0;
    world.calls.length = 0;
    await sweepAll(world);
    expect(world.sent).toEqual([]);
    expect(listCalls(world)).toBe(3);
  });

  test('sends keys that arrive late and sort early, and objects that were put again', async () => {
    const world = polledWorld({ prices: { bucket, poll: {} } }, 2);
    for (const name of ['b', 'c', 'd']) world.put(bucket, name);
    await sweepAll(world);
    world.sent.length = 0;

    world.put(bucket, 'a', 'late');
    world.put(bucket, 'c', 'other bytes');
    world.put(bucket, 'd', 'e', { lastModifiedMs: world.nowMs + 1000 });
    await sweepAll(world);

    expect(sentKeys(world)).toEqual(['a', 'c', 'd']);
  });

  test('sends an object again when it is restored from an archive, or comes back after it was deleted', async () => {
    const world = polledWorld({ prices: { bucket, poll: {} } });
    world.put(bucket, 'cold', 'e', { archived: true });
    world.put(bucket, 'fleeting');
    const { cold, fleeting } = Object.fromEntries(world.buckets.get(bucket) ?? []);
    await sweepAll(world);
    world.buckets.get(bucket)?.delete('fleeting');
    await sweepAll(world);
    world.sent.length = 0;

    if (cold) world.buckets.get(bucket)?.set('cold', { ...cold, archived: false });
    if (fleeting) world.buckets.get(bucket)?.set('fleeting', fleeting);
    await sweepAll(world);

    expect(sentKeys(world)).toEqual(['cold', 'fleeting']);
  });

  test('leaves to other sources what they claim, and folders alone', async () => {
    const world = polledWorld({
      outer: { bucket, prefix: 'in/', suffix: '.csv', exclude: ['**/draft-*'], poll: {} },
      inner: { bucket, prefix: 'in/deep/' },
    });
    for (const key of ['in/a.csv', 'in/a.txt', 'in/draft-1.csv', 'in/deep/b.csv']) world.put(bucket, key);
    world.put(bucket, 'in/folder/', 'e', { sizeBytes: 0 });

    await sweepAll(world);

    expect(sentKeys(world)).toEqual(['in/a.csv']);
  });

  test('holds objects that are older than the source wants, until it wants them', async () => {
    const before = polledWorld({ prices: { bucket, poll: { since: '2031-01-01' } } });
    before.put(bucket, 'old', 'e', { lastModifiedMs: Date.UTC(2030, 11, 31, 23) });
    before.put(bucket, 'new');
    await sweepAll(before);
    expect(sentKeys(before)).toEqual(['new']);

    const after = polledWorld({ prices: { bucket, poll: { since: '2030-01-01' } } });
    for (const [key, chunk] of before.chunks) after.chunks.set(key, chunk);
    for (const item of before.table.items.values()) await after.table.put(item);
    after.buckets.set(bucket, before.buckets.get(bucket) ?? new Map());
    after.nowMs = before.nowMs;
    await sweepAll(after);

    expect(sentKeys(after)).toEqual(['old']);
  });

  test('goes over 25,000 keys within its LIST calls, in as many runs as that takes', async () => {
    const world = polledWorld({ prices: { bucket, poll: { listCalls: 10 } } });
    for (let n = 0; n < 25_000; n += 1) world.put(bucket, `day=${n % 7}/${n}`);

    const runs = [];
    for (let run = 0; run < 3; run += 1) {
      runs.push(...(await pollSources(world.ports())));
      world.nowMs += 5 * minute;
    }

    expect(runs.map((each) => [each.listCalls, each.keysSeen, each.finished])).toEqual([
      [10, 10_000, false],
      [10, 10_000, false],
      [5, 5_000, true],
    ]);
    expect(new Set(sentKeys(world)).size).toBe(25_000);
    expect(world.sent).toHaveLength(25_000);
    expect(runs[2]?.dueAtMs).toBe(startMs + 15 * minute);
    // From here on no page of the listing is one of the earlier sweep.
    world.put(bucket, 'day=0/');
    const again = [];
    for (let run = 0; run < 3; run += 1) again.push(...(await pollSources(world.ports())));
    expect(again.map((each) => [each.sent, each.finished])).toEqual([
      [1, false],
      [0, false],
      [0, true],
    ]);
  });

  test('stops in time, and goes on where it stopped', async () => {
    const world = polledWorld({ prices: { bucket, poll: {} } }, 1);
    for (const name of ['a', 'b', 'c']) world.put(bucket, name);
    world.remainingMs = () => (listCalls(world) < 2 ? 10 * minute : minute / 2);

    const [first] = await pollSources(world.ports());
    world.remainingMs = () => 10 * minute;
    const [second] = await pollSources(world.ports());

    expect([first, second]).toMatchObject([
      { listCalls: 2, finished: false },
      { listCalls: 1, finished: true },
    ]);
    expect(world.sent.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
  });

  test('begins when the source is due and not before', async () => {
    const world = polledWorld({ hourly: { bucket, poll: { everyMinutes: 60 } } });
    world.put(bucket, 'a');
    await pollSources(world.ports());

    world.nowMs += 55 * minute;
    expect(await pollSources(world.ports())).toEqual([]);
    world.nowMs += 5 * minute - 1000;
    expect(await pollSources(world.ports())).toHaveLength(1);
  });

  test('takes what an earlier sweep left and is gone for new', async () => {
    const world = polledWorld({ prices: { bucket, poll: {} } }, 2);
    for (const name of ['a', 'b', 'c']) world.put(bucket, name);
    await sweepAll(world);
    world.sent.length = 0;
    world.chunks.delete([...world.chunks.keys()].sort()[0] ?? '');

    await sweepAll(world);

    expect(sentKeys(world)).toEqual(['a', 'b']);
  });

  test('is refused where keys are not listed in byte order', async () => {
    const world = polledWorld({ prices: { bucket, poll: {} } });
    world.put(bucket, 'a');
    const ports = world.ports();
    const objects = ['b', 'a'].map((key) => ({ key, etag: '', sizeBytes: 1, lastModifiedMs: 0, archived: false }));

    const [polled] = await pollSources({
      ...ports,
      listerFor: () => ({ list: async () => ({ objects, truncated: false }) }),
    });

    expect(polled?.problem).toMatchObject({ code: 'poll.unsorted', message: expect.stringContaining('s3://partner') });
    expect(world.sent).toEqual([]);
  });
});

describe('pollers at once', () => {
  test('share no source: the second finds it taken', async () => {
    const world = polledWorld({ prices: { bucket, poll: {} } }, 2);
    for (const name of ['a', 'b', 'c', 'd', 'e']) world.put(bucket, name);

    const runs = await Promise.all([1, 2, 3].map(() => pollSources(world.ports())));

    expect(runs.flat()).toHaveLength(1);
    expect(sentKeys(world)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('leave a source alone that another holds, and stop when it was taken from them', async () => {
    const world = polledWorld({ prices: { bucket, poll: {} } }, 1);
    for (const name of ['a', 'b', 'c', 'd']) world.put(bucket, name);
    const others: (readonly { readonly finished: boolean }[])[] = [];
    let met = 0;
    world.onCall = async (name, phase) => {
      if (name !== 'list' || phase !== 'before') return;
      met += 1;
      if (met !== 2) return;
      world.onCall = undefined;
      others.push(await pollSources(world.ports()));
      world.nowMs += 10 * minute;
      others.push(await pollSources(world.ports()));
    };

    const [own] = await pollSources(world.ports());

    expect(others).toEqual([[], [expect.objectContaining({ finished: true, listCalls: 3 })]]);
    expect(own).toMatchObject({ finished: false, listCalls: 2 });
    expect(listCalls(world)).toBe(5);
  });

  test.each(['list', 'send', 'chunks.write', 'table.update'])(
    'lose nothing when one sleeps before each %s until its lease is over, and dies soon after',
    async (name) => {
      const calls = await callsOf((each) => each === name);
      for (let n = 1; n <= calls; n += 1) {
        for (const more of [1, 2, 3, 4]) {
          const world = changing();
          let met = 0;
          world.onCall = async (each, phase) => {
            if (each !== name || phase !== 'before') return;
            met += 1;
            if (met !== n) return;
            world.onCall = undefined;
            // The bucket changes while it sleeps: what the other run sees it may not have seen, and the other way round.
            world.put(bucket, 'aa', 'late');
            world.put(bucket, 'd', 'again');
            world.nowMs += 20 * minute;
            await pollSources(world.ports());
            world.put(bucket, 'ab', 'later');
            world.put(bucket, 'e', 'again');
            let left = more;
            world.onCall = (_each, when) => {
              if (when === 'after') left -= 1;
              if (left <= 0) throw new Error('killed');
            };
          };
          world.nowMs += 15 * minute;
          await pollSources(world.ports()).catch(() => {});
          expect(met, `${name} ${n}`).toBeGreaterThanOrEqual(n);
          world.onCall = undefined;
          await expectAllSent(world, `${name} ${n}, killed after ${more} more`);
        }
      }
      expect(calls).toBeGreaterThan(1);
    },
  );
});

/** A bucket that was swept once and has changed since. */
function changing(): PolledWorld {
  const world = polledWorld({ prices: { bucket, poll: {} } }, 2);
  for (const name of ['a', 'b', 'c', 'd', 'e']) world.put(bucket, name, 'first');
  return world;
}

async function callsOf(fits: (name: string) => boolean): Promise<number> {
  const world = changing();
  await sweepAll(world);
  return world.calls.filter(fits).length;
}

/** Every object is sent as it is now, and a sweep without changes sends none. */
async function expectAllSent(world: PolledWorld, what: string): Promise<void> {
  await sweepAll(world);
  await sweepAll(world);
  const sent = new Set(world.sent.map(({ key, etag }) => `${key} ${etag}`));
  for (const { key, etag } of world.buckets.get(bucket)?.values() ?? []) expect(sent, what).toContain(`${key} ${etag}`);
  world.sent.length = 0;
  await sweepAll(world);
  expect(world.sent, what).toEqual([]);
}

test('a poller that is killed before or after any of its calls loses nothing', async () => {
  const prepare = async () => {
    const world = changing();
    await sweepAll(world);
    world.put(bucket, 'c', 'second');
    world.put(bucket, 'aa', 'second');
    world.calls.length = 0;
    return world;
  };
  const clean = await prepare();
  await sweepAll(clean);
  const calls = clean.calls.length;
  for (const killedIn of ['before', 'after'] as const) {
    for (let n = 1; n <= calls; n += 1) {
      const world = await prepare();
      let met = 0;
      world.onCall = (_name, phase) => {
        // Dead: nothing that comes later is carried out either.
        if (phase === killedIn && met < n) met += 1;
        if (met >= n) throw new Error('killed');
      };
      world.nowMs += 15 * minute;
      await pollSources(world.ports()).catch(() => {});
      expect(met, `${killedIn} ${n}`).toBe(n);
      world.onCall = undefined;
      world.nowMs += 5 * minute;
      await expectAllSent(world, `killed ${killedIn} call ${n}: ${clean.calls[n - 1]}`);
    }
  }
  expect(calls).toBeGreaterThan(10);
});

test('whatever happens to a bucket while it is swept, each object is sent as it comes to rest', async () => {
  const key = fc.constantFrom('a', 'b/1', 'b/2', 'b0', 'c', 'ﬁ', '\u{1F600}', '\u{10000}x', 'ÿ');
  const change = fc.record({ key, kind: fc.constantFrom('put', 'put', 'remove') });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 30 }), fc.integer({ min: 1, max: 4 }), async (changes, pageSize) => {
      const world = polledWorld({ prices: { bucket, poll: { listCalls: 3 } } }, pageSize);
      world.put(bucket, 'first');
      let next = 0;
      world.onCall = (_name, phase) => {
        const { key, kind } = changes[next] ?? {};
        if (phase === 'before' || key === undefined) return;
        next += 1;
        if (kind === 'put') world.put(bucket, key, `put ${next}`);
        else world.buckets.get(bucket)?.delete(key);
      };
      while (next < changes.length) await sweepAll(world);

      await expectAllSent(world, JSON.stringify(changes));
    }),
    { numRuns: 60 },
  );
});

test('keys are compared by their bytes', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 6 });
  const near = fc.constantFrom('\u{1F600}', 'ﬁ', '\ue000', '\u{10ffff}', '퟿', 'a');
  fc.assert(
    fc.property(fc.oneof(text, near), fc.oneof(text, near), text, (a, b, shared) => {
      const [left, right] = [shared + a, shared + b];
      expect(Math.sign(compareKeys(left, right))).toBe(Buffer.compare(Buffer.from(left), Buffer.from(right)));
    }),
  );
});

describe('a source that cannot be listed', () => {
  test('keeps no other from being polled, says why, and is tried again', async () => {
    const world = polledWorld({
      gone: { bucket: 'gone', poll: { everyMinutes: 1440 } },
      prices: { bucket, poll: {} },
    });
    world.put(bucket, 'a');

    const polled = await pollSources(world.ports());

    expect(sentKeys(world)).toEqual(['a']);
    expect(polled).toMatchObject([
      { sourceId: 'gone', finished: false, problem: { code: 'test.noBucket', message: 'there is no bucket gone' } },
      { sourceId: 'prices', finished: true },
    ]);
    expect(await world.table.get(pollStateKey('gone'))).toMatchObject({ pollProblem: 'there is no bucket gone' });
    world.put('gone', 'back');
    world.nowMs += 15 * minute;
    await pollSources(world.ports());
    expect(sentKeys(world)).toEqual(['a', 'back']);
    expect(await world.table.get(pollStateKey('gone'))).toMatchObject({ pollProblem: '' });
  });
});

test('the longest overdue come first when there is not time for all', async () => {
  const ids = Array.from({ length: 12 }, (_, n) => `s${n}`);
  const world = polledWorld(Object.fromEntries(ids.map((id) => [id, { bucket: id, poll: {} }])));
  for (const id of ids) world.put(id, 'a');
  world.remainingMs = () => (listCalls(world) < 5 ? 10 * minute : 0);
  const first = await pollSources(world.ports());
  world.remainingMs = () => 10 * minute;
  world.nowMs += 5 * minute;

  const second = await pollSources(world.ports());

  expect([...first, ...second].map(({ sourceId }) => sourceId).sort()).toEqual([...ids].sort());
});

test('without polled sources nothing is asked', async () => {
  const world = polledWorld({ prices: { bucket } });

  expect(await pollSources(world.ports())).toEqual([]);
  expect(world.calls).toEqual([]);
});
