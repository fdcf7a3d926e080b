import type { BucketAccess } from '../s3/access.ts';
import type { Services } from './services.ts';

/** A bucket that the stack does not make, with EventBridge switched on. */
export interface ForeignBucket {
  readonly name: string;
  readonly access?: BucketAccess;
  /** The logical id of the stack's queue that the bucket's owner lets it tell of every new object. */
  readonly notifies?: string;
}

/** Makes them before the stack, which may rely on them. */
export async function makeForeignBuckets(
  { s3 }: Pick<Services, 's3'>,
  buckets: readonly ForeignBucket[],
): Promise<void> {
  for (const { name, access } of buckets) {
    await s3.createBucket(name, { eventBridge: true, ...(access && { access }) });
  }
}

/** Connects them to the stack's queues, as their owners do once they know them. */
export async function connectForeignBuckets(
  { s3 }: Pick<Services, 's3'>,
  buckets: readonly ForeignBucket[],
  arnOf: (logicalId: string) => string | undefined,
): Promise<void> {
  for (const { name, notifies } of buckets) {
    if (notifies === undefined) continue;
    const queueArn = arnOf(notifies);
    if (queueArn === undefined)
      throw new Error(`bucket ${name} is to notify ${notifies}, which the stack does not have`);
    await s3.configureBucket(name, { notifications: [{ queueArn, events: ['s3:ObjectCreated:*'] }] });
  }
}
