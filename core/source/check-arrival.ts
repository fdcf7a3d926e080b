import { filesPath } from '../origin/delivery.ts';
import type { Complete, Origin, Poll } from './source.ts';

/** What is wrong with how a source's objects are found and what their deliveries wait for, each with its way out. */
export function arrivalProblems({ bucket, prefix = '', poll, complete }: Origin): readonly string[] {
  return [
    ...(poll === undefined ? [] : pollProblems(poll, typeof bucket !== 'string')),
    ...(complete === undefined ? [] : completeProblems(complete, prefix)),
  ];
}

function pollProblems({ everyMinutes, listCalls, since }: Poll, isOurs: boolean): readonly string[] {
  const problems: string[] = [];
  if (isOurs) problems.push("poll: a bucket of the stack's own tells of its objects by itself: leave poll out");
  if (everyMinutes !== undefined && !isWhole(everyMinutes, 5, 1440))
    problems.push(`poll.everyMinutes: ${everyMinutes} is not a whole number from 5 to 1440`);
  if (listCalls !== undefined && !isWhole(listCalls, 1, 5000))
    problems.push(`poll.listCalls: ${listCalls} is not a whole number from 1 to 5000`);
  if (since !== undefined && !(/^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/.test(since) && Number.isFinite(Date.parse(since))))
    problems.push(
      `poll.since: '${since}' is no day or instant in UTC: write it like 2026-01-31 or 2026-01-31T12:00:00Z`,
    );
  return problems;
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

const placeholders = /\{(?:name|stem)\}/g;

function completeProblems(complete: Complete, prefix: string): readonly string[] {
  const isMarker = complete.marker !== undefined;
  if ('marker' in complete && 'manifest' in complete)
    return ['complete has a marker and a manifest: leave one of them out'];
  const name = isMarker ? complete.marker : complete.manifest;
  const what = isMarker ? 'complete.marker' : 'complete.manifest';
  const problems: string[] = [];
  if (name === '' || name.includes('/'))
    problems.push(`${what}: '${name}' is no name: it is the last part of a key, as _SUCCESS`);
  const found = isMarker ? (name.match(placeholders) ?? []) : [];
  if (found.length > 1) problems.push(`${what}: '${name}' has more than one placeholder: {name} or {stem}, once`);
  else if (found.length === 1 && name.length === (found[0] ?? '').length)
    problems.push(`${what}: '${name}' is every name: put something before or behind it, as {name}.done`);
  else if (/[{}]/.test(isMarker ? name.replaceAll(placeholders, '') : name))
    problems.push(`${what}: '${name}' has a placeholder that is none: they are {name} and {stem}, in a marker`);
  // What speaks for a folder would lie outside the prefix, for objects at its edge.
  if (found.length === 0 && prefix !== '' && !prefix.endsWith('/'))
    problems.push(`${what} speaks for a folder: end the prefix '${prefix}' with '/'`);
  else if (liesOutside(name, prefix))
    problems.push(
      `${what}: '${name}' would lie outside the prefix '${prefix}', where nobody looks for it: end the prefix with '/'`,
    );
  if (!isMarker && complete.files !== undefined && filesPath(complete.files) === undefined)
    problems.push(`complete.files: '${complete.files}' is no path: write it like entries[].url, files[] or []`);
  return problems;
}

/** Whether the marker of an object under the prefix may have a key that does not begin with the prefix. */
function liesOutside(marker: string, prefix: string): boolean {
  const begun = prefix.slice(prefix.lastIndexOf('/') + 1);
  if (begun === '') return false;
  return !(marker.startsWith('{name}') || (marker.startsWith('{stem}') && !begun.slice(1).includes('.')));
}
