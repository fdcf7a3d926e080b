import type { SnowflakeFile } from '../snowflake-file.ts';
import { absent, arnOf, type Resources, sub, type Value } from './template.ts';

/** One notification an entity: its files under its current load, to its pipe's queue. */
export function exportNotifications(snowflake: SnowflakeFile | undefined): Value {
  const channels = Object.entries(snowflake?.channels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (channels.length === 0) return absent;
  return {
    QueueConfigurations: channels.map(([entity, { load, queueArn }]) => ({
      Event: 's3:ObjectCreated:*',
      Filter: { S3Key: { Rules: [{ Name: 'prefix', Value: `export/entity=${entity}/load=${load}/` }] } },
      Queue: queueArn,
    })),
  };
}

/** The inline policy that lets reconcile read its private key. */
export function secretPolicy(snowflake: SnowflakeFile | undefined): Value {
  if (snowflake?.secretArn === undefined) return absent;
  const read = { Effect: 'Allow', Action: ['secretsmanager:GetSecretValue'], Resource: snowflake.secretArn };
  return { PolicyName: 'secret', PolicyDocument: { Version: '2012-10-17', Statement: [{ Sid: 'ReadKey', ...read }] } };
}

/** What reconcile must know to log in. */
export function loginEnvironment(snowflake: SnowflakeFile | undefined): Readonly<Record<string, Value>> {
  return {
    account: snowflake?.account ?? absent,
    user: snowflake?.user ?? absent,
    role: snowflake?.role ?? absent,
    warehouse: snowflake?.warehouse ?? absent,
    secretArn: snowflake?.secretArn ?? absent,
  };
}

/**
 * The role that Snowflake's storage integration assumes to read export files. It is the only role with a fixed name:
 * the integration names it before it exists, so that one `apply` and one deployment wire both sides. Roles are global
 * in an account, so two regions cannot both have a stage of one name with Snowflake.
 */
export function snowflakeReadRole(snowflake: SnowflakeFile | undefined, stage: string): Resources {
  if (snowflake === undefined) return {};
  const statements: Value = [
    {
      Sid: 'ReadExportFiles',
      Effect: 'Allow',
      Action: ['s3:GetObject', 's3:GetObjectVersion'],
      Resource: sub(`\${ExportBucket.Arn}/export/*`),
    },
    {
      Sid: 'ListExportFiles',
      Effect: 'Allow',
      Action: ['s3:ListBucket'],
      Resource: arnOf('ExportBucket'),
      Condition: { StringLike: { 's3:prefix': ['export/*'] } },
    },
    // On its own, because this request has no prefix to meet the condition above with.
    { Sid: 'LocateBucket', Effect: 'Allow', Action: ['s3:GetBucketLocation'], Resource: arnOf('ExportBucket') },
  ];
  return {
    SnowflakeReadRole: {
      Type: 'AWS::IAM::Role',
      Properties: {
        RoleName: `firn-${stage}-snowflake-read`,
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { AWS: snowflake.iamUserArn },
              Action: 'sts:AssumeRole',
              Condition: { StringEquals: { 'sts:ExternalId': snowflake.externalId } },
            },
          ],
        },
        Policies: [{ PolicyName: 'read', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
      },
    },
  };
}
