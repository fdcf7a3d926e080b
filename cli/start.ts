import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { inputsFrom, root } from '../deploy/folders.ts';
import { bootPipeline, type Pipeline } from '../local/pipeline.ts';
import { generateSamples } from '../samples/generate.ts';
import { grouped } from './columns.ts';
import { dropFile, planDrop } from './drop.ts';
import { exampleQuery, exampleRecord, quarantinedRows, warehouseCounts } from './start-examples.ts';
import { type StartReport, startJson, startText } from './start-report.ts';
import { listUploads } from './uploads.ts';
import { UsageError } from './usage-error.ts';

const usage = `npm start                    boots the embedded cloud and ingests samples/
npm start -- --drop <folder> ingests your own files: each sub-folder is named like the source it goes to
npm start -- --json          prints one JSON object as its last line, for programs
Exit codes: 0 all books are closed, 1 a book is open or something failed, 2 wrong usage`;

interface StartOptions {
  readonly json: boolean;
  readonly drop: string | undefined;
}

function readArguments(): StartOptions | 'help' {
  try {
    const { values } = parseArgs({
      options: { json: { type: 'boolean' }, drop: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    return values.help ? 'help' : { json: values.json === true, drop: values.drop };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Progress for people: on standard error, so that standard output holds the result alone. */
function createProgress(startedMs: number, silent: boolean): (step: string) => void {
  return (step) => {
    if (!silent) console.error(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${step}`);
  };
}

async function start(options: StartOptions): Promise<StartReport> {
  const startedMs = performance.now();
  const step = createProgress(startedMs, options.json);
  const local = join(root, '.firn', 'local');
  const pipeline = await bootPipeline({
    dataDir: join(local, 'data'),
    packageDir: join(local, 'package'),
    sourcesDir: resolve(inputsFrom(process.env, 'local').sourcesDir),
    onStep: step,
  });
  try {
    await dropAll(pipeline, options, step, join(local, 'samples'));
    await drained(pipeline, step);
    return await report(pipeline, startedMs);
  } finally {
    await pipeline.close();
  }
}

const progressMs = 5_000;

async function drained(pipeline: Pipeline, step: (text: string) => void): Promise<void> {
  step('waiting until the pipeline is drained');
  const changes = pipeline.cloud.dynamodb.stream(pipeline.tableName);
  const progress = setInterval(() => step(`… ${grouped(changes.count())} changes in the table`), progressMs);
  await pipeline.drain().finally(() => clearInterval(progress));
}

async function dropAll(
  pipeline: Pipeline,
  options: StartOptions,
  step: (text: string) => void,
  generated: string,
): Promise<void> {
  const folders = options.drop === undefined ? [join(root, 'samples'), generated] : [resolve(options.drop)];
  if (options.drop === undefined) {
    step('making the large sample');
    await generateSamples(generated);
  }
  const plans = await Promise.all(folders.map((folder) => planDrop(folder, pipeline)));
  const files = plans.flat();
  step(`putting ${files.length} files into the source buckets`);
  for (const file of files) await dropFile(pipeline, file);
}

async function report(pipeline: Pipeline, startedMs: number): Promise<StartReport> {
  const nowMs = pipeline.cloud.clock.now();
  const dayMs = 24 * 60 * 60 * 1000;
  const sourceIds = pipeline.registry.sources.map((each) => each.id);
  const uploads = await listUploads(pipeline.table, sourceIds, nowMs - dayMs, nowMs);
  const connection = await pipeline.warehouse.connect();
  try {
    return {
      uploads,
      quarantined: await quarantinedRows(
        pipeline,
        uploads.map((each) => each.uploadId),
      ),
      record: await exampleRecord(pipeline, connection),
      query: await exampleQuery(pipeline, connection),
      warehouse: await warehouseCounts(pipeline, connection),
      failures: pipeline.cloud
        .deadLetters()
        .map(({ queue, count }) => `${count} messages in the dead-letter queue ${queue}`),
      seconds: (performance.now() - startedMs) / 1000,
    };
  } finally {
    await connection.close();
  }
}

async function main(): Promise<number> {
  const options = readArguments();
  if (options === 'help') {
    console.log(usage);
    return 0;
  }
  const done = await start(options);
  console.log(options.json ? startJson(done) : `\n${startText(done)}`);
  const fine = done.uploads.every((upload) => upload.closed) && done.failures.length === 0 && done.uploads.length > 0;
  return fine ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  const wrongUsage = error instanceof UsageError;
  // What a person can mend in the sources needs no stack trace.
  const mistake = (error as { kind?: unknown }).kind === 'config' ? (error as Error).message : error;
  console.error(wrongUsage ? `${error.message}\n\n${usage}` : mistake);
  process.exitCode = wrongUsage ? 2 : 1;
}
