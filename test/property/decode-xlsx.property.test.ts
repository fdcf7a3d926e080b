import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { xlsx } from '../../core/decode/xlsx.ts';
import { listZip, openZipMember } from '../../core/decode/zip.ts';
import { bytesFile } from '../support/bytes-file.ts';
import { untilError } from '../support/decoded.ts';
import { fileRows } from '../support/file-rows.ts';

const fixture = (path: string) => readFile(new URL(`../fixtures/${path}`, import.meta.url));
const workbooks = await Promise.all(
  ['openpyxl.xlsx', 'xlsxwriter.xlsx', 'libreoffice-resaved.xlsx'].map((name) => fixture(`xlsx/${name}`)),
);
const archives = await Promise.all(
  ['infozip', 'zip64', 'python-descriptors', 'comment', '7zip'].map((name) => fixture(`zip/${name}.zip`)),
);

const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
const flipped = (bytes: Uint8Array, damage: readonly (readonly [number, number])[]) => {
  const copy = new Uint8Array(bytes);
  for (const [at, byte] of damage) copy[at % copy.length] = byte;
  return copy;
};
const codeOf = (error: unknown) => (error as { code?: string }).code;

describe('xlsx', () => {
  it('gives the same rows with any limits, from any row on', async () => {
    const limits = fc.record({
      batchRows: fc.integer({ min: 1, max: 4 }),
      batchBytes: fc.integer({ min: 1, max: 2000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...workbooks), limits, fc.nat(8), async (bytes, limits, from) => {
        const whole = await fileRows(bytes, xlsx());
        const found = await fileRows(bytes, xlsx(), limits, from);
        const wanted = whole.positions.map((position) => position >= from);

        expect(found.rows).toEqual(whole.rows.filter((_, index) => wanted[index]));
        expect(found.raws).toEqual(whole.raws.filter((_, index) => wanted[index]));
        expect(found.positions).toEqual(whole.positions.filter((_, index) => wanted[index]));
      }),
      { numRuns: 60 },
    );
  });

  it('ends in its own errors wherever a workbook is cut off', async () => {
    for (const bytes of workbooks) {
      for (let length = 0; length < bytes.length; length += 97) {
        expect(codeOf((await fileRows(bytes.subarray(0, length), xlsx())).error)).toMatch(/^decode\./);
      }
    }
  });

  it('throws nothing but its own errors for damaged workbooks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...workbooks), damage, async (bytes, damage) => {
        const { error } = await fileRows(flipped(bytes, damage), xlsx());
        if (error) expect(codeOf(error)).toMatch(/^decode\./);
      }),
      { numRuns: 400 },
    );
  });
});

describe('zip', () => {
  it('gives whole members of a damaged archive, or says that they are not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...archives), damage, async (bytes, damage) => {
        const file = bytesFile(flipped(bytes, damage));
        const { items, error } = await untilError(listZip(file));
        if (error) expect(codeOf(error)).toMatch(/^decode\.(corruptZip|unsupportedZip)$/);
        for (const member of items) {
          const { items: chunks, error } = await untilError(openZipMember(file, member));
          const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
          expect(length).toBeLessThanOrEqual(member.sizeBytes);
          if (error) expect(codeOf(error)).toMatch(/^decode\.(corruptZip|unsupportedZip)$/);
          else expect(length).toBe(member.sizeBytes);
        }
      }),
      { numRuns: 800 },
    );
  });
});
