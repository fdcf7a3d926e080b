import type { AnySource } from './source.ts';

export interface RegisteredSource {
  /** The file's name without `.ts`. */
  readonly id: string;
  /** Hash of the source file and all it imports, its decoder and its field types: what decides about its records. */
  readonly hash: string;
  readonly source: AnySource;
}

/** All sources of a build. A generated file holds it; handlers get it as an argument. */
export interface Registry {
  /** When this build was made, ISO: a later build has the later stamp. */
  readonly build: string;
  readonly sources: readonly RegisteredSource[];
  /** Number of each entity's current load, where it is not the first. */
  readonly loads?: Readonly<Record<string, number>>;
}

export const sourceIdPattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
