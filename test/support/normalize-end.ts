import { partKey } from '../../core/table/key.ts';
import type { Item } from '../../core/table/table.ts';
import { type PartBooks, partBooks, sumParts } from '../../core/upload/books.ts';
import { RowCounter } from '../../core/upload/row-set.ts';
import { linesOf, uploadId, type World } from './normalize-run.ts';

/** All that normalizing an upload leaves, as far as it must not depend on how the work was done. */
export interface NormalizedEnd {
  readonly records: readonly (readonly [string, string])[];
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly books: Pick<PartBooks, 'rowsRead' | 'rowsDropped' | 'quarantined' | 'accepted' | 'quarantineCodes'>;
  /** Rows in the quarantine files that count, by place. */
  readonly quarantine: readonly string[];
}

export function partsOf(world: World): readonly Item[] {
  return [...world.table.items.values()].filter(({ sk }) => sk.startsWith('P#'));
}

export function listedOf(world: World): readonly Item[] {
  return [...world.table.items.values()].filter(({ sk }) => sk.startsWith('X#'));
}

/** Reads it all, and checks that books, key files and quarantine files of the world agree with each other. */
export function endOf(world: World): NormalizedEnd {
  const books = sumParts(partsOf(world).map(partBooks));
  const { uploadState, quarantineCodes, dataFormat, compression, contentId, revision, closed } =
    world.table.items.get(`U#${uploadId}\nMETA`) ?? ({} as Item);
  const keys = linesOf(world, books.keyFiles).map((line) => JSON.parse(line) as [number, number, string]);
  const accepted = counted(keys.map(([position, output]) => [position, output]));
  const quarantine = linesOf(world, books.quarantineFiles).sort();
  const rows = quarantine.map((line) => JSON.parse(line) as { rowNumber: string });
  const quarantined = counted(rows.map(({ rowNumber }) => rowNumber.split('.').map(Number)));
  if (JSON.stringify([accepted, quarantined]) !== JSON.stringify([books.accepted, books.quarantined])) {
    throw new Error('the side files that count hold other rows than the books');
  }
  const { rowsRead, rowsDropped } = books;
  return {
    records: [...world.records].sort(([a], [b]) => (a < b ? -1 : 1)),
    manifest: { uploadState, quarantineCodes, dataFormat, compression, contentId, revision, closed },
    books: { rowsRead, rowsDropped, quarantined, accepted, quarantineCodes: books.quarantineCodes },
    quarantine,
  };
}

function counted(rows: readonly (readonly number[])[]) {
  const counter = new RowCounter();
  for (const [position = 0, output = 0] of rows) counter.add(position, output);
  return counter.value();
}

export function partOf(world: World, part: number): Item | undefined {
  const { pk, sk } = partKey(uploadId, 1, part);
  return world.table.items.get(`${pk}\n${sk}`);
}
