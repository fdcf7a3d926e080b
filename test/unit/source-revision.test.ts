import { describe, expect, it } from 'vitest';
import { registerRevision } from '../../core/source/revision.ts';
import { defineSource } from '../../core/source/source.ts';
import { sourceStateKey } from '../../core/table/key.ts';
import type { Table } from '../../core/table/table.ts';
import { memoryTable } from '../support/memory-table.ts';

const registered = (hash: string) => ({
  id: 'orders',
  hash,
  source: defineSource({ from: { bucket: 'b' }, entity: 'order', fields: {} }),
});
const march = '2026-03-01T10:00:00Z';
const april = '2026-04-01T10:00:00Z';
const may = '2026-05-01T10:00:00Z';
const stateOf = (table: Table) => table.get(sourceStateKey('orders'));

describe('the revision of a source', () => {
  it('is 1 for the first build', async () => {
    const table = memoryTable();
    expect(await registerRevision(table, registered('a'), march)).toBe(1);
    expect(await stateOf(table)).toEqual({
      ...sourceStateKey('orders'),
      newestRevision: 1,
      configHash: 'a',
      buildStamp: march,
      sourceId: 'orders',
    });
  });

  it('stays while the config does, in newer and older builds', async () => {
    const table = memoryTable();
    await registerRevision(table, registered('a'), april);
    expect(await registerRevision(table, registered('a'), may)).toBe(1);
    expect(await registerRevision(table, registered('a'), march)).toBe(1);
  });

  it('grows by one with each newer build that brings another config, even one that was there before', async () => {
    const table = memoryTable();
    await registerRevision(table, registered('a'), march);
    expect(await registerRevision(table, registered('b'), april)).toBe(2);
    expect(await registerRevision(table, registered('a'), may)).toBe(3);
  });

  it.each([
    ['an older build', march],
    ['the same build', april],
  ])('is not for another config of %s to change', async (_what, build) => {
    const table = memoryTable();
    await registerRevision(table, registered('a'), april);
    await expect(registerRevision(table, registered('b'), build)).rejects.toMatchObject({
      kind: 'retryable',
      code: 'revision.olderBuild',
    });
    expect(await stateOf(table)).toMatchObject({ newestRevision: 1, configHash: 'a' });
  });

  it('begins at 1 where something else was noted of the source before', async () => {
    const table = memoryTable([{ ...sourceStateKey('orders'), paused: true }]);
    expect(await registerRevision(table, registered('a'), march)).toBe(1);
    expect(await stateOf(table)).toMatchObject({ newestRevision: 1, paused: true });
  });

  /** A table whose first two readers see the state before either of them writes; the second one then writes first. */
  function slow(table: Table): Table {
    let waiting: (() => void)[] = [];
    let reads = 0;
    const get: Table['get'] = async (key) => {
      const found = await table.get(key);
      reads += 1;
      if (reads > 2) return found;
      if (reads === 2) {
        for (const wake of waiting) wake();
        waiting = [];
        return found;
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
      return found;
    };
    return { ...table, get };
  }

  it('is one and the same for two workers of one build that register at once', async () => {
    const table = slow(memoryTable());
    const both = [registerRevision(table, registered('a'), march), registerRevision(table, registered('a'), march)];
    expect(await Promise.all(both)).toEqual([1, 1]);
  });

  it.each([
    ['older', may, april, [3, 2]],
    ['newer', april, may, ['revision.olderBuild', 2]],
  ])(
    'ends as that of the newest of two builds that register at once, the %s writing first',
    async (_what, first, second, expected) => {
      const shared = memoryTable();
      await registerRevision(shared, registered('a'), march);
      const table = slow(shared);
      const both = [first, second].map((build) => registerRevision(table, registered(build), build));
      const given = (await Promise.allSettled(both)).map((each) =>
        each.status === 'fulfilled' ? each.value : (each.reason as { code: string }).code,
      );
      expect(await stateOf(shared)).toMatchObject({ configHash: may, buildStamp: may });
      expect(given).toEqual(expected);
    },
  );

  it('is given up after many lost races, with a word on what to do', async () => {
    const table: Table = { ...memoryTable(), update: async () => ({ done: false, item: undefined }) };
    await expect(registerRevision(table, registered('a'), march)).rejects.toMatchObject({ code: 'revision.contended' });
  });
});
