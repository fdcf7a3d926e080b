import { hash } from 'node:crypto';
import { quoted } from '../fields/field.ts';
import { appendSortKey, type Key, recordPartition, rowKey } from './key.ts';

/**
 * A record on its way into the table: what the writer needs to know of it, and the item itself as DynamoDB JSON text,
 * so that the way from a row to the request's bytes makes no object on the way.
 */
export interface Put extends Key {
  readonly version: string;
  readonly digest: string;
  readonly position: number;
  readonly output: number;
  /** The item: `{"pk":{"S":"…"},…,"payload":{"M":{…}}}`. */
  readonly item: string;
}

/** The attributes of a record item. None is a DynamoDB reserved word (`fields` and `data` are: hence `payload`). */
export const recordAttributes = [
  'pk',
  'sk',
  'entity',
  'recordKey',
  'sourceId',
  'version',
  'digest',
  'uploadId',
  'rowNumber',
  'tombstone',
  'payload',
] as const;

/** What all records of one upload share. */
export interface RecordContext {
  readonly entity: string;
  readonly sourceId: string;
  readonly uploadId: string;
  readonly contentId: string;
  /** True: every row is kept, under a sort key of its own. */
  readonly append: boolean;
}

/** A function from a mapped row to its put. `key` undefined: the row is a record of its own. */
export function putWriter(
  context: RecordContext,
): (key: string | undefined, version: string, payload: string, position: number, output: number) => Put {
  const { entity, sourceId, uploadId, contentId, append } = context;
  const middle = `"entity":{"S":"${entity}"},"recordKey":{"S":`;
  const source = `},"sourceId":{"S":"${sourceId}"},"version":{"S":"`;
  const upload = `"},"uploadId":{"S":"${uploadId}"},"rowNumber":{"S":"`;
  return (givenKey, version, payload, position, output) => {
    const key = givenKey ?? rowKey(contentId, position, output);
    const pk = recordPartition(entity, key);
    const sk = append ? appendSortKey(sourceId, contentId, position, output) : sourceId;
    const digest = digestOf(payload, false);
    const quotedKey = quoted(key);
    const item =
      `{"pk":{"S":${quoted(pk)}},"sk":{"S":"${sk}"},${middle}${quotedKey}${source}${version}` +
      `"},"digest":{"S":"${digest}${upload}${output === 0 ? position : `${position}.${output}`}"},"payload":${payload}}`;
    return { pk, sk, version, digest, position, output, item };
  };
}

/** 22 characters that are equal exactly when the payload and the delete flag are. */
export function digestOf(payload: string, tombstone: boolean): string {
  return hash('sha256', tombstone ? `-${payload}` : payload, 'base64url').slice(0, 22);
}

/** DynamoDB's limit for an item: 400 KB of UTF-8, attribute names included. */
export const maximumItemBytes = 400 * 1024;

/**
 * Size of an item as DynamoDB counts it: names and texts in UTF-8, numbers half a byte a digit plus one, one byte for
 * true, false and null, three for a list or map and one more for each element.
 */
export function itemBytes(item: string): number {
  const attributes = JSON.parse(item) as Readonly<Record<string, AttributeJson>>;
  return Object.entries(attributes).reduce(
    (bytes, [name, value]) => bytes + Buffer.byteLength(name) + valueBytes(value),
    0,
  );
}

interface AttributeJson {
  readonly S?: string;
  readonly N?: string;
  readonly L?: readonly AttributeJson[];
  readonly M?: Readonly<Record<string, AttributeJson>>;
}

function valueBytes(value: AttributeJson): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined)
    return Math.ceil(value.N.replaceAll(/[^0-9]/g, '').length / 2) + (value.N.startsWith('-') ? 2 : 1);
  if (value.L) return 3 + value.L.reduce((bytes, each) => bytes + 1 + valueBytes(each), 0);
  if (value.M) {
    return (
      3 +
      Object.entries(value.M).reduce((bytes, [name, each]) => bytes + 1 + Buffer.byteLength(name) + valueBytes(each), 0)
    );
  }
  return 1;
}
