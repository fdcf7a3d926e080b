import type { Item } from '../table/table.ts';
import { emptySet, type RowSet, sum } from './row-set.ts';
import type { SideFiles } from './side-file.ts';

/**
 * What normalizing one part of an upload came to, or has come to at a checkpoint, as its part item holds it. Set whole,
 * never added to.
 */
export interface PartBooks {
  readonly rowsRead: number;
  readonly rowsDropped: number;
  readonly quarantined: RowSet;
  /** Every record that came out of the mapping; collapsed and stale ones are among them. */
  readonly accepted: RowSet;
  readonly collapsed: RowSet;
  readonly stale: RowSet;
  /** Records that met one of the same version with other content: their source is not deterministic. */
  readonly contradictions: number;
  /** Side files of the turns that count. What a worker wrote that lost its turn is in none of them. */
  readonly keyFiles: readonly SideFiles[];
  readonly quarantineFiles: readonly SideFiles[];
  /** How many quarantined rows have which reason. */
  readonly quarantineCodes: Readonly<Record<string, number>>;
  /** Quarantined rows that the table lists. */
  readonly rowsListed: number;
}

export const noRows: PartBooks = {
  rowsRead: 0,
  rowsDropped: 0,
  quarantined: emptySet,
  accepted: emptySet,
  collapsed: emptySet,
  stale: emptySet,
  contradictions: 0,
  keyFiles: [],
  quarantineFiles: [],
  quarantineCodes: {},
  rowsListed: 0,
};

/** What one export file holds of one upload. */
export interface FileBooks {
  readonly exportFile: string;
  readonly exported: RowSet;
  readonly unchanged: RowSet;
  /** `<uploadId>#<revision>` that unchanged rows lean on, with how many rows each. */
  readonly leansOn: Readonly<Record<string, number>>;
  /** Key of the list of unchanged rows; empty when there are none. */
  readonly unchangedFile: string;
  /** Rows that replaced one of the same version with other content. */
  readonly contradictions: number;
}

/** The counts that a person and `--json` see. */
export interface UploadCounts {
  readonly rowsRead: number;
  readonly dropped: number;
  readonly quarantined: number;
  readonly accepted: number;
  readonly collapsed: number;
  readonly stale: number;
  readonly unchanged: number;
  readonly exported: number;
  readonly loaded: number;
}

export const noCounts: UploadCounts = {
  rowsRead: 0,
  dropped: 0,
  quarantined: 0,
  accepted: 0,
  collapsed: 0,
  stale: 0,
  unchanged: 0,
  exported: 0,
  loaded: 0,
};

export function partBooks(item: Item): PartBooks {
  return {
    rowsRead: numberOf(item['rowsRead']),
    rowsDropped: numberOf(item['rowsDropped']),
    quarantined: setOf(item['quarantined']),
    accepted: setOf(item['accepted']),
    collapsed: setOf(item['collapsed']),
    stale: setOf(item['stale']),
    contradictions: numberOf(item['contradictions']),
    keyFiles: (item['keyFiles'] ?? []) as readonly SideFiles[],
    quarantineFiles: (item['quarantineFiles'] ?? []) as readonly SideFiles[],
    quarantineCodes: (item['quarantineCodes'] ?? {}) as Readonly<Record<string, number>>,
    rowsListed: numberOf(item['rowsListed']),
  };
}

export function fileBooks(item: Item): FileBooks {
  return {
    exportFile: String(item['exportFile'] ?? ''),
    exported: setOf(item['exported']),
    unchanged: setOf(item['unchanged']),
    leansOn: (item['leansOn'] ?? {}) as Readonly<Record<string, number>>,
    unchangedFile: String(item['unchangedFile'] ?? ''),
    contradictions: numberOf(item['contradictions']),
  };
}

/** The books of all parts of an upload as one. */
export function sumParts(parts: readonly PartBooks[]): PartBooks {
  const add = (pick: (part: PartBooks) => number) => parts.reduce((total, part) => total + pick(part), 0);
  const join = (pick: (part: PartBooks) => RowSet) => sum(emptySet, ...parts.map(pick));
  return {
    rowsRead: add((part) => part.rowsRead),
    rowsDropped: add((part) => part.rowsDropped),
    quarantined: join((part) => part.quarantined),
    accepted: join((part) => part.accepted),
    collapsed: join((part) => part.collapsed),
    stale: join((part) => part.stale),
    contradictions: add((part) => part.contradictions),
    keyFiles: parts.flatMap((part) => part.keyFiles),
    quarantineFiles: parts.flatMap((part) => part.quarantineFiles),
    quarantineCodes: sumCodes(parts.map((part) => part.quarantineCodes)),
    rowsListed: add((part) => part.rowsListed),
  };
}

function sumCodes(all: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const [code, rows] of all.flatMap(Object.entries)) sums.set(code, (sums.get(code) ?? 0) + rows);
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function setOf(value: unknown): RowSet {
  if (typeof value !== 'object' || value === null) return emptySet;
  const { count, fingerprint } = value as Partial<RowSet>;
  return { count: count ?? 0, fingerprint: fingerprint ?? emptySet.fingerprint };
}
