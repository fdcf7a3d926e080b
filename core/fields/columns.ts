import type { Field, Fields, From, Path } from './field.ts';

/**
 * Fields for rows that are objects by column name, as transform sees delimited text: a column number becomes the
 * column's name, and a name that is a column is taken whole, dots and brackets included.
 */
export function fieldsByColumnName(fields: Fields, columns: readonly string[]): Fields {
  const byName = (path: Path): Path => {
    if (typeof path === 'number') return [columns[path] ?? String(path)];
    return typeof path === 'string' && columns.includes(path) ? [path] : path;
  };
  const renamed = (field: Field<unknown>, name: string): Field<unknown> => {
    const from = field.from ?? name;
    return { ...field, from: fromByName(from, byName) };
  };
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, renamed(field, name)]));
}

function fromByName(from: From, byName: (path: Path) => Path): From {
  if (typeof from !== 'object' || Array.isArray(from)) return byName(from as Path);
  return 'first' in from ? { first: from.first.map(byName) } : (from as From);
}
