import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { text } from '../../core/fields/text.ts';
import { defineSource } from '../../core/source/source.ts';
import { endOf, partOf } from '../support/normalize-end.ts';
import { announce, type Invocation, type WorldOptions, work, worldOf } from '../support/normalize-run.ts';

/** Keeps every row as a text of all it holds, whatever its format. */
const source = defineSource({
  from: { bucket: 'b' },
  entity: 'row',
  fields: { all: text('all') },
  transform: (row) => ({ all: inspect(row, { depth: 10, breakLength: Number.POSITIVE_INFINITY }) }),
});

async function endFrom(options: WorldOptions, invocations?: (n: number) => Invocation) {
  const world = worldOf(options);
  announce(world);
  const turns = await work(world, invocations);
  return { end: endOf(world), turns, part: partOf(world, 0) };
}

/** Time for the rows of one batch, and for passing over what was there before. */
function turn(n: number): Invocation {
  let looks = 0;
  return { marginMs: 1000, remainingMs: () => (looks++ < 1 + n * 4 ? 900_000 : 0) };
}

describe.each([
  ['avro/fastavro-deflate.avro', 'avro'],
  ['avro/polars-snappy.avro', 'avro'],
  ['parquet/polars.parquet', 'parquet'],
  ['parquet/pyarrow-snappy-v2.parquet', 'parquet'],
  ['xlsx/openpyxl.xlsx', 'xlsx'],
  ['xml/sitemap.xml', 'xml'],
])('%s', (path, format) => {
  const bytes = readFileSync(`test/fixtures/${path}`);
  const limits = { batchRows: 1 };

  it.each([
    ['as it is', bytes, path, 'none'],
    ['compressed', gzipSync(bytes), `${path}.gz`, 'gzip'],
  ])('%s comes to the same in one turn and in many', async (_how, given, name, compression) => {
    const whole = await endFrom({ bytes: given, source, name, limits });
    const many = await endFrom({ bytes: given, source, name, limits, chunkBytes: 100_000 }, turn);

    expect(whole.end.manifest).toMatchObject({ uploadState: 'normalized', dataFormat: format, compression });
    expect(whole.end.records.length).toBeGreaterThan(1);
    expect(many.end).toEqual(whole.end);
    expect(many.turns).toBeGreaterThan(1);
  });
});
