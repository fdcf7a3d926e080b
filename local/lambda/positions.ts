import { replayJournal, rewriteJournal } from '../journal.ts';

/** How far event source mappings have read their streams, for the next run. */
export interface Positions {
  /** The sequence number that the mapping has settled in this shard; undefined when it never read it. */
  read(mappingId: string, shardId: string): string | undefined;
  /** Notes it before anything after it is delivered. */
  note(mappingId: string, shardId: string, sequence: string): void;
  close(): void;
}

interface Position {
  readonly mapping: string;
  readonly shard: string;
  readonly sequence: string;
}

/** Opens (or makes) the file of positions. */
export function openPositions(path: string): Positions {
  const known = new Map<string, Position>();
  const keyOf = (mapping: string, shard: string) => `${mapping} ${shard}`;
  const keep = (position: Position) => known.set(keyOf(position.mapping, position.shard), position);
  replayJournal<Position>(path, 'Lambda', keep);
  const journal = rewriteJournal(path, known.values());
  return {
    read: (mapping, shard) => known.get(keyOf(mapping, shard))?.sequence,
    note(mapping, shard, sequence) {
      const position = { mapping, shard, sequence };
      journal.append(position);
      keep(position);
    },
    close: () => journal.close(),
  };
}
