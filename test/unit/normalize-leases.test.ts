import { describe, expect, it } from 'vitest';
import { json } from '../../core/decode/json.ts';
import { ndjson } from '../../core/decode/ndjson.ts';
import { integer } from '../../core/fields/integer.ts';
import { text } from '../../core/fields/text.ts';
import { defineSource } from '../../core/source/source.ts';
import { manifestKey } from '../../core/table/key.ts';
import type { Manifest } from '../../core/upload/manifest.ts';
import { redrive } from '../../core/upload/redrive.ts';
import { endOf, listedOf, partOf, partsOf } from '../support/normalize-end.ts';
import {
  announce,
  deliver,
  type Invocation,
  Killed,
  landingKey,
  take,
  uploadId,
  type World,
  work,
  worldOf,
} from '../support/normalize-run.ts';

const source = defineSource({
  from: { bucket: 'b' },
  entity: 'order',
  format: ndjson(),
  key: 'id',
  version: 'rev',
  fields: { id: text('id'), rev: integer('rev') },
});
const bytes = Buffer.from(
  Array.from({ length: 12 }, (_, n) => `${JSON.stringify({ id: `k${n % 5}`, rev: n % 4 === 3 ? 'no' : n })}\n`).join(
    '',
  ),
);
const options = { bytes, source, limits: { batchRows: 2 } };
const inParts = { ...options, partBytes: 80 };

async function endOfQuietRun() {
  const world = worldOf(options);
  announce(world);
  await work(world);
  return endOf(world);
}

/** Takes what is due and lets a worker do it. */
function next(world: World, invocation: Invocation = {}) {
  const message = take(world);
  if (!message) throw new Error('nothing is due');
  return deliver(world, message.body, invocation);
}

/** Time for one batch only. */
const short: () => Invocation = () => {
  let looks = 0;
  // The lease is as long as the invocation; after the first batch the time is up.
  return { marginMs: 60_000, remainingMs: () => (looks++ === 0 ? 900_000 : 30_000) };
};

const manifestOf = (world: World) => {
  const { pk, sk } = manifestKey(uploadId);
  return world.table.items.get(`${pk}\n${sk}`) as Manifest;
};

