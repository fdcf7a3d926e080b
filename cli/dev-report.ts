import { tableName as warehouseTable } from '../core/snowflake/table-name.ts';
import type { Pipeline } from '../local/pipeline.ts';
import { DEFAULT_ACCOUNT, DEFAULT_REGION } from '../local/stack/services.ts';
import { columns } from './columns.ts';

/** Where everything is, once `firn dev` is up. `--json` prints it as it stands. */
export interface DevReport {
  /** The process to send SIGINT or SIGTERM to. */
  readonly pid: number;
  readonly region: string;
  readonly account: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly endpoints: Pipeline['cloud']['endpoints'] & { readonly snowflake: string };
  readonly sources: readonly {
    readonly id: string;
    readonly bucket: string;
    readonly prefix: string;
    readonly suffix: string;
    /** Nothing tells of its objects: they are found when the poller looks. */
    readonly polled: boolean;
    readonly entity: string;
    /** Where its records are in the warehouse. */
    readonly warehouseTable: string;
  }[];
  readonly table: string;
  readonly queues: readonly { readonly name: string; readonly url: string }[];
  readonly snowflake: Pipeline['warehouse']['login'] & { readonly database: string; readonly schema: string };
  /** Folder that keeps everything for the next run; null when nothing is kept. */
  readonly keep: string | null;
  /** What any AWS client needs in its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

const schema = 'PUBLIC';

export function devReport(pipeline: Pipeline, keep: string | undefined): DevReport {
  const { cloud, registry, warehouse, credentials } = pipeline;
  const { sqs, endpoints } = cloud;
  const ours = sqs.queues().filter((arn) => arn.split(':')[4] === DEFAULT_ACCOUNT);
  return {
    pid: process.pid,
    region: DEFAULT_REGION,
    account: DEFAULT_ACCOUNT,
    credentials,
    endpoints: { ...endpoints, snowflake: warehouse.login.accessUrl },
    sources: registry.sources.map(({ id, source: { config } }) => ({
      id,
      bucket: pipeline.bucketOf(id),
      prefix: config.from.prefix ?? '',
      suffix: config.from.suffix ?? '',
      polled: config.from.poll !== undefined,
      entity: config.entity,
      warehouseTable: `${warehouse.objects.database}.${schema}.${warehouseTable(config.entity)}`,
    })),
    table: pipeline.tableName,
    queues: ours.map((arn) => ({ name: arn.split(':').at(-1) ?? arn, url: sqs.urlOf(arn) })),
    snowflake: { ...warehouse.login, database: warehouse.objects.database, schema },
    keep: keep ?? null,
    environment: {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: DEFAULT_REGION,
      // The AWS CLI 1 and botocore read only this name.
      AWS_DEFAULT_REGION: DEFAULT_REGION,
      AWS_ENDPOINT_URL_S3: endpoints.s3,
      AWS_ENDPOINT_URL_SQS: endpoints.sqs,
      AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secrets,
      AWS_ENDPOINT_URL_STS: endpoints.sts,
    },
  };
}

/** The same for people. */
export function devText(report: DevReport): string {
  const { endpoints, snowflake, sources, keep } = report;
  const indent = (lines: readonly string[]) => lines.map((line) => `  ${line}`);
  const first = sources[0];
  const polled = sources.filter((each) => each.polled).map(({ id }) => id);
  return [
    'Put objects into a bucket, and watch them come in. Ctrl-C stops.',
    '',
    ...indent(
      columns(
        ['', ''],
        [
          ...Object.entries(endpoints).map(([name, url]): [string, string] => [titles[name] ?? name, url]),
          ['Account, region', `${report.account}, ${report.region}`],
          ['Table', report.table],
          [
            'Warehouse',
            `account ${snowflake.account}, user ${snowflake.user}, password ${snowflake.password}, database ${snowflake.database}`,
          ],
          ['Kept in', keep ?? 'nothing is kept: --keep does'],
        ],
      ).slice(1),
    ),
    '',
    ...indent(
      columns(
        ['source', 'takes', 'warehouse table'],
        sources.map((each) => [each.id, `s3://${each.bucket}/${each.prefix}…${each.suffix}`, each.warehouseTable]),
      ),
    ),
    ...(polled.length > 0 ? ['', `The poller first runs after five minutes: ${polled.join(', ')}.`] : []),
    '',
    ...indent(
      columns(
        ['queue', 'url'],
        report.queues.map(({ name, url }) => [name, url]),
      ),
    ),
    '',
    'To paste, for any AWS client:',
    '',
    ...indent(Object.entries(report.environment).map(([name, value]) => `export ${name}=${value}`)),
    ...(first ? ['', ...indent(calls(report, first))] : []),
    '',
  ].join('\n');
}

const titles: Readonly<Record<string, string>> = {
  s3: 'S3',
  sqs: 'SQS',
  dynamodb: 'DynamoDB',
  secrets: 'Secrets Manager',
  sts: 'STS',
  snowflake: 'Snowflake',
};

/** The endpoint is said once more in each call: clients older than the variables do not know them. */
function calls({ endpoints, table, queues }: DevReport, source: DevReport['sources'][number]): readonly string[] {
  const queue = queues[0];
  const key = `'{":pk":{"S":"R#${source.entity}#<key>"}}'`;
  return [
    `aws s3 cp <file> s3://${source.bucket}/${source.prefix} --endpoint-url ${endpoints.s3}`,
    ...(queue
      ? [`aws sqs get-queue-attributes --queue-url ${queue.url} --attribute-names All --endpoint-url ${endpoints.sqs}`]
      : []),
    `aws dynamodb query --table-name ${table} --key-condition-expression 'pk = :pk' --expression-attribute-values ${key} --endpoint-url ${endpoints.dynamodb}`,
    `SELECT * FROM ${source.warehouseTable} LIMIT 10`,
  ];
}
