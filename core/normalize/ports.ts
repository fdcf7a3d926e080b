import type { DecodeLimits } from '../decode/format.ts';
import type { RegisteredSource, Registry } from '../source/registry.ts';
import type { Table } from '../table/table.ts';
import type { LandingName } from '../upload/landing-key.ts';
import type { LandingFacts } from '../upload/landing-metadata.ts';
import type { SideFileStore } from '../upload/side-file.ts';
import type { ObjectBytes, Spool } from './open.ts';
import type { Time } from './time.ts';

/** The landing bucket as normalize sees it. */
export interface LandingStore extends SideFileStore {
  /**
   * Opens a landing object; undefined when it is gone. `body` begins at byte `from` (0 unless given), which must lie
   * within the object; `sizeBytes` is that of the whole.
   */
  open(key: string, from?: number): Promise<LandingObject | undefined>;
}

export interface LandingObject extends ObjectBytes {
  readonly metadata: Readonly<Record<string, string>>;
}

export interface NormalizePorts extends Time {
  readonly registry: Registry;
  readonly table: Table;
  readonly store: LandingStore;
  readonly spool: Spool;
  /** Where decoders do not take their defaults. */
  readonly limits?: Partial<DecodeLimits>;
  /** Sends messages to the queue that normalize works on. */
  readonly send: (bodies: readonly string[]) => Promise<void>;
  /** Sends one that comes after so many seconds, at most 900. */
  readonly sendLater: (body: string, seconds: number) => Promise<void>;
  /** Objects that can be cut are cut where they are larger than this. */
  readonly partBytes: number;
  readonly now: () => number;
}

/** One upload under one revision, as all that work on it know it. */
export interface Run {
  readonly key: string;
  readonly name: LandingName;
  readonly registered: RegisteredSource;
  readonly facts: LandingFacts;
  readonly revision: number;
  /** No worker ever began this upload under another revision: its rows can meet only themselves. */
  readonly onlyRevision: boolean;
}
