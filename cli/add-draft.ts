import { buildFields } from '../core/fields/build-fields.ts';
import type { InferredField } from '../core/fields/inferred.ts';
import { findMistakes } from '../core/source/check.ts';
import { type InferredSource, inferSource } from '../core/source/infer.ts';
import { findEntity, findPrefix } from '../core/source/infer-names.ts';
import type { RegisteredSource } from '../core/source/registry.ts';
import { type AnySource, type Origin, ours } from '../core/source/source.ts';
import type { Inputs } from './inputs.ts';
import type { ReadSamples, Unsure } from './sample-format.ts';
import type { SourceDraft } from './source-text.ts';

/** What a person said of the source. */
export interface Wishes {
  readonly entity: string | undefined;
  readonly bucket: string | undefined;
  readonly prefix: string | undefined;
}

/** A source for samples. */
export interface Draft {
  readonly source: SourceDraft;
  readonly read: ReadSamples;
  /** What a person should look at. */
  readonly unsure: readonly Unsure[];
}

interface Basis {
  readonly id: string;
  readonly found: Inputs;
  readonly read: ReadSamples;
  /** The sources there are besides. */
  readonly others: readonly RegisteredSource[];
}

/** Drafts the source that reads the samples. Of the entities that its id speaks of, it has the one that fits the others. */
export function draftSource(wishes: Wishes, { id, found, read, others }: Basis): Draft {
  const { samples, format } = read;
  const origin = originOf(wishes, id, found);
  const guess = wishes.entity ?? findEntity(id);
  const isNumbered = format?.name === 'csv' && format.header === false && !format.columns;
  const inferred = inferSource(samples, guess, isNumbered);
  const { key, version } = inferred;
  const fields = withoutLast(inferred.fields);
  const drafts = (wishes.entity === undefined ? [guess, id, `${id}-entry`] : [guess]).map((entity): SourceDraft => {
    return { from: origin.from, format, entity, key, version, fields };
  });
  const mistakes = drafts.map((draft) => mistakesOf(id, draft, others));
  const source = drafts[mistakes.indexOf(Math.min(...mistakes))] as SourceDraft;
  const dropped = inferred.fields.slice(fields.length).map(({ name }) => name);
  const told = unsureOf(wishes, id, source, inferred, isNumbered).filter(({ about }) => !dropped.includes(about));
  const unsure = [...read.unsure, ...origin.unsure, ...told];
  return { source, read, unsure };
}

/** Fields without the one of a last column that has neither name nor value: rows that end with a delimiter have it. */
function withoutLast(fields: readonly InferredField[]): readonly InferredField[] {
  const last = fields.at(-1);
  const isNameless = typeof last?.from === 'number' || /^(column )?\d+$/.test(String(last?.from));
  const isBlank = last?.doubts?.some(({ message }) => message.startsWith('only blanks'));
  return fields.length > 1 && isNameless && isBlank ? fields.slice(0, -1) : fields;
}

function originOf({ bucket, prefix }: Wishes, id: string, { bucket: seen, isOne, inputs }: Inputs) {
  const own = /^ours:(.+)$/.exec(bucket ?? '')?.[1];
  const from: Origin['bucket'] = own !== undefined ? ours(own) : (bucket ?? seen ?? ours(bucketOf(id)));
  const found = seen === undefined ? { prefix: '', dated: false } : findPrefix(inputs.map(({ key }) => key));
  const chosen = prefix ?? found.prefix;
  const unsure: Unsure[] = [];
  if (prefix === undefined && seen !== undefined && (found.dated || isOne || chosen === '')) {
    const what = chosen === '' ? 'every key of the bucket' : `${chosen}, from ${isOne ? 'one key' : 'the keys seen'}`;
    unsure.push({ about: 'prefix', message: `${what}${found.dated ? ', without the folders that name a day' : ''}` });
  }
  return { from: { bucket: from, ...(chosen !== '' && { prefix: chosen }) }, unsure };
}

/** The stack's name, account and region take most of the 63 characters of a bucket's name. */
const ownLength = 24;

function bucketOf(id: string): string {
  return id.length <= ownLength
    ? id
    : id
        .slice(0, ownLength + 1)
        .replace(/-[^-]*$/, '')
        .slice(0, ownLength);
}

/** A draft as if its file had been loaded. */
export function registeredDraft(id: string, draft: SourceDraft): RegisteredSource {
  const { from, format, entity, key, version } = draft;
  const config = {
    from,
    entity,
    fields: buildFields(draft.fields),
    ...(format && { format }),
    ...(key.length > 0 && { key: key.length === 1 ? key[0] : key }),
    ...(version !== undefined && { version }),
  };
  // A draft has what a source file says, without the types that a compiler would see.
  return { id, hash: '', source: { config } as unknown as AnySource };
}

function mistakesOf(id: string, draft: SourceDraft, others: readonly RegisteredSource[]): number {
  const all = [...others, registeredDraft(id, draft)];
  return findMistakes(all).filter(({ sources }) => sources.includes(id)).length;
}

function unsureOf(
  { entity }: Wishes,
  id: string,
  draft: SourceDraft,
  inferred: InferredSource,
  isNumbered: boolean,
): readonly Unsure[] {
  const unsure: Unsure[] = [];
  if (entity === undefined) unsure.push({ about: 'entity', message: `${draft.entity}, a guess from the id ${id}` });
  const { key, keyReason } = inferred;
  const what = key.length === 0 ? 'none, so every row is kept as a record of its own' : key.join(' and ');
  unsure.push({ about: 'key', message: `${what}: ${keyReason}` });
  if (key.length > 0 && draft.version === undefined)
    unsure.push({ about: 'version', message: 'no field says which row is newer: that of the newest object wins' });
  if (isNumbered) unsure.push({ about: 'fields', message: 'the file has no header: give c1, c2, … names that tell' });
  for (const name of inferred.leftOut)
    unsure.push({ about: name, message: 'left out: no field type can hold what is in it' });
  return [...unsure, ...inferred.doubts.map(({ field, message }) => ({ about: field, message }))];
}
