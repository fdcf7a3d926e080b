import type { LoadEvidence } from '../snowflake/copy-history.ts';
import { withoutQuotes } from '../snowflake/error-text.ts';
import type { Item, Table } from '../table/table.ts';
import { dayOf } from './landing-key.ts';

/** Asks the warehouse what it loaded. Absent without Snowflake credentials: then nothing is ever verified. */
export interface Warehouse {
  /** Evidence of the files of one entity that were loaded, or failed, since then. */
  history(entity: string, sinceMs: number): Promise<readonly LoadEvidence[]>;
}

export interface LoadReport {
  readonly verified: number;
  readonly failed: readonly { readonly exportFile: string; readonly reason: string }[];
  readonly waiting: number;
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Matches the export files of the last days that are not verified yet with what the warehouse says of them, and keeps
 * the evidence: Snowflake's own history forgets after 14 days.
 */
export async function collectEvidence(
  table: Table,
  warehouse: Warehouse | undefined,
  entities: readonly string[],
  nowMs: number,
  lookbackDays: number,
): Promise<LoadReport> {
  let verified = 0;
  let waiting = 0;
  const failed: { exportFile: string; reason: string }[] = [];
  for (const entity of entities) {
    const pending = await pendingFiles(table, entity, nowMs, lookbackDays);
    if (pending.length === 0) continue;
    const oldest = Math.min(...pending.map((item) => Number(item['createdAtMs'])));
    // An hour of room: clocks differ, and a file may be noticed before its rows' latest time.
    const history = warehouse ? await warehouse.history(entity, oldest - 60 * 60 * 1000) : [];
    const byFile = Map.groupBy(history, (each) => each.fileName);
    for (const item of pending) {
      const outcome = assess(item, byFile.get(String(item['exportFile'])) ?? []);
      if (!outcome) {
        waiting += 1;
        continue;
      }
      // Told once: a failed file is looked at again, because a person may have loaded it since.
      if (item['loadState'] === outcome.loadState && item['loadEvidence'] === outcome.loadEvidence) continue;
      await table.update(item, { set: { ...outcome, verifiedAtMs: nowMs } });
      if (outcome.loadState === 'loaded') verified += 1;
      else failed.push({ exportFile: String(item['exportFile']), reason: outcome.loadEvidence });
    }
  }
  return { verified, failed, waiting };
}

async function pendingFiles(
  table: Table,
  entity: string,
  nowMs: number,
  lookbackDays: number,
): Promise<readonly Item[]> {
  const pending: Item[] = [];
  for (let back = 0; back <= lookbackDays; back += 1) {
    for await (const page of table.query(`E#${entity}#${dayOf(nowMs - back * dayMs)}`)) {
      pending.push(...page.filter((item) => item['loadState'] !== 'loaded'));
    }
  }
  return pending;
}

/** Loaded is: this status, as many rows as the file has, no errors. */
function assess(
  item: Item,
  history: readonly LoadEvidence[],
): { loadState: 'loaded' | 'failed'; loadEvidence: string } | undefined {
  const rows = Number(item['rowCount']);
  const good = history.find((each) => each.status === 'Loaded' && each.errorCount === 0 && each.rowCount === rows);
  if (good)
    return {
      loadState: 'loaded',
      loadEvidence: `Loaded, ${good.rowCount} rows at ${good.lastLoadTime ?? 'an unknown time'}`,
    };
  const final = ['Load failed', 'Partially loaded', 'Load skipped'];
  const bad = history.find((each) => final.includes(each.status));
  if (bad)
    return {
      loadState: 'failed',
      loadEvidence: `${bad.status}: ${withoutQuotes(bad.firstError ?? 'no error was given')}`,
    };
  const odd = history.find((each) => each.status === 'Loaded');
  if (odd)
    return { loadState: 'failed', loadEvidence: `Loaded ${odd.rowCount} of ${rows} rows, ${odd.errorCount} errors` };
  return undefined;
}
