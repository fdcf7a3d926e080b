import { createDynamoDb, openTable } from '../adapters/dynamodb.ts';
import { createS3, listedRowsStore } from '../adapters/s3.ts';
import { createSqs, sender } from '../adapters/sqs.ts';
import { openWarehouse } from '../adapters/warehouse.ts';
import type { Registry } from '../core/source/registry.ts';
import { reconcile } from '../core/upload/reconcile.ts';
import { environment } from './environment.ts';
import { wholeHandler } from './stack.ts';
import { count, log } from './telemetry.ts';

const names = [
  'FIRN_TABLE',
  'FIRN_LANDING_BUCKET',
  'FIRN_EXPORT_BUCKET',
  'FIRN_COPY_QUEUE_URL',
  'FIRN_NORMALIZE_QUEUE_URL',
  'FIRN_UNPACK_QUEUE_URL',
] as const;

/** On a schedule: asks Snowflake what it loaded, closes books, and re-drives what got stuck. */
export function reconcileHandler(registry: Registry) {
  const env = environment(names);
  const sqs = createSqs();
  const ports = {
    registry,
    table: openTable(createDynamoDb(), env.FIRN_TABLE),
    store: listedRowsStore(createS3(), env.FIRN_LANDING_BUCKET, env.FIRN_EXPORT_BUCKET),
    landingBucket: env.FIRN_LANDING_BUCKET,
    sendToCopy: sender(sqs, env.FIRN_COPY_QUEUE_URL),
    sendToNormalize: sender(sqs, env.FIRN_NORMALIZE_QUEUE_URL),
    sendToUnpack: sender(sqs, env.FIRN_UNPACK_QUEUE_URL),
    now: () => Date.now(),
  };
  return wholeHandler<unknown>('reconcile', async () => {
    const open = openWarehouse(process.env);
    if (!open) log('warn', 'load unverified: without Snowflake credentials books stay open at exported');
    const close = () => open?.close().catch(() => {});
    const report = await reconcile({ ...ports, warehouse: open?.warehouse }).finally(close);
    const { files, unjudged, ...counts } = report;
    for (const file of files.failed) log('error', 'Snowflake did not load an export file', { ...file });
    for (const upload of unjudged) log('error', 'the books of an upload could not be judged', { ...upload });
    count('reconcile', { ...counts, filesVerified: files.verified, filesWaiting: files.waiting });
  });
}
