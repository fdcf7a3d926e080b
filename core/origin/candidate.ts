/** An object that may have arrived, as an event tells of it. Only HeadObject's word counts later. */
export interface Candidate {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly etag?: string | undefined;
  readonly sizeBytes?: number | undefined;
  /** Only Firn's own envelope knows it. Milliseconds since the epoch. */
  readonly lastModifiedMs?: number | undefined;
}

/** What a queue message turned out to be. `unreadable` messages belong into the dead-letter queue. */
export type Message =
  | { readonly kind: 'candidates'; readonly candidates: readonly Candidate[]; readonly ignored: number }
  | { readonly kind: 'test' }
  | { readonly kind: 'unreadable'; readonly reason: string };

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads the body of a message in the copy or normalize queue: S3's notification JSON (plain, or wrapped by SNS), an
 * EventBridge event, `s3:TestEvent`, or Firn's own envelope. Tolerant of what AWS may add; events that neither create
 * an object nor restore one from an archive are counted as ignored.
 */
export function readMessage(body: string): Message {
  const parsed = parse(body);
  if (!parsed) return { kind: 'unreadable', reason: 'the message is not a JSON object' };
  return readObject(parsed, 0);
}

function readObject(message: Json, depth: number): Message {
  if (message['Event'] === 's3:TestEvent') return { kind: 'test' };
  if (message['Type'] === 'Notification' && typeof message['Message'] === 'string') {
    const inner = depth < 2 ? parse(message['Message']) : undefined;
    return inner
      ? readObject(inner, depth + 1)
      : { kind: 'unreadable', reason: 'the SNS message holds no JSON object' };
  }
  if (Array.isArray(message['Records'])) return readRecords(message['Records'] as readonly unknown[], depth);
  if (message['source'] === 'aws.s3') return readEventBridge(message);
  if (message['kind'] === 'candidate' && message['v'] === 1) return one(readEnvelope(message));
  return {
    kind: 'unreadable',
    reason: 'the message is no S3 event, SNS notification, EventBridge event or Firn envelope',
  };
}

function readRecords(records: readonly unknown[], depth: number): Message {
  const candidates: Candidate[] = [];
  let ignored = 0;
  for (const record of records) {
    const wrapped = text(child(child(record, 'Sns'), 'Message')) ?? text(child(record, 'body'));
    const read = wrapped !== undefined && depth < 2 ? readNested(wrapped, depth) : readS3Record(record);
    if (read.kind === 'unreadable') return read;
    if (read.kind === 'test') ignored += 1;
    else {
      candidates.push(...read.candidates);
      ignored += read.ignored;
    }
  }
  return { kind: 'candidates', candidates, ignored };
}

function readNested(body: string, depth: number): Message {
  const inner = parse(body);
  return inner
    ? readObject(inner, depth + 1)
    : { kind: 'unreadable', reason: 'a wrapped message holds no JSON object' };
}

function readS3Record(record: unknown): Message {
  const eventName = text(child(record, 'eventName')) ?? '';
  if (child(record, 'eventSource') !== 'aws:s3') return { kind: 'unreadable', reason: 'a record is not from aws:s3' };
  if (!/^(s3:)?(ObjectCreated:|ObjectRestore:Completed$)/.test(eventName))
    return { kind: 'candidates', candidates: [], ignored: 1 };
  const major = (text(child(record, 'eventVersion')) ?? '2').split('.')[0];
  if (major !== '2') return { kind: 'unreadable', reason: `S3 event version ${major} is not known, only 2.x is` };
  const s3 = child(record, 's3');
  const object = child(s3, 'object');
  const encoded = text(child(object, 'key'));
  const key = encoded === undefined ? undefined : decodeKey(encoded);
  return one(
    candidate(text(child(child(s3, 'bucket'), 'name')), key, {
      versionId: text(child(object, 'versionId')),
      etag: text(child(object, 'eTag')),
      sizeBytes: count(child(object, 'size')),
    }),
  );
}

function readEventBridge(event: Json): Message {
  if (!/^Object (Created|Restore Completed)$/.test(text(event['detail-type']) ?? ''))
    return { kind: 'candidates', candidates: [], ignored: 1 };
  const object = child(event['detail'], 'object');
  // EventBridge does not url-encode the key.
  return one(
    candidate(text(child(child(event['detail'], 'bucket'), 'name')), text(child(object, 'key')), {
      versionId: text(child(object, 'version-id')),
      etag: text(child(object, 'etag')),
      sizeBytes: count(child(object, 'size')),
    }),
  );
}

function readEnvelope(envelope: Json): Candidate | undefined {
  return candidate(text(envelope['bucket']), text(envelope['key']), {
    versionId: text(envelope['versionId']),
    etag: text(envelope['etag']),
    sizeBytes: count(envelope['sizeBytes']),
    lastModifiedMs: count(envelope['lastModifiedMs']),
  });
}

/** Firn's own envelope, as the poller and reconcile send it. */
export function envelope(candidate: Candidate): string {
  const body = JSON.stringify({ v: 1, kind: 'candidate', ...candidate });
  // Two characters that a key may have and a message may not (SQS takes what XML 1.0 takes); JSON escapes all others.
  return body.replaceAll(/[\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
}

function candidate(
  bucket: string | undefined,
  key: string | undefined,
  rest: Partial<Candidate>,
): Candidate | undefined {
  return bucket && key ? { bucket, key, ...rest } : undefined;
}

function one(found: Candidate | undefined): Message {
  if (!found) return { kind: 'unreadable', reason: 'the event names no bucket or no readable key' };
  return { kind: 'candidates', candidates: [found], ignored: 0 };
}

// S3 notifications form-encode the key: a space is '+', a plus is %2B.
function decodeKey(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

function parse(body: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

function child(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Json)[name] : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
