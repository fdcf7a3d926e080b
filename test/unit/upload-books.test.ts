import { describe, expect, it } from 'vitest';
import { fileBooks, type PartBooks, partAttributes, partBooks, sumParts } from '../../core/upload/books.ts';
import { RowCounter } from '../../core/upload/row-set.ts';

function setOf(...positions: readonly number[]) {
  const counter = new RowCounter();
  for (const position of positions) counter.add(position, 0);
  return counter.value();
}

const part = (change: Partial<PartBooks>): PartBooks => ({ ...sumParts([]), rowsRead: 4, ...change });

describe('the books in the table', () => {
  it('are read back as they were written', () => {
    const books = part({ stale: setOf(2), contradictions: 1, keyFiles: 3, rowsDropped: 2, quarantined: setOf(9) });
    expect(partBooks({ pk: 'U#a', sk: 'P#1#0000', ...partAttributes(books) })).toEqual(books);
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
        part({ accepted: setOf(0, 1), keyFiles: 1 }),
        part({ accepted: setOf(2), stale: setOf(2), contradictions: 2 }),
      ]),
    ).toEqual({
      ...part({ accepted: setOf(0, 1, 2), stale: setOf(2), keyFiles: 1, contradictions: 2 }),
      rowsRead: 8,
    }));
});
