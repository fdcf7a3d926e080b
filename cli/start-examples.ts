import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { tableName } from '../core/snowflake/table-name.ts';
import { keepsAll, keyFields } from '../core/source/source.ts';
import { recordPartition } from '../core/table/key.ts';
import type { Item } from '../core/table/table.ts';
import type { Pipeline } from '../local/pipeline.ts';
import type { StartReport } from './start-report.ts';

type Connection = Awaited<ReturnType<Pipeline['warehouse']['connect']>>;

/** A record of the first source that keeps the newest by a key, fetched with the call that a user would make. */
export async function exampleRecord(pipeline: Pipeline, connection: Connection): Promise<StartReport['record']> {
  const { registry, tableName: table, dynamodb, warehouse } = pipeline;
  const keyed = registry.sources.filter(
    ({ source }) => keyFields(source.config).length > 0 && !keepsAll(source.config),
  );
  for (const { source } of [...keyed, ...registry.sources]) {
    const { entity } = source.config;
    const view = `${warehouse.objects.database}.PUBLIC.${tableName(entity)}`;
    const [found] = await connection.query(`SELECT RECORD_KEY FROM ${view} ORDER BY RECORD_KEY LIMIT 1`);
    if (!found) continue;
    const pk = recordPartition(entity, String(found['RECORD_KEY']));
    const values = { ':pk': { S: pk } };
    const result = await dynamodb.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: values,
        Limit: 1,
      }),
    );
    const item = result.Items?.[0];
    if (!item) continue;
    const call = `aws dynamodb query --table-name ${table} --key-condition-expression 'pk = :pk' --expression-attribute-values '${JSON.stringify(values)}'`;
    // Numbers as their digits: some are longer than JavaScript's.
    return { call, item: unmarshall(item, { wrapNumbers: (digits) => numeric(digits) }) };
  }
  return undefined;
}

function numeric(digits: string): number | string {
  return String(Number(digits)) === digits ? Number(digits) : digits;
}

/** A question over an entity that several sources feed: how many records each has, and what their first amount sums to. */
export async function exampleQuery(pipeline: Pipeline, connection: Connection): Promise<StartReport['query']> {
  const { registry, warehouse } = pipeline;
  const entities = [...Map.groupBy(registry.sources, ({ source }) => source.config.entity)].sort(
    ([, a], [, b]) => b.length - a.length,
  );
  for (const [entity, sources] of entities) {
    const decimals = sources.map(({ source }) =>
      Object.entries(source.config.fields)
        .filter(([, field]) => field.kind === 'decimal')
        .map(([name]) => name),
    );
    const shared = decimals[0]?.find((name) => decimals.every((names) => names.includes(name)));
    const sum = shared === undefined ? '' : `,\n       SUM(PAYLOAD:${shared}::NUMBER(38,2)) AS ${shared.toUpperCase()}`;
    const sql =
      `SELECT SOURCE_ID, COUNT(*) AS RECORDS${sum}\n` +
      `FROM ${warehouse.objects.database}.PUBLIC.${tableName(entity)}\nGROUP BY SOURCE_ID ORDER BY SOURCE_ID`;
    const rows = await connection.query(sql);
    if (rows.length > 0) return { sql, rows };
  }
  return undefined;
}

/** Rows that people see in each table of the warehouse: the newest version of each record. */
export async function warehouseCounts(
  pipeline: Pipeline,
  connection: Connection,
): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const { table } of pipeline.warehouse.objects.entities) {
    const [row] = await connection.query(
      `SELECT COUNT(*) AS N FROM ${pipeline.warehouse.objects.database}.PUBLIC.${table}`,
    );
    counts[table] = Number(row?.['N'] ?? 0);
  }
  return counts;
}

/** Rows in quarantine, as the table lists them. */
export async function quarantinedRows(pipeline: Pipeline, uploadIds: readonly string[]): Promise<readonly Item[]> {
  const rows: Item[] = [];
  for (const uploadId of uploadIds)
    for await (const page of pipeline.table.query(`U#${uploadId}`, 'X#')) rows.push(...page);
  return rows;
}
