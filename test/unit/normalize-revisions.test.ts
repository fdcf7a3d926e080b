import { describe, expect, it } from 'vitest';
import { csv } from '../../core/decode/csv.ts';
import type { Format } from '../../core/decode/format.ts';
import { integer } from '../../core/fields/integer.ts';
import { text } from '../../core/fields/text.ts';
import type { Registry } from '../../core/source/registry.ts';
import { type AnySource, defineSource } from '../../core/source/source.ts';
import { manifestKey } from '../../core/table/key.ts';
import { revisionOf } from '../../core/table/version.ts';
import { partsOf } from '../support/normalize-end.ts';
import {
  announce,
  deliver,
  dyingAfter,
  type Invocation,
  take,
  uploadId,
  type World,
  work,
  worldOf,
} from '../support/normalize-run.ts';

const lines = Array.from({ length: 12 }, (_, n) => `k${n % 5},${n % 4 === 3 ? 'no' : n}\n`);
const bytes = Buffer.from(`id,rev\n${lines.join('')}`);
const shared = { from: { bucket: 'b' }, entity: 'order', fields: { id: text('id'), rev: integer('rev') } };
const replacing = (format: Format) => defineSource({ ...shared, format, key: 'id', version: 'rev' });
const keeping = (format: Format) => defineSource({ ...shared, format, keep: 'all' });
const inOneLine = csv({ multiline: false });

/** A world whose object is cut under the first revision, and the registry of the build that brings the second. */
function worldsOf(source: AnySource, later: AnySource): { readonly world: World; readonly registry: Registry } {
  const world = worldOf({ bytes, source, limits: { batchRows: 2 }, partBytes: 30 });
  return { world, registry: { build: '2', sources: [{ id: 'orders', hash: 'newer', source: later }] } };
}

function next(world: World, invocation: Invocation = {}) {
  const message = take(world);
  if (!message) throw new Error('nothing is due');
  return deliver(world, message.body, invocation);
}

const manifestOf = (world: World) => {
  const { pk, sk } = manifestKey(uploadId);
  return world.table.items.get(`${pk}\n${sk}`);
};

describe('an object that begins anew under another revision', () => {
  it.each([
    ['left whole', csv()],
    ['cut again', inOneLine],
  ])('goes on when the worker dies that begins it, though it is %s', async (_how, format) => {
    for (let call = 1; call < 20; call += 1) {
      const { world, registry } = worldsOf(replacing(inOneLine), replacing(format));
      announce(world);
      expect((await next(world))?.kind).toBe('planned');
      await next(world, { ...dyingAfter(call), registry });
      await work(world, () => ({ registry }));

      expect(manifestOf(world), `after call ${call}`).toMatchObject({ uploadState: 'normalized', revision: 2 });
    }
  });

  it.each([
    ['left whole', csv()],
    ['cut again', inOneLine],
  ])('waits for workers that write rows without conditions, though it is %s', async (_how, format) => {
    const { world, registry } = worldsOf(keeping(inOneLine), keeping(format));
    announce(world);
    await next(world);
    let meanwhile: string[] | undefined;
    const old = await next(world, {
      before: async (call) => {
        if (call !== 'writeRecords' || meanwhile) return;
        meanwhile = [];
        const due = world.queue.splice(0);
        for (const { body } of due) meanwhile.push(String((await deliver(world, body, { registry }))?.kind));
      },
    });
    expect(old?.kind).toBe('normalized');
    expect(meanwhile).toEqual(['postponed', 'postponed']);
    await work(world, () => ({ registry }));

    expect(manifestOf(world)).toMatchObject({ uploadState: 'normalized', revision: 2 });
    const revisions = [...world.records.values()].map((item) => revisionOf(JSON.parse(item).version.S));
    expect(revisions).toEqual(Array.from({ length: 9 }, () => 2));
  });

  it('does not wait where the newest version wins', async () => {
    const { world, registry } = worldsOf(replacing(inOneLine), replacing(inOneLine));
    announce(world);
    await next(world);
    let seen: unknown;
    await next(world, {
      before: async (call) => {
        if (call === 'writeRecords') seen ??= (await next(world, { registry }))?.kind;
      },
    });
    await work(world, () => ({ registry }));

    expect(seen).toBe('planned');
    const done = partsOf(world).filter(({ sk }) => sk.startsWith('P#2#'));
    expect(done.map((part) => part['partState'])).toEqual(done.map(() => 'done'));
  });
});
