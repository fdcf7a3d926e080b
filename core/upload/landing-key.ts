import { sourceIdPattern } from '../source/registry.ts';

/** `landing/source=<id>/dt=<UTC day of LastModified>/<uploadId>/<safe base name>` */
export interface LandingName {
  readonly sourceId: string;
  readonly day: string;
  readonly uploadId: string;
  readonly baseName: string;
}

export const landingPrefix = 'landing/';
const pattern = /^landing\/source=([^/]+)\/dt=(\d{4}-\d\d-\d\d)\/([a-z2-7]{26})\/([A-Za-z0-9._-]{1,120})$/;

/** The landing key of an upload: where its verbatim copy lies. */
export function landingKey(name: LandingName): string {
  return `${landingPrefix}source=${name.sourceId}/dt=${name.day}/${name.uploadId}/${name.baseName}`;
}

/** What a landing key says, or undefined when it is none. */
export function parseLandingKey(key: string): LandingName | undefined {
  const [, sourceId, day, uploadId, baseName] = pattern.exec(key) ?? [];
  if (!sourceId || !day || !uploadId || !baseName || !sourceIdPattern.test(sourceId)) return undefined;
  return { sourceId, day, uploadId, baseName };
}

/**
 * The last segment of a key, made of safe characters and at most 120 long; its end (with the extensions) survives the
 * cut. Never empty and never `.` or `..`.
 */
export function safeBaseName(key: string): string {
  const last = key.split('/').findLast((segment) => segment !== '') ?? '';
  const safe = last
    .normalize('NFC')
    .replaceAll(/[^A-Za-z0-9._-]/g, '_')
    .slice(-120);
  return /^\.*$/.test(safe) ? `object${safe}`.slice(0, 120) : safe;
}

/** UTC day of an instant in milliseconds: `2026-03-01`. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
