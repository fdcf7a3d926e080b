import { type AttributeValue, DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { DEFAULT_REGION, type Services } from './stack/services.ts';

/**
 * Ends the leases that workers of an earlier run held, before any worker of this one begins: nobody is left who could
 * still write under them, and waiting for their end may take as long as an invocation. The attribute is the one that
 * core gives every lease.
 */
export async function endLeases({ dynamodb }: Pick<Services, 'dynamodb'>): Promise<void> {
  const credentials = { accessKeyId: 'lambda', secretAccessKey: 'local' };
  const client = new DynamoDBClient({ region: DEFAULT_REGION, endpoint: dynamodb.endpoint, credentials });
  try {
    for (const table of dynamodb.tables()) {
      for await (const { pk, sk, leaseUntilMs } of dynamodb.items(table)) {
        if (!pk || !sk || !(Number(leaseUntilMs?.N) > 0)) continue;
        await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: { pk, sk } as Record<string, AttributeValue>,
            UpdateExpression: 'SET leaseUntilMs = :ended',
            ExpressionAttributeValues: { ':ended': { N: '0' } },
          }),
        );
      }
    }
  } finally {
    client.destroy();
  }
}
