/** One S3 event in the other forms in which it may reach the copy queue. */

interface S3Event {
  readonly Records: readonly [
    {
      readonly eventName: string;
      readonly eventTime: string;
      readonly awsRegion: string;
      readonly s3: {
        readonly bucket: { readonly name: string };
        readonly object: {
          readonly key: string;
          readonly size: number;
          readonly eTag: string;
          readonly versionId?: string;
          readonly sequencer: string;
        };
      };
    },
  ];
}

/** An S3 notification (JSON text) as SNS hands it to a queue. */
export function wrappedBySns(body: string): string {
  return JSON.stringify({
    Type: 'Notification',
    MessageId: '95df01b4-ee98-5cb9-9903-4c221d41eb5e',
    TopicArn: 'arn:aws:sns:eu-central-1:111122223333:feeds',
    Subject: 'Amazon S3 Notification',
    Message: body,
    Timestamp: '2031-01-06T00:00:00.000Z',
    SignatureVersion: '1',
  });
}

/** An S3 notification (JSON text) as EventBridge tells of the same. */
export function asEventBridge(body: string): string {
  const [{ awsRegion, eventTime, s3 }] = (JSON.parse(body) as S3Event).Records;
  const { key, size, eTag, versionId, sequencer } = s3.object;
  return JSON.stringify({
    version: '0',
    id: '17793124-05d4-b198-2fde-7ededc63b103',
    'detail-type': 'Object Created',
    source: 'aws.s3',
    account: '111122223333',
    time: eventTime,
    region: awsRegion,
    resources: [`arn:aws:s3:::${s3.bucket.name}`],
    detail: {
      version: '0',
      bucket: { name: s3.bucket.name },
      object: {
        key: decodeURIComponent(key.replaceAll('+', ' ')),
        size,
        etag: eTag,
        ...(versionId === undefined ? {} : { 'version-id': versionId }),
        sequencer,
      },
      'request-id': 'C3D13FE58DE4C810',
      requester: '111122223333',
      reason: 'PutObject',
    },
  });
}

/** Several S3 notifications (JSON texts) in one message. */
export function inOneMessage(bodies: readonly string[]): string {
  return JSON.stringify({ Records: bodies.flatMap((body) => (JSON.parse(body) as S3Event).Records) });
}
