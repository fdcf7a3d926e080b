import type { BucketGrants, Grant } from '../core/origin/grant.ts';
import { type Home, readingRoleArn } from '../core/origin/reading-role.ts';

const width = 100;

/** Grants for people, each bucket in a section that can be forwarded as it is. */
export function grantsText(buckets: readonly BucketGrants[], home: Home, source: string | undefined): string {
  if (buckets.length === 0) {
    const who = source === undefined ? 'Every source reads' : `Source ${source} reads`;
    return `${who} a bucket that the stack makes: there is nobody to ask.`;
  }
  const unknown = home.account.startsWith('<')
    ? [`${home.account} stands for the account of the stack, 12 digits: say it with --account.`]
    : [];
  const first = `Deploy stage ${home.stage} before an owner sets this up: ${readingRoleArn(home, 'copy')} must exist by then.`;
  return [...[first, ...unknown].map(wrapped), ...buckets.map(section)].join('\n\n');
}

function section({ bucket, owner, sources, grants, notes }: BucketGrants): string {
  const title = `s3://${bucket}${owner === undefined ? '' : `, account ${owner}`}`;
  const read = `Read by ${sources.length === 1 ? 'source' : 'sources'} ${sources.join(', ')}.`;
  const parts = grants.map((grant, index) => step(grant, index + 1));
  const nothing = grants.length === 0 ? ['Nothing to set up.'] : [];
  return [`${title}\n${'='.repeat(title.length)}`, wrapped(read), ...nothing, ...parts, ...notes.map(note)].join(
    '\n\n',
  );
}

function step({ title, text, document }: Grant, number: number): string {
  const json = document === undefined ? [] : [JSON.stringify(document, undefined, 2)];
  const heading = `${number}. ${title}`;
  return [`${heading}\n${'-'.repeat(heading.length)}`, wrapped(text), ...json].join('\n\n');
}

const note = (text: string) => wrapped(`Note: ${text}`);

/** Breaks a text at spaces into lines that mail leaves alone. */
function wrapped(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
}
