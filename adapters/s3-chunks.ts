import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { ChunkStore } from '../core/origin/snapshot.ts';
import { isMissingObject } from './aws-error.ts';

/** The chunks of sweeps, in the landing bucket. */
export function chunkStore(s3: S3Client, bucket: string): ChunkStore {
  return {
    async write(key, body) {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
    },
    async read(key) {
      try {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return await Body?.transformToByteArray();
      } catch (error) {
        if (isMissingObject(error)) return undefined;
        throw error;
      }
    },
  };
}
