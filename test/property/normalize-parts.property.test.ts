import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csv } from '../../core/decode/csv.ts';
import { fixedWidth } from '../../core/decode/fixed-width.ts';
import type { Format } from '../../core/decode/format.ts';
import { json } from '../../core/decode/json.ts';
import { ndjson } from '../../core/decode/ndjson.ts';
import { decimal } from '../../core/fields/decimal.ts';
import { integer } from '../../core/fields/integer.ts';
import { text } from '../../core/fields/text.ts';
import { isReadInPlace } from '../../core/normalize/open.ts';
import { type AnySource, defineSource } from '../../core/source/source.ts';
import { endOf, listedOf, partsOf } from '../support/normalize-end.ts';
import { announce, dyingAfter, type Invocation, type WorldOptions, work, worldOf } from '../support/normalize-run.ts';

const limits = { maxRowBytes: 60, batchRows: 2, batchBytes: 100, rawLimitBytes: 40 };

const fields = { id: text('id'), rev: integer('rev'), total: decimal('total') };
const from = { bucket: 'b' };
/** Rows of one key replace each other; some rows become two, some none. */
const upsert = (format: Format) =>
  defineSource({
    from,
    entity: 'order',
    format,
    key: 'id',
    version: 'rev',
    fields,
    transform: (row) => (row['id'] === 'drop' ? null : row['id'] === 'two' ? [row, { ...row, id: 'second' }] : row),
  });
const append = (format: Format) => defineSource({ from, entity: 'order', format, fields, keep: 'all' });

interface Row {
  readonly id: string;
  readonly rev: number | string;
  readonly total: number;
}
const row: fc.Arbitrary<Row> = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'drop', 'two', '', 'x'.repeat(80)),
  rev: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 4 }) }, { weight: 1, arbitrary: fc.constant('no') }),
  total: fc.nat(3),
});
const garbage = fc.constantFrom('', '{"id":', '"', 'é', '{}', '"a,1');
const lines = fc.array(fc.oneof({ weight: 4, arbitrary: row }, { weight: 1, arbitrary: garbage }), { maxLength: 14 });
type Lines = readonly (Row | string)[];

const cells = ({ id, rev, total }: Row) => `"${id}",${rev},${total}`;
const csvText = (all: Lines) =>
  `id,rev,total\n${all.map((each) => `${typeof each === 'string' ? each : cells(each)}\r\n`).join('')}`;
const ndjsonText = (all: Lines) =>
  all.map((each) => `${typeof each === 'string' ? each : JSON.stringify(each)}\n`).join('');
const onlyRows = (all: Lines) => all.filter((each) => typeof each !== 'string');

/** How rows are written, and how they are read: formats that are cut, and formats that are only gone on with. */
const shapes: readonly (readonly [string, Format, (all: Lines) => Uint8Array])[] = [
  ['NDJSON', ndjson(), (all) => Buffer.from(ndjsonText(all))],
  ['CSV whose cells hold no line ends', csv({ multiline: false }), (all) => Buffer.from(csvText(all))],
  [
    'lines of fixed width',
    fixedWidth({ columns: ['id', 'rev', 'total'].map((name) => ({ name, width: 4 })), ragged: 'pad' }),
    (all) =>
      Buffer.from(
        onlyRows(all)
          .map(({ id, rev, total }) => `${id.padEnd(4)}${rev}   ${total}\n`)
          .join(''),
      ),
  ],
  ['CSV', csv(), (all) => Buffer.from(csvText(all))],
  ['CSV in UTF-16', csv({ encoding: 'utf-16le' }), (all) => Buffer.from(csvText(all), 'utf16le')],
  ['a JSON document', json(), (all) => Buffer.from(JSON.stringify(onlyRows(all)))],
  ['compressed NDJSON', ndjson(), (all) => gzipSync(ndjsonText(all))],
  ['NDJSON that was cut off while it was compressed', ndjson(), (all) => gzipSync(ndjsonText(all)).subarray(0, -9)],
];

/** Time that lets an invocation look at its clock so often before it is up. */
function looks(count: number): Invocation {
  let left = count;
  return { marginMs: 1000, remainingMs: () => Math.max(0, left--) * 1000 + 500 };
}

async function endFrom(options: WorldOptions, invocations?: (n: number) => Invocation) {
  const world = worldOf(options);
  announce(world);
  const count = await work(world, invocations);
  return { world, count, end: endOf(world) };
}

