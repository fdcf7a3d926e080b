import { ExactNumber } from './exact-number.ts';

/** A row of plain values as JSON text, every number with all its digits. What JSON cannot say (a Date) has no place in a row. */
export function rowJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof ExactNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(rowJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${rowJson(member)}`);
  return `{${members.join(',')}}`;
}
