import { claimedKeys } from '../../core/origin/senders.ts';
import type { SourceBucket } from './buckets-of-sources.ts';
import { arnOf, logicalName, type Resource, type Resources, sub, type Value } from './template.ts';

/**
 * What a source bucket needs so that its objects reach the copy queue: the bucket itself when it is ours, a rule when it
 * is another stack's. Another owner sends by itself, see foreign-senders.ts, and what is polled sends nothing.
 */
export function sourceBucketResources(buckets: readonly SourceBucket[]): Resources {
  return Object.fromEntries(
    buckets.flatMap(({ ours, name, owner, pushed }) => {
      if (ours !== undefined) return own(ours, name);
      return owner === undefined && pushed.length > 0 ? existing(name, pushed) : [];
    }),
  );
}

function own(ours: string, name: string): [string, Resource][] {
  const id = `SourceBucket${logicalName(ours)}`;
  const bucket: Resource = {
    Type: 'AWS::S3::Bucket',
    // S3 refuses a notification to a queue that does not let it send yet.
    DependsOn: ['CopyQueuePolicy'],
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      BucketName: sub(name),
      NotificationConfiguration: {
        // Unfiltered: an object no source claims is listed as unrouted, and prefixes of sources may nest.
        QueueConfigurations: ['s3:ObjectCreated:*', 's3:ObjectRestore:Completed'].map((Event) => ({
          Event,
          Queue: arnOf('CopyQueue'),
        })),
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      LifecycleConfiguration: {
        Rules: [
          { Id: 'abandoned-uploads', Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 } },
        ],
      },
    },
  };
  const policy: Resource = {
    Type: 'AWS::S3::BucketPolicy',
    Properties: {
      Bucket: { Ref: id },
      PolicyDocument: { Version: '2012-10-17', Statement: [onlyTls(id)] },
    },
  };
  return [
    [id, bucket],
    [`${id}Policy`, policy],
  ];
}

function onlyTls(id: string): Value {
  return {
    Sid: 'OnlyTls',
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: [arnOf(id), sub(`\${${id}.Arn}/*`)],
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };
}

// The bucket's owner switches its EventBridge delivery on once; that adds to, and never replaces, what it notifies already.
function existing(name: string, prefixes: readonly string[]): [string, Resource][] {
  const rule: Resource = {
    Type: 'AWS::Events::Rule',
    Properties: {
      Description: `Objects created in ${name}, for the copy queue`,
      EventPattern: {
        source: ['aws.s3'],
        'detail-type': ['Object Created', 'Object Restore Completed'],
        // Somebody else's bucket may be busy: only the keys that a source claims are worth a message.
        detail: { bucket: { name: [name] }, ...claimedKeys(prefixes) },
      },
      Targets: [{ Id: 'copy', Arn: arnOf('CopyQueue'), DeadLetterConfig: { Arn: arnOf('CopyDeadLetters') } }],
    },
  };
  return [[`SourceRule${logicalName(name)}`, rule]];
}
