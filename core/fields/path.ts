import { ExactNumber } from '../decode/exact-number.ts';
import type { Path } from './field.ts';

export type Getter = (row: unknown) => unknown;

/** Segments of a path: `'a.b[0]'` is a, b, 0. A number is a column, a list is taken as it is. */
export function segmentsOf(path: Path): readonly (string | number)[] {
  if (typeof path === 'number') return [path];
  if (typeof path !== 'string') return path;
  const segments: (string | number)[] = [];
  for (const [, name, index] of path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)) {
    segments.push(name ?? Number(index));
  }
  return segments;
}

/** A path as people write it, for messages. */
export function pathText(path: Path): string {
  return segmentsOf(path).reduce<string>(
    (text, each) => (typeof each === 'number' ? `${text}[${each}]` : text === '' ? each : `${text}.${each}`),
    '',
  );
}

/**
 * A function that reads the value at a path, or undefined. With `columns` (delimited text) the row is a list of cells
 * and the whole path is one column name, or a column number.
 */
export function compilePath(path: Path, columns?: readonly string[]): Getter {
  if (columns) {
    const index = typeof path === 'number' ? path : columnOf(path, columns);
    return index < 0 ? () => undefined : (row) => (row as readonly unknown[])[index];
  }
  return generated(segmentsOf(path));
}

/**
 * Code of its own for each path: V8 learns the shape of rows at each place where a member is read, and one function
 * for all paths would have one such place for all of them (measured: reading members then takes more than twice as long).
 * Names are only ever put into the code as JSON texts.
 */
function generated(segments: readonly (string | number)[]): Getter {
  // Names that every object or list answers to, digits (which a list takes for an index) and the one member of an
  // ExactNumber need a closer look.
  const special = segments.some(
    (each) => typeof each === 'string' && (each in [] || /^(__proto__|text|\d+)$/.test(each)),
  );
  if (special || segments.length === 0) return (row) => segments.reduce(member, row);
  const steps = segments.map(
    (segment) =>
      `if (typeof value !== 'object' || value === null) return undefined;\nvalue = value[${JSON.stringify(segment)}];`,
  );
  return new Function('value', `${steps.join('\n')}\nreturn value;`) as Getter;
}

function columnOf(path: string | readonly (string | number)[], columns: readonly string[]): number {
  return columns.indexOf(typeof path === 'string' ? path : path.join('.'));
}

// Own members only: a row without a `constructor` must not answer with Object's.
function member(value: unknown, segment: string | number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return undefined;
  if (Array.isArray(value)) return typeof segment === 'number' ? value[segment] : undefined;
  const found = (value as Record<string | number, unknown>)[segment];
  return typeof found === 'function' || segment === '__proto__' ? own(value, segment) : found;
}

function own(value: object, segment: string | number): unknown {
  return Object.hasOwn(value, segment) ? (value as Record<string | number, unknown>)[segment] : undefined;
}