describe('a part', () => {
  it('that a healthy worker has is left to it: the message comes again after its lease, as a new one', async () => {
    const world = worldOf(options);
    announce(world);
    const seen: unknown[] = [];
    const done = await next(world, {
      before: async (call) => {
        if (call !== 'writeRecords' || seen.length > 0) return;
        seen.push('busy');
        announce(world);
        seen.push((await next(world))?.kind);
      },
    });

    expect([seen, done?.kind]).toEqual([['busy', 'postponed'], 'normalized']);
    expect(world.queue).toHaveLength(1);
    const seconds = ((world.queue[0]?.atMs ?? 0) - world.nowMs) / 1000;
    expect([seconds, JSON.parse(world.queue[0]?.body ?? '')]).toEqual([
      900,
      { v: 1, kind: 'part', key: landingKey, revision: 1, part: 0 },
    ]);
    expect((await next(world))?.kind).toBe('already');
    expect(endOf(world)).toEqual(await endOfQuietRun());
  });

  it('is free at once when its worker threw, and after its lease when it died', async () => {
    for (const [error, partState, leased] of [
      [new Error('fault'), 'running', false],
      [new Killed('dead'), 'running', true],
    ] as const) {
      const world = worldOf(options);
      announce(world);
      let dead = false;
      await next(world, {
        before: (call) => {
          dead ||= call === 'writeRecords';
          if (dead && (call === 'writeRecords' || error instanceof Killed)) throw error;
        },
      });
      expect(partOf(world, 0)).toMatchObject({ partState, epoch: 1 });
      expect(Number(partOf(world, 0)?.['leaseUntilMs']) > world.nowMs).toBe(leased);
      expect((await next(world))?.kind).toBe('normalized');
      expect(partOf(world, 0)).toMatchObject({ partState: 'done', epoch: 2, leaseUntilMs: 0 });
    }
  });

  it('that is finished while another worker takes it stays finished', async () => {
    const world = worldOf(options);
    announce(world);
    const finishing = Promise.withResolvers<void>();
    const taking = Promise.withResolvers<void>();
    let slowUpdates = 0;
    // The second claims after the lease has ended, and the first finishes between its look and its claim.
    const slow = next(world, {
      before: async (call) => {
        if (call !== 'update' || partOf(world, 0) === undefined) return;
        slowUpdates += 1;
        if (slowUpdates > 1) return;
        world.nowMs += 901_000;
        finishing.resolve();
        await taking.promise;
      },
    });
    await finishing.promise;
    announce(world);
    let looked = false;
    const quick = await next(world, {
      before: async (call) => {
        if (call !== 'update' || !looked) return;
        taking.resolve();
        await slow;
      },
      after: (call) => {
        // Its own plan is refused; it looks at the part, and the next update is its claim.
        looked ||= call === 'put';
      },
    });

    expect([(await slow)?.kind, quick?.kind]).toEqual(['normalized', 'postponed']);
    expect(partOf(world, 0)).toMatchObject({ partState: 'done', epoch: 1 });
    await work(world);
    expect(endOf(world)).toEqual(await endOfQuietRun());
  });

  it('goes on behind its checkpoint, with the books of all its turns', async () => {
    const world = worldOf(options);
    announce(world);
    expect((await next(world, short()))?.kind).toBe('continued');
    expect(partOf(world, 0)).toMatchObject({ partState: 'running', rowsRead: 2, leaseUntilMs: 0, stalls: 0 });
    const places: unknown[] = [];
    while (partOf(world, 0)?.['partState'] !== 'done') {
      places.push(partOf(world, 0)?.['nextPosition']);
      await next(world, short());
    }

    const rows = bytes.toString().split(/(?<=\n)/);
    const afterBatches = [2, 4, 6, 8, 10, 12].map((count) => rows.slice(0, count).join('').length);
    expect(places).toEqual(afterBatches);
    expect(endOf(world)).toEqual(await endOfQuietRun());
  });
});

describe('a worker that lost its lease without noticing', () => {
  it.each([
    ['one part', options],
    ['several parts', inParts],
  ])('changes nothing when it goes on with any of its calls, with %s', async (_name, given) => {
    const quiet = await endOfQuietRun();
    let overtaken = 0;
    for (let call = 1; call < 40; call += 1) {
      const world = worldOf(given);
      announce(world);
      // The message of its part: of an object that is cut, the first of the messages that planning sends.
      if (given !== options) await next(world);
      let calls = 0;
      const message = take(world)?.body ?? '';
      const slow = await deliver(world, message, {
        ...(call % 2 === 0 ? short() : {}),
        before: async () => {
          calls += 1;
          if (calls !== call) return;
          overtaken += 1;
          world.nowMs += 901_000;
          world.queue.push({ body: message, atMs: world.nowMs });
          await work(world, call % 3 === 0 ? short : undefined);
        },
      });
      await work(world);
      expect(slow?.kind).toMatch(/normalized|postponed|already|continued/);
      expect(endOf(world)).toEqual(quiet);
      expect(manifestOf(world)).toMatchObject({ uploadState: 'normalized', revision: 1 });
      if (calls < call) break;
    }
    expect(overtaken).toBeGreaterThan(8);
  });

  it('leaves its side files under its own epoch, and the books do not name them', async () => {
    const world = worldOf(options);
    announce(world);
    let calls = 0;
    const done = await next(world, {
      before: async (call) => {
        if (call !== 'putObject' || calls++ > 0) return;
        world.nowMs += 901_000;
        announce(world);
        await work(world);
      },
    });

    expect(done?.kind).toBe('postponed');
    // Its own message may be the very one that the other works on, and it is about to be deleted.
    expect(world.queue).toHaveLength(1);
    const written = [...world.objects.keys()].filter((key) => key.startsWith('keys/')).sort();
    expect(written).toEqual([1, 2].map((epoch) => `keys/${uploadId}/1/0000-${epoch}-0000.ndjson.gz`));
    expect(partOf(world, 0)?.['keyFiles']).toEqual([{ prefix: `keys/${uploadId}/1/0000-2`, files: 1 }]);
  });
});

