import { UsageError } from './usage-error.ts';
import type { Verb } from './verb.ts';

/** A new verb is a file of its own and one entry here. Loaded when called, so that help and mistakes are quick. */
const verbs: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Verb> }>> = {
  add: {
    summary: 'writes the source file that reads a sample',
    load: async () => (await import('./add.ts')).addSource,
  },
  backfill: {
    summary: 'sends objects that lay in a bucket before there was a source for it',
    load: async () => (await import('./backfill.ts')).backfillSource,
  },
  check: {
    summary: 'explains what is wrong with all sources together',
    load: async () => (await import('./check.ts')).check,
  },
  dev: {
    summary: 'runs the embedded cloud and ingests what is put into its buckets',
    load: async () => (await import('./dev.ts')).dev,
  },
  grants: {
    summary: "prints what to ask the owners of other people's buckets for",
    load: async () => (await import('./grants.ts')).grants,
  },
  try: {
    summary: 'shows the records that a source makes of a file',
    load: async () => (await import('./try.ts')).tryFile,
  },
};

const width = Math.max(...Object.keys(verbs).map((name) => name.length));
const lines = Object.entries(verbs).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
const usage = `firn <verb> [options]

${lines.join('\n')}

firn <verb> --help tells more.
Exit codes: 0 fine, 1 the data or the pipeline has a problem, 2 wrong usage`;

const isHelp = (argument: string) => argument === '--help' || argument === '-h';

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name !== undefined && isHelp(name)) {
    console.log(usage);
    return 0;
  }
  const entry = name !== undefined && Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (!entry) {
    console.error(name === undefined ? usage : `There is no verb ${name}.\n\n${usage}`);
    return 2;
  }
  const verb = await entry.load();
  if (args.some(isHelp)) {
    console.log(verb.usage);
    return 0;
  }
  try {
    return await verb.run(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\nfirn ${name} --help tells what it takes.`);
    return 2;
  }
}

// Whoever reads the output may stop before its end, as `head` does: that is no mistake.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
