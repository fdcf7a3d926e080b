import { createDynamoDb, openTable } from '../adapters/dynamodb.ts';
import { createS3, exportStore } from '../adapters/s3.ts';
import { exportBatch } from '../core/export/batch.ts';
import type { StreamRecord } from '../core/export/stream-record.ts';
import type { Registry } from '../core/source/registry.ts';
import { environment } from './environment.ts';
import { wholeHandler } from './stack.ts';
import { count, log } from './telemetry.ts';

/** Layer 3: batches of the table's stream to files that Snowflake loads. All or nothing: it throws or it is done. */
export function exportHandler(registry: Registry) {
  const env = environment(['FIRN_TABLE', 'FIRN_EXPORT_BUCKET']);
  const ports = {
    store: exportStore(createS3(), env.FIRN_EXPORT_BUCKET),
    table: openTable(createDynamoDb(), env.FIRN_TABLE),
    loadOf: (entity: string) => registry.loads?.[entity] ?? 1,
  };
  return wholeHandler<{ readonly Records: readonly StreamRecord[] }>('export', async (event) => {
    const { files, ...counts } = await exportBatch(event.Records, ports);
    if (counts.stray > 0) log('warn', 'the table was edited by somebody else than Firn', { changes: counts.stray });
    count('export', { ...counts, files: files.length });
  });
}
