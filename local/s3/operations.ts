import {
  createBucket,
  deleteBucket,
  getBucketLocation,
  getBucketNotifications,
  headBucket,
  listBuckets,
  putBucketNotifications,
} from './buckets.ts';
import { completeMultipartUpload } from './complete.ts';
import type { Operation } from './context.ts';
import { copyObject } from './copy.ts';
import { listObjects } from './list.ts';
import { abortMultipartUpload, createMultipartUpload, listParts, uploadPart, uploadPartCopy } from './multipart.ts';
import { deleteObject, deleteObjects, getObjectTagging, putObject, putObjectTagging } from './objects.ts';
import { getObject, headObject } from './read.ts';
import { restoreObject } from './restore.ts';

/** Every operation this S3 implements, by the API's name. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['AbortMultipartUpload', abortMultipartUpload],
  ['CompleteMultipartUpload', completeMultipartUpload],
  ['CopyObject', copyObject],
  ['CreateBucket', createBucket],
  ['CreateMultipartUpload', createMultipartUpload],
  ['DeleteBucket', deleteBucket],
  ['DeleteObject', deleteObject],
  ['DeleteObjects', deleteObjects],
  ['GetBucketLocation', getBucketLocation],
  ['GetBucketNotificationConfiguration', getBucketNotifications],
  ['GetObject', getObject],
  ['GetObjectTagging', getObjectTagging],
  ['HeadBucket', headBucket],
  ['HeadObject', headObject],
  ['ListBuckets', listBuckets],
  ['ListObjectsV2', listObjects],
  ['ListParts', listParts],
  ['PutBucketNotificationConfiguration', putBucketNotifications],
  ['PutObject', putObject],
  ['PutObjectTagging', putObjectTagging],
  ['RestoreObject', restoreObject],
  ['UploadPart', uploadPart],
  ['UploadPartCopy', uploadPartCopy],
]);
