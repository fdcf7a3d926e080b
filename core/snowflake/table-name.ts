import { isReservedWord } from './reserved-words.ts';

const ENTITY = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** The last word in the plural, by the regular rules of English; a word that already is a plural stays. */
function plural(word: string): string {
  if (/[^AEIOU]Y$/.test(word)) return `${word.slice(0, -1)}IES`;
  if (/.IS$/.test(word)) return `${word.slice(0, -2)}ES`;
  if (/(SS|US|SH|CH|X|Z)$/.test(word)) return `${word}ES`;
  if (word.endsWith('S')) return word;
  return `${word}S`;
}

/**
 * The table of an entity: its name in upper case and in the plural (`order` is ORDERS, `machine-reading` is
 * MACHINE_READINGS). Refuses an entity whose table everybody would have to quote.
 */
export function tableName(entity: string): string {
  if (!ENTITY.test(entity))
    throw new Error(
      `Naming the table of entity "${entity}": an entity is lower-case words joined by "-", such as machine-reading. ` +
        'Rename the entity in its sources.',
    );
  const words = entity.toUpperCase().split('-');
  const name = [...words.slice(0, -1), plural(words.at(-1) ?? '')].join('_');
  if (isReservedWord(name))
    throw new Error(
      `Naming the table of entity "${entity}": ${name} is a reserved word in Snowflake. Rename the entity in its sources, ` +
        `for example ${entity}-entry.`,
    );
  return name;
}
