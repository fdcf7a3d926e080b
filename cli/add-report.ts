import type { Draft } from './add-draft.ts';
import { counted } from './columns.ts';
import type { ReadSamples, Unsure } from './sample-format.ts';
import type { SourceDraft } from './source-text.ts';
import { formatText } from './try-text.ts';

/** What `firn add` made. */
export interface Added {
  readonly id: string;
  /** Relative to the working directory where it lies in it. */
  readonly file: string;
  /** What would have been written; undefined when it was. */
  readonly text: string | undefined;
  readonly draft: Draft;
  /** What `firn check` says of the new source. */
  readonly problems: readonly string[];
  /** Sampled rows that the source would put into quarantine. */
  readonly quarantined: number;
}

/** The result for programs: one line. */
export function addedJson({ id, file, text, draft, problems, quarantined }: Added): string {
  const { source, read, unsure } = draft;
  const { from, format, entity, key, version, fields } = source;
  return JSON.stringify({
    file,
    source: { id, from, ...(format && { format }), entity, key, ...(version !== undefined && { version }), fields },
    samples: read.samples.map(({ input, rows, bad, isCut }) => ({ file: input.shown, rows: rows.length, bad, isCut })),
    unread: read.unread.map(({ input, reason }) => ({ file: input.shown, reason })),
    quarantined,
    unsure,
    problems,
    ...(text !== undefined && { text }),
  });
}

const lineWidth = 80;

/** The result for a person, in lines of 80 columns where the words allow it. */
export function addedText(added: Added): string {
  const { file, text, draft, problems, quarantined } = added;
  const { source, read, unsure } = draft;
  const blocks = [
    seenText(read),
    text === undefined
      ? wrapped('', `Wrote ${file}: ${shapeText(source)}`).join('\n')
      : `Would write ${file}:\n\n${text.trimEnd()}`,
    ...(unsure.length === 0 ? [] : [`To look at:\n${unsureLines(unsure).join('\n')}`]),
    ...(quarantined === 0
      ? []
      : [`${counted(quarantined, 'row')} of the samples would go to quarantine: see firn try.`]),
    ...(problems.length === 0 ? [] : [`firn check finds mistakes in it:\n${problems.join('\n')}`]),
    ...(text === undefined ? [nextText(added)] : []),
  ];
  return blocks.join('\n\n');
}

function seenText({ samples, unread, format }: ReadSamples): string {
  const rows = samples.reduce((sum, sample) => sum + sample.rows.length, 0);
  const bad = samples.reduce((sum, sample) => sum + sample.bad, 0);
  const files = samples.length === 1 ? samples[0]?.input.shown : `${samples.length} files`;
  const seen = samples.some(({ isCut }) => isCut) ? `the first ${counted(rows, 'row')}` : counted(rows, 'row');
  const compression = [...new Set(samples.map((sample) => sample.compression))].join(' and ');
  const what = formatText(format ?? samples[0]?.format, compression);
  const lines = [...wrapped('', `Looked at ${seen} of ${files}: ${what}`)];
  if (bad > 0) lines.push(`${counted(bad, 'row')} more cannot be read, and would go to quarantine: see firn try.`);
  for (const { input, reason } of unread) lines.push(...wrapped('', `Left out ${input.shown}: ${reason}`));
  return lines.join('\n');
}

/** `order by orderNo, 9 fields: 5 text, 2 integer …` */
function shapeText({ entity, key, version, fields }: SourceDraft): string {
  const kinds = Object.entries(Object.groupBy(fields, ({ kind }) => kind)).map(
    ([kind, same]) => [kind, same?.length ?? 0] as const,
  );
  const listed = kinds.sort((a, b) => b[1] - a[1]).map(([kind, count]) => `${count} ${kind}`);
  const by = key.length === 0 ? 'without a key' : `by ${key.join(' and ')}`;
  const newest = version === undefined ? '' : `, the newest by ${version}`;
  return `${entity} ${by}${newest}; ${counted(fields.length, 'field')}: ${listed.join(', ')}.`;
}

/** One block for each message, with all that it is about. */
function unsureLines(unsure: readonly Unsure[]): readonly string[] {
  const byMessage = Map.groupBy(unsure, ({ message }) => message);
  return [...byMessage].flatMap(([message, same]) => {
    const about = same.map((each) => each.about);
    const named = about.length > 6 ? `${about.slice(0, 6).join(', ')} and ${about.length - 6} more` : about.join(', ');
    return wrapped('- ', `${named}: ${message}`);
  });
}

/** Words in lines: the first begins with a mark, the others go on below its text. */
function wrapped(mark: string, text: string): readonly string[] {
  const lines: string[] = [];
  let line = mark;
  let words = 0;
  for (const word of text.split(' ')) {
    if (words > 0 && line.length + word.length > lineWidth) {
      lines.push(line.trimEnd());
      line = ' '.repeat(mark.length);
      words = 0;
    }
    line += `${word} `;
    words += 1;
  }
  return [...lines, line.trimEnd()];
}

function nextText({ id, draft }: Added): string {
  const first = draft.read.samples[0]?.input;
  const sample = first?.archive ?? first?.shown ?? '<file>';
  const quoted = /^[\w@%+=:,./-]+$/.test(sample) ? sample : `'${sample.replaceAll("'", "'\\''")}'`;
  return `Next:\n  npx firn check\n  npx firn try ${quoted} --source ${id}`;
}