const sources: readonly (readonly [string, (format: Format) => AnySource])[] = [
  ['replace', upsert],
  ['are all kept', append],
];

describe.each(sources)('rows that %s', (_kind, source) => {
  it.each(shapes)('of %s come to the same in any parts and any number of turns', async (name, format, bytesOf) => {
    const budgets = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 });
    const arbitrary = fc.tuple(lines, fc.integer({ min: 4, max: 300 }), budgets, fc.integer({ min: 1, max: 50 }));
    await fc.assert(
      fc.asyncProperty(arbitrary, async ([all, partBytes, turns, chunkBytes]) => {
        const options = { bytes: bytesOf(all), source: source(format), limits };
        const whole = await endFrom(options);
        // What has to be passed over again takes time, too: a turn that is no longer than the one before comes nowhere.
        const again = isReadInPlace({ format, compression: 'none' }) && !name.includes('compressed') ? 0 : 3;
        const budget = (n: number) => looks((turns[n % turns.length] ?? 1) + n * again);
        const cut = await endFrom({ ...options, partBytes, ...(again === 0 && { chunkBytes }) }, budget);

        expect(cut.end).toEqual(whole.end);
        const listed = new Map(listedOf(whole.world).map((item) => [item.sk, item]));
        for (const item of listedOf(cut.world)) expect(item).toEqual(listed.get(item.sk));
      }),
      { numRuns: 120 },
    );
  });
});

const manyRows: Lines = Array.from({ length: 14 }, (_, n) =>
  n % 5 === 4 ? '{"id":' : { id: `k${n % 4}`, rev: n % 3 === 0 ? 'no' : n, total: n },
);

describe('a worker that dies after any of its calls', () => {
  it.each(shapes.slice(0, 4))('changes nothing of what becomes of %s', async (_name, format, bytesOf) => {
    const options = { bytes: bytesOf(manyRows), source: upsert(format), limits, partBytes: 150 };
    const whole = await endFrom({ ...options, partBytes: Number.POSITIVE_INFINITY });
    const quiet = await endFrom(options, () => looks(3));
    for (let victim = 0; victim < quiet.count; victim += 1) {
      for (let call = 1; ; call += 1) {
        let survived = true;
        const { end } = await endFrom(options, (n) => {
          if (n !== victim) return looks(3);
          const dying = dyingAfter(call);
          return {
            ...looks(3),
            ...dying,
            after: (name) => {
              survived = false;
              try {
                dying.after?.(name);
                survived = true;
              } catch (error) {
                survived = false;
                throw error;
              }
            },
          };
        });
        expect(end).toEqual(whole.end);
        if (survived) break;
      }
    }
    expect(quiet.count).toBeGreaterThan(2);
  });
});

describe('a large object', () => {
  it('is cut where its rows can be found from anywhere, and only there', async () => {
    for (const [name, format, bytesOf] of shapes) {
      const { world } = await endFrom({ bytes: bytesOf(manyRows), source: upsert(format), limits, partBytes: 100 });
      const parts = partsOf(world);
      const bytes = bytesOf(manyRows).length;
      expect(parts.length, name).toBe(shapes.findIndex(([each]) => each === name) < 3 ? Math.ceil(bytes / 100) : 1);
      expect(parts.every((part) => part['partState'] === 'done')).toBe(true);
    }
  });

  it('is cut behind a byte order mark in the same rows, however small its parts are', async () => {
    const bytes = Buffer.from(`\ufeff${ndjsonText(manyRows)}`);
    const whole = await endFrom({ bytes, source: upsert(ndjson()), limits });
    for (const partBytes of [1, 2, 3, 4, 5, 100]) {
      const { end } = await endFrom({ bytes, source: upsert(ndjson()), limits, partBytes });
      expect(end).toEqual(whole.end);
    }
  });

  it('is left whole when what its beginning says does not end in the first part', async () => {
    const format = csv({ multiline: false, skipRows: 3 });
    const bytes = Buffer.from(`made by\nsomebody,1,2\nelse,3,4\n${csvText(manyRows)}`);
    const whole = await endFrom({ bytes, source: upsert(format), limits });
    for (const partBytes of [10, 25, 45, 60]) {
      const { world, end } = await endFrom({ bytes, source: upsert(format), limits, partBytes });
      expect(partsOf(world).length > 1, String(partBytes)).toBe(partBytes >= 45);
      expect(end).toEqual(whole.end);
    }
  });
});