describe('a worker that has been at it for long', () => {
  /** Each batch takes a minute to write. */
  const slowly = (world: World, more: (batch: number) => void = () => {}): Invocation => {
    let batches = 0;
    return {
      remainingMs: () => 900_000,
      before: (call) => {
        if (call !== 'writeRecords') return;
        batches += 1;
        world.nowMs += 60_000;
        more(batches);
      },
    };
  };

  it('has left checkpoints: when it dies, only what came since the last one is done again', async () => {
    const world = worldOf(options);
    announce(world);
    let dead = false;
    const dying = slowly(world, (batch) => {
      dead ||= batch === 6;
    });
    await next(world, {
      ...dying,
      before: async (call) => {
        await dying.before?.(call);
        if (dead) throw new Killed('dead');
      },
    });
    expect(partOf(world, 0)).toMatchObject({ rowsRead: 8, partState: 'running' });
    expect(Number(partOf(world, 0)?.['leaseUntilMs'])).toBeGreaterThan(world.nowMs);

    let again = 0;
    await next(world, {
      after: (call) => {
        if (call === 'writeRecords') again += 1;
      },
    });
    expect(again).toBe(2);
    expect(endOf(world)).toEqual(await endOfQuietRun());
  });

  it('stops at its next checkpoint when another has taken its place', async () => {
    const world = worldOf(options);
    announce(world);
    let batches = 0;
    let overtaken = false;
    const slow = slowly(world, (batch) => {
      batches = batch;
    });
    const done = await next(world, {
      ...slow,
      before: async (call) => {
        await slow.before?.(call);
        if (batches !== 1 || overtaken) return;
        overtaken = true;
        world.nowMs += 901_000;
        announce(world);
        await work(world);
      },
    });

    expect([done?.kind, batches]).toEqual(['postponed', 2]);
    await work(world);
    expect(endOf(world)).toEqual(await endOfQuietRun());
  });
});

describe('an object in parts', () => {
  it('comes to the same when every message comes five times, at once', async () => {
    const world = worldOf(inParts);
    for (let time = 0; time < 5; time += 1) announce(world);
    for (let round = 0; world.queue.length > 0; round += 1) {
      if (round === 200) throw new Error('messages go round and round');
      const due = world.queue.splice(0);
      world.nowMs = Math.max(world.nowMs, ...due.map(({ atMs }) => atMs));
      await Promise.all(due.map(({ body }, index) => deliver(world, body, index % 3 === 0 ? short() : {})));
    }

    expect(partsOf(world).length).toBe(Math.ceil(bytes.length / 80));
    expect(endOf(world)).toEqual(await endOfQuietRun());
  });

  it('is not normalized before its last part is done, and its messages are acknowledged from then on', async () => {
    const world = worldOf(inParts);
    announce(world);
    expect(await next(world)).toMatchObject({ kind: 'planned', parts: Math.ceil(bytes.length / 80) });
    const messages = world.queue.map(({ body }) => body);
    expect(messages).toHaveLength(Math.ceil(bytes.length / 80));
    for (const body of messages) {
      expect(manifestOf(world).uploadState).toBe('normalizing');
      expect(await next(world)).toMatchObject({ kind: 'normalized' });
      await deliver(world, body, {});
    }

    expect(manifestOf(world)).toMatchObject({ uploadState: 'normalized', revision: 1 });
    for (const body of messages) expect(await deliver(world, body, {})).toEqual({ kind: 'already' });
  });

  it('is cut as its plan says, however large parts are for whoever comes later', async () => {
    const world = worldOf(inParts);
    announce(world);
    await next(world);
    announce(world);
    const partBytes = 33;
    await work(world, () => ({ partBytes }));

    expect(partsOf(world).map(({ fromByte, toByte }) => [fromByte, toByte])).toEqual(
      Array.from({ length: Math.ceil(bytes.length / 80) }, (_, n) => [n * 80, Math.min(bytes.length, n * 80 + 80)]),
    );
    expect(endOf(world)).toEqual(await endOfQuietRun());
  });

  it('begins anew, once, when another revision is registered meanwhile', async () => {
    const world = worldOf(inParts);
    announce(world);
    await next(world);
    await next(world);
    const registry = { build: '2', sources: [{ id: 'orders', hash: 'newer', source }] };
    const planned: string[] = [];
    for (let left = 100; world.queue.length > 0 && left > 0; left -= 1) {
      const done = await next(world, { registry });
      if (done?.kind === 'planned') planned.push(done.kind);
    }

    expect(planned).toEqual(['planned']);
    expect(manifestOf(world)).toMatchObject({ uploadState: 'normalized', revision: 2 });
    const second = partsOf(world).filter(({ sk }) => sk.startsWith('P#2#'));
    expect(second.map((part) => part['partState'])).toEqual(second.map(() => 'done'));
    expect(second).toHaveLength(Math.ceil(bytes.length / 80));
  });

  it('lists a share of its quarantined rows for each part', async () => {
    const bad = Buffer.from('{"id":1}\n'.repeat(400));
    const world = worldOf({ ...inParts, bytes: bad, partBytes: 900 });
    announce(world);
    await work(world, short);

    expect(partsOf(world)).toHaveLength(4);
    expect(listedOf(world)).toHaveLength(100);
    expect(endOf(world).quarantine).toHaveLength(400);
  });
});

