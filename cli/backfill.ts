import { createS3 } from '../adapters/s3.ts';
import { sourceListers } from '../adapters/s3-list.ts';
import { batchSender, createSqs } from '../adapters/sqs.ts';
import { Failure } from '../core/failure.ts';
import { type Backfilled, backfill, type Wanted } from '../core/origin/backfill.ts';
import { type BucketNaming, bucketName } from '../core/source/buckets.ts';
import type { RegisteredSource } from '../core/source/registry.ts';
import { compileRoutes } from '../core/source/routing.ts';
import { columns, grouped } from './columns.ts';
import { examineSources, fileOf, sourceFiles } from './examine-sources.ts';
import { readOptions } from './options.ts';
import { problemLine } from './source-problems.ts';
import { UsageError } from './usage-error.ts';
import type { Verb } from './verb.ts';

const usage = `firn backfill --source <id> [--yes] [options]
  sends objects that lay in a source's bucket before it was one to copy; without
  --yes it only shows them

  --source <id>      the source; keys that it excludes or another source claims
                     are left out
  --prefix <text>    only keys that start so; it starts with the source's own
                     prefix
  --since <time>     only objects last modified then or later: 2026-01-31 or
                     2026-01-31T12:00:00Z
  --until <time>     only objects last modified before then
  --limit <n>        at most so many objects
  --yes              sends them
  --queue-url <url>  the stack's output CopyQueueUrl; FIRN_COPY_QUEUE_URL
                     unless given
  --stage <name>     of the stack, for buckets of its own; dev unless given
  --json             one JSON object as the last line: { source, bucket, prefix,
                     objects, bytes, sent, first }

AWS is reached as the AWS CLI reaches it, with a region and credentials that may
list the bucket. What landed before is not landed again, so a backfill may be
repeated.
Exit codes: 0 done, 1 it could not be done, 2 wrong usage`;

interface BackfillOptions extends Omit<Wanted, 'source' | 'bucket' | 'prefix'> {
  readonly source: string;
  readonly prefix: string | undefined;
  readonly queueUrl: string | undefined;
  readonly stage: string;
  readonly yes: boolean;
  readonly json: boolean;
}

function readArguments(args: readonly string[]): BackfillOptions {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = readOptions({
    args: [...args],
    options: {
      ...{ source: text, prefix: text, since: text, until: text, limit: text, 'queue-url': text, stage: text },
      ...{ yes: flag, json: flag },
    },
  });
  if (values.source === undefined) throw new UsageError('Say which source: --source <id>.');
  if (values.limit !== undefined && !/^[1-9]\d{0,14}$/.test(values.limit))
    throw new UsageError(`--limit is a number of objects, not '${values.limit}'.`);
  const queueUrl = values['queue-url'] ?? process.env['FIRN_COPY_QUEUE_URL'];
  if (values.yes && !queueUrl)
    throw new UsageError('Say where to send them: --queue-url <url>, the CopyQueueUrl among the outputs of the stack.');
  return {
    source: values.source,
    prefix: values.prefix,
    sinceMs: timeOf('--since', values.since) ?? Number.NEGATIVE_INFINITY,
    untilMs: timeOf('--until', values.until) ?? Number.POSITIVE_INFINITY,
    limit: values.limit === undefined ? Number.POSITIVE_INFINITY : Number(values.limit),
    queueUrl,
    stage: values.stage ?? 'dev',
    yes: values.yes === true,
    json: values.json === true,
  };
}

function timeOf(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms))
    throw new UsageError(`${option} is a day or a time such as 2026-01-31T12:00:00Z, not '${value}'.`);
  return ms;
}

async function run(args: readonly string[]): Promise<number> {
  const options = readArguments(args);
  const files = await sourceFiles();
  fileOf(files, options.source);
  // All of them: which keys are this source's depends on the others.
  const { sources, problems } = await examineSources(files);
  for (const each of problems) console.error(problemLine(each, process.cwd()));
  const source = sources.find(({ id }) => id === options.source);
  if (!source || problems.length > 0) return 1;
  const naming = namingOf(options);
  const wanted = wantedOf(source, naming, options);
  const s3 = createS3();
  const sqs = createSqs();
  const send = options.yes && options.queueUrl ? batchSender(sqs, options.queueUrl) : undefined;
  const route = compileRoutes({ build: '', sources }, naming);
  try {
    let done: Backfilled = { objects: 0, bytes: 0, sent: 0, first: [] };
    for await (done of backfill(wanted, { route, lister: sourceListers(s3)(source), send })) tellProgress(done);
    if (process.stderr.isTTY) process.stderr.write('\n');
    console.log(options.json ? resultJson(wanted, done) : resultText(wanted, done));
    return 0;
  } catch (error) {
    const message = error instanceof Failure ? error.message : `It broke off: ${(error as Error).message}`;
    console.error(message);
    return 1;
  } finally {
    s3.destroy();
    sqs.destroy();
  }
}

/** How the stack names its own buckets: as its functions are told, or as the URL of its queue gives account and region. */
function namingOf({ queueUrl = '', stage }: BackfillOptions): BucketNaming {
  const { FIRN_BUCKET_PREFIX: prefix = `firn-${stage}-`, FIRN_BUCKET_SUFFIX, AWS_REGION } = process.env;
  const [, host = '', account] = /^https?:\/\/([^/]+)\/(\d{12})\//.exec(queueUrl) ?? [];
  const region = /^sqs\.([a-z0-9-]+)\./.exec(host)?.[1] ?? AWS_REGION;
  const known = account !== undefined && region !== undefined ? `-${account}-${region}` : '';
  return { prefix, suffix: FIRN_BUCKET_SUFFIX ?? known };
}

function wantedOf(source: RegisteredSource, naming: BucketNaming, options: BackfillOptions): Wanted {
  const { from } = source.source.config;
  if (typeof from.bucket !== 'string' && naming.suffix === '')
    throw new UsageError(
      "The name of the stack's own bucket carries account and region: give --queue-url, from which they are taken.",
    );
  const { prefix = from.prefix ?? '', sinceMs, untilMs, limit } = options;
  if (!prefix.startsWith(from.prefix ?? ''))
    throw new UsageError(`--prefix starts with the prefix of source ${source.id}, which is '${from.prefix}'.`);
  return { source, bucket: bucketName(from, naming), prefix, sinceMs, untilMs, limit };
}

function tellProgress({ objects, sent }: Backfilled): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${grouped(objects)} found, ${grouped(sent)} sent `);
}

function resultJson({ source, bucket, prefix }: Wanted, { first, ...counts }: Backfilled): string {
  const shown = first.map(({ key, sizeBytes, lastModifiedMs }) => ({ key, sizeBytes, lastModifiedMs }));
  return JSON.stringify({ source: source.id, bucket, prefix, ...counts, first: shown });
}

function resultText({ source, bucket, prefix }: Wanted, { objects, bytes, sent, first }: Backfilled): string {
  const head = `s3://${bucket}/${prefix}: ${grouped(objects)} ${objects === 1 ? 'object' : 'objects'} of source ${source.id}, ${grouped(bytes)} bytes`;
  if (objects === 0) return head;
  const rows = first.map((each) => [each.key, each.sizeBytes, new Date(each.lastModifiedMs).toISOString()]);
  const more = objects > first.length ? [`… and ${grouped(objects - first.length)} more`] : [];
  const end = sent > 0 ? `${grouped(sent)} sent to copy.` : 'Nothing was sent: --yes sends them.';
  return [head, '', ...columns(['key', 'bytes', 'last modified'], rows), ...more, '', end].join('\n');
}

export const backfillSource: Verb = { usage, run };
