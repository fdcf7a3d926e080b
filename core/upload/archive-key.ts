import { type LandingName, landingKey, landingPrefix, parseLandingKey } from './landing-key.ts';

const archivePrefix = 'archive/';

/** Where the verbatim copy of an archive lies: like a landing key, under a prefix of its own. */
export function archiveKey(name: LandingName): string {
  return archivePrefix + landingKey(name).slice(landingPrefix.length);
}

/** What an archive's key says, or undefined when it is none. */
export function parseArchiveKey(key: string): LandingName | undefined {
  return isArchiveKey(key) ? parseLandingKey(landingPrefix + key.slice(archivePrefix.length)) : undefined;
}

export function isArchiveKey(key: string): boolean {
  return key.startsWith(archivePrefix);
}
