import { isSplittable, type LineFormat } from '../decode/decode-range.ts';
import { type Claim, type Plan, progressOf, rangeOf } from '../upload/parts.ts';
import { isReadInPlace, type Opened, type Place } from './open.ts';

/** Four digits number a part in its key; and each part is a message. */
const mostParts = 5000;
/** An item has 400 KB in all; a header with longer names is no header. */
const mostNameBytes = 100_000;

/**
 * Cuts an object of which the decoder has given the first batch: into parts of `partBytes` if rows can be found from
 * anywhere in it, or leaves it whole. A part's rows are those whose first byte lies in it.
 */
export function planFor(
  opened: Opened,
  sizeBytes: number,
  partBytes: number,
): Omit<Plan, 'contentId'> | { readonly reason: string } {
  const { format, compression, first } = opened;
  const columns = first?.columns ?? [];
  if (columns.reduce((bytes, name) => bytes + Buffer.byteLength(name), 0) > mostNameBytes) {
    return { reason: `decode.badHeader: the names of the columns take more than ${mostNameBytes} bytes` };
  }
  const shape = { compression, ...(format && { format }) };
  // Its checkpoints name the columns.
  const whole = { parts: 1, partBytes: sizeBytes, sizeBytes, columns: [], ...shape };
  if (!format || !isReadInPlace(opened) || !isSplittable(format as LineFormat)) return whole;
  if (format.name !== 'ndjson' && columns.length === 0) return whole;
  const bytes = Math.max(partBytes, Math.ceil(sizeBytes / mostParts));
  // Header and lines to skip are known to the first part alone.
  const firstRow = Math.min(first?.positions[0] ?? sizeBytes, first?.bad[0]?.position ?? sizeBytes);
  if (sizeBytes <= bytes || firstRow >= bytes) return whole;
  return { parts: Math.ceil(sizeBytes / bytes), partBytes: bytes, sizeBytes, columns, ...shape };
}

/** The turn that a plan of one part begins with: the item that pins the plan claims it, too. */
export function firstTurn(revision: number): Claim {
  return { revision, part: 0, epoch: 1, progress: progressOf(undefined) };
}

/** Where the holder of a part begins to read. */
export function placeOf(plan: Plan, { part, progress }: Claim): Place {
  const { fromByte, toByte } = rangeOf(plan, part);
  const until = part === plan.parts - 1 ? Number.POSITIVE_INFINITY : toByte;
  const columns = progress.columnNames.length > 0 ? progress.columnNames : plan.columns;
  if (progress.nextPosition !== undefined) return { from: progress.nextPosition, seeking: false, until, columns };
  // The byte before the part says whether a row begins with it.
  return part === 0
    ? { from: 0, seeking: false, until, columns }
    : { from: fromByte - 1, seeking: true, until, columns };
}
