import { Problem } from '../fields/field.ts';
import { compileFields } from '../fields/read.ts';
import { compileMap } from '../normalize/mapper.ts';
import { tableName } from '../snowflake/table-name.ts';
import type { RegisteredSource } from './registry.ts';
import { keyFields } from './source.ts';

/** One thing that is wrong, and the way out. */
export interface Mistake {
  /** Ids of the sources it lies in: one, or all that contradict each other, which the message then names. */
  readonly sources: readonly string[];
  readonly message: string;
}

/** What all sources together must pass before anything is deployed. Empty when nothing is wrong. */
export function findMistakes(sources: readonly RegisteredSource[]): readonly Mistake[] {
  const own = sources.flatMap((each) => checkSource(each).map((message) => ({ sources: [each.id], message })));
  return [...own, ...sameClaims(sources), ...sameTables(sources)];
}

/** {@link findMistakes} as lines, one for each, that begin with the source's id where it is one source's own. */
export function checkSources(sources: readonly RegisteredSource[]): readonly string[] {
  return findMistakes(sources).map(({ sources: ids, message }) =>
    ids.length === 1 ? `${ids[0]}: ${message}` : message,
  );
}

const entityPattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

function checkSource({ source: { config } }: RegisteredSource): readonly string[] {
  const problems: string[] = [];
  if (!entityPattern.test(config.entity)) {
    problems.push(`entity '${config.entity}' is not lower-case words joined by '-': write it like machine-reading`);
  } else problems.push(...attempt(() => tableName(config.entity)));
  const names = Object.keys(config.fields);
  if (names.length === 0) problems.push('it has no fields: name at least one');
  const named = [...keyFields(config), ...(config.version === undefined ? [] : [config.version])];
  for (const name of named) {
    if (!names.includes(name)) problems.push(`'${name}' is no field: it has ${names.join(', ')}`);
    else if (config.fields[name]?.optional)
      problems.push(`'${name}' is part of the key or the version and must not be optional`);
  }
  if (Array.isArray(config.key) && config.key.length === 0)
    problems.push('its key names no field: name one, or leave key out');
  if (config.keep === 'latest' && config.key === undefined) problems.push("keep: 'latest' needs a key");
  problems.push(...checkFields(config));
  return problems;
}

function checkFields(config: RegisteredSource['source']['config']): readonly string[] {
  const failed = attempt(() => compileMap(config));
  if (failed.length > 0) return failed;
  return compileFields(config.fields).flatMap(({ name }) => {
    const field = config.fields[name];
    if (field?.default === undefined) return [];
    const parsed = field.compile().parse(field.default);
    return parsed instanceof Problem ? [`the default of '${name}' does not fit: ${parsed.message}`] : [];
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
      message: `entities ${same.join(' and ')} would share the Snowflake table ${table}: rename one`,
    }));
}
