import { Problem } from '../fields/field.ts';
import { compileFields } from '../fields/read.ts';
import { compileMap } from '../normalize/mapper.ts';
import { tableName } from '../snowflake/table-name.ts';
import { keyProblems } from './check-claims.ts';
import { entityMistakes } from './check-entities.ts';
import { optionProblems } from './check-options.ts';
import { bucketProblems, originProblems } from './check-origin.ts';
import type { RegisteredSource } from './registry.ts';
import { keyFields } from './source.ts';

/** One thing that is wrong, and the way out. */
export interface Mistake {
  /** Ids of the sources it lies in: one, or all that contradict each other, which the message then names. */
  readonly sources: readonly string[];
  /** The property it lies in, from the outside in: `['from', 'prefix']`. */
  readonly at?: readonly string[];
  readonly message: string;
}

type Found = Omit<Mistake, 'sources'>;

/** What all sources together must pass before anything is deployed. Empty when nothing is wrong. */
export function findMistakes(sources: readonly RegisteredSource[]): readonly Mistake[] {
  const own = sources.flatMap((each) => checkSource(each).map((found) => ({ sources: [each.id], ...found })));
  return [
    ...own,
    ...sameClaims(sources),
    ...bucketProblems(sources),
    ...entityMistakes(sources),
    ...sameTables(sources),
  ];
}

/** {@link findMistakes} as lines, one for each, that begin with the source's id where it is one source's own. */
export function checkSources(sources: readonly RegisteredSource[]): readonly string[] {
  return findMistakes(sources).map(({ sources: ids, message }) =>
    ids.length === 1 ? `${ids[0]}: ${message}` : message,
  );
}

const entityPattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Snowflake: a name has at most 255 characters, and a pipe's is its table's and more. */
const longestEntity = 200;
/** The id is part of every landing key, of which S3 takes 1,024 bytes in all. */
const longestId = 200;

function checkSource({ id, source: { config } }: RegisteredSource): readonly Found[] {
  const problems: Found[] = [...optionProblems(config)];
  if (id.length > longestId)
    problems.push({ message: `its id is longer than ${longestId} characters: rename the file` });
  if (!entityPattern.test(config.entity)) {
    const message = `entity '${config.entity}' is not lower-case words joined by '-': write it like machine-reading`;
    problems.push({ at: ['entity'], message });
  } else if (config.entity.length > longestEntity) {
    problems.push({ at: ['entity'], message: `its entity is longer than ${longestEntity} characters: shorten it` });
  } else problems.push(...attempt(() => tableName(config.entity)).map((message) => ({ at: ['entity'], message })));
  const names = Object.keys(config.fields);
  if (names.length === 0) problems.push({ at: ['fields'], message: 'it has no fields: name at least one' });
  problems.push(...checkNamed(config));
  if (config.keep === 'latest' && config.key === undefined)
    problems.push({ at: ['keep'], message: "keep: 'latest' needs a key" });
  const origin = originProblems(config.from).map((message) => ({ at: ['from'], message }));
  return [...problems, ...keyProblems(config.from), ...origin, ...checkFields(config)];
}

/** The fields that key and version name. */
function checkNamed(config: RegisteredSource['source']['config']): readonly Found[] {
  const { fields, version } = config;
  const problems: Found[] = [];
  if (Array.isArray(config.key) && config.key.length === 0)
    problems.push({ at: ['key'], message: 'its key names no field: name one, or leave key out' });
  const named = [
    ...keyFields(config).map((name) => ['key', name] as const),
    ...(version === undefined ? [] : [['version', version] as const]),
  ];
  for (const [part, name] of named) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!field)
      problems.push({ at: [part], message: `'${name}' is no field: it has ${Object.keys(fields).join(', ')}` });
    else if (field.optional) {
      const message = `'${name}' is part of the key or the version and must not be optional`;
      problems.push({ at: ['fields', name], message });
    } else if (part === 'version' && !['timestamp', 'date', 'integer'].includes(field.kind)) {
      const message = `version '${name}' is ${field.kind}: only a timestamp, a date or an integer says what is newer`;
      problems.push({ at: [part], message });
    } else if (part === 'key' && ['json', 'list', 'object'].includes(field.kind)) {
      problems.push({ at: [part], message: `key '${name}' is ${field.kind}: a record is named by single values` });
    }
  }
  return problems;
}

function checkFields(config: RegisteredSource['source']['config']): readonly Found[] {
  const failed = attempt(() => compileMap(config));
  if (failed.length > 0) return failed.map((message) => ({ at: ['fields'], message }));
  return compileFields(config.fields).flatMap(({ name }) => {
    const field = config.fields[name];
    if (field?.default === undefined) return [];
    const parsed = field.compile().parse(field.default);
    if (!(parsed instanceof Problem)) return [];
    return [{ at: ['fields', name], message: `the default of '${name}' does not fit: ${parsed.message}` }];
  });
}

function attempt(run: () => unknown): readonly string[] {
  try {
    run();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** Two sources that claim the same keys of one bucket: every object would go to one of them alone. */
function sameClaims(sources: readonly RegisteredSource[]): readonly Mistake[] {
  const claims = Map.groupBy(sources, ({ source: { config } }) =>
    JSON.stringify([config.from.bucket, config.from.prefix ?? '', config.from.suffix ?? '']),
  );
  return [...claims.values()]
    .filter((same) => same.length > 1)
    .map((same) => same.map(({ id }) => id))
    .map((ids) => ({
      sources: ids,
      at: ['from'],
      message: `${ids.join(' and ')} claim the same bucket, prefix and suffix: give each its own`,
    }));
}

function sameTables(sources: readonly RegisteredSource[]): readonly Mistake[] {
  const entities = [...new Set(sources.map(({ source }) => source.config.entity))].filter((each) =>
    entityPattern.test(each),
  );
  const tables = Map.groupBy(entities, (entity) => {
    try {
      return tableName(entity);
    } catch {
      return entity;
    }
  });
  return [...tables]
    .filter(([, same]) => same.length > 1)
    .map(([table, same]) => ({
      sources: sources.filter(({ source }) => same.includes(source.config.entity)).map(({ id }) => id),
      at: ['entity'],
      message: `entities ${same.join(' and ')} would share the Snowflake table ${table}: rename one`,
    }));
}
