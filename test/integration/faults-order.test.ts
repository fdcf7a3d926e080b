import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { manifestKey } from '../../core/table/key.ts';
import { type EndState, expectSameEnd } from '../support/end-state.ts';
import { type Bench, bootPair, day, lines, minute, startMs } from '../support/pipeline.ts';
import { seeded, shuffled } from '../support/shuffle.ts';

let clean: Bench;
let faulted: Bench;
let today = startMs;

beforeAll(async () => {
  ({ clean, faulted } = await bootPair('order'));
});
afterAll(async () => {
  await clean?.close();
  await faulted?.close();
});
beforeEach(() => {
  today += day;
  faulted.losing.clear();
  for (const bodies of Object.values(faulted.delivered)) bodies.length = 0;
});

type Story = (bench: Bench) => Promise<unknown>;

/** Plays stories one after the other, ten minutes between them, each to its end. */
async function inOrder(stories: readonly Story[]): Promise<void> {
  for (const [turn, story] of stories.entries()) {
    clean.at(today + turn * 10 * minute);
    await story(clean);
    await clean.pipeline.settle();
  }
  await clean.drain();
}

/** Plays the same stories, but lets the objects get to normalize as `deliver` has it. */
async function landed(stories: readonly Story[], deliver: (events: readonly string[]) => Promise<void>): Promise<void> {
  faulted.losing.add('normalize');
  for (const [turn, story] of stories.entries()) {
    faulted.at(today + turn * 10 * minute);
    await story(faulted);
    await faulted.pipeline.settle();
  }
  faulted.losing.clear();
  await deliver(faulted.delivered.normalize.slice(0));
  await faulted.drain();
}

async function oneByOne(events: readonly string[]): Promise<void> {
  for (const event of events) {
    faulted.send('normalize', [event]);
    await faulted.pipeline.settle();
  }
}

async function atOnce(events: readonly string[]): Promise<void> {
  faulted.send('normalize', events);
}

/** Counts of all uploads of this day's objects. */
async function countsOf(bench: Bench, { uploads }: EndState, name: string): Promise<Record<string, number>> {
  const totals: Record<string, number> = {};
  for (const { uploadId, object } of uploads) {
    if (!object.includes(name)) continue;
    const manifest = await bench.pipeline.table.get(manifestKey(uploadId));
    for (const [count, value] of Object.entries((manifest?.['counts'] ?? {}) as Record<string, number>)) {
      totals[count] = (totals[count] ?? 0) + value;
    }
  }
  return totals;
}

const ids = ['a', 'b', 'c', 'd', 'e'];
const orders = (name: string, rev: number) => lines(...ids.map((id) => ({ id: `${name}${id}`, rev, total: rev })));
const till =
  (name: string, file: string, body: string): Story =>
  (bench) =>
    bench.put('orders-till', `${name}/${file}.ndjson`, body);

test('the newer of two uploads comes first: the older one is stale', async () => {
  const stories = [till('stale', '1', orders('stale', 1)), till('stale', '2', orders('stale', 2))];
  await inOrder(stories);
  await landed(stories, (events) => oneByOne(events.toReversed()));

  const state = await expectSameEnd(clean, faulted, { viewVersions: true });
  expect(await countsOf(faulted, state, '/stale/')).toMatchObject({ accepted: 10, exported: 5, stale: 5, loaded: 5 });
  expect(await countsOf(clean, state, '/stale/')).toMatchObject({ accepted: 10, exported: 10, stale: 0, loaded: 10 });
});

test('uploads with the same keys, from two sources and several at once, end with the newest', async () => {
  const desk =
    (rev: number): Story =>
    (bench) =>
      bench.put(
        'orders-desk',
        `race/${rev}.csv`,
        `order_no;rev;amount\n${ids.map((id) => `race${id};${rev};${rev}\n`).join('')}`,
      );
  const stories = [
    till('race', '1', orders('race', 1)),
    till('race', '3', orders('race', 3)),
    desk(5),
    till('race', '2', orders('race', 2)),
    desk(4),
    till('race', 'tie', orders('race', 3).replaceAll('"total":3', '"total":4')),
  ];
  await inOrder(stories);
  await landed(stories, (events) => atOnce(shuffled([...events, ...events], seeded(3))));

  const state = await expectSameEnd(clean, faulted, { viewVersions: true });
  const totals = state.visible
    .filter(({ key }) => key.startsWith('race'))
    .map(({ payload }) => (payload as { total: number }).total);
  expect(totals.sort()).toEqual([4, 4, 4, 4, 4, 5, 5, 5, 5, 5]);
});

test.each(['one by one', 'backwards', 'at once'])(
  'the same rows under other keys change nothing, delivered %s',
  async (how) => {
    const name = `same-${how.replaceAll(' ', '-')}`;
    const stories = ['1', '2', '3', '4'].map((file) => till(name, file, orders(name, 1)));
    await inOrder(stories);
    await landed(stories, async (events) => {
      if (how === 'at once') await atOnce(shuffled([...events, ...events, ...events], seeded(4)));
      else await oneByOne(how === 'backwards' ? events.toReversed() : events);
    });

    const state = await expectSameEnd(clean, faulted, { viewVersions: true });
    expect(state.visible.filter(({ key }) => key.startsWith(name))).toHaveLength(5);
  },
);

test.each(['one by one', 'backwards', 'at once'])(
  'appended rows delivered twice are there once, delivered %s',
  async (how) => {
    const name = `twice-${how.replaceAll(' ', '-')}`;
    const scans = lines(...[1, 2, 3, 4, 5].map((seq) => ({ gate: name, ticket: 'x', seq })));
    const again: Story = (bench) => bench.put('scans', `${name}.ndjson`, scans);
    const stories = [again, again, again];
    await inOrder(stories);
    await landed(stories, async (events) => {
      if (how === 'at once') await atOnce(shuffled([...events, ...events], seeded(5)));
      else await oneByOne(how === 'backwards' ? events.toReversed() : events);
    });

    const state = await expectSameEnd(clean, faulted, { viewVersions: true, appendedBy: true });
    expect(state.visible.filter(({ payload }) => (payload as { gate?: string }).gate === name)).toHaveLength(5);
  },
);
