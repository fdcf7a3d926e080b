import { readFile } from 'node:fs/promises';
import avsc from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avro, decodeAvro } from '../../core/decode/avro.ts';
import { DecodeError } from '../../core/decode/codes.ts';
import { decode, defaultLimits } from '../../core/decode/decode.ts';
import { chunked, cutAt } from '../support/decoded.ts';
import { joined } from '../support/decoded-batches.ts';

const names = [
  ...[
    'fastavro-null',
    'fastavro-deflate',
    'fastavro-snappy',
    'fastavro-zstandard',
    'fastavro-bzip2',
    'fastavro-values',
    'fastavro-tree',
  ],
  ...['apache-null', 'polars-snappy'],
];
const files = await Promise.all(
  names.map(async (name) => ({
    name,
    bytes: await readFile(new URL(`../fixtures/avro/${name}.avro`, import.meta.url)),
  })),
);
interface Typed {
  readonly schema: unknown;
  readonly value: fc.Arbitrary<unknown>;
}

/** Schemas with values of them, inside each other to a depth. */
function typed(depth: number): fc.Arbitrary<Typed> {
  const scalars: Typed[] = [
    { schema: 'int', value: fc.integer() },
    // Further from zero avsc writes another number.
    { schema: 'long', value: fc.integer({ min: 1 - 2 ** 52, max: 2 ** 52 - 1 }) },
    { schema: 'double', value: fc.double({ noNaN: true, noDefaultInfinity: true }) },
    { schema: 'string', value: fc.string({ unit: 'grapheme' }) },
    { schema: 'boolean', value: fc.boolean() },
    { schema: 'null', value: fc.constant(null) },
    { schema: ['null', 'string'], value: fc.option(fc.string()) },
  ];
  const scalar = fc.constantFrom(...scalars);
  if (depth === 0) return scalar;
  const inner = typed(depth - 1);
  return fc.oneof(
    scalar,
    inner.map(({ schema, value }) => ({ schema: { type: 'array', items: schema }, value: fc.array(value) })),
    inner.map(({ schema, value }) => ({
      schema: { type: 'map', values: schema },
      value: fc.dictionary(fc.string(), value),
    })),
    fc.array(inner, { maxLength: 4 }).map(recordOf),
  );
}

function recordOf(members: readonly Typed[]): Typed {
  const fields = members.map(({ schema }, index) => ({ name: `f${index}`, type: schema }));
  const values = Object.fromEntries(members.map(({ value }, index) => [`f${index}`, value]));
  return { schema: { type: 'record', fields }, value: fc.record(values) };
}

const read = (pieces: Uint8Array[], limits = {}) => joined(decode(chunked(pieces), avro(), limits));

describe('avro', () => {
  it('reads what avsc writes, whatever the schema', async () => {
    const files = fc
      .array(typed(3), { maxLength: 4 })
      .map(recordOf)
      .chain(({ schema, value }) => fc.tuple(fc.constant(schema), fc.array(value, { minLength: 1, maxLength: 20 })));

    await fc.assert(
      fc.asyncProperty(files, fc.constantFrom('null', 'deflate'), async ([schema, rows], codec) => {
        const type = avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: false });
        const encoder = new avsc.streams.BlockEncoder(type, { codec, blockSize: 100 });
        for (const row of rows) encoder.write(row);
        encoder.end();

        const { rows: found, error } = await read(await encoder.toArray());

        expect(error).toBeUndefined();
        // avsc writes 0 for -0.
        expect(JSON.stringify(found)).toBe(JSON.stringify(rows));
      }),
      { numRuns: 40 },
    );
  });

  it.each(files)(
    'gives the rows of $name however it is cut, whatever the limits and the first row',
    async ({ bytes }) => {
      const all = await read([bytes]);
      const longest = Math.max(...all.raws.map((raw) => Buffer.byteLength(raw)));
      const limits = fc.record({
        batchRows: fc.integer({ min: 1, max: 300 }),
        batchBytes: fc.integer({ min: 1, max: 100_000 }),
        maxRowBytes: fc.integer({ min: longest, max: longest + 10 }),
      });
      const cuts = fc.array(fc.nat(bytes.length), { maxLength: 40 });

      await fc.assert(
        fc.asyncProperty(limits, cuts, fc.nat(all.rows.length + 2), async (limits, cuts, from) => {
          const { raws, positions, bad, error } = await joined(
            decodeAvro(chunked(cutAt(bytes, cuts)), { ...defaultLimits, ...limits }, from),
          );
          expect(error).toBeUndefined();
          const wanted = all.raws.filter((_, index) => (all.positions[index] ?? 0) >= from);
          expect(raws.join('\n')).toBe(wanted.join('\n'));
          expect(positions).toEqual(all.positions.filter((position) => position >= from));
          expect(bad.map(({ position }) => position)).toEqual(
            all.bad.map(({ position }) => position).filter((position) => position >= from),
          );
        }),
        { numRuns: 15 },
      );
    },
  );

  it.each(files.filter(({ bytes }) => bytes.length < 10_000))(
    'gives the rows of whole blocks, then a DecodeError, wherever $name is cut off',
    async ({ bytes }) => {
      const all = await read([bytes]);
      let most = 0;
      for (let end = 0; end < bytes.length; end += 97) {
        const { raws, error } = await read([bytes.subarray(0, end)]);
        // Behind a block's mark nothing is missing that could be known.
        if (error === undefined) expect(bytes.subarray(0, end).includes(bytes.subarray(-16))).toBe(true);
        else expect(error).toBeInstanceOf(DecodeError);
        expect(raws.join('\n')).toBe(all.raws.slice(0, raws.length).join('\n'));
        expect(raws.length).toBeGreaterThanOrEqual(most);
        most = raws.length;
      }
    },
  );

  it.each(files)('survives any bytes of $name that are changed', async ({ bytes }) => {
    const place = fc.oneof(fc.nat(bytes.length - 1), fc.nat(Math.min(2000, bytes.length - 1)));

    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 8 }), async (changes) => {
        const damaged = Buffer.from(bytes);
        for (const [at, byte] of changes) damaged[at] = byte;
        const { error } = await read([damaged]);
        if (error !== undefined) expect(error).toBeInstanceOf(DecodeError);
      }),
      { numRuns: 60 },
    );
  });
});
