import type { Mistake } from './check.ts';
import type { RegisteredSource } from './registry.ts';
import { keepsAll, keyFields } from './source.ts';

/**
 * What sources of one entity must say alike, because its table in Snowflake has one column for each field by name, one
 * identity and one way to keep rows. An entity of one source has nothing to contradict.
 */
export function entityMistakes(sources: readonly RegisteredSource[]): readonly Mistake[] {
  const entities = Map.groupBy(sources, ({ source }) => source.config.entity);
  return [...entities].flatMap(([entity, group]) =>
    group.length < 2
      ? []
      : [...fieldMistakes(entity, group), ...keyMistakes(entity, group), ...keepMistakes(entity, group)],
  );
}

function fieldMistakes(entity: string, group: readonly RegisteredSource[]): readonly Mistake[] {
  const names = new Set(group.flatMap(({ source }) => Object.keys(source.config.fields)));
  return [...names].flatMap((name) => {
    const having = group.filter(({ source }) => Object.hasOwn(source.config.fields, name));
    const said = differing(having, ({ source }) => source.config.fields[name]?.kind ?? '');
    if (!said) return [];
    const message = `field '${name}' of entity ${entity} ${said}: give it one type, or another name in one of them`;
    return [{ sources: having.map(({ id }) => id), at: ['fields', name], message }];
  });
}

function keyMistakes(entity: string, group: readonly RegisteredSource[]): readonly Mistake[] {
  // A key that names no field is a mistake of its own.
  const whole = group.filter(({ source: { config } }) => keyFields(config).every((name) => config.fields[name]));
  const said = differing(whole, ({ source: { config } }) => {
    const kinds = keyFields(config).map((name) => config.fields[name]?.kind ?? '');
    return kinds.length === 0 ? 'nothing' : kinds.join(' and ');
  });
  if (!said) return [];
  const message = `the key of entity ${entity} ${said}: records of one entity are named by the same fields everywhere`;
  return [{ sources: group.map(({ id }) => id), at: ['key'], message }];
}

function keepMistakes(entity: string, group: readonly RegisteredSource[]): readonly Mistake[] {
  // Said already: without a key every row is kept.
  if (new Set(group.map(({ source }) => keyFields(source.config).length)).size > 1) return [];
  const said = differing(group, ({ source }) => (keepsAll(source.config) ? "'all'" : "'latest'"));
  if (!said) return [];
  const message = `what is kept of entity ${entity} ${said}: say the same \`keep\` in each, or make it two entities`;
  return [{ sources: group.map(({ id }) => id), at: ['keep'], message }];
}

/** `is text in a and b, integer in c`; undefined when all say the same. */
function differing(
  group: readonly RegisteredSource[],
  saidBy: (source: RegisteredSource) => string,
): string | undefined {
  const groups = [...Map.groupBy(group, saidBy)];
  if (groups.length < 2) return undefined;
  return `is ${groups.map(([said, same]) => `${said} in ${same.map(({ id }) => id).join(' and ')}`).join(', ')}`;
}
