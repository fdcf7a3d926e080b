import { bucketNamed, type Operation, type S3Context, wholeSeconds, xmlReply } from './context.ts';
import { S3Error } from './errors.ts';
import { notificationsXml, parseNotifications } from './notifications.ts';
import { receiveText, receiveXml } from './receive.ts';
import type { BucketSettings } from './state.ts';
import { element, xmlDocument } from './xml.ts';

export const createBucket: Operation = async (context, request) => {
  await receiveText(request);
  if (context.store.state.buckets.has(request.bucket))
    throw new S3Error(
      409,
      'BucketAlreadyOwnedByYou',
      'Your previous request to create the named bucket succeeded and you already own it.',
      { BucketName: request.bucket },
    );
  saveBucket(context, request.bucket, newSettings(context));
  return { status: 200, headers: { location: `/${request.bucket}` } };
};

/** What a bucket is when nothing else is said. */
export function newSettings(context: S3Context): BucketSettings {
  return { createdMs: wholeSeconds(context.clock), versioning: 'off', rules: [], eventBridge: false };
}

/** Makes the bucket, or replaces its settings. Throws InvalidBucketName. */
export function saveBucket(context: S3Context, name: string, settings: BucketSettings): void {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name))
    throw new S3Error(
      400,
      'InvalidBucketName',
      'The specified bucket is not valid: 3 to 63 characters of a-z, 0-9, dot and hyphen.',
      { BucketName: name },
    );
  context.store.commit({ do: 'bucket', name, settings });
}

export const deleteBucket: Operation = (context, request) => {
  const bucket = bucketNamed(context, request.bucket);
  if (bucket.keys.size > 0)
    throw new S3Error(
      409,
      'BucketNotEmpty',
      'The bucket you tried to delete is not empty: an object, a version or a delete marker is left',
      {
        BucketName: bucket.name,
      },
    );
  const { state } = context.store;
  const open = [...state.uploads.values()].filter((upload) => upload.bucket === bucket.name);
  context.store.commit(...open.map(({ id }) => ({ do: 'endUpload', uploadId: id }) as const), {
    do: 'dropBucket',
    name: bucket.name,
  });
  return { status: 204, headers: {} };
};

export const headBucket: Operation = (context, request) => {
  bucketNamed(context, request.bucket);
  return { status: 200, headers: { 'x-amz-bucket-region': context.region } };
};

export const listBuckets: Operation = (context) => {
  const buckets = [...context.store.state.buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const document = xmlDocument('ListAllMyBucketsResult', [
    element('Owner', [element('ID', context.accountId)]),
    element(
      'Buckets',
      buckets.map(({ name, settings }) =>
        element('Bucket', [
          element('Name', name),
          element('CreationDate', new Date(settings.createdMs).toISOString()),
          element('BucketRegion', context.region),
        ]),
      ),
    ),
  ]);
  return xmlReply(document);
};

/** The first Region has no name here, as ever (S3 API reference, GetBucketLocation). */
export const getBucketLocation: Operation = (context, request) => {
  bucketNamed(context, request.bucket);
  const region = context.region === 'us-east-1' ? '' : context.region;
  return xmlReply(xmlDocument('LocationConstraint', [region]));
};

export const getBucketNotifications: Operation = (context, request) =>
  xmlReply(notificationsXml(bucketNamed(context, request.bucket).settings));

/** Replaces every notification of the bucket, and greets each queue unless told to skip that. */
export const putBucketNotifications: Operation = async (context, request) => {
  const document = await receiveXml(request, 'NotificationConfiguration');
  const bucket = bucketNamed(context, request.bucket);
  let nameless = 0;
  const notifications = parseNotifications(document, () => `${request.id}-${++nameless}`);
  saveBucket(context, bucket.name, { ...bucket.settings, ...notifications });
  if (request.header('x-amz-skip-destination-validation') !== 'true') context.announceTest(bucket);
  return { status: 200, headers: {} };
};
