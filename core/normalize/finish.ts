import { manifestKey } from '../table/key.ts';
import type { Table } from '../table/table.ts';
import { partBooks, sumParts } from '../upload/books.ts';
import { openParts, type Plan, partItems } from '../upload/parts.ts';

export interface RunName {
  readonly uploadId: string;
  readonly revision: number;
}

/** Notes how normalizing an upload ended. Several workers may: what reconcile has made of it since stays. */
export async function noteFinished(
  table: Table,
  { uploadId, revision }: RunName,
  set: Readonly<Record<string, unknown>>,
  nowMs: number,
): Promise<void> {
  await table.update(manifestKey(uploadId), {
    set: { ...set, revision, changedAtMs: nowMs },
    // A slower worker must not take back what reconcile, or a later revision, has made of the upload since.
    condition: {
      expression:
        'attribute_not_exists(revision) OR revision < :revision OR (revision = :revision AND uploadState IN (:normalizing, :normalized))',
      values: { ':normalizing': 'normalizing', ':normalized': 'normalized', ':revision': revision },
    },
  });
}

/**
 * Notes that the upload is normalized if all of its parts are done: whoever is through with a part looks, so the last
 * one sees it. Idempotent.
 */
export async function finishIfDone(table: Table, name: RunName, plan: Plan, nowMs: number): Promise<boolean> {
  const items = await partItems(table, name.uploadId, name.revision);
  if (openParts(plan, name.revision, items).length > 0) return false;
  await noteNormalized(table, name, plan, sumParts(items.map(partBooks)).quarantineCodes, nowMs);
  return true;
}

/** The same for an upload of one part, whose books its worker has at hand. */
export function noteNormalized(
  table: Table,
  name: RunName,
  plan: Plan,
  quarantineCodes: Readonly<Record<string, number>>,
  nowMs: number,
): Promise<void> {
  const { format, compression, contentId } = plan;
  const set = { dataFormat: format?.name ?? 'empty', compression, contentId, quarantineCodes };
  return noteFinished(table, name, { uploadState: 'normalized', closed: false, ...set }, nowMs);
}

/** Notes that the upload cannot be brought to its end as things are: a person has to look. */
export async function noteFailed(
  table: Table,
  { uploadId }: RunName,
  stateReason: string,
  nowMs: number,
): Promise<void> {
  await table.update(manifestKey(uploadId), {
    set: { uploadState: 'failed', stateReason, changedAtMs: nowMs },
    condition: { expression: 'uploadState = :normalizing', values: { ':normalizing': 'normalizing' } },
  });
}
