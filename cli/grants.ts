import { grantsFor } from '../core/origin/grants.ts';
import { examineSources, fileOf, sourceFiles } from './examine-sources.ts';
import { grantsText } from './grants-text.ts';
import { readOptions } from './options.ts';
import { problemLine } from './source-problems.ts';
import { UsageError } from './usage-error.ts';
import type { Verb } from './verb.ts';

const usage = `firn grants [--source <id>] [options]
  prints what to send to the owners of buckets that the stack does not make:
  policies, keys, roles, notifications

  --source <id>     only what this source needs
  --stage <stage>   of the stack that reads, dev unless given
  --account <id>    the account of the stack, 12 digits; it appears as <account>
                    when not given
  --region <id>     the region of the stack: AWS_REGION or eu-central-1 unless
                    given
  --json            one JSON object: { home, buckets: [{ bucket, owner?,
                    sources, grants, notes }] }

Sources are the files of sources/, or of the folder that FIRN_SOURCES names.
Nothing is sent or changed.
Exit codes: 0 fine, 1 mistakes in the sources, 2 wrong usage`;

/** Stands for an account that is not known yet. */
const unknownAccount = '<account>';

async function run(args: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const options = { source: text, stage: text, account: text, region: text, json: { type: 'boolean' } } as const;
  const { values } = readOptions({ args: [...args], options });
  const home = homeOf(values);
  const files = await sourceFiles();
  const { source } = values;
  if (source !== undefined) fileOf(files, source);
  const { sources, problems } = await examineSources(files);
  const mistakes = problems.filter((each) => source === undefined || each.sources.includes(source));
  if (mistakes.length > 0) {
    for (const each of mistakes) console.error(problemLine(each, process.cwd()));
    console.error('\nMend these first: what they would ask of an owner is not sure.');
    return 1;
  }
  // All sources of a bucket share one policy there, so a source's grants show those of its neighbours, too.
  const buckets = grantsFor(sources, home).filter((each) => source === undefined || each.sources.includes(source));
  console.log(values.json ? JSON.stringify({ home, buckets }) : grantsText(buckets, home, source));
  return 0;
}

function homeOf({ stage = 'dev', account, region }: { stage?: string; account?: string; region?: string }) {
  if (account !== undefined && !/^\d{12}$/.test(account))
    throw new UsageError(`--account ${account} is not 12 digits.`);
  if (!/^(?=.{1,14}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(stage))
    throw new UsageError(`--stage ${stage} names no stage.`);
  return {
    stage,
    account: account ?? unknownAccount,
    region: region ?? (process.env['AWS_REGION'] || 'eu-central-1'),
  };
}

export const grants: Verb = { usage, run };
