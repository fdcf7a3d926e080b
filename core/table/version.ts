import { nanosOf, secondsOfIso } from '../fields/calendar.ts';
import { sortable, unsorted } from '../upload/base32.ts';

/**
 * The version of a record: base32 digits of fixed width, so that comparing bytes compares versions. In order:
 * generation, business time or number (or LastModified), LastModified, the upload, position, output, revision.
 * Nothing in it comes from a clock or an attempt: the same bytes under the same revision give the same version.
 */
const width = {
  generation: 2,
  seconds: 8,
  nanos: 6,
  number: 26,
  modified: 7,
  upload: 8,
  position: 11,
  output: 4,
  revision: 4,
};

/** Rows that `transform` may make of one: four base32 digits. */
export const maximumOutputs = 32 ** width.output;

/** Middle of the range of 38-digit integers, so that negative numbers sort below positive ones. */
const numberOffset = 10n ** 38n;
const secondsBeforeEpoch = 62_135_596_800; // from 0001-01-01

export interface UploadVersion {
  readonly lastModifiedMs: number;
  readonly uploadId: string;
  readonly revision: number;
  readonly generation?: number;
}

/** Digits of an instant with nine fraction digits: from its canonical text (`2026-03-01T23:10:00.5Z`, or a day). */
export function instantVersion(text: string): string {
  return sortable(secondsOfIso(text) + secondsBeforeEpoch, width.seconds) + sortable(nanosOf(text), width.nanos);
}

/** Digits of a whole number of at most 38 digits. */
export function numberVersion(text: string): string {
  return sortable(BigInt(text) + numberOffset, width.number);
}

/** A function from a row to its version, with all that is the same for an upload computed once. */
export function versionWriter(
  upload: UploadVersion,
): (business: string | undefined, position: number, output: number) => string {
  const generation = sortable(upload.generation ?? 1, width.generation);
  const modified = sortable(Math.floor(upload.lastModifiedMs / 1000), width.modified);
  const lastModified = instantVersion(`${new Date(upload.lastModifiedMs).toISOString().slice(0, 19)}Z`);
  const fixed = modified + upload.uploadId.slice(0, width.upload);
  const revision = sortable(upload.revision, width.revision);
  const first = sortable(0, width.output);
  return (business, position, output) =>
    generation +
    (business ?? lastModified) +
    fixed +
    sortable(position, width.position) +
    (output === 0 ? first : sortable(output, width.output)) +
    revision;
}

const grammar = /^[0-9a-v]{2}(?:[0-9a-v]{14}|[0-9a-v]{26})[0-9a-v]{7}[a-z2-7]{8}[0-9a-v]{19}$/;

/** The revision at the end of a version. Throws a RangeError for a text that is none. */
export function revisionOf(version: string): number {
  if (!grammar.test(version)) throw new RangeError('not the version of a record');
  return Number(unsorted(version.slice(-width.revision)));
}
