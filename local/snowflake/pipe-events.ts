/** One object that S3 announced. */
export interface StagedObject {
  readonly bucket: string;
  readonly key: string;
  readonly sizeBytes: number;
}

interface S3Record {
  readonly eventName?: string;
  readonly s3?: {
    readonly bucket?: { readonly name?: string };
    readonly object?: { readonly key?: string; readonly size?: number };
  };
}

/**
 * The objects of an S3 event notification. Anything else in the queue (`s3:TestEvent`, a removal, no JSON at all)
 * announces nothing. Keys come URL-encoded, a space as `+`.
 */
export function stagedObjects(body: string): StagedObject[] {
  let records: readonly S3Record[];
  try {
    const parsed = JSON.parse(body) as { Records?: readonly S3Record[] } | null;
    records = parsed?.Records ?? [];
  } catch {
    return [];
  }
  return records.flatMap(({ eventName, s3 }) => {
    const bucket = s3?.bucket?.name;
    const key = s3?.object?.key;
    if (!eventName?.startsWith('ObjectCreated:') || !bucket || !key) return [];
    return [{ bucket, key: decodeURIComponent(key.replaceAll('+', ' ')), sizeBytes: s3?.object?.size ?? 0 }];
  });
}
