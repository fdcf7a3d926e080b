import { type AttributeValue, paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { expect } from 'vitest';
import type { Manifest } from '../../core/upload/manifest.ts';
import type { Pipeline } from '../../local/pipeline.ts';
import type { Bench } from './pipeline.ts';

export interface VisibleRow {
  readonly table: string;
  readonly key: string;
  readonly sortKey: string;
  readonly version: string;
  readonly digest: string;
  readonly payload: unknown;
}

export interface UploadState {
  readonly uploadId: string;
  readonly source: string;
  readonly object: string;
  readonly state: string;
  readonly closed: boolean;
  readonly rowsRead: number;
  readonly dropped: number;
  readonly quarantined: number;
  readonly accepted: number;
  readonly quarantinedRows: readonly Readonly<Record<string, unknown>>[];
}

/** All that people can see when everything has come to rest. */
export interface EndState {
  /** Record items, every attribute, as DynamoDB JSON. */
  readonly records: readonly Readonly<Record<string, AttributeValue>>[];
  readonly visible: readonly VisibleRow[];
  readonly uploads: readonly UploadState[];
  readonly deadLetters: readonly { readonly queue: string; readonly count: number }[];
}

/** Opens one session in the warehouse, and answers with a function that reads the state of everything. */
export async function readEndState(pipeline: Pipeline): Promise<() => Promise<EndState>> {
  const connection = await pipeline.warehouse.connect();
  return async () => {
    const items = await scan(pipeline);
    return {
      records: items.filter((item) => item['pk']?.S?.startsWith('R#')),
      visible: await visibleRows(pipeline, connection),
      uploads: uploadsOf(items),
      deadLetters: pipeline.cloud.deadLetters(),
    };
  };
}

async function scan({ dynamodb, tableName }: Pipeline): Promise<Record<string, AttributeValue>[]> {
  const items: Record<string, AttributeValue>[] = [];
  for await (const page of paginateScan({ client: dynamodb }, { TableName: tableName, ConsistentRead: true })) {
    items.push(...(page.Items ?? []));
  }
  return items.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
}

function placeOf(item: Record<string, AttributeValue>): string {
  return `${item['pk']?.S}\n${item['sk']?.S}`;
}

async function visibleRows(
  { warehouse }: Pipeline,
  connection: Awaited<ReturnType<Pipeline['warehouse']['connect']>>,
): Promise<VisibleRow[]> {
  const rows: VisibleRow[] = [];
  for (const { table } of warehouse.objects.entities) {
    const found = await connection.query(
      `SELECT RECORD_KEY, SORT_KEY, VERSION, DIGEST, PAYLOAD FROM ${warehouse.objects.database}.PUBLIC.${table}
       ORDER BY RECORD_KEY, SORT_KEY`,
    );
    for (const row of found) {
      const text = (name: string) => String(row[name]);
      rows.push({
        table,
        key: text('RECORD_KEY'),
        sortKey: text('SORT_KEY'),
        version: text('VERSION'),
        digest: text('DIGEST'),
        payload: JSON.parse(text('PAYLOAD')),
      });
    }
  }
  return rows;
}

function uploadsOf(items: readonly Record<string, AttributeValue>[]): UploadState[] {
  const plain = items.map((item) => unmarshall(item));
  const manifests = plain.filter((item) => item['sk'] === 'META') as Manifest[];
  return manifests
    .map((manifest) => {
      const counts = (manifest['counts'] ?? {}) as Record<string, number>;
      const own = plain.filter((item) => item['pk'] === manifest.pk);
      return {
        uploadId: manifest.pk.slice(2),
        source: manifest.sourceId,
        object: `s3://${manifest.bucketName}/${manifest.objectKey}`,
        state: manifest.uploadState,
        closed: manifest.closed === true,
        rowsRead: counts['rowsRead'] ?? 0,
        dropped: counts['dropped'] ?? 0,
        quarantined: counts['quarantined'] ?? 0,
        accepted: counts['accepted'] ?? 0,
        quarantinedRows: own.filter((item) => String(item['sk']).startsWith('X#')),
      };
    })
    .sort((a, b) => (a.uploadId < b.uploadId ? -1 : 1));
}

/**
 * What holds at the end of every run, whatever went wrong on the way: all books are closed, no message was given up,
 * and the warehouse shows each record of the table once, with the content it has there.
 */
export function expectSound(state: EndState): void {
  expect(state.deadLetters).toEqual([]);
  expect(state.uploads.filter((each) => !each.closed)).toEqual([]);
  const loaded = state.uploads.filter((each) => each.state === 'loaded');
  for (const each of loaded) {
    expect(each.rowsRead - each.dropped - each.quarantined, each.object).toBe(each.accepted);
    expect(each.quarantinedRows.length, each.object).toBe(each.quarantined);
  }
  const inWarehouse = state.visible.map(({ key, sortKey, digest }) => `${key} ${sortKey} ${digest}`);
  const inTable = state.records.map((item) => `${item['recordKey']?.S} ${item['sk']?.S} ${item['digest']?.S}`);
  expect(inWarehouse.sort()).toEqual(inTable.sort());
}

/**
 * What two runs may differ in. `viewVersions`: where content did not change, the warehouse may show an older version
 * than the table, by the order in which uploads were processed. `appendedBy`: an appended row that came with several
 * uploads is the one of the upload that was processed last.
 */
export interface Allowance {
  readonly viewVersions?: boolean;
  readonly appendedBy?: boolean;
}

/** Both runs ended soundly and alike, but for what is allowed. */
export async function expectSameEnd(clean: Bench, faulted: Bench, allowed: Allowance = {}): Promise<EndState> {
  const [wanted, found] = [await clean.endState(), await faulted.endState()];
  expectSound(wanted);
  expectSound(found);
  expect(comparable(found, allowed)).toEqual(comparable(wanted, allowed));
  return found;
}

function comparable(state: EndState, { viewVersions = false, appendedBy = false }: Allowance) {
  return {
    ...state,
    visible: state.visible.map(({ version, ...row }) => ({ ...row, version: viewVersions ? undefined : version })),
    records: state.records.map((item) => {
      const { uploadId: _uploadId, version: _version, ...rest } = item;
      return appendedBy && item['sk']?.S?.includes('#') ? rest : item;
    }),
  };
}
