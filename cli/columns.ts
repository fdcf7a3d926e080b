/** Lines of a table for people: columns padded, numbers to the right, two spaces between. */
export function columns(head: readonly string[], rows: readonly (readonly (string | number)[])[]): readonly string[] {
  const all = [head, ...rows].map((row) => row.map((cell) => (typeof cell === 'number' ? grouped(cell) : cell)));
  const widths = head.map((_, column) => Math.max(...all.map((row) => [...(row[column] ?? '')].length)));
  const rightward = head.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  return all.map((row) =>
    row
      .map((cell, column) =>
        rightward[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** 100000 as 100,000. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1 row`, `2 rows`, `1,000 rows`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** The text in at most `length` UTF-16 code units, the last an ellipsis where something is left out. */
export function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
