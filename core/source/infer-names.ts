import { wordsOf } from '../fields/name-words.ts';
import { sourceIdPattern } from './registry.ts';

/** What is no part of a feed's name: numbers, and what says how and when it was written. */
const noise = /^(\d+|dt|date|day|year|month|part|data|export|extract|dump|sample|samples|test|copy|full|daily|v\d+)$/;

/**
 * The id of a source from the path of a sample: the file's name if it has words, else the nearest folder's that has.
 * Undefined when neither has.
 */
export function findSourceId(path: string): string | undefined {
  const parts = path.split(/[/\\]+/).filter((part) => part !== '');
  const named = parts.map((part, index) => {
    const name = index === parts.length - 1 ? part.replace(/^([^.]+)\..*$/, '$1') : part;
    const words = wordsOf(name.normalize('NFC'))
      .map((word) => word.replaceAll(/[^a-z0-9]/g, ''))
      .filter((word) => word !== '' && !noise.test(word));
    return words.join('-');
  });
  return named.findLast((id) => sourceIdPattern.test(id));
}

/**
 * The entity that a source's id speaks of: up to its last word in the plural, in the singular: `orders-lisbon` is order,
 * `stock-moves` is stock-move. An id without a plural is the entity itself.
 */
export function findEntity(id: string): string {
  const words = id.split('-');
  const last = words.findLastIndex((word) => singular(word) !== undefined);
  if (last < 0) return id;
  return [...words.slice(0, last), singular(words[last] ?? '') ?? ''].join('-');
}

/** The singular of an English plural by its regular rules; undefined for what is none. */
function singular(word: string): string | undefined {
  if (/^(news|status|address|bus|gas|analysis|sales|series|paris|lens|canvas|plus)$/.test(word)) return undefined;
  if (/ies$/.test(word) && word.length > 4) return `${word.slice(0, -3)}y`;
  if (/(sses|shes|ches|xes|zes)$/.test(word)) return word.slice(0, -2);
  if (/(ss|us|is)$/.test(word) || word.length < 4) return undefined;
  return word.endsWith('s') ? word.slice(0, -1) : undefined;
}

/**
 * The prefix under which more objects like these will come: what their keys begin with alike, in whole folders, without
 * the folders that name a day or a partition. `dated` says that there were some.
 */
export function findPrefix(keys: readonly string[]): { readonly prefix: string; readonly dated: boolean } {
  const folders = keys.map((key) => key.split('/').slice(0, -1));
  const [first = []] = folders;
  const different = first.findIndex((folder, index) => folders.some((each) => each[index] !== folder));
  const shortest = Math.min(first.length, ...folders.map((each) => each.length));
  const alike = first.slice(0, different < 0 ? shortest : Math.min(different, shortest));
  const day = alike.findIndex((folder) => /^[^=]+=|^\d{4}$|^\d{4}-?\d\d(-?\d\d)?$/.test(folder));
  const kept = day < 0 ? alike : alike.slice(0, day);
  return { prefix: kept.map((folder) => `${folder}/`).join(''), dated: day >= 0 };
}
