import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectSound } from '../support/end-state.ts';
import { type Bench, bootBench, day, lines, minute, startMs, type Trouble } from '../support/pipeline.ts';

let bench: Bench;
let today = startMs;
/** Of the object of this test; its rows are all of one order of the same name. */
let name = '';

beforeAll(async () => {
  bench = await bootBench('overwrites', true);
});
afterAll(() => bench?.close());
beforeEach(() => {
  today += 2 * day;
  bench.at(today);
  bench.delivered.copy.length = 0;
  name = `o${(today - startMs) / day}`;
});
afterEach(() => {
  bench.trouble = undefined;
  bench.losing.clear();
});

const put = (total: number) => bench.put('orders-till', `${name}.ndjson`, lines({ id: name, rev: 1, total }));
const remove = () => bench.remove('orders-till', `${name}.ndjson`);

/**
 * Does one thing after another, each when copy makes its next call of this kind: before it is carried out, or after.
 * Events of these things wait until `resend`, so that the first event's worker meets them alone.
 */
function meanwhile(
  phase: 'before' | 'after',
  operation: string,
  ...things: readonly (() => Promise<unknown>)[]
): Trouble {
  const left = [...things];
  return async (call, at) => {
    if (call.by !== 'copy' || call.operation !== operation || at !== phase) return;
    const thing = left.shift();
    if (!thing) return;
    bench.losing.add('copy');
    await thing();
  };
}

/** Delivers what waited. */
async function resend(): Promise<void> {
  await bench.pipeline.settle();
  bench.losing.delete('copy');
  bench.send('copy', bench.delivered.copy.splice(0).slice(1));
  await bench.pipeline.settle();
}

/** How the uploads of this test's object ended, and what is there of its order in table and warehouse. */
async function ended() {
  await bench.pipeline.settle();
  if (bench.losing.has('copy')) await resend();
  await bench.drain();
  const state = await bench.endState();
  expectSound(state);
  const totals = state.records
    .filter((each) => each['recordKey']?.S === name)
    .map((each) => each['payload']?.M?.['total']?.N);
  const shown = state.visible
    .filter((each) => each.key === name)
    .map((each) => String((each.payload as { total: unknown }).total));
  expect(shown).toEqual(totals);
  const uploads = state.uploads.filter(({ object }) => object.includes(`/${name}.`)).map((each) => each.state);
  return { uploads: uploads.sort(), totals };
}

test('an object is overwritten between its event and the first look at it', async () => {
  bench.trouble = meanwhile('before', 'HeadObject', () => put(2));
  await put(1);

  expect(await ended()).toEqual({ uploads: ['loaded', 'superseded'], totals: ['2'] });
});

test('an object is overwritten between the first look at it and the copy', async () => {
  bench.trouble = meanwhile('after', 'HeadObject', () => put(2));
  await put(1);

  expect(await ended()).toEqual({ uploads: ['loaded', 'superseded'], totals: ['2'] });
});

// What was overwritten before it was copied is listed twice where both its first event's worker and its own event meet
// it: HeadObject's identity has a LastModified, the event's has none.
test('an object is overwritten twice and ends as it was, all within a second', async () => {
  bench.trouble = meanwhile(
    'after',
    'HeadObject',
    () => put(2),
    () => put(1),
  );
  await put(1);

  expect(await ended()).toEqual({ uploads: ['loaded', 'superseded', 'superseded'], totals: ['1'] });
});

test('an object is overwritten twice and ends as it was, seconds later', async () => {
  const later = (total: number) => async () => {
    bench.at(bench.pipeline.cloud.clock.now() + 1000);
    await put(total);
  };
  bench.trouble = meanwhile('after', 'HeadObject', later(2), later(1));
  await put(1);

  expect(await ended()).toEqual({ uploads: ['loaded', 'superseded', 'superseded', 'superseded'], totals: ['1'] });
});

test('an object comes back after its upload was ended, and the event of its copy gets lost', async () => {
  bench.losing.add('normalize');
  bench.trouble = meanwhile(
    'after',
    'HeadObject',
    () => put(2),
    () => put(1),
  );
  await put(1);
  await resend();
  bench.losing.clear();
  bench.at(today + 3 * 60 * minute);

  expect(await ended()).toEqual({ uploads: ['loaded', 'superseded', 'superseded'], totals: ['1'] });
});

test('an object is deleted before the first look at it', async () => {
  bench.trouble = meanwhile('before', 'HeadObject', remove);
  await put(1);

  expect(await ended()).toEqual({ uploads: ['deleted'], totals: [] });
});

test('an object is deleted between the first look at it and the copy', async () => {
  bench.trouble = meanwhile('after', 'HeadObject', remove);
  await put(1);

  expect(await ended()).toEqual({ uploads: ['deleted', 'superseded'], totals: [] });
});

/** Copy dies right after it has noted that it saw the object, and before its message comes again this happens. */
async function diesBefore(thing: () => Promise<unknown>): Promise<void> {
  let dead = false;
  bench.trouble = async (call, phase) => {
    if (dead || phase !== 'after' || call.by !== 'copy' || call.operation !== 'PutItem') return;
    dead = true;
    await thing();
    await bench.kill(call);
    return { kind: 'lostReply' };
  };
  await put(1);
  await bench.pipeline.settle();
  bench.at(today + 5 * 60 * minute);
}

test('an object is deleted after copy died with it: reconcile ends its upload', async () => {
  await diesBefore(remove);

  expect(await ended()).toEqual({ uploads: ['deleted', 'deleted'], totals: [] });
});

test('an object is overwritten after copy died with it: reconcile ends its upload', async () => {
  await diesBefore(() => put(2));

  expect(await ended()).toEqual({ uploads: ['loaded', 'superseded', 'superseded'], totals: ['2'] });
});

test('the same bytes are put again after copy died with them: reconcile ends the first upload', async () => {
  await diesBefore(async () => {
    bench.at(today + minute);
    await put(1);
  });

  expect(await ended()).toEqual({ uploads: ['loaded', 'superseded'], totals: ['1'] });
});

describe('in a bucket with versions', () => {
  const version = (rev: number) =>
    bench.put('orders-desk', `${name}.csv`, `order_no;rev;amount\n${name};${rev};${rev}\n`);

  beforeAll(() => bench.pipeline.cloud.s3.createBucket('partner.desk', { versioning: true, eventBridge: true }));

  test('every version lands, though the next one came before it was looked at', async () => {
    bench.trouble = meanwhile('before', 'HeadObject', () => version(2));
    await version(1);

    expect(await ended()).toEqual({ uploads: ['loaded', 'loaded'], totals: ['2'] });
  });

  test('a version lands, though the next one came between the first look at it and the copy', async () => {
    bench.trouble = meanwhile('after', 'HeadObject', () => version(2));
    await version(1);

    expect(await ended()).toEqual({ uploads: ['loaded', 'loaded'], totals: ['2'] });
  });

  test('a version lands, though its object was deleted before it was looked at', async () => {
    bench.trouble = meanwhile('before', 'HeadObject', () => bench.remove('orders-desk', `${name}.csv`));
    await version(1);

    expect(await ended()).toEqual({ uploads: ['loaded'], totals: ['1'] });
  });

  test('the event of an older version comes last', async () => {
    bench.losing.add('copy');
    await version(1);
    await version(2);
    await bench.pipeline.settle();
    bench.losing.clear();
    bench.send('copy', bench.delivered.copy.slice(-2).reverse());

    expect(await ended()).toEqual({ uploads: ['loaded', 'loaded'], totals: ['2'] });
  });
});
