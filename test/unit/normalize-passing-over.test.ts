import { expect, it } from 'vitest';
import { avro } from '../../core/decode/avro.ts';
import { integer } from '../../core/fields/integer.ts';
import { text } from '../../core/fields/text.ts';
import { defineSource } from '../../core/source/source.ts';
import { endOf, partOf } from '../support/normalize-end.ts';
import { announce, deliver, type Invocation, take, type World, work, worldOf } from '../support/normalize-run.ts';

const source = defineSource({
  from: { bucket: 'b' },
  entity: 'order',
  format: avro(),
  key: 'id',
  version: 'rev',
  fields: { id: text('id'), rev: integer('rev') },
});

const long = (value: number) =>
  value < 64 ? Buffer.of(value * 2) : Buffer.of(((value * 2) & 0x7f) | 0x80, value >> 6);
const string = (value: string) => Buffer.concat([long(value.length), Buffer.from(value)]);
const sync = Buffer.alloc(16, 7);

/** An Avro file of blocks of two records each. */
function avroFile(blocks: number): Buffer {
  const fields = [
    { name: 'id', type: 'string' },
    { name: 'rev', type: 'long' },
  ];
  const schema = string(JSON.stringify({ type: 'record', name: 'r', fields }));
  const all = Array.from({ length: blocks }, (_, block) => {
    const rows = Buffer.concat([0, 1].flatMap((row) => [string(`k${block % 5}`), long(2 * block + row)]));
    return Buffer.concat([long(2), long(rows.length), rows, sync]);
  });
  return Buffer.concat([Buffer.from('Obj\x01'), long(1), string('avro.schema'), schema, long(0), sync, ...all]);
}

const worldOfAvro = () => worldOf({ bytes: avroFile(20), source, limits: { batchRows: 2 }, chunkBytes: 30 });

async function endOfQuietRun() {
  const world = worldOfAvro();
  announce(world);
  await work(world);
  return endOf(world);
}

function next(world: World, invocation: Invocation) {
  const message = take(world);
  if (!message) throw new Error('nothing is due');
  return deliver(world, message.body, invocation);
}

/** Time is up after so many looks at the clock. */
const looks = (count: number): Invocation => {
  let left = count;
  return { marginMs: 1000, remainingMs: () => (left-- > 0 ? 900_000 : 500) };
};

it('an Avro file whose blocks take a whole turn to pass over fails with a reason, and goes on with more time', async () => {
  const world = worldOfAvro();
  announce(world);
  expect((await next(world, looks(8)))?.kind).toBe('continued');
  const place = partOf(world, 0)?.['nextPosition'];
  expect(place).toBeGreaterThan(10);
  const kinds: unknown[] = [];
  while (world.queue.length > 0) kinds.push((await next(world, looks(4)))?.kind);

  expect(kinds).toEqual(['continued', 'continued', 'failed']);
  expect(partOf(world, 0)).toMatchObject({ nextPosition: place, stalls: 3 });
  announce(world);
  await work(world, () => looks(60));
  expect(endOf(world)).toEqual(await endOfQuietRun());
});

it('what could not be written when the time is up is written by the next turn', async () => {
  const quiet = await endOfQuietRun();
  for (let later = 1; later < 12; later += 1) {
    const world = worldOfAvro();
    announce(world);
    await next(world, looks(4));
    let failed = false;
    let left = later;
    await next(world, {
      marginMs: 1000,
      remainingMs: () => (!failed || left-- > 0 ? 900_000 : 500),
      before: (call) => {
        if (call !== 'writeRecords') return;
        failed = true;
        throw new Error('fault');
      },
    });
    await work(world);
    expect(failed).toBe(true);
    expect(endOf(world)).toEqual(quiet);
  }
});
