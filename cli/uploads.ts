import { uploadsOfDay } from '../core/table/key.ts';
import type { Table } from '../core/table/table.ts';
import { noCounts, type UploadCounts } from '../core/upload/books.ts';
import { dayOf } from '../core/upload/landing-key.ts';
import { type Manifest, type UploadState, unroutedSource, uploadIdOf } from '../core/upload/manifest.ts';

/** One upload as people and `--json` see it. */
export interface UploadLine extends UploadCounts {
  readonly source: string;
  readonly uploadId: string;
  readonly objectKey: string;
  readonly state: UploadState;
  readonly reason: string | undefined;
  readonly closed: boolean;
}

/** Uploads of these sources that landed on these UTC days, oldest first, those that no source claims included. */
export async function listUploads(
  table: Table,
  sourceIds: readonly string[],
  fromMs: number,
  toMs: number,
): Promise<readonly UploadLine[]> {
  const lines: UploadLine[] = [];
  const dayMs = 24 * 60 * 60 * 1000;
  for (const sourceId of [...sourceIds, unroutedSource]) {
    for (let day = fromMs; dayOf(day) <= dayOf(toMs); day += dayMs) {
      for await (const keys of table.queryIndex(uploadsOfDay(sourceId, dayOf(day)))) {
        const byPk = new Map((await table.getMany(keys)).map((item) => [item.pk, item as Manifest]));
        lines.push(...keys.flatMap(({ pk }) => toLine(byPk.get(pk))));
      }
    }
  }
  return lines;
}

function toLine(manifest: Manifest | undefined): readonly UploadLine[] {
  if (!manifest) return [];
  const counts = { ...noCounts, ...(manifest['counts'] as Partial<UploadCounts> | undefined) };
  const { sourceId: source, objectKey, uploadState: state, closed, stateReason: reason } = manifest;
  return [{ source, uploadId: uploadIdOf(manifest), objectKey, state, reason, ...counts, closed: closed === true }];
}

/** The counts of all uploads together. */
export function totalOf(lines: readonly UploadLine[]): UploadCounts {
  const names = Object.keys(noCounts) as (keyof UploadCounts)[];
  return Object.fromEntries(
    names.map((name) => [name, lines.reduce((sum, line) => sum + line[name], 0)]),
  ) as unknown as UploadCounts;
}
