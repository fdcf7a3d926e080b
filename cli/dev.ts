import { hash } from 'node:crypto';
import { watch as watchFolder } from 'node:fs';
import { join } from 'node:path';
import { inputsFrom, root } from '../deploy/folders.ts';
import { bootPipeline, type Pipeline, type PipelineOptions } from '../local/pipeline.ts';
import { createDeadLetterWatch, createFailureWatch } from './dev-failures.ts';
import { takeFolder } from './dev-folder.ts';
import { type DevOptions, defaultBase, readDevOptions, services } from './dev-options.ts';
import { devReport, devText } from './dev-report.ts';
import { watchUploads } from './dev-watch.ts';
import { examineSources, sourceFiles } from './examine-sources.ts';
import { problemLine } from './source-problems.ts';
import type { Verb } from './verb.ts';

const usage = `firn dev [--ports s3=9000,sqs=9001,…] [--port-base <n>] [--keep [dir]] [--json]
  runs the embedded cloud until Ctrl-C, and ingests whatever is put into the
  source buckets

  --ports <name=port,…>  ports of ${services.join(', ')};
                         0 picks a free one
  --port-base <n>        ports from n on, in that order (${defaultBase} unless given)
  --keep [dir]           keeps everything in a folder (.firn/dev unless given),
                         and goes on there the next time
  --json                 one line on standard output, once everything is up:
                         where it all is

Sources are the files of sources/, or of the folder that FIRN_SOURCES names. A
change of them takes a restart.
Exit codes: 0 stopped by Ctrl-C or SIGTERM, 1 mistakes in the sources or it does
not start, 2 wrong usage`;

/** How long running invocations may go on after the first Ctrl-C. */
const graceMs = 5_000;
const deadLettersEveryMs = 1_000;

async function run(args: readonly string[]): Promise<number> {
  const options = readDevOptions(args);
  const { problems } = await examineSources(await sourceFiles());
  if (problems.length > 0) {
    for (const each of problems) console.error(problemLine(each, process.cwd()));
    return 1;
  }
  const folder = takeFolder(options.keep);
  process.on('exit', folder.leave);
  const stop = stopOnSignals();
  try {
    await serve(options, folder.dir, stop);
    return 0;
  } catch (error) {
    if (stop.aborted) return 0;
    console.error(startProblem(error));
    return 1;
  } finally {
    folder.leave();
    process.off('exit', folder.leave);
  }
}

/** Aborts with the first signal; the second ends the process at once. */
function stopOnSignals(): AbortSignal {
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(130);
    console.error('stopping; once more ends at once');
    stop.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  // Nobody may be reading any more.
  process.stderr.on('error', () => {});
  return stop.signal;
}

async function serve(options: DevOptions, dir: string, stop: AbortSignal): Promise<void> {
  const startedMs = performance.now();
  const seconds = () => ((performance.now() - startedMs) / 1000).toFixed(1);
  // With --json, standard output holds the one line alone.
  const say = (line: string) =>
    (options.json ? console.error : console.log)(`${new Date().toTimeString().slice(0, 8)}  ${line}`);
  const failures = createFailureWatch(say);
  const { sourcesDir } = inputsFrom(process.env, '');
  const pipeline = await bootPipeline({
    dataDir: dir,
    keep: options.keep !== undefined,
    ports: options.ports,
    schedules: true,
    sourcesDir,
    packageDir: join(root, '.firn', `dev-package-${hash('sha256', sourcesDir, 'hex').slice(0, 12)}`),
    overrides: shortWindows,
    ...failures,
    onStep(step) {
      stop.throwIfAborted();
      if (!options.json) console.error(`${seconds().padStart(6)} s  ${step}`);
    },
  });
  try {
    if (stop.aborted) return;
    const report = devReport(pipeline, options.keep);
    console.log(options.json ? JSON.stringify(report) : `\nfirn dev is up (${seconds()} s).\n${devText(report)}`);
    await watch(pipeline, say, stop);
  } finally {
    await pipeline.close(graceMs);
  }
}

/** Says what happens until the signal aborts. */
async function watch(pipeline: Pipeline, say: (line: string) => void, stop: AbortSignal): Promise<void> {
  const deadLetters = createDeadLetterWatch(pipeline);
  const look = setInterval(() => deadLetters().forEach(say), deadLettersEveryMs);
  tellOfChanges(say, stop);
  // Not waited for: a run of reconcile that is under way gets as long as everything else.
  void pipeline.tend(stop);
  await watchUploads(pipeline, say, stop).finally(() => clearInterval(look));
}

/** Says once that the sources are not what runs any more. */
function tellOfChanges(say: (line: string) => void, stop: AbortSignal): void {
  const { sourcesDir } = inputsFrom(process.env, '');
  const changes = watchFolder(sourcesDir, { persistent: false, signal: stop }, () => {
    changes.close();
    say(`${sourcesDir} has changed: start firn dev again`);
  });
  // Not every file system can be watched, and nothing depends on it.
  changes.on('error', () => {});
}

const longestWindowSeconds = 1;

/** Batches are waited for a second at most, so that an upload shows within seconds. */
const shortWindows: PipelineOptions['overrides'] = (_logicalId, properties) => {
  const window = properties['MaximumBatchingWindowInSeconds'];
  return Number(window) > longestWindowSeconds
    ? { ...properties, MaximumBatchingWindowInSeconds: longestWindowSeconds }
    : properties;
};

/** What a person can do about an error of starting; the whole error when that is unknown. */
function startProblem(error: unknown): unknown {
  const { code, port, kind, message } = error as NodeJS.ErrnoException & { port?: number; kind?: string };
  if (code === 'EADDRINUSE' || code === 'EACCES') {
    const why = code === 'EACCES' ? 'may not be used by you' : 'is in use';
    return `Port ${port} of 127.0.0.1 ${why}. Choose others: --port-base <n>, or --ports <name>=<port> for one of them.`;
  }
  return kind === 'config' ? message : error;
}

export const dev: Verb = { usage, run };
