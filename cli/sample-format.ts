import { csv } from '../core/decode/csv.ts';
import type { Format } from '../core/decode/format.ts';
import { json } from '../core/decode/json.ts';
import { xml } from '../core/decode/xml.ts';
import { findListPaths, findNulls, findRowsPath } from '../core/source/infer-format.ts';
import type { Input } from './inputs.ts';
import { readSample, type Sample, type UnreadFile } from './sample.ts';
import { findRemedy } from './sample-remedy.ts';

/** Something that a person should look at. */
export interface Unsure {
  /** A field, or a property of the source such as `key`. */
  readonly about: string;
  readonly message: string;
}

export interface ReadSamples {
  readonly samples: readonly Sample[];
  readonly unread: readonly UnreadFile[];
  /** Undefined: found anew in every object. */
  readonly format: Format | undefined;
  readonly unsure: readonly Unsure[];
}

/**
 * Reads samples and settles on one format for them, `declared` where it is given. Samples in another format than most of them are among the unread.
 * None is left when nothing could be read, or there are no rows.
 */
export async function readSamples(inputs: readonly Input[], declared?: Format): Promise<ReadSamples> {
  const first = await readAll(inputs, declared);
  const remedy = await findRemedy(first, declared);
  const all = remedy ? await readAll(inputs, remedy.format) : first;
  const { chosen, others } = mostAlike(all.samples.filter(({ rows }) => rows.length > 0));
  const unread = [
    ...all.unread,
    ...all.samples.flatMap(({ input, rows, bad }) =>
      rows.length > 0 || bad === 0 ? [] : [{ input, reason: `none of its ${bad} rows can be: firn try tells why` }],
    ),
    ...others.map(({ input, format }) => ({ input, reason: `it is ${format?.name}, and the others are not alike` })),
  ];
  const formats = new Set(chosen.map(({ format }) => JSON.stringify(format)));
  const unsure: Unsure[] = [];
  if (remedy) unsure.push({ about: 'format', message: remedy.message });
  const [one] = chosen;
  if (!one) return { samples: [], unread, format: undefined, unsure };
  const format = formats.size === 1 ? one.format : undefined;
  if (!format)
    unsure.push({ about: 'format', message: 'the samples differ in encoding or dialect: found in each object' });
  if (declared === undefined && format?.name === 'csv' && format.encoding === 'windows-1252')
    unsure.push({ about: 'format', message: 'not UTF-8, so taken for windows-1252: look at letters outside of ASCII' });
  const better = format && betterFormat(format, chosen);
  if (!better) return { samples: chosen, unread, format: format && withoutDefaults(format), unsure };
  const again = await readAll(
    chosen.map(({ input }) => input),
    better.format,
  );
  return {
    samples: again.samples,
    unread: [...unread, ...again.unread],
    format: withoutDefaults(better.format),
    unsure: [...unsure, { about: 'format', message: better.message }],
  };
}

async function readAll(inputs: readonly Input[], declared: Format | undefined) {
  const samples: Sample[] = [];
  const unread: UnreadFile[] = [];
  for (const input of inputs) {
    const read = await readSample(input, declared, inputs.length);
    if ('reason' in read) unread.push(read);
    else samples.push(read);
  }
  return { samples, unread };
}

/** The largest group of samples in one format; delimited text with and without a header are two. */
function mostAlike(samples: readonly Sample[]) {
  const groups = [
    ...Map.groupBy(samples, ({ format }) => `${format?.name} ${format?.name === 'csv' ? format.header : ''}`).values(),
  ];
  const chosen = groups.sort((a, b) => b.length - a.length)[0] ?? [];
  return { chosen, others: samples.filter((sample) => !chosen.includes(sample)) };
}

/** What the rows say about their format beyond what its first bytes do. */
function betterFormat(format: Format, samples: readonly Sample[]) {
  if (format.name === 'json') {
    const rows = findRowsPath(samples);
    const message = `each document is taken for an envelope whose rows are its ${rows}`;
    return rows === undefined ? undefined : { format: json({ rows }), message };
  }
  if (format.name === 'xml') {
    const list = findListPaths(samples);
    const message = `${list.join(', ')}: a list even in rows that have only one`;
    return list.length === 0 ? undefined : { format: xml({ ...withoutName(format), list }), message };
  }
  if (format.name !== 'csv') return undefined;
  const nulls = findNulls(samples);
  const message = `${nulls.join(', ')} taken for no value, in every column`;
  return nulls.length === 0 ? undefined : { format: csv({ ...withoutName(format), nulls }), message };
}

function withoutName<F extends Format>({ name: _, ...options }: F) {
  return options;
}

/** Says only what differs from the defaults. */
function withoutDefaults(format: Format): Format {
  if (format.name !== 'csv') return format;
  const { delimiter, header, ...options } = format;
  const said = {
    ...(delimiter !== undefined && delimiter !== ',' && { delimiter }),
    ...(header !== undefined && (!header || options.columns) && { header }),
  };
  return { ...said, ...options };
}

/** Whether text is likely to have its columns at fixed places, which nothing in it says. */
export function looksFixedWidth({ format, rows, columns }: Sample): boolean {
  if (format?.name !== 'csv' || columns?.length !== 1) return false;
  const lines = rows.map((row) => String((row as readonly unknown[])[0] ?? ''));
  const spaced = lines.filter((line) => /\S {2,}\S/.test(line) || /\S\s+\S+\s+\S/.test(line)).length;
  const lengths = new Set(lines.map((line) => line.length));
  return lines.length > 1 && spaced >= lines.length / 2 && lengths.size <= 2;
}
