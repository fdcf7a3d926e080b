import { identifier, qualified } from './identifier.ts';
import type { EntityObjects, SnowflakeObjects } from './objects.ts';
import { type SnowflakeRow, textColumn } from './row.ts';

/** Asks for one pipe, with its notification channel. */
export function notificationChannelSql(objects: SnowflakeObjects, entity: EntityObjects): string {
  return `DESC PIPE ${qualified(objects.database, objects.rawSchema, entity.pipe)}`;
}

export interface PipeChannel {
  /** Dotted, without quotes. */
  readonly pipe: string;
  /** ARN of the SQS queue that Snowflake owns and this pipe is told of new files by. */
  readonly queueArn: string;
}

/**
 * Reads a row of DESC PIPE or SHOW PIPES. The queue is read per pipe and never assumed: Snowflake adds another queue
 * when the access policy of the first is full (Snowflake docs: Automating Snowpipe for Amazon S3).
 */
export function parseNotificationChannel(row: SnowflakeRow): PipeChannel {
  const pipe = ['database_name', 'schema_name', 'name'].map((name) => textColumn(row, name) ?? '?').join('.');
  const queueArn = textColumn(row, 'notification_channel');
  if (!queueArn)
    throw new Error(
      `Reading the notification channel of pipe ${pipe}: it has none. The pipe was made without AUTO_INGEST = TRUE, or by ` +
        'hand; drop it and run the statements of core/snowflake again.',
    );
  return { pipe, queueArn };
}

/** Asks for the properties of the storage integration. */
export function describeIntegrationSql(objects: SnowflakeObjects): string {
  return `DESC INTEGRATION ${identifier(objects.integration)}`;
}

export interface IntegrationFacts {
  /** The IAM user that Snowflake assumes the role as; one per Snowflake account. */
  readonly userArn: string;
  readonly externalId: string;
  readonly roleArn: string;
}

/** Reads the rows of DESC INTEGRATION: what the role's trust policy must name. */
export function parseIntegration(rows: readonly SnowflakeRow[]): IntegrationFacts {
  const values = new Map(rows.map((row) => [textColumn(row, 'property'), textColumn(row, 'property_value')]));
  const read = (property: string) => {
    const value = values.get(property);
    if (!value)
      throw new Error(
        `Reading the storage integration: DESC INTEGRATION shows no ${property}. Is it an S3 integration? Check its TYPE.`,
      );
    return value;
  };
  return {
    userArn: read('STORAGE_AWS_IAM_USER_ARN'),
    externalId: read('STORAGE_AWS_EXTERNAL_ID'),
    roleArn: read('STORAGE_AWS_ROLE_ARN'),
  };
}
