import { createDynamoDb, openTable } from '../adapters/dynamodb.ts';
import { createS3, listedRowsStore } from '../adapters/s3.ts';
import { createSqs, sender } from '../adapters/sqs.ts';
import { openWarehouse } from '../adapters/warehouse.ts';
import type { Registry } from '../core/source/registry.ts';
import { reconcile } from '../core/upload/reconcile.ts';
import { environment } from './environment.ts';
import { wholeHandler } from './stack.ts';
import { count, log } from './telemetry.ts';

/** On a schedule: asks Snowflake what it loaded, closes books, and re-drives what got stuck. */
export function reconcileHandler(registry: Registry) {
  const env = environment([
    'FIRN_TABLE',
    'FIRN_LANDING_BUCKET',
    'FIRN_EXPORT_BUCKET',
    'FIRN_COPY_QUEUE_URL',
    'FIRN_NORMALIZE_QUEUE_URL',
  ]);
  const sqs = createSqs();
  const ports = {
    registry,
    table: openTable(createDynamoDb(), env.FIRN_TABLE),
    store: listedRowsStore(createS3(), env.FIRN_LANDING_BUCKET, env.FIRN_EXPORT_BUCKET),
    landingBucket: env.FIRN_LANDING_BUCKET,
    sendToCopy: sender(sqs, env.FIRN_COPY_QUEUE_URL),
    sendToNormalize: sender(sqs, env.FIRN_NORMALIZE_QUEUE_URL),
    now: () => Date.now(),
  };
  return wholeHandler<unknown>('reconcile', async () => {
    const warehouse = await openWarehouse(process.env);
    if (!warehouse)
      log('warn', 'load unverified: this deployment has no Snowflake credentials, so books stay open at exported');
    const { files, ...counts } = await reconcile({ ...ports, warehouse: warehouse?.warehouse }).finally(() =>
      warehouse?.close(),
    );
    for (const file of files.failed) log('error', 'Snowflake did not load an export file', { ...file });
    count('reconcile', {
      ...counts,
      filesVerified: files.verified,
      filesFailed: files.failed.length,
      filesWaiting: files.waiting,
    });
  });
}
