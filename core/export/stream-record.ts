import { parseRecordPartition } from '../table/key.ts';
import { revisionOf } from '../table/version.ts';
import { parseRowNumber } from '../upload/row-set.ts';
import type { AttributeValue } from './row-text.ts';

export type Image = Readonly<Record<string, AttributeValue>>;

/** A record of the table's stream, as Lambda hands it over. */
export interface StreamRecord {
  readonly eventID: string;
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly eventSourceARN: string;
  readonly userIdentity?: { readonly type?: string; readonly principalId?: string };
  readonly dynamodb: {
    /** Seconds since the epoch. */
    readonly ApproximateCreationDateTime: number;
    readonly Keys: Image;
    readonly NewImage?: Image;
    readonly OldImage?: Image;
    readonly SequenceNumber: string;
  };
}

/** A change of the table that Firn made: one row of one upload. */
export interface Change {
  readonly kind: 'change';
  readonly record: StreamRecord;
  readonly image: Image;
  readonly entity: string;
  readonly uploadId: string;
  readonly revision: number;
  readonly position: number;
  readonly output: number;
  /** `<uploadId>#<revision>` that the unchanged content came from; undefined for content that is new. */
  readonly unchangedSince: string | undefined;
  /** The old image has the same version and other content: the source is not deterministic. */
  readonly contradicts: boolean;
}

/**
 * What a stream record is: a change to export; `retention` (TTL removed the item, no delete of anyone's); `own` (one of
 * Firn's own items, which the filter should have kept away); `stray`: an edit of the table that was not Firn's.
 */
export type Read =
  | Change
  | { readonly kind: 'retention' | 'own' }
  | { readonly kind: 'stray'; readonly record: StreamRecord };

export function readStreamRecord(record: StreamRecord): Read {
  const { NewImage: image, OldImage: old, Keys } = record.dynamodb;
  const partition = parseRecordPartition(Keys['pk']?.S ?? '');
  if (!partition) return { kind: 'own' };
  if (record.eventName === 'REMOVE' && record.userIdentity?.principalId === 'dynamodb.amazonaws.com')
    return { kind: 'retention' };
  const stray = { kind: 'stray', record } as const;
  const row = parseRowNumber(image?.['rowNumber']?.S ?? '');
  const version = image?.['version']?.S;
  const uploadId = image?.['uploadId']?.S;
  const digest = image?.['digest']?.S;
  if (!image || !row || !version || !uploadId || !digest || image['entity']?.S !== partition.entity) return stray;
  if (!image['payload']?.M || !image['sourceId']?.S || !image['recordKey']?.S) return stray;
  let revision: number;
  try {
    revision = revisionOf(version);
  } catch {
    return stray;
  }
  // An item is a function of its version and digest, and a put that changes nothing has no stream record: somebody
  // edited what the digest was made of.
  if (old?.['version']?.S === version && old['digest']?.S === digest) return stray;
  const [position, output] = row;
  const unchanged = old?.['digest']?.S === digest;
  const contradicts = old?.['version']?.S === version && !unchanged;
  return {
    kind: 'change',
    record,
    image,
    entity: partition.entity,
    uploadId,
    revision,
    position,
    output,
    unchangedSince: unchanged ? runOf(old) : undefined,
    contradicts,
  };
}

/** `<uploadId>#<revision>` of an image that Firn put; the content of any other counts as an unknown upload's. */
function runOf(image: Image): string {
  try {
    return `${image['uploadId']?.S ?? ''}#${revisionOf(image['version']?.S ?? '')}`;
  } catch {
    return '#0';
  }
}