describe('an upload that comes no further', () => {
  it('fails with a reason after a few turns, and a person can send it again', async () => {
    const document = Buffer.from(`[${bytes.toString().trim().replaceAll('\n', ',')}]`);
    const { config } = source;
    const world = worldOf({ ...options, bytes: document, source: { config: { ...config, format: json() } } });
    announce(world);
    await next(world, short());
    const stuck: Invocation = { marginMs: 60_000, remainingMs: () => 1000 };
    const kinds: unknown[] = [];
    while (world.queue.length > 0) {
      world.nowMs += 2000;
      kinds.push((await next(world, stuck))?.kind);
    }

    expect(kinds).toEqual(['continued', 'continued', 'failed']);
    expect(manifestOf(world)).toMatchObject({ uploadState: 'failed' });
    expect(manifestOf(world).stateReason).toContain('came no further than position');

    announce(world);
    await work(world);
    expect(endOf(world).manifest['uploadState']).toBe('normalized');
  });
});

describe('an upload in parts that got stuck', () => {
  const hour = 60 * 60 * 1000;

  async function stuckAfter(parts: number) {
    const world = worldOf(inParts);
    announce(world);
    await next(world);
    for (let n = 0; n < parts; n += 1) {
      world.nowMs += hour;
      await next(world);
    }
    const lost = world.queue.splice(0);
    const sent: string[] = [];
    const ports = {
      table: world.table,
      landingBucket: 'landing',
      sendToCopy: async () => {},
      sendToUnpack: async () => {},
      sendToNormalize: async (body: string) => void sent.push(body),
      now: () => world.nowMs,
    };
    return { world, lost, sent, tryAgain: () => redrive(manifestOf(world), ports) };
  }

  it('is left alone as long as one of its parts comes on, and sent again when none has for hours', async () => {
    const { world, lost, sent, tryAgain } = await stuckAfter(3);
    expect(await tryAgain()).toBeUndefined();
    world.nowMs += 3 * hour;
    expect(await tryAgain()).toBe('redriven');
    expect(sent).toHaveLength(1);

    await deliver(world, sent[0] ?? '', {});
    expect(world.queue.map(({ body }) => body)).toEqual(lost.map(({ body }) => body));
    await work(world);
    expect(endOf(world)).toEqual(await endOfQuietRun());
  });

  it('is given up only after tries that came no further', async () => {
    const { world, lost, tryAgain } = await stuckAfter(1);
    const outcomes: unknown[] = [];
    for (let n = 0; n < 6; n += 1) {
      // What was sent for the second time brings one part to its end, and comes no further either.
      world.nowMs += hour;
      if (n === 2) await deliver(world, lost[0]?.body ?? '', {});
      world.nowMs += 2 * hour;
      outcomes.push(await tryAgain());
    }
    expect(outcomes).toEqual(['redriven', 'redriven', 'redriven', 'redriven', 'redriven', 'failed']);
  });
});
