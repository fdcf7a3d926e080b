import type { Mistake } from './check.ts';
import type { RegisteredSource } from './registry.ts';
import type { Origin } from './source.ts';

/** S3: a key has at most 1,024 bytes of UTF-8 (UserGuide, "Naming Amazon S3 objects"). */
const longestKey = 1024;

/** Physical names of what the stack writes itself: a source that reads it would feed itself. */
const ownBucket = /^firn-.+-(landing|export|stream-failures)-\d{12}-[a-z0-9-]+$/;

/** Why no object's key can ever match what a source claims, or none should. */
export function keyProblems({ bucket, prefix = '', suffix = '' }: Origin): readonly Omit<Mistake, 'sources'>[] {
  const problems: Omit<Mistake, 'sources'>[] = [];
  if (typeof bucket === 'string' && ownBucket.test(bucket)) {
    const message = `bucket '${bucket}' is one that the stack writes into: the source would read what it wrote`;
    problems.push({ at: ['from', 'bucket'], message });
  }
  for (const [name, text] of [['prefix', prefix] as const, ['suffix', suffix] as const]) {
    if (new TextEncoder().encode(text).length > longestKey)
      problems.push({ at: ['from', name], message: `${name} is longer than any key: S3 takes ${longestKey} bytes` });
    if (/^s3:\/\//.test(text))
      problems.push({ at: ['from', name], message: `${name} '${text}' is an address: keep what follows the bucket` });
  }
  return problems;
}

/** What is allowed and may still surprise: who gets the objects that two sources claim, and keys that are never seen. */
export function findNotes(sources: readonly RegisteredSource[]): readonly Mistake[] {
  return [...sources.flatMap(ownNotes), ...overlaps(sources)];
}

function ownNotes({ id, source }: RegisteredSource): readonly Mistake[] {
  const { prefix = '', suffix = '' } = source.config.from;
  const notes: Mistake[] = [];
  if (prefix.startsWith('/')) {
    const message = `prefix '${prefix}' begins with '/', and keys hardly ever do: look at one, or drop the '/'`;
    notes.push({ sources: [id], at: ['from', 'prefix'], message });
  }
  for (const [name, text] of [['prefix', prefix] as const, ['suffix', suffix] as const]) {
    if (!/[*?]/.test(text)) continue;
    const message = `${name} '${text}' is taken letter by letter: only \`exclude\` knows * and ?`;
    notes.push({ sources: [id], at: ['from', name], message });
  }
  return notes;
}

function overlaps(sources: readonly RegisteredSource[]): readonly Mistake[] {
  const buckets = Map.groupBy(sources, ({ source }) => JSON.stringify(source.config.from.bucket));
  return [...buckets.values()].flatMap((group) =>
    group.flatMap((wide) => group.flatMap((narrow) => overlap(wide, narrow) ?? [])),
  );
}

/** Every key that `narrow` claims begins as those of `wide` do, and some may end so too. */
function overlap(wide: RegisteredSource, narrow: RegisteredSource): Mistake | undefined {
  const [a, b] = [wide, narrow].map(({ source: { config } }) => ({
    prefix: config.from.prefix ?? '',
    suffix: config.from.suffix ?? '',
  }));
  if (!a || !b || wide === narrow || !b.prefix.startsWith(a.prefix)) return undefined;
  const endAlike = a.suffix.endsWith(b.suffix) || b.suffix.endsWith(a.suffix);
  if (!endAlike) return undefined;
  if (a.prefix === b.prefix) {
    if (b.suffix.length <= a.suffix.length) return undefined;
    const message = `keys under '${a.prefix}' that end with '${b.suffix}' go to ${narrow.id} alone, not to ${wide.id}: the longer suffix wins`;
    return { sources: [narrow.id, wide.id], at: ['from', 'suffix'], message };
  }
  const message = `its prefix lies inside '${a.prefix}' of ${wide.id}: keys under '${b.prefix}' go to ${narrow.id} alone, the longer prefix wins`;
  return { sources: [narrow.id, wide.id], at: ['from', 'prefix'], message };
}
