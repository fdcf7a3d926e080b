import { describe, expect, it } from 'vitest';
import { fileBooks, type PartBooks, partBooks, sumParts } from '../../core/upload/books.ts';
import { RowCounter } from '../../core/upload/row-set.ts';

function setOf(...positions: readonly number[]) {
  const counter = new RowCounter();
  for (const position of positions) counter.add(position, 0);
  return counter.value();
}

const part = (change: Partial<PartBooks>): PartBooks => ({ ...sumParts([]), rowsRead: 4, ...change });

describe('the books in the table', () => {
  it('are read back as they were written', () => {
    const files = { keyFiles: [{ prefix: 'k-1', files: 3 }], quarantineFiles: [{ prefix: 'q-1', files: 1 }] };
    const quarantine = { quarantined: setOf(9), quarantineCodes: { 'field.type': 1 }, rowsListed: 1 };
    const books = part({ stale: setOf(2), contradictions: 1, rowsDropped: 2, ...files, ...quarantine });
    expect(partBooks({ pk: 'U#a', sk: 'P#1#0000', ...books, partState: 'done' })).toEqual(books);
    const sets = { exported: setOf(1), unchanged: setOf(2), leansOn: { 'b#1': 1 } };
    const ofFile = { exportFile: 'f1', ...sets, unchangedFile: 'u1', contradictions: 2 };
    expect(fileBooks({ pk: 'U#a', sk: 'B#1#f', ...ofFile })).toEqual(ofFile);
  });

  it('are empty where an item holds none', () => {
    expect(partBooks({ pk: 'p', sk: 's' })).toEqual(sumParts([]));
    expect(fileBooks({ pk: 'p', sk: 's' })).toEqual({
      exportFile: '',
      exported: setOf(),
      unchanged: setOf(),
      leansOn: {},
      unchangedFile: '',
      contradictions: 0,
    });
  });

  it('of several parts are one', () =>
    expect(
      sumParts([
        part({ accepted: setOf(0, 1), keyFiles: [{ prefix: 'a-1', files: 1 }], quarantineCodes: { y: 1, x: 2 } }),
        part({ accepted: setOf(2), stale: setOf(2), contradictions: 2, quarantineCodes: { x: 1 }, rowsListed: 1 }),
      ]),
    ).toEqual({
      ...part({ accepted: setOf(0, 1, 2), stale: setOf(2), contradictions: 2, rowsListed: 1 }),
      keyFiles: [{ prefix: 'a-1', files: 1 }],
      quarantineCodes: { x: 3, y: 1 },
      rowsRead: 8,
    }));
});
