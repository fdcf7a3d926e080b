import { PutObjectCommand, type S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { createGate } from '../core/bounded.ts';
import { retryable } from '../core/failure.ts';
import type { LandingCopy, ObjectFacts } from '../core/upload/copy.ts';
import { onCondition, putParts } from './s3-copy.ts';

export interface StreamLimits {
  /** Bytes of a part, and the most that is read at once. S3 wants at least 5 MiB. */
  readonly partBytes: number;
  /** Parts of one object under way at once. */
  readonly concurrency: number;
  /** Larger objects are refused. */
  readonly mostBytes: number;
}

export const defaultStreamLimits: StreamLimits = {
  partBytes: 16 * 1024 ** 2,
  concurrency: 4,
  // A function has 15 minutes, in which some 50 MB a second come through; what is longer would never end.
  mostBytes: 40 * 1024 ** 3,
};

/** Parts in memory at once, of all objects: a batch may bring many large ones. */
const gate = createGate(6);

/** Reads a range of the object, both ends inclusive, on the condition that it still has its ETag. Throws as S3 does. */
export type ReadRange = (first: number, last: number) => Promise<Uint8Array>;

/**
 * Copies an object through this function's memory, for sources that only another role may read. The conditions are those
 * of a server-side copy: every read is of the same ETag, and the destination must not exist.
 */
export async function streamObject(
  s3: S3Client,
  read: ReadRange,
  source: ObjectFacts,
  destination: LandingCopy,
  limits: StreamLimits,
): Promise<'copied' | 'precondition' | 'archived'> {
  const { sizeBytes } = source;
  if (sizeBytes > limits.mostBytes) throw tooLarge(source);
  const exactly = async (first: number, last: number) => {
    const bytes = await read(first, last);
    if (bytes.byteLength === last - first + 1) return bytes;
    const got = `${bytes.byteLength} of ${last - first + 1} bytes`;
    throw retryable('copy.shortRead', `Reading ${place(source)} gave ${got} from byte ${first} on. It is tried again.`);
  };
  const target = { Bucket: destination.bucket, Key: destination.key };
  return onCondition(async () => {
    if (sizeBytes > limits.partBytes) {
      const ChecksumAlgorithm = 'CRC32';
      const put: Parameters<typeof putParts>[4] = (upload, { first, last }) =>
        gate(async () =>
          s3.send(new UploadPartCommand({ ...upload, ChecksumAlgorithm, Body: await exactly(first, last) })),
        );
      await putParts(s3, source, destination, limits, put, ChecksumAlgorithm);
      return;
    }
    await gate(async () => {
      const Body = sizeBytes === 0 ? new Uint8Array() : await exactly(0, sizeBytes - 1);
      const described = { Metadata: { ...destination.metadata }, ContentType: source.contentType };
      await s3.send(new PutObjectCommand({ ...target, ...described, Body, IfNoneMatch: '*' }));
    });
  });
}

function tooLarge(source: ObjectFacts): Error {
  return retryable(
    'copy.tooLargeToStream',
    `Copying ${place(source)} failed: its ${source.sizeBytes} bytes are too many to pass through a function, which is ` +
      "how objects travel that a role reads. Ask the owner to let the stack's own role read the bucket, and leave `role` out.",
  );
}

function place({ bucket, key }: ObjectFacts): string {
  return `s3://${bucket}/${key}`;
}
