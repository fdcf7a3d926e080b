import { hash } from 'node:crypto';
import { dayOf } from '../upload/landing-key.ts';
import { rowNumber } from '../upload/row-set.ts';
import { jsonText } from './row-text.ts';
import type { Change, StreamRecord } from './stream-record.ts';

/** Where an export file lies and what it is called: all from the rows in this very file. */
export interface FileName {
  readonly entity: string;
  readonly day: string;
  /** `<stream label>-<first>-<last>-<count>-<hash8>` */
  readonly name: string;
}

/** `export/entity=<e>/load=<n>/dt=<day>/<name>.ndjson.gz` */
export function exportKey(file: FileName, load: number): string {
  return `export/entity=${file.entity}/load=${load}/dt=${file.day}/${file.name}.ndjson.gz`;
}

/** The file that a key of the export bucket names, or undefined when it is no export file's. */
export function parseExportKey(key: string): (FileName & { readonly load: number }) | undefined {
  const pattern = /^export\/entity=([^/]+)\/load=(\d+)\/dt=([^/]+)\/(.+)\.ndjson\.gz$/;
  const [, entity, load, day, name] = pattern.exec(key) ?? [];
  return entity && load && day && name ? { entity, load: Number(load), day, name } : undefined;
}

/** Rows of one batch that changed nothing, for the exact count of books. No pipe reads here. */
export function unchangedKey(file: FileName): string {
  return `unchanged/entity=${file.entity}/dt=${file.day}/${file.name}.ndjson.gz`;
}

/** Edits of the table that were not Firn's, kept as the stream told of them. No pipe reads here. */
export function strayKey(file: Omit<FileName, 'entity'>): string {
  return `stray/dt=${file.day}/${file.name}.ndjson.gz`;
}

/** The name of a file of these records, in the order they have in the stream batch (at least one). */
export function nameOf(records: readonly StreamRecord[]): Omit<FileName, 'entity'> {
  const first = records[0]?.dynamodb;
  const last = records.at(-1)?.dynamodb;
  const label = (records[0]?.eventSourceARN.split('/stream/')[1] ?? 'stream').replaceAll(/[^0-9A-Za-z.]/g, '');
  const events = hash('sha256', records.map((each) => each.eventID).join('\n'), 'hex').slice(0, 8);
  return {
    day: dayOf((first?.ApproximateCreationDateTime ?? 0) * 1000),
    name: `${label}-${first?.SequenceNumber}-${last?.SequenceNumber}-${records.length}-${events}`,
  };
}

/**
 * One line of an export file. The names are the columns of the raw table in Snowflake, which loads them by name;
 * EVENT_ID tells two deliveries of one change apart from two changes.
 */
export function exportLine({ record, image }: Change): string {
  const text = (name: string) => JSON.stringify(image[name]?.S ?? '');
  const sortKey = JSON.stringify(record.dynamodb.Keys['sk']?.S ?? '');
  const deleted = image['tombstone']?.BOOL === true;
  return (
    `{"EVENT_ID":${JSON.stringify(record.eventID)},"RECORD_KEY":${text('recordKey')},"SORT_KEY":${sortKey},` +
    `"SOURCE_ID":${text('sourceId')},"VERSION":${text('version')},"DIGEST":${text('digest')},` +
    `"UPLOAD_ID":${text('uploadId')},"ROW_NO":${text('rowNumber')},"DELETED":${deleted},` +
    `"PAYLOAD":${jsonText(image['payload'] ?? { NULL: true })}}`
  );
}

/** One line of an unchanged file: upload, revision, row, and `<uploadId>#<revision>` whose content it still is. */
export function unchangedLine(change: Change): string {
  const row = rowNumber(change.position, change.output);
  return JSON.stringify([change.uploadId, change.revision, row, change.unchangedSince]);
}
