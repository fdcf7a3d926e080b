/**
 * What a handler's reply means for its batch when ReportBatchItemFailures is on. `failed` holds the identifiers that
 * the reply names; `whole` means that the reply could not be honoured and every record counts as failed.
 */
export type BatchReply =
  | { readonly kind: 'done' }
  | { readonly kind: 'partial'; readonly failed: ReadonlySet<string> }
  | { readonly kind: 'whole'; readonly why: string };

/**
 * Reads a partial batch response (JSON text) against the identifiers of the batch. As the service does it: nothing, an
 * empty object, a null or empty list is full success; an entry without identifier, with an empty or unknown one, and
 * a reply of another shape make the whole batch fail.
 */
export function readBatchReply(payload: string, identifiers: ReadonlySet<string>): BatchReply {
  const reply: unknown = JSON.parse(payload);
  if (reply === null) return { kind: 'done' };
  if (typeof reply !== 'object' || Array.isArray(reply)) return { kind: 'whole', why: 'the reply is no object' };
  const list = (reply as Record<string, unknown>)['batchItemFailures'];
  if (list === undefined || list === null) return { kind: 'done' };
  if (!Array.isArray(list)) return { kind: 'whole', why: 'batchItemFailures is no list' };
  const failed = new Set<string>();
  for (const entry of list as unknown[]) {
    const identifier = (entry as Record<string, unknown> | null)?.['itemIdentifier'];
    if (typeof identifier !== 'string' || identifier === '') {
      return { kind: 'whole', why: 'an entry of batchItemFailures has no itemIdentifier' };
    }
    if (!identifiers.has(identifier)) {
      return { kind: 'whole', why: 'an itemIdentifier names no record of the batch' };
    }
    failed.add(identifier);
  }
  return failed.size === 0 ? { kind: 'done' } : { kind: 'partial', failed };
}
